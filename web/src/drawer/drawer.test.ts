import { describe, expect, it } from "vitest";
import type { Parent } from "./answers";
import { place, traits, type Audience } from "./audience";
import { circle, distance } from "./circle";
import { explained, verdict, type Deviation } from "./deviation";
import { figuresOf, percentileInWords, strip } from "./figures";
import {
  bucketFor,
  common,
  crumbs,
  indexInWords,
  ordinal,
  radiusInWords,
  rankInWords,
  titleOf,
} from "./words";

const parents: Parent[] = [
  { id: "country:US", name: "United States", level: "country" },
  { id: "region:US-MA", name: "Massachusetts", level: "region" },
  { id: "metro:14460", name: "Boston-Cambridge-Newton, MA-NH", level: "metro" },
  { id: "city:4931972", name: "Cambridge", level: "city" },
];
const zip = { id: "zip:02139", name: "02139", level: "postal" as const, parents };

describe("an area's title", () => {
  it("names a ZIP's city and state", () => expect(titleOf(zip)).toBe("02139 Cambridge, MA"));
  it("names a city's state or country", () => {
    expect(
      titleOf({ ...zip, name: "Cambridge", level: "city", parents: parents.slice(0, 3) }),
    ).toBe("Cambridge, MA");
    const france: Parent[] = [
      { id: "country:FR", name: "France", level: "country" },
      { id: "region:FR-IDF", name: "Île-de-France", level: "region" },
    ];
    expect(titleOf({ id: "city:1", name: "Paris", level: "city", parents: france })).toBe(
      "Paris, France",
    );
    expect(
      titleOf({
        id: "region:FR-IDF",
        name: "Île-de-France",
        level: "region",
        parents: france.slice(0, 1),
      }),
    ).toBe("Île-de-France, France");
  });
  it("is a country's or a metro's name alone", () => {
    expect(
      titleOf({ id: "country:US", name: "United States", level: "country", parents: [] }),
    ).toBe("United States");
  });
  it("shortens a metro among the parents", () =>
    expect(crumbs(parents)[2]!.name).toBe("Boston metro"));
});

describe("numbers in words", () => {
  it.each([
    [1, "1st"],
    [2, "2nd"],
    [3, "3rd"],
    [4, "4th"],
    [11, "11th"],
    [12, "12th"],
    [13, "13th"],
    [21, "21st"],
    [112, "112th"],
    [1003, "1,003rd"],
  ])("%d is %s", (n, words) => expect(ordinal(n)).toBe(words));

  it("say a rank only where there is one", () => {
    expect(rankInWords("postal", 3, 512)).toBe("3rd of 512 postal codes with clicks");
    expect(rankInWords("country", 1, 1)).toBe("the only country with clicks");
    expect(rankInWords("city", null, 9)).toBeNull();
  });

  it("say an index as times, more or fewer", () => {
    expect(indexInWords(247, "postal")).toMatch(/^2\.5 times the clicks .* the country’s rate\.$/);
    expect(indexInWords(60, "city")).toMatch(/^40 % fewer than the clicks/);
    expect(indexInWords(130, "country")).toMatch(
      /^30 % more than the clicks .* the world’s rate\.$/,
    );
    expect(indexInWords(101, "city")).toMatch(/^As many clicks/);
  });

  it("say a radius once where half and nine in ten are the same", () => {
    expect(radiusInWords({ median: 20, p90: 20 })).not.toContain("nine in ten");
    expect(radiusInWords({ median: 5, p90: 50 })).toContain("50 km for nine in ten");
  });

  it("say a percentile from the nearer side", () => {
    expect(percentileInWords(93)).toBe("higher than where 93 in 100 live");
    expect(percentileInWords(6)).toBe("lower than where 94 in 100 live");
    expect(percentileInWords(50)).toBe("as in the nation’s middle");
    expect(percentileInWords(100)).toContain("99 in 100");
  });
});

describe("what an area and a filter's areas have in common", () => {
  const us = { id: "country:US", parents: [] };
  const fr = { id: "country:FR", parents: [] };
  it("is the area inside of them", () => expect(common(zip, [us, fr])).toEqual(["zip:02139"]));
  it("is those inside of the area", () => expect(common(us, [zip, fr])).toEqual(["zip:02139"]));
  it("is the area without any", () => expect(common(zip, [])).toEqual(["zip:02139"]));
});

