import type { StyleSpecification } from "maplibre-gl";
import { fontFaces } from "./fonts";
import { labelLayers } from "./labels";
import type { Streets } from "./operator";
import { PALETTES, type Theme } from "./palette";
import { shapeLayers } from "./shapes";

export type { Streets } from "./operator";
export type { Theme } from "./palette";

/** Fill layer to hit-test countries: its features carry `code` (ISO 3166-1 alpha-2) and `name`. */
export const COUNTRY_LAYER = "land";

/** Clicks are drawn before this layer: over land and lakes, under borders and names. */
export const HEAT_BEFORE = "county-borders";

/** City, state and country names, for a page that dims or hides them. */
export const LABEL_LAYERS: readonly string[] = [
  "marine-labels",
  "town-labels",
  "region-labels",
  "city-labels",
  "country-labels",
];

/**
 * Source and source-layers of the polygons for shading areas. Feature ids are their `code`
 * (promoteId), so feature-state works: ISO alpha-2, region ("US-MA", "FR-IDF"), county FIPS ("25017"):
 * an area's id in the API without its kind. `areas/regions.json` beside the tiles lists
 * the regions that have a polygon.
 * The `areas` source is fetched only once a layer uses it.
 */
export const AREA_SOURCES = {
  country: { source: "basemap", "source-layer": "countries" },
  region: { source: "areas", "source-layer": "regions" },
  county: { source: "areas", "source-layer": "counties" },
} as const;

export const BASEMAP_ATTRIBUTION =
  '<a href="https://www.naturalearthdata.com/">Natural Earth</a> · US Census Bureau · ' +
  '<a href="https://www.geonames.org/">GeoNames</a> (CC BY 4.0)';

/** Deepest zoom with tiles of its own; MapLibre stretches these for closer views. */
export const BASEMAP_MAX_ZOOM = 6;
const AREAS_MAX_ZOOM = 5;

/**
 * The offline basemap as a MapLibre style: everything it names is served under `base`, a path or URL
 * ending in "/"; tiles 204 where there is nothing to draw. With `streets` (of `operatorStreets`) the
 * operator's own map is drawn over it; the layers named above are there all the same, in their order.
 */
export function basemapStyle(
  theme: Theme,
  options: { base?: string; streets?: Streets } = {},
): StyleSpecification {
  const offline = offlineStyle(theme, options.base);
  return options.streets ? options.streets(offline, theme) : offline;
}

function offlineStyle(theme: Theme, under = "/static/basemap/"): StyleSpecification {
  const base = absolute(under);
  const palette = PALETTES[theme];
  return {
    version: 8,
    name: `clickatlas ${theme}`,
    metadata: { theme },
    "font-faces": fontFaces(base),
    sources: {
      basemap: {
        type: "vector",
        tiles: [`${base}tiles/{z}/{x}/{y}.pbf`],
        minzoom: 0,
        maxzoom: BASEMAP_MAX_ZOOM,
        promoteId: { countries: "code" },
        attribution: BASEMAP_ATTRIBUTION,
      },
      areas: {
        type: "vector",
        tiles: [`${base}areas/{z}/{x}/{y}.pbf`],
        minzoom: 2,
        maxzoom: AREAS_MAX_ZOOM,
        promoteId: { regions: "code", counties: "code" },
      },
    },
    layers: [...shapeLayers(palette), ...labelLayers(palette)],
  };
}

// Fonts and tiles are fetched from a worker, which has another base address than the page.
function absolute(base: string): string {
  return typeof location === "undefined" ? base : new URL(base, location.href).href;
}
