import { describe, expect, it } from "vitest";
import { bothQueries } from "./api";
import { differenceColour, differenceInWords, distanceInWords, rowOf } from "./difference";

describe("a difference in words", () => {
  it("names the side with the larger share and by how much", () => {
    expect(differenceInWords(1)).toBe("2.0× A");
    expect(differenceInWords(-2)).toBe("4.0× B");
    expect(differenceInWords(Math.log2(1.05))).toBe("5% more A");
    expect(differenceInWords(-Math.log2(1.2))).toBe("20% more B");
    expect(differenceInWords(0.001)).toBe("equal");
    expect(differenceInWords(Math.log2(23))).toBe("23× A");
  });
});

it("says of a distance whether chance would make it, too", () => {
  expect(distanceInWords({ distance_p: 0.001, by_chance: 0.08 })).toContain("beyond chance");
  expect(distanceInWords({ distance_p: 0.4, by_chance: 0.08 })).toContain("no more than chance");
  expect(distanceInWords({ distance_p: null, by_chance: 0.08 })).toContain("Too few clicks");
});

it("is read off a tile with its signs", () => {
  const row = rowOf(
    { id: "z3:1", name: "Boston", a: 30, b: 10, difference: 99_842, differs: 1 },
    [100, 100],
  );
  expect(row).toMatchObject({ shareA: 0.3, shareB: 0.1, difference: -1.58, differs: true });
});

it("gets its colour between stops and keeps the ends", () => {
  const stops: [number, string][] = [
    [-1, "#0000ff"],
    [0, "#ffffff"],
    [1, "#ff0000"],
  ];
  expect(differenceColour(stops, -5)).toBe("#0000ff");
  expect(differenceColour(stops, 0.5)).toBe("#ff8080");
  expect(differenceColour(stops, 9)).toBe("#ff0000");
});

it("asks with the second side's names prefixed", () => {
  const query = bothQueries("link=a&tz=UTC", "link=b&link=c&from=2026-11-01");
  expect(query).toBe("link=a&tz=UTC&b.link=b&b.link=c&b.from=2026-11-01");
});
