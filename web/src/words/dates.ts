/** Date ranges as the reader means them: in the reader's own time zone. */

export type Preset = "24h" | "7d" | "30d" | "90d" | "all";
/** `from` and `to` are days ("2026-11-22", `to` included) or minutes ("2026-11-22T14:00", `to` not included). */
export type Dates = { preset: Preset } | { from: string | null; to: string | null };

export const PRESETS: { id: Preset; label: string; long: string }[] = [
  { id: "24h", label: "24 h", long: "Last 24 hours" },
  { id: "7d", label: "7 d", long: "Last 7 days" },
  { id: "30d", label: "30 d", long: "Last 30 days" },
  { id: "90d", label: "90 d", long: "Last 90 days" },
  { id: "all", label: "All", long: "All time" },
];

/** How far back the workspace's plan shows clicks, in days; null: all of them. Set as soon as somebody is signed in. */
export const history: { days: number | null } = { days: null };

/** The first day that the plan shows; null: it shows all. */
export const firstShown = (now: Date, zone: string): string | null =>
  history.days ? addDays(dayIn(now, zone), 1 - history.days) : null;

export const readerZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/**
 * The API's `from` and `to` (both may be absent) for a range.
 *
 * "7 d" is today and the six days before it, as calendar days in `zone`; "24 h" is the 24 hours before `now`,
 * which is a moment and needs no zone.
 */
export function bounds(dates: Dates, now: Date, zone: string): { from?: string; to?: string } {
  if (!("preset" in dates)) {
    const from = dates.from ?? firstShown(now, zone);
    return { ...(from && { from }), ...(dates.to && { to: dates.to }) };
  }
  if (dates.preset === "all") {
    const from = firstShown(now, zone);
    return from ? { from } : {};
  }
  if (dates.preset === "24h") {
    return { from: new Date(now.getTime() - 86_400_000).toISOString().replace(/\.\d+Z$/, "Z") };
  }
  return { from: addDays(dayIn(now, zone), 1 - Number.parseInt(dates.preset)) };
}

/** The calendar day of a moment in a zone, "2026-11-22". */
export function dayIn(moment: Date, zone: string): string {
  // The Swedish locale writes ISO dates.
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zone }).format(moment);
}

/** A calendar day moved by whole days, free of any zone's daylight saving. */
export function addDays(day: string, days: number): string {
  const moved = new Date(`${day}T00:00:00Z`);
  moved.setUTCDate(moved.getUTCDate() + days);
  return moved.toISOString().slice(0, 10);
}

/** "Last 30 days", "3 Nov – 9 Nov 2026", "Since 3 Nov 2026": the range in words. */
export function datesInWords(dates: Dates, locale?: string): string {
  if ("preset" in dates) return presetInWords(PRESETS.find(({ id }) => id === dates.preset)!);
  const exact = [dates.from, dates.to].some((moment) => moment?.includes("T"));
  const day = new Intl.DateTimeFormat(locale, {
    day: "numeric",
    month: "short",
    ...(exact ? { hour: "2-digit", minute: "2-digit" } : { year: "numeric" }),
    timeZone: "UTC",
  });
  const start = dates.from && asIfUtc(dates.from);
  const end = dates.to && asIfUtc(dates.to);
  if (start && end) return day.formatRange(start, end);
  if (start) return `Since ${day.format(start)}`;
  if (end) return `Until ${day.format(end)}`;
  return "All time";
}

/** A preset's long name; of "All", what the plan makes of it. */
export const presetInWords = ({ id, long }: (typeof PRESETS)[number]): string =>
  id === "all" && history.days ? `Last ${history.days} days, all that your plan shows` : long;

/** A moment of the reader's clock as the same numbers in UTC: only to be written out again in UTC. */
function asIfUtc(moment: string): Date {
  return new Date(`${moment}${moment.includes("T") ? "" : "T00:00"}:00Z`);
}