describe("a circle of a true size", () => {
  it.each([
    [42.36, -71.1, 20],
    [0, 179.9, 100],
    [69.6, 18.9, 250],
    [-45, -179.99, 500],
  ])("at %d, %d has all its points %d km away", (lat, lon, km) => {
    const ring = circle(lat, lon, km);
    expect(ring[0]).toEqual(ring.at(-1));
    for (const [lng, y] of ring)
      expect(distance({ lat, lon }, { lat: y, lon: lng })).toBeCloseTo(km, 3);
    // In one piece: no jump across the date line.
    for (const [i, [lng]] of ring.entries())
      if (i) expect(Math.abs(lng - ring[i - 1]![0])).toBeLessThan(20);
  });
});

describe("figures of the people", () => {
  const against = { p10: 10, p25: 20, p50: 30, p75: 40, p90: 50 };
  const people = {
    residents: true,
    vintage: "ACS",
    source: "Census",
    medians: { median_household_income: 45_000, median_age: null },
    shares: { below_poverty: 0.123 },
    margins: { median_household_income: 5_000 },
  };
  it("are written with unit and margin, and left out where nobody knows", () => {
    const [main] = figuresOf({ people, against: null });
    expect(main.map(({ label, value, margin }) => [label, value, margin])).toEqual([
      ["Median household income", "$45,000", "± $5,000"],
      ["Below the poverty line", "12.3%", null],
    ]);
  });
  it("lie on a strip that holds both the nation's middle and the area", () => {
    const far = strip({
      raw: 90,
      rawMargin: 5,
      against: { ...against, value: 90, percentile: 99 },
    })!;
    expect(far.value).toBeGreaterThan(far.wide[1]);
    expect(far.wide[0]).toBeGreaterThan(0);
    expect(far.margin![0]).toBeLessThan(far.value);
    expect(far.median).toBeLessThan(far.middle[1]);
  });
});

describe("who lives where an area's clicks come from", () => {
  const found = {
    figure: ["median_age", "median_household_income", "vacant"],
    value: [37.5, 97_073, 0.1],
    reference: [38.8, 82_097, 0.1],
    index: [96.7, 118, 100],
    low: [96.6, 117, null],
    high: [96.9, 119, null],
    q: [0.3, 0.001, null],
  } as unknown as Audience;
  const rows = traits(found);
  it("is told only as far as there is an interval, the telling figures first", () => {
    expect(rows.map(({ name }) => name)).toEqual(["median_household_income", "median_age"]);
    expect(rows.map(({ sure }) => sure)).toEqual([true, false]);
    expect(rows.map(({ interval }) => interval)).toEqual(["117 to 119", "96.6 to 96.9"]);
    expect(rows[0]).toMatchObject({ value: "$97,073", reference: "$82,097" });
  });
  it("lies on one strip, twice and half as far from 100", () => {
    const at = place(rows);
    expect(at(100)).toBe(0.5);
    expect(at(110) - 0.5).toBeCloseTo(0.5 - at(100 / 1.1));
    expect(at(119)).toBeLessThan(1);
  });
});

describe("an area held against what it should have", () => {
  const metro = {
    clicks: 308,
    expected: 430.3,
    level: "metro",
    zone: 0,
    tested: 856,
    baseline: "population",
    together: false,
  } as Deviation;
  it("is said to be a gap or hot only beyond chance", () => {
    expect(verdict({ said: "usual", together: false })).toBe("Nothing beyond chance");
    expect(verdict({ said: "fewer", together: false })).toContain("gap");
    expect(verdict({ said: "more", together: true })).toContain("with its neighbours");
    expect(explained({ ...metro, said: "usual" })).toBe(
      "308 where its residents would give 430. Of 856 metros, some are that far off anyway.",
    );
    expect(explained({ ...metro, said: "fewer", zone: 4, baseline: "others" })).toBe(
      "308 where your other links would give 430. One of 4 such metros beside each other.",
    );
    expect(explained({ ...metro, clicks: null, said: "unknown" })).toContain("Hardly any clicks");
  });
});

describe("a trend's steps", () => {
  it("are hours for a day, days for a season, weeks beyond", () => {
    expect(bucketFor({ preset: "24h" })).toBe("hour");
    expect(bucketFor({ preset: "90d" })).toBe("day");
    expect(bucketFor({ preset: "all" })).toBe("week");
    expect(bucketFor({ from: "2026-11-01", to: "2026-11-02" })).toBe("hour");
    expect(bucketFor({ from: null, to: "2026-11-02" })).toBe("week");
  });
});
