/** Around which hour of its own day an area clicks, in words. */

import { get } from "../api/client";
import type { Schemas } from "../api/types";

export type Peaks = Schemas["PeakTable"];

/** The tables there are: what is finer has too few clicks in most weeks to be told apart. */
const TABLES: Record<string, string> = { country: "countries", region: "regions", metro: "metros" };

/** The hours of all areas of an area's level; null for one that is finer than metros. */
export const peaks = (level: string, query: string, signal: AbortSignal): Promise<Peaks | null> =>
  TABLES[level]
    ? get<Peaks>(`/api/insights/peaks?level=${TABLES[level]}&${query}`, signal)
    : Promise.resolve(null);

const few = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** "15.66" → "3:40 PM", to ten minutes, in the reader's language; before midnight and after it, too. */
export function clockName(hours: number, locale?: string): string {
  const minutes = (((Math.round(hours * 6) * 10) % 1440) + 1440) % 1440;
  const write = { hour: "numeric", minute: "2-digit", timeZone: "UTC" } as const;
  return new Intl.DateTimeFormat(locale, write).format(minutes * 60_000);
}

/** "On average at 3:40 PM (3:20 PM to 4:00 PM), 1.2 hours later than elsewhere (0.7 to 1.7)"; null where it can't be told. */
export function around(found: Peaks | null, id: string, locale?: string): string | null {
  const at = found?.ids.indexOf(id) ?? -1;
  const told = (name: "peak" | "peak_low" | "peak_high" | "shift" | "low" | "high") =>
    found?.[name][at] ?? NaN;
  if (Number.isNaN(told("peak"))) return null;
  const [peak, from, to] = [told("peak"), told("peak_low"), told("peak_high")].map((hours) =>
    clockName(hours, locale),
  );
  const here = `On average at ${peak} (${from} to ${to})`;
  if (!found?.found[at]) return here;
  const later = told("shift") > 0;
  const ends = [told("low"), told("high")].map((end) => few.format(later ? end : -end));
  const hours = few.format(Math.abs(told("shift")));
  const apart = `${hours} ${hours === "1" ? "hour" : "hours"} ${later ? "later" : "earlier"}`;
  return `${here}, ${apart} than elsewhere (${(later ? ends : ends.reverse()).join(" to ")})`;
}
