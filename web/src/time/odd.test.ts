import { describe, expect, it } from "vitest";
import type { Oddities, Rhythm } from "./api";
import { onPeak, peaksOf, ratioAt } from "./hours";
import { oddAtLength, oddInWords, oddOf } from "./odd.svelte";

const table = (rows: [id: string, q: number, found: boolean][]) =>
  ({
    days: 7,
    begins: "2026-11-15T00:00:00Z",
    ends: "2026-11-22T00:00:00Z",
    ids: rows.map(([id]) => id),
    names: rows.map(([id]) => id.toUpperCase()),
    ratio: rows.map(() => 5.44),
    machines: rows.map(() => 0.06),
    q: rows.map(([, q]) => q),
    found: rows.map(([, , found]) => found),
  }) as unknown as Oddities;

describe("odd days", () => {
  it("are those in which anything jumped, by the reader's clock, the surest first", () => {
    const odd = oddOf(
      [
        table([["de", 0.004, true]]),
        table([
          ["ca", 0.001, true],
          ["ny", 0.5, false],
        ]),
      ],
      "Europe/Berlin",
    )!;
    expect(odd.areas.map(({ id }) => id)).toEqual(["ca", "de"]);
    expect(new Date(odd.from).toISOString()).toBe("2026-11-15T01:00:00.000Z");
    expect((odd.to - odd.from) / 86_400_000).toBe(7);
    expect(oddInWords(odd)).toBe("CA 5.4× and 1 more");
    expect(oddAtLength(odd)).toContain("DE 5.4 times as many as usual, people mostly");
  });
  it("are none where nothing did", () => {
    expect(oddOf([table([["de", 0.5, false]])], "UTC")).toBeNull();
    expect(oddOf([], "UTC")).toBeNull();
  });
});

describe("peaks of the week", () => {
  const peak = (weekday: number | null, hour: number | null) => ({
    weekday,
    hour,
    clicks: 10,
    ratio: 1.86,
    low: 1.7,
    high: 2,
    p: 0,
  });
  const found = (week: unknown, hour: unknown, weekday: unknown) =>
    ({
      weekday: [0, 0],
      hour: [0, 1],
      ratio: [0.5, 1.86],
      low: [0.4, 1.7],
      high: [0.6, 2.01],
      peaks: { week, hour, weekday },
    }) as Rhythm;
  it("are the hour of one weekday alone, else hour and weekday", () => {
    expect(peaksOf(found(peak(1, 9), peak(null, 9), null))).toHaveLength(1);
    const both = peaksOf(found(null, peak(null, 20), peak(2, null)));
    expect(both).toHaveLength(2);
    expect(onPeak(both, { day: 0, hour: 20 })).toBe(true);
    expect(onPeak(both, { day: 2, hour: 3 })).toBe(true);
    expect(onPeak(both, { day: 0, hour: 3 })).toBe(false);
    expect(peaksOf(found(null, null, null))).toEqual([]);
    expect(peaksOf(null)).toEqual([]);
  });
  it("are read with the interval that each hour has", () => {
    expect(ratioAt(found(null, null, null), { day: 0, hour: 1 })).toBe("1.9× (1.7–2.0)");
    expect(ratioAt(found(null, null, null), { day: 6, hour: 1 })).toBeNull();
    expect(ratioAt(null, { day: 0, hour: 1 })).toBeNull();
  });
});
