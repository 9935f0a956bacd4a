/** What the API answers, as in its OpenAPI document. Coordinates are degrees; a bbox is [west, south, east, north]. */

export type Bbox = [west: number, south: number, east: number, north: number];

export interface Session {
  user: { name: string; email: string | null };
  workspace: { name: string };
  sample: { links: number; clicks: number } | null;
  public_url: string;
  version: string;
}

export interface Link {
  code: string;
  short_url: string;
  url: string;
  title: string | null;
  campaign: string | null;
  channel: string | null;
  tags: string[];
  created_at: string;
  expires_at: string | null;
  pass_query: boolean;
  sample: boolean;
}

export interface NewLink {
  url: string;
  code?: string;
  title?: string;
  campaign?: string;
  channel?: string;
  tags?: string[];
  expires_at?: string;
}

/** A link with its clicks; `sparkline` holds 30 daily counts, oldest first. */
export interface LinkRow extends Link {
  clicks: number;
  sparkline: number[];
}

export interface LinkPage {
  rows: LinkRow[];
  next_cursor: string | null;
  total: number;
}

export type NetworkKind = "hosting" | "vpn" | "tor" | "cdn" | "bot";
export type LeftOut = Partial<Record<NetworkKind, number>>;

/** What the filter lets through: `unplaced`, `unknown` are parts of `total`; `left_out` is not. */
export interface Totals {
  total: number;
  unplaced: number;
  unknown: number;
  left_out: LeftOut;
}

export interface AreaRow {
  id: string;
  name: string;
  flag: string | null;
  country: string | null;
  country_name: string | null;
  clicks: number;
  share: number;
  lat: number | null;
  lon: number | null;
  bbox: Bbox | null;
  population?: number | null;
  /** Clicks per 10,000 residents. */
  rate?: number | null;
  /** Percent of the clicks that the residents would give at their country's rate. */
  index?: number | null;
  region?: string | null;
  region_code?: string | null;
  city?: string | null;
  postal_code?: string | null;
}

/** One ranked table; `unlisted` clicks are known only to a coarser level than this table's. */
export interface AreaTable extends Totals {
  unlisted: number;
  rows: AreaRow[];
}

/** Colours by value: `light[i]` and `dark[i]` belong to `stops[i]`. */
export interface Scale {
  stops: number[];
  light: string[];
  dark: string[];
}

export interface TileJson extends Totals {
  tiles: string[];
  minzoom: number;
  maxzoom: number;
  bounds: Bbox | null;
  /** Clicks in the fullest cell of a 256-cell grid, per zoom. */
  heat_max: Record<string, number>;
  snapshot: string | number;
  attribution: string;
  /** Raster tiles of rate or index; `measure` and `theme` are to be added. */
  surface?: string;
  scales?: Record<"rate" | "index", Scale>;
}

export interface FilterChoices {
  links: { code: string; title: string | null }[];
  campaigns: string[];
  channels: string[];
  tags: string[];
  devices: string[];
  first_click: string | null;
  last_click: string | null;
  clicks: number;
}

export interface AtlasFacts {
  built: string;
  version: string;
  places: number;
  areas: number;
  sources: { name: string; attribution: string; licence: string; url: string }[];
}

export interface Area {
  id: string;
  name: string;
  level: string;
  flag: string | null;
  country: string | null;
  /** What holds it, the widest first. */
  parents: { id: string; name: string; level: string }[];
  lat: number | null;
  lon: number | null;
  bbox: Bbox | null;
}
