/** The page's state as its URL holds it: a link to the page is a link to the very same view. */

import { PRESETS, type Dates, type Preset } from "../words/dates";

export const LEVELS = [
  "countries",
  "regions",
  "metros",
  "counties",
  "cities",
  "postal-codes",
] as const;
export type Level = (typeof LEVELS)[number];
export const MODES = ["heat", "clusters", "areas"] as const;
export type Mode = (typeof MODES)[number];
/** Clicks; clicks per 10,000 residents; percent of what the residents would give (100: just as many). */
export const MEASURES = ["clicks", "rate", "index"] as const;
export type Measure = (typeof MEASURES)[number];
/** Two filters side by side, or where they differ. */
export const COMPARISONS = ["split", "difference"] as const;
export type Comparison = (typeof COMPARISONS)[number];
/** What the table is sorted by; `asc` turns it round. */
export const SORTS = ["clicks", "rate", "index", "name"] as const;
export type Sort = { by: (typeof SORTS)[number]; asc: boolean };
export const DEFAULT_SORT: Sort = { by: "clicks", asc: false };
export const TABS = ["places", "links", "analytics", "insights"] as const;
export type Tab = (typeof TABS)[number];
export type Camera = { lng: number; lat: number; zoom: number };

/** Which clicks. Lists are OR-ed within, AND-ed between; `network` empty means people only. */
export interface Filter {
  link: string[];
  campaign: string[];
  channel: string[];
  tag: string[];
  device: string[];
  /** Groups and names: "social", "Instagram". */
  origin: string[];
  /** Hosts. */
  referrer: string[];
  browser: string[];
  system: string[];
  language: string[];
  area: string[];
  /** Areas drawn on the map: "west,south,east,north" or a polygon's "lng,lat,lng,lat,…". */
  within: string[];
  network: string[];
  dates: Dates;
}

export interface Address {
  tab: Tab;
  level: Level;
  mode: Mode;
  measure: Measure;
  sort: Sort;
  /** Only rows of the table whose name holds this. */
  find: string;
  filter: Filter;
  compare: Comparison | null;
  /** The second filter of a comparison. */
  other: Filter;
  /** The id of the area whose drawer is open. */
  open: string | null;
  /** What insights hold clicks against, as it was written: see `baselineOf`. */
  baseline: string | null;
  camera: Camera | null;
}

export const LISTS = [
  "link",
  "campaign",
  "channel",
  "tag",
  "device",
  "origin",
  "referrer",
  "browser",
  "system",
  "language",
  "area",
  "within",
  "network",
] as const;
export type ListName = (typeof LISTS)[number];
/** The first of each is the usual one. */
const CHOICES = { tab: TABS, level: LEVELS, mode: MODES, measure: MEASURES };
const OTHER = "b.";
export const DEFAULT_DATES: Dates = { preset: "90d" };

export function parseAddress(search: string): Address {
  const query = new URLSearchParams(search);
  const one = <T extends string>(name: string, among: readonly T[]) =>
    among.find((value) => value === query.get(name));
  return {
    tab: one("tab", TABS) ?? TABS[0],
    level: one("level", LEVELS) ?? LEVELS[0],
    mode: one("mode", MODES) ?? MODES[0],
    measure: one("measure", MEASURES) ?? MEASURES[0],
    sort: parseSort(query.get("sort")),
    find: query.get("find") ?? "",
    filter: parseFilter(query),
    compare: one("compare", COMPARISONS) ?? null,
    other: parseFilter(query, OTHER),
    open: query.get("open") || null,
    baseline: query.get("baseline"),
    camera: parseCamera(query.get("map")),
  };
}

/** The query string of an address, without "?"; what has its usual value is left out. */
export function formatAddress(address: Address): string {
  const query = new URLSearchParams();
  for (const [name, [usual]] of Object.entries(CHOICES))
    if (address[name as keyof typeof CHOICES] !== usual)
      query.set(name, address[name as keyof typeof CHOICES]);
  const { by, asc } = address.sort;
  if (by !== DEFAULT_SORT.by || asc) query.set("sort", `${asc ? "" : "-"}${by}`);
  for (const name of ["find", "baseline"] as const)
    if (address[name]) query.set(name, address[name]);
  addFilter(query, address.filter);
  if (address.compare) {
    query.set("compare", address.compare);
    addFilter(query, address.other, OTHER);
  }
  if (address.open) query.set("open", address.open);
  if (address.camera) query.set("map", formatCamera(address.camera));
  // Slashes, colons and commas are legal in a query and easier to read.
  return query.toString().replace(/%2F/g, "/").replace(/%3A/g, ":").replace(/%2C/g, ",");
}

// "name" is ascending, "-rate" descending.
function parseSort(text: string | null): Sort {
  const by = SORTS.find((sort) => sort === text?.replace(/^-/, ""));
  return by ? { by, asc: !text!.startsWith("-") } : DEFAULT_SORT;
}

function parseFilter(query: URLSearchParams, prefix = ""): Filter {
  const values = (name: string) => [...new Set(query.getAll(prefix + name).filter(Boolean))];
  const lists = Object.fromEntries(LISTS.map((name) => [name, values(name)]));
  return { ...(lists as Record<ListName, string[]>), dates: parseDates(query, prefix) };
}

function addFilter(query: URLSearchParams, filter: Filter, prefix = ""): void {
  for (const name of LISTS)
    for (const value of filter[name]) query.append(`${prefix}${name}`, value);
  const { dates } = filter;
  if ("preset" in dates) {
    if (!sameDates(dates, DEFAULT_DATES)) query.set(`${prefix}days`, dates.preset);
  } else {
    if (dates.from) query.set(`${prefix}from`, dates.from);
    if (dates.to) query.set(`${prefix}to`, dates.to);
  }
}

export function sameDates(a: Dates, b: Dates): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** How many filters are set besides the dates. */
export function filterSize(filter: Filter): number {
  return LISTS.reduce((sum, name) => sum + filter[name].length, 0);
}

function parseDates(query: URLSearchParams, prefix: string): Dates {
  const from = moment(query.get(`${prefix}from`));
  const to = moment(query.get(`${prefix}to`));
  if (from || to) return { from, to };
  const days = query.get(`${prefix}days`);
  const preset = PRESETS.find(({ id }) => id === days)?.id as Preset | undefined;
  return preset ? { preset } : DEFAULT_DATES;
}

/** A day, or a minute of the reader's clock: "2026-11-22", "2026-11-22T14:00". */
function moment(text: string | null): string | null {
  const sound = text && /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2})?$/.test(text);
  return sound && !Number.isNaN(Date.parse(text)) ? text : null;
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
