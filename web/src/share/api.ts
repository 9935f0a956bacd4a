import { ask, get } from "../api/client";
import type { Schemas } from "../api/types";
import { LISTS, type Filter } from "../state/address";

export type Share = Schemas["ShareOut"];
export type NewShare = Schemas["NewShare"];
export type ShareIn = Schemas["ShareIn"];

export const shares = {
  all: async () => (await get<Schemas["ShareList"]>("/api/shares")).rows,
  make: (share: ShareIn) => ask<NewShare>("POST", "/api/shares", share),
  change: (id: number, share: Schemas["SharePatch"]) =>
    ask<Share>("PATCH", `/api/shares/${id}`, share),
  renew: (id: number) => ask<NewShare>("POST", `/api/shares/${id}/renew`),
  end: (id: number) => ask<void>("DELETE", `/api/shares/${id}`),
};

/** The page's filter as a share keeps it: whole days, and a range that moves on where the page's does. */
export function shareFilter(filter: Filter, tz: string, today: boolean): Schemas["ShareFilter"] {
  const kept: Record<string, unknown> = { tz, today };
  for (const name of LISTS) if (filter[name].length) kept[name] = filter[name];
  const { dates } = filter;
  if ("preset" in dates) {
    if (dates.preset === "24h") kept["days"] = 1;
    else if (dates.preset !== "all") kept["days"] = Number.parseInt(dates.preset);
  } else {
    if (dates.from) kept["from"] = dates.from.slice(0, 10);
    if (dates.to) kept["to"] = dates.to.slice(0, 10);
  }
  return kept as Schemas["ShareFilter"];
}
