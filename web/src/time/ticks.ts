import { DAY, HOUR, positionOf, startOfDay } from "./buckets";

/** A mark on the time axis; `at` is a position among the buckets. */
export interface Tick {
  at: number;
  label: string;
  /** A new day, month or year begins: written in bolder ink. */
  strong: boolean;
}

interface Level {
  /** Roughly, in ms. */
  spacing: number;
  /** The least px between two labels. */
  gap: number;
  first(at: number): number;
  next(at: number): number;
  strong(at: number): boolean;
  label: Intl.DateTimeFormatOptions;
  strongLabel: Intl.DateTimeFormatOptions;
}

const monthStart = (at: number, months = 0) => {
  const day = new Date(at);
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + months, 1);
};
const hour = (at: number) => new Date(at).getUTCHours();
const monthDay = (at: number) => new Date(at).getUTCDate();
const month = (at: number) => new Date(at).getUTCMonth();

const hours = (n: number): Level => ({
  spacing: n * HOUR,
  gap: 46,
  first: startOfDay,
  next: (at) => at + n * HOUR,
  strong: (at) => hour(at) === 0,
  label: { hour: "2-digit", minute: "2-digit" },
  strongLabel: { weekday: "short", day: "numeric" },
});
const days: Level = {
  spacing: DAY,
  gap: 25,
  first: startOfDay,
  next: (at) => at + DAY,
  strong: (at) => monthDay(at) === 1,
  label: { day: "numeric" },
  strongLabel: { day: "numeric", month: "short" },
};
const weeks: Level = {
  spacing: 7 * DAY,
  gap: 58,
  // Mondays: the first of January 1970 was a Thursday.
  first: (at) => Math.floor((at + 3 * DAY) / (7 * DAY)) * 7 * DAY - 3 * DAY,
  next: (at) => at + 7 * DAY,
  strong: (at) => monthDay(at) <= 7,
  label: { day: "numeric", month: "short" },
  strongLabel: { day: "numeric", month: "short" },
};
const months = (n: number): Level => ({
  spacing: n * 30 * DAY,
  gap: 44,
  first: (at) => monthStart(at, -(month(at) % n)),
  next: (at) => monthStart(at, n),
  strong: (at) => month(at) === 0,
  label: { month: "short" },
  strongLabel: { year: "numeric" },
});
const LEVELS = [hours(3), hours(6), hours(12), days, weeks, months(1), months(3), months(12)];

/** Marks for an axis `width` px wide under buckets with these edges, in the reader's language. */
export function ticks(edges: number[], width: number, locale?: string): Tick[] {
  const [start, end] = [edges[0], edges.at(-1)];
  if (start === undefined || end === undefined || end <= start || width < 1) return [];
  const px = width / (end - start);
  const level = LEVELS.find(({ spacing, gap }) => spacing * px >= gap) ?? LEVELS.at(-1)!;
  const write = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { ...options, timeZone: "UTC" });
  const [plain, bold] = [write(level.label), write(level.strongLabel)];
  const marks: Tick[] = [];
  for (let at = level.first(start); at < end; at = level.next(at)) {
    if (at < start) continue;
    const strong = level.strong(at) || (level === days && !marks.length);
    marks.push({ at: positionOf(at, edges), label: (strong ? bold : plain).format(at), strong });
  }
  return apart(marks, width / (edges.length - 1), width);
}

/** Without the marks whose labels would touch a bolder one, the one before, or run out at the right. */
function apart(marks: Tick[], px: number, width: number): Tick[] {
  const right = ({ at, label }: Tick) => at * px + 4 + label.length * 6.4;
  const kept: Tick[] = [];
  for (const mark of marks) {
    if (right(mark) > width + 6) continue;
    const before = kept.at(-1);
    if (before && right(before) > mark.at * px - 4) {
      if (!mark.strong || before.strong) continue;
      kept.pop();
    }
    kept.push(mark);
  }
  return kept;
}

/** Where weekends lie, as positions [start, end] among the buckets; `days` are ISO weekdays, Monday 1. */
export function weekends(edges: number[], days: readonly number[] = [6, 7]): [number, number][] {
  const bands: [number, number][] = [];
  const [start, end] = [edges[0], edges.at(-1)];
  if (start === undefined || end === undefined || end - start > 250 * DAY) return bands;
  for (let day = startOfDay(start); day < end; day += DAY) {
    if (!days.includes(new Date(day).getUTCDay() || 7)) continue;
    const band: [number, number] = [positionOf(day, edges), positionOf(day + DAY, edges)];
    const before = bands.at(-1);
    if (before && before[1] === band[0]) before[1] = band[1];
    else if (band[1] > band[0]) bands.push(band);
  }
  return bands;
}

/** The days of the weekend where the reader lives, as far as the browser knows. */
export function weekendDays(locale: string): readonly number[] {
  const known = new Intl.Locale(locale) as Intl.Locale & {
    getWeekInfo?(): { weekend: number[] };
  };
  return known.getWeekInfo?.().weekend ?? [6, 7];
}
