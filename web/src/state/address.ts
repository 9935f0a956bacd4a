/** The page's state as its URL holds it: a link to the page is a link to the very same view. */

import { PRESETS, type Dates, type Preset } from "../words/dates";

export const LEVELS = ["countries", "regions", "metros", "cities", "postal-codes"] as const;
export type Level = (typeof LEVELS)[number];
export type Mode = "heat" | "clusters";
export type Tab = "places" | "links";
export type Camera = { lng: number; lat: number; zoom: number };

/** Which clicks. Lists are OR-ed within, AND-ed between; `network` empty means people only. */
export interface Filter {
  link: string[];
  campaign: string[];
  channel: string[];
  tag: string[];
  device: string[];
  area: string[];
  network: string[];
  dates: Dates;
}

export interface Address {
  tab: Tab;
  level: Level;
  mode: Mode;
  filter: Filter;
  camera: Camera | null;
}

export const LISTS = ["link", "campaign", "channel", "tag", "device", "area", "network"] as const;
export const DEFAULT_DATES: Dates = { preset: "90d" };

export function parseAddress(search: string): Address {
  const query = new URLSearchParams(search);
  return {
    tab: query.get("tab") === "links" ? "links" : "places",
    level: LEVELS.find((level) => level === query.get("level")) ?? "countries",
    mode: query.get("mode") === "clusters" ? "clusters" : "heat",
    filter: {
      ...(Object.fromEntries(
        LISTS.map((name) => [name, [...new Set(query.getAll(name).filter(Boolean))]]),
      ) as Pick<Filter, (typeof LISTS)[number]>),
      dates: parseDates(query),
    },
    camera: parseCamera(query.get("map")),
  };
}

/** The query string of an address, without "?"; what has its usual value is left out. */
export function formatAddress({ tab, level, mode, filter, camera }: Address): string {
  const query = new URLSearchParams();
  if (tab !== "places") query.set("tab", tab);
  if (level !== "countries") query.set("level", level);
  if (mode !== "heat") query.set("mode", mode);
  for (const name of LISTS) for (const value of filter[name]) query.append(name, value);
  if ("preset" in filter.dates) {
    if (!sameDates(filter.dates, DEFAULT_DATES)) query.set("days", filter.dates.preset);
  } else {
    if (filter.dates.from) query.set("from", filter.dates.from);
    if (filter.dates.to) query.set("to", filter.dates.to);
  }
  if (camera) query.set("map", formatCamera(camera));
  // Slashes, colons and commas are legal in a query and easier to read.
  return query.toString().replace(/%2F/g, "/").replace(/%3A/g, ":").replace(/%2C/g, ",");
}

export function sameDates(a: Dates, b: Dates): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** How many filters are set besides the dates. */
export function filterSize(filter: Filter): number {
  return LISTS.reduce((sum, name) => sum + filter[name].length, 0);
}

function parseDates(query: URLSearchParams): Dates {
  const from = day(query.get("from"));
  const to = day(query.get("to"));
  if (from || to) return { from, to };
  const preset = PRESETS.find(({ id }) => id === query.get("days"))?.id as Preset | undefined;
  return preset ? { preset } : DEFAULT_DATES;
}

function day(text: string | null): string | null {
  return text && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : null;
}

// zoom/lat/lng, as OpenStreetMap writes it; four decimals are 11 m.
function formatCamera({ lng, lat, zoom }: Camera): string {
  return `${+zoom.toFixed(2)}/${+lat.toFixed(4)}/${+lng.toFixed(4)}`;
}

function parseCamera(text: string | null): Camera | null {
  const parts = (text ?? "").split("/").map((part) => (part === "" ? NaN : Number(part)));
  const [zoom, lat, lng] = parts;
  if (parts.length !== 3 || zoom === undefined || lat === undefined || lng === undefined)
    return null;
  const sound = zoom >= 0 && zoom <= 22 && Math.abs(lat) <= 90 && Math.abs(lng) <= 540;
  return sound ? { zoom, lat, lng } : null;
}
