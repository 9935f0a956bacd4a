/** What a shared map says of its days and of what it does not show. */
import { count, counted } from "../words/format";
import type { SharedMap } from "./api";

/** "1 Sep – 21 Nov 2026", "Up to 21 Nov 2026", "Since 1 Sep 2026", "All time". */
export function days({ first_day, last_day }: SharedMap, locale?: string): string {
  const day = new Intl.DateTimeFormat(locale, {
    day: "numeric",
    month: "short",
    year: "numeric",
    timeZone: "UTC",
  });
  const [first, last] = [first_day, last_day].map((date) =>
    date ? new Date(`${date}T00:00Z`) : null,
  );
  if (first && last) return day.formatRange(first, last);
  if (first) return `Since ${day.format(first)}`;
  return last ? `Up to ${day.format(last)}` : "All time";
}

/** What of the clicks is not on the map, and why: a sentence each. */
export function hidden({ withheld, unplaced, min_cell }: SharedMap): string[] {
  const said = [];
  if (withheld) said.push(`${count(withheld)} hidden in areas under ${min_cell} clicks.`);
  else said.push(`Areas under ${min_cell} clicks are not shown.`);
  if (unplaced) said.push(`${counted(unplaced, "click")} known to a country or region only.`);
  return said;
}
