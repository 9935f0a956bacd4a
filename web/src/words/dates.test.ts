import { afterEach, describe, expect, it } from "vitest";
import { addDays, bounds, datesInWords, dayIn, history } from "./dates";

const NOW = new Date("2026-11-22T02:30:00Z");

describe("bounds of a date range", () => {
  it("counts today as the last of seven days", () => {
    expect(bounds({ preset: "7d" }, NOW, "UTC")).toEqual({ from: "2026-11-16" });
  });

  it("takes the day that the reader's own clock shows", () => {
    expect(bounds({ preset: "7d" }, NOW, "America/Los_Angeles")).toEqual({ from: "2026-11-15" });
    expect(bounds({ preset: "7d" }, NOW, "Asia/Tokyo")).toEqual({ from: "2026-11-16" });
  });

  it("goes back 24 hours from this moment, in any zone", () => {
    expect(bounds({ preset: "24h" }, NOW, "Asia/Tokyo")).toEqual({ from: "2026-11-21T02:30:00Z" });
  });

  it("is open for all time and on the side that is not given", () => {
    expect(bounds({ preset: "all" }, NOW, "UTC")).toEqual({});
    expect(bounds({ from: null, to: "2026-11-01" }, NOW, "UTC")).toEqual({ to: "2026-11-01" });
  });
});

describe("calendar days", () => {
  it("cross months, leap days and daylight saving by the calendar", () => {
    expect(addDays("2026-03-01", -1)).toBe("2026-02-28");
    expect(addDays("2028-03-01", -1)).toBe("2028-02-29");
    expect(addDays("2026-03-29", 1)).toBe("2026-03-30");
  });

  it("are the zone's own", () => {
    expect(dayIn(NOW, "Pacific/Honolulu")).toBe("2026-11-21");
  });
});

describe("dates in words", () => {
  it("name a preset and write a range once", () => {
    expect(datesInWords({ preset: "30d" }, "en-GB")).toBe("Last 30 days");
    const words = datesInWords({ from: "2026-11-03", to: "2026-11-09" }, "en-GB");
    expect(words.replace(/\u2009/g, " ")).toMatch(/^3\s?–\s?9 Nov 2026$/);
    expect(datesInWords({ from: "2026-11-03", to: null }, "en-GB")).toBe("Since 3 Nov 2026");
  });
});

it("writes minutes where the range has them", () => {
  const words = datesInWords({ from: "2026-11-03T08:00", to: "2026-11-03T17:00" }, "en-GB");
  expect(words).toMatch(/3 Nov.*08:00.*17:00/);
});

describe("a plan with less than all of history", () => {
  afterEach(() => {
    history.days = null;
  });
  it("begins all ranges without a first day at its own", () => {
    history.days = 90;
    expect(bounds({ preset: "all" }, NOW, "UTC")).toEqual({ from: "2026-08-25" });
    expect(bounds({ from: null, to: "2026-11-01" }, NOW, "UTC")).toEqual({
      from: "2026-08-25",
      to: "2026-11-01",
    });
    expect(bounds({ preset: "7d" }, NOW, "UTC")).toEqual({ from: "2026-11-16" });
    expect(datesInWords({ preset: "all" })).toBe("Last 90 days, all that your plan shows");
  });
});
