import { describe, expect, it } from "vitest";
import type { SharedMap } from "./api";
import { days, hidden } from "./words";

const of = (change: Partial<SharedMap>) =>
  ({
    first_day: null,
    last_day: null,
    withheld: 0,
    unplaced: 0,
    min_cell: 5,
    ...change,
  }) as SharedMap;

describe("a shared map says", () => {
  it("which days it is of", () => {
    expect(days(of({}), "en-GB")).toBe("All time");
    expect(days(of({ last_day: "2026-11-21" }), "en-GB")).toBe("Up to 21 Nov 2026");
    expect(days(of({ first_day: "2026-09-01" }), "en-GB")).toBe("Since 1 Sept 2026");
    expect(days(of({ first_day: "2026-11-01", last_day: "2026-11-21" }), "en-GB")).toMatch(
      /^1\s?–\s?21 Nov 2026$/,
    );
  });
  it("what it hides", () => {
    expect(hidden(of({}))).toEqual(["Areas under 5 clicks are not shown."]);
    expect(hidden(of({ withheld: 1204, unplaced: 1 }))).toEqual([
      "1,204 hidden in areas under 5 clicks.",
      "1 click known to a country or region only.",
    ]);
  });
});
