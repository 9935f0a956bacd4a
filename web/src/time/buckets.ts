/**
 * Time on the reader's clock, cut into buckets.
 *
 * A moment here is the reader's wall clock read as if it were UTC, in ms: 14:00 in Berlin and 14:00 in Boston are
 * the same number. Days are then always 24 hours, and `Intl` with the zone UTC writes them out again.
 */

import type { Schemas } from "../api/types";
import type { Dates } from "../words/dates";

export type Bucket = Schemas["Bucket"];
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** From when to when; `to` is not included. */
export interface Span {
  from: number;
  to: number;
}

/** Clicks per bucket; `edges` are the buckets' starts and the end of the last. */
export interface Series {
  bucket: Bucket;
  edges: number[];
  clicks: number[];
  total: number;
}

/** "2026-11-22", "2026-11-22T14:00" or "2026-11-22T14:00:00+01:00" → the clock's moment; an offset is not applied. */
export function moment(text: string): number {
  return Date.parse(`${text.slice(0, 16)}${text.includes("T") ? "" : "T00:00"}Z`);
}

/** What the clock in `zone` shows at `now`. */
export function wallClock(now: Date, zone: string): number {
  const text = new Intl.DateTimeFormat("sv-SE", {
    timeZone: zone,
    dateStyle: "short",
    timeStyle: "short",
  }).format(now);
  return moment(text.replace(" ", "T"));
}

export const startOfDay = (at: number): number => Math.floor(at / DAY) * DAY;

/** The span that dates mean; `first` is where "all time" begins. */
export function spanOf(dates: Dates, now: number, first: number): Span {
  const tomorrow = startOfDay(now) + DAY;
  if ("preset" in dates) {
    if (dates.preset === "24h") return { from: now - DAY, to: now };
    if (dates.preset === "all") return { from: Math.min(first, now), to: tomorrow };
    return { from: tomorrow - Number.parseInt(dates.preset) * DAY, to: tomorrow };
  }
  const whole = dates.to !== null && !dates.to.includes("T");
  return {
    from: dates.from === null ? Math.min(first, now) : moment(dates.from),
    to: dates.to === null ? tomorrow : moment(dates.to) + (whole ? DAY : 0),
  };
}

/** Whole days where the span begins and ends at midnight, minutes elsewhere: what the filter's dates hold. */
export function datesOf({ from, to }: Span): { from: string; to: string } {
  const days = from % DAY === 0 && to % DAY === 0;
  const text = (at: number) => new Date(at).toISOString().slice(0, days ? 10 : 16);
  return { from: text(from), to: text(days ? to - DAY : to) };
}

/** The bucket that shows a span's shape in a few dozen to a few hundred bars. */
export function bucketFor({ from, to }: Span): Bucket {
  const days = (to - from) / DAY;
  if (days <= 8) return "hour";
  if (days <= 200) return "day";
  return days <= 366 * 6 ? "week" : "month";
}

export function series(answer: {
  bucket: Bucket;
  total: number;
  rows: { time: string; clicks: number }[];
}): Series {
  const edges = answer.rows.map(({ time }) => moment(time));
  const last = edges.at(-1);
  if (last !== undefined) edges.push(after(last, answer.bucket));
  return {
    bucket: answer.bucket,
    edges,
    clicks: answer.rows.map((row) => row.clicks),
    total: answer.total,
  };
}

/** The start of the next bucket. */
export function after(start: number, bucket: Bucket): number {
  if (bucket === "hour") return start + HOUR;
  if (bucket === "day") return start + DAY;
  if (bucket === "week") return start + 7 * DAY;
  const month = new Date(start);
  return Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1, 1);
}

/** Where a moment lies among bucket edges: 2.5 is the middle of the third bucket; held within the ends. */
export function positionOf(at: number, edges: number[]): number {
  const count = edges.length - 1;
  if (count < 1 || at <= edges[0]!) return 0;
  if (at >= edges[count]!) return count;
  let [low, high] = [0, count];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (edges[middle]! <= at) low = middle;
    else high = middle;
  }
  const width = edges[low + 1]! - edges[low]!;
  // The hour that comes twice in autumn is two buckets with one start.
  return low + (width > 0 ? Math.min(1, (at - edges[low]!) / width) : 0);
}

/** A span a third of which, at most, is the given one: what is shown around dates that came without context. */
export function surrounding(dates: Dates, now: number, first: number): Dates {
  if ("preset" in dates) return dates;
  const { from, to } = spanOf(dates, now, first);
  for (const preset of ["7d", "30d", "90d"] as const) {
    const wide = spanOf({ preset }, now, first);
    if (from >= wide.from && to <= wide.to && to - from <= 0.7 * (wide.to - wide.from))
      return { preset };
  }
  const length = Math.max(to - from, DAY);
  const wide = {
    from: startOfDay(from - length),
    to: Math.max(to, Math.min(startOfDay(to + length - 1) + DAY, startOfDay(now) + DAY)),
  };
  return datesOf(wide);
}

/** "Tue, 3 Nov 2026", "Tue, 3 Nov, 14:00", "Week of 2 Nov 2026", "November 2026". */
export function bucketInWords(start: number, bucket: Bucket, locale?: string): string {
  const style: Record<Bucket, Intl.DateTimeFormatOptions> = {
    hour: { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
    day: { weekday: "short", day: "numeric", month: "short", year: "numeric" },
    week: { day: "numeric", month: "short", year: "numeric" },
    month: { month: "long", year: "numeric" },
  };
  const text = new Intl.DateTimeFormat(locale, { ...style[bucket], timeZone: "UTC" }).format(start);
  return bucket === "week" ? `Week of ${text}` : text;
}
