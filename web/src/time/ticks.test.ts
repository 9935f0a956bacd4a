import { describe, expect, it } from "vitest";
import { DAY, HOUR, moment } from "./buckets";
import { ticks, weekends } from "./ticks";

const edges = (from: string, count: number, step: number) =>
  Array.from({ length: count + 1 }, (_, index) => moment(from) + index * step);
const labels = (marks: { label: string }[]) => marks.map(({ label }) => label);

describe("ticks", () => {
  it("of a day are hours, its midnight the day", () => {
    const marks = ticks(edges("2026-11-21T14:00", 24, HOUR), 900, "en-GB");
    expect(labels(marks)).toEqual([
      "15:00",
      "18:00",
      "21:00",
      "Sun 22",
      "03:00",
      "06:00",
      "09:00",
      "12:00",
    ]);
    expect(marks.filter(({ strong }) => strong)).toHaveLength(1);
    expect(marks[3]!.at).toBe(10);
  });
  it("of a month are days, of three months Mondays, of a year months", () => {
    expect(labels(ticks(edges("2026-10-24", 30, DAY), 900, "en-GB"))).toContain("1 Nov");
    const mondays = ticks(edges("2026-08-25", 90, DAY), 980, "en-GB");
    expect(mondays[0]).toEqual({ at: 6, label: "31 Aug", strong: false });
    expect(mondays[1]!.strong).toBe(true);
    const months = ticks(edges("2026-01-05", 52, 7 * DAY), 900, "en-GB");
    expect(labels(months)).toContain("Mar");
  });
  it("never touch each other, however narrow the axis", () => {
    for (const count of [12, 24, 72, 168, 400, 1200, 5000])
      for (const step of [HOUR, DAY, 7 * DAY])
        for (const width of [320, 700, 1400]) {
          const px = width / count;
          const marks = ticks(edges("2020-02-28", count, step), width, "en-GB");
          for (const [index, mark] of marks.slice(1).entries())
            expect((mark.at - marks[index]!.at) * px).toBeGreaterThan(
              marks[index]!.label.length * 6,
            );
        }
  });
  it("are none where there is no time", () => {
    expect(ticks([], 900)).toEqual([]);
    expect(ticks(edges("2026-11-01", 3, DAY), 0)).toEqual([]);
  });
});

describe("weekends", () => {
  it("are one band of two days, in days and in hours", () => {
    // 2 November 2026 is a Monday.
    expect(weekends(edges("2026-11-02", 14, DAY))).toEqual([
      [5, 7],
      [12, 14],
    ]);
    expect(weekends(edges("2026-11-06T12:00", 24, HOUR))).toEqual([[12, 24]]);
  });
  it("lie where the reader's do", () => {
    expect(weekends(edges("2026-11-02", 7, DAY), [5, 6])).toEqual([[4, 6]]);
  });
  it("are not marked where they would be a stripe pattern", () => {
    expect(weekends(edges("2025-01-01", 365, DAY))).toEqual([]);
  });
});
