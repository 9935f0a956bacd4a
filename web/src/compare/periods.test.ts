import { describe, expect, it } from "vitest";
import { clock, periodBefore } from "./periods";

const NOW = new Date("2026-11-22T12:05:00Z");
const before = (dates: Parameters<typeof periodBefore>[0]) => periodBefore(dates, NOW, "UTC");

describe("the period before", () => {
  it("ends where the range begins and is as long", () => {
    expect(before({ preset: "7d" })).toEqual({ from: "2026-11-09", to: "2026-11-15" });
    expect(before({ preset: "30d" })).toEqual({ from: "2026-09-24", to: "2026-10-23" });
    expect(before({ from: "2026-11-03", to: "2026-11-05" })).toEqual({
      from: "2026-10-31",
      to: "2026-11-02",
    });
    expect(before({ from: "2026-11-03", to: "2026-11-03" })).toEqual({
      from: "2026-11-02",
      to: "2026-11-02",
    });
  });

  it("knows hours", () => {
    expect(before({ preset: "24h" })).toEqual({ from: "2026-11-20T12:05", to: "2026-11-21T12:05" });
    expect(before({ from: "2026-11-03T08:00", to: "2026-11-03T17:00" })).toEqual({
      from: "2026-11-02T23:00",
      to: "2026-11-03T08:00",
    });
  });

  it("is the same where the range is open", () => {
    expect(before({ preset: "all" })).toEqual({ preset: "all" });
    expect(before({ from: "2026-11-03", to: null })).toEqual({ from: "2026-11-03", to: null });
  });

  it("reads the clock of the zone", () => {
    expect(clock(NOW, "Asia/Kolkata")).toBe("2026-11-22T17:35");
  });
});
