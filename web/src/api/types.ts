/** What the API answers, by the names that the page uses; the shapes are those of its OpenAPI document. */

import type { components } from "./schema";

/** All answers by the API's own names, for the parts that are fetched later. */
export type Schemas = components["schemas"];

/** West, south, east, north, in degrees. */
export type Bbox = [west: number, south: number, east: number, north: number];

export type Session = Schemas["SessionOut"];
export type Link = Schemas["LinkOut"];
/** What a link is made from: only the destination is needed. */
export type NewLink = Pick<Schemas["LinkIn"], "url"> & Partial<Schemas["LinkIn"]>;
/** A link with its clicks; `sparkline` holds 30 daily counts, oldest first. */
export type LinkRow = Schemas["LinkRow"];
export type LinkPage = Schemas["LinkPage"];

export type NetworkKind = "hosting" | "vpn" | "tor" | "cdn" | "bot";
/** What the filter lets through: `unplaced`, `unknown`, `withheld` are parts of `total`; `left_out` is not. */
export type Totals = Pick<
  Schemas["GeoTable"],
  "total" | "unplaced" | "unknown" | "left_out" | "min_cell" | "withheld"
>;

export type AreaRow = Schemas["GeoRow"];
/** One ranked table; `unlisted` clicks are known only to a coarser level than this table's. */
export type AreaTable = Schemas["GeoTable"];
/** Colours by value: `light[i]` and `dark[i]` belong to `stops[i]`. */
export type Scale = Schemas["ScaleStops"];
export type TileJson = Schemas["HeatTileJson"];
export type FilterChoices = Schemas["Choices"];
export type AtlasFacts = Schemas["AtlasFacts"];
export type Area = Schemas["Area"];
