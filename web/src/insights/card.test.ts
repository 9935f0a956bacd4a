import { describe, expect, it } from "vitest";
import { baselineOf, type InsightCard } from "./api";
import { figure, filterOf, frame, keyed, lineOf, sureness, tableOf, unitOf } from "./card";

const spot = (lat: number, lon: number) => ({ lat, lon, bbox: null });
const box = (west: number, south: number, east: number, north: number) => ({
  lat: (south + north) / 2,
  lon: (west + east) / 2,
  bbox: [west, south, east, north] as [number, number, number, number],
});

describe("frame", () => {
  it("holds all areas", () => {
    expect(frame([box(-80, 30, -70, 40), box(-100, 35, -90, 45)])).toEqual([-100, 30, -70, 45]);
    expect(frame([spot(42, -71)])).toEqual([-71.2, 41.8, -70.8, 42.2]);
  });
  it("goes over the date line where that is shorter", () => {
    expect(frame([box(170, -20, 178, -10), box(-178, -20, -170, -10)])).toEqual([
      170, -20, -170, -10,
    ]);
    expect(frame([box(177, -20, -178, -10)])).toEqual([177, -20, -178, -10]);
    expect(frame([box(10, 0, 20, 10), box(177, -20, -178, -10)])).toEqual([10, -20, -178, 10]);
  });
  it("is none where no area has a place", () => {
    expect(frame([])).toBeNull();
    expect(frame([{ lat: null, lon: null, bbox: null }])).toBeNull();
  });
});

describe("figures", () => {
  it("are measured in what their names say", () => {
    expect(["share", "population_share", "ratio", "index", "clicks", "gini"].map(unitOf)).toEqual([
      "share",
      "share",
      "times",
      "index",
      "plain",
      "plain",
    ]);
  });
  it("read as the page writes them elsewhere", () => {
    expect(figure(0.4, "share")).toBe("40.0%");
    expect(figure(3.14, "times")).toBe("3.1×");
    expect(figure(123.4, "index")).toBe("123");
    expect(figure(0.6254, "plain")).toBe("0.625");
  });
});

describe("the line of an interval", () => {
  const line = (of: string, value: number, interval: [number, number] | null) =>
    lineOf({ of, numbers: { [of]: value }, interval });
  it("marks what would be usual for a ratio, twice and half as far from it", () => {
    const twice = line("ratio", 2, [0.5, 2])!;
    expect(twice.usual).toBeCloseTo(0.5);
    expect(twice.usual! - twice.low).toBeCloseTo(twice.high - twice.usual!);
    expect(twice.words).toBe("0.5× to 2×");
  });
  it("holds a ratio whose interval begins at nothing", () => {
    const none = line("ratio", 0, [0, 0.2])!;
    expect(none.low).toBeGreaterThanOrEqual(0);
    expect(none.high).toBeLessThan(none.usual!);
  });
  it("begins at nothing for a share, and stays on it", () => {
    const share = line("share", 0.4, [0.38, 0.42])!;
    expect([share.low, share.at, share.high].every((at) => at! > 0 && at! <= 1)).toBe(true);
    expect(share.usual).toBeNull();
    expect(line("share", 1, [0.99, 1])!.high).toBeLessThanOrEqual(1);
  });
  it("has digits enough to tell its ends apart", () => {
    expect(line("ratio", 1.11, [1.08, 1.14])!.words).toBe("1.08× to 1.14×");
  });
  it("is none without an interval, and has no dot for a figure in words", () => {
    expect(line("share", 0.4, null)).toBeNull();
    expect(lineOf({ of: "x", numbers: { x: "Monday" }, interval: [1, 2] })!.at).toBeNull();
  });
});

it("is held against what the address says, if there is such a thing", () => {
  expect(baselineOf({ baseline: "others" })).toBe("others");
  expect(baselineOf({ baseline: "everybody" })).toBeNull();
  expect(baselineOf({ baseline: null })).toBeNull();
});

describe("a card", () => {
  it("says how often chance would do this", () => {
    expect(sureness({ p: 0.003, q: null })).toBe(
      "Chance alone would do this about 1 in 330 times.",
    );
    expect(sureness({ p: 1e-9, q: 1e-7 })).toBe(
      "Chance alone would do this less than 1 in 10,000 times, after all that was tested with it.",
    );
    expect(sureness({ p: 0.97, q: null })).toBe("Chance alone would do this more often than not.");
    expect(sureness({ p: null, q: null })).toBeNull();
  });
  it("leads to the table that it is from", () => {
    expect(tableOf({ kind: "gap", numbers: { level: "metro" } }, "link=a")).toBe(
      "/api/insights/gaps?format=csv&level=metros&link=a",
    );
    expect(tableOf({ kind: "difference", numbers: { by: "tag" } }, "")).toBe(
      "/api/insights/offers?format=csv&by=tag",
    );
    for (const [kind, numbers, address] of [
      [
        "difference",
        { group: "Europe", level: "country" },
        "differences?format=csv&level=countries",
      ],
      ["oddity", { level: "region" }, "oddities?format=csv&level=regions"],
      ["rhythm", { weekend: 0.4, level: "region" }, "weekends?format=csv&level=regions"],
      ["rhythm", { east: 400, west: 300 }, "coasts?format=csv"],
      ["rhythm", { ratio: 2, weeks: 4 }, "rhythm?format=csv"],
      ["language", { expected: 3 }, "markets?format=csv"],
      ["language", { language: "es" }, "languages?format=csv"],
      ["target", { table: "channels" }, "target?format=csv&table=channels"],
    ] as const)
      expect(tableOf({ kind, numbers: { ...numbers } }, "")).toBe(`/api/insights/${address}`);
  });
  it("suggests only filters that the page has", () => {
    expect(filterOf({ filter: { area: ["zip:02139"], nonsense: ["x"] } })).toEqual({
      area: ["zip:02139"],
    });
    expect(filterOf({ filter: {} })).toBeNull();
  });
  it("keeps its key when its numbers change, and no two share one", () => {
    const card = { kind: "gap", of: "ratio", areas: [], filter: {}, sentence: "1" } as unknown;
    const [a, b] = keyed([card, card] as InsightCard[]);
    const [c] = keyed([{ ...(card as InsightCard), sentence: "2" }]);
    expect(a!.key).not.toBe(b!.key);
    expect(a!.key).toBe(c!.key);
  });
});
