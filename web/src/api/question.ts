import { LISTS, type Filter } from "../state/address";
import { bounds } from "../words/dates";

/** The API's query string for a filter: the same on every endpoint. `now` only matters for the last 24 hours. */
export function question(filter: Filter, now: Date, zone: string): string {
  const query = new URLSearchParams();
  for (const name of LISTS) for (const value of filter[name]) query.append(name, value);
  const { from, to } = bounds(filter.dates, now, zone);
  if (from) query.set("from", from);
  if (to) query.set("to", to);
  if (from || to) query.set("tz", zone);
  return query.toString();
}
