import { get } from "../api/client";
import { question } from "../api/question";
import type { FilterChoices, Schemas } from "../api/types";
import type { Filter, ListName } from "../state/address";

/** What clicks can be filtered by in a menu; areas are picked on the map, in the table or by search. */
export const KINDS = [
  { name: "campaign", label: "Campaign", by: "campaign" },
  { name: "channel", label: "Channel", by: "channel" },
  { name: "link", label: "Link", by: "link" },
  { name: "tag", label: "Tag", by: "tag" },
  { name: "device", label: "Device", by: "device" },
  { name: "origin", label: "Origin", by: "origin" },
  { name: "referrer", label: "Referring page", by: "referrer" },
  { name: "browser", label: "Browser", by: "browser" },
  { name: "system", label: "System", by: "system" },
  { name: "language", label: "Language", by: "language" },
  { name: "network", label: "Network kind", by: "network" },
] as const satisfies { name: ListName; label: string; by: string }[];
export type Kind = (typeof KINDS)[number];

export interface Choice {
  value: string;
  label: string;
  /** Under all the other filters; null where it is not known. */
  clicks: number | null;
}

const NETWORKS = ["residential", "hosting", "vpn", "tor", "cdn", "bot"];
type Parts = Schemas["Breakdown"];

/** The choices of one kind with their clicks, most first, then those that have none by name. */
export async function choicesOf(
  kind: Kind,
  filter: Filter,
  zone: string,
  known: FilterChoices,
): Promise<Choice[]> {
  const others = {
    ...filter,
    [kind.name]: kind.name === "network" ? ["all"] : [],
  };
  const query = question(others, new Date(), zone);
  const parts = await get<Parts>(`/api/analytics/breakdown?by=${kind.by}&limit=1000&${query}`);
  // What nobody keeps a list of: the choices are what clicks have, and what is chosen already.
  if (["origin", "referrer", "browser", "system", "language"].includes(kind.name))
    return wordsOf(kind, filter, parts);
  const clicks = new Map(parts.rows.map((row) => [row.value, row.clicks]));
  return named(kind, known)
    .map(({ value, label }) => ({ value, label, clicks: clicks.get(value) ?? 0 }))
    .sort((a, b) => b.clicks - a.clicks || a.label.localeCompare(b.label));
}

function wordsOf(kind: Kind, filter: Filter, parts: Parts): Choice[] {
  const found = parts.rows
    .filter((row) => row.value !== null)
    .map(({ value, name, clicks }) => ({ value: value!, label: name, clicks }));
  const missing = filter[kind.name].filter((value) => !found.some((row) => row.value === value));
  return [...missing.map((value) => ({ value, label: value, clicks: null })), ...found];
}

function named(kind: Kind, known: FilterChoices): { value: string; label: string }[] {
  const same = (values: string[]) => values.map((value) => ({ value, label: value }));
  switch (kind.name) {
    case "link":
      return known.links.map(({ code, title }) => ({
        value: code,
        label: title ? `${title} (/${code})` : `/${code}`,
      }));
    case "campaign":
      return same(known.campaigns);
    case "channel":
      return same(known.channels);
    case "tag":
      return same(known.tags);
    case "device":
      return same(known.devices);
    case "network":
      return same(NETWORKS);
    default:
      return [];
  }
}
