import type { Explorer } from "../state/explorer.svelte";
import { addDays, dayIn, type Dates } from "../words/dates";

const MINUTE = 60_000;

/** The stretch of time just before a range and as long; the same range where it is open. */
export function periodBefore(dates: Dates, now: Date, zone: string): Dates {
  if ("preset" in dates) {
    if (dates.preset === "all") return dates;
    if (dates.preset === "24h") {
      const back = (hours: number) => clock(new Date(now.getTime() - hours * 60 * MINUTE), zone);
      return { from: back(48), to: back(24) };
    }
    const days = Number.parseInt(dates.preset);
    const today = dayIn(now, zone);
    return { from: addDays(today, 1 - 2 * days), to: addDays(today, -days) };
  }
  const { from, to } = dates;
  if (!from || !to) return dates;
  if (!from.includes("T") && !to.includes("T")) {
    const days = Math.round((Date.parse(to) - Date.parse(from)) / (1440 * MINUTE)) + 1;
    return { from: addDays(from, -days), to: addDays(from, -1) };
  }
  // By the clock's own numbers: as many minutes as the range shows.
  const start = Date.parse(`${from.includes("T") ? from : `${from}T00:00`}Z`);
  const end = Date.parse(`${to.includes("T") ? to : `${addDays(to, 1)}T00:00`}Z`);
  const text = (time: number) => new Date(time).toISOString().slice(0, 16);
  return { from: text(2 * start - end), to: text(start) };
}

/** A moment on a zone's clock, "2026-11-22T14:05". */
export function clock(moment: Date, zone: string): string {
  const options = { timeZone: zone, dateStyle: "short", timeStyle: "short" } as const;
  return new Intl.DateTimeFormat("sv-SE", options).format(moment).replace(" ", "T");
}

/** Begins a comparison: with the same filter in the time before, ready to be changed. */
export function compareWithBefore(explorer: Explorer): void {
  const { filter } = explorer;
  const dates = periodBefore(filter.dates, new Date(), explorer.zone);
  explorer.show({ compare: "split", other: { ...filter, dates }, open: null });
}
