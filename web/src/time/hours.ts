import { between } from "../map/ramp";
import type { PeakHour, Rhythm } from "./api";

type Ramp = [density: number, colour: string][];

/** The heat's colour for a part 0..1 of the most, spread by the square root as the map's legend is. */
export function colourOf(part: number, ramp: Ramp): string {
  const stops = ramp.map(([density, colour]) => ({
    density,
    rgba: (colour.match(/[\d.]+/g) ?? []).map(Number),
  }));
  const channel = (index: number) =>
    between(
      stops.map(({ density, rgba }): [number, number] => [density, rgba[index]!]),
      Math.max(0, Math.min(1, part)) ** 2,
    );
  const [r, g, b] = [0, 1, 2].map((index) => Math.round(channel(index)));
  return `rgb(${r} ${g} ${b} / ${channel(3).toFixed(3)})`;
}

/** The days' names, Monday first, in the reader's language. */
export function weekdays(style: "short" | "long", locale?: string): string[] {
  const write = new Intl.DateTimeFormat(locale, { weekday: style, timeZone: "UTC" });
  // 5 January 1970 was a Monday.
  return Array.from({ length: 7 }, (_, day) => write.format((4 + day) * 86_400_000));
}

/** "14:00" or "2 PM", as the reader's language has it. */
export function hourName(hour: number, locale?: string): string {
  return new Intl.DateTimeFormat(locale, { hour: "numeric", timeZone: "UTC" }).format(
    hour * 3_600_000,
  );
}

/** The cell that an arrow key leads to; null for other keys. */
export function neighbour(
  { day, hour }: { day: number; hour: number },
  key: string,
): { day: number; hour: number } | null {
  const held = (n: number, most: number) => Math.max(0, Math.min(most, n));
  if (key === "ArrowLeft") return { day, hour: held(hour - 1, 23) };
  if (key === "ArrowRight") return { day, hour: held(hour + 1, 23) };
  if (key === "ArrowUp") return { day: held(day - 1, 6), hour };
  if (key === "ArrowDown") return { day: held(day + 1, 6), hour };
  if (key === "Home") return { day, hour: 0 };
  if (key === "End") return { day, hour: 23 };
  return null;
}

type At = { day: number; hour: number };

const two = new Intl.NumberFormat("en", {
  minimumSignificantDigits: 2,
  maximumSignificantDigits: 2,
});
/** "1.9× (1.7–2.0)": a ratio with the interval that holds for all hours at once. */
export const timesInWords = (ratio: number, low: number, high: number): string =>
  `${two.format(ratio)}× (${two.format(low)}–${two.format(high)})`;

/** "9 AM–10 AM": an hour of the day. */
export const spanName = (hour: number, locale?: string): string =>
  [hour, (hour + 1) % 24].map((at) => hourName(at, locale)).join("–");

/** "Tuesday, 9 AM–10 AM 1.9× (1.7–2.0)": what recurs, how much more it is, and how surely. */
export function peakInWords(
  { weekday, hour, ratio, low, high }: PeakHour,
  locale?: string,
): string {
  const when = [
    weekday === null ? null : weekdays("long", locale)[weekday],
    hour === null ? null : spanName(hour, locale),
  ];
  return `${when.filter(Boolean).join(", ")} ${timesInWords(ratio, low, high)}`;
}

/** What an hour of the week is to the average hour, with its interval; null where that isn't known. */
export function ratioAt(found: Rhythm | null, { day, hour }: At): string | null {
  const at = found?.weekday.findIndex((one, i) => one === day && found.hour[i] === hour) ?? -1;
  const [ratio, low, high] = [found?.ratio[at], found?.low[at], found?.high[at]];
  return ratio == null || low == null || high == null ? null : timesInWords(ratio, low, high);
}

/** The peaks that recur beyond chance, the closest first: an hour of one weekday says more than hour and day. */
export function peaksOf(found: Rhythm | null): PeakHour[] {
  if (!found) return [];
  const { week, hour, weekday } = found.peaks;
  return (week ? [week] : [hour, weekday]).filter((peak) => peak !== null);
}

/** Whether a cell lies on a peak: in its hour, on its weekday, or both where it has both. */
export const onPeak = (peaks: PeakHour[], { day, hour }: At): boolean =>
  peaks.some(
    (peak) =>
      (peak.weekday === null || peak.weekday === day) && (peak.hour === null || peak.hour === hour),
  );
