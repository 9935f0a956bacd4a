import type {
  ExpressionSpecification,
  LayerSpecification,
  StyleSpecification,
  SymbolLayerSpecification,
} from "maplibre-gl";
import { FONTS } from "../basemap/fonts";
import { AREA_SOURCES, basemapStyle, HEAT_BEFORE, type Streets } from "../basemap/style";
import type { Mode } from "../state/address";
import type { Shade } from "../state/theme.svelte";
import { between, intensities, RADIUS, RAMP } from "./ramp";

/** Bubble radius in px by clicks: the same for every filter and zoom, so that sizes can be compared. */
export const BUBBLES: [clicks: number, px: number][] = [
  [1, 11],
  [10, 13],
  [100, 16],
  [1_000, 20],
  [10_000, 26],
  [100_000, 33],
  [1_000_000, 40],
];

/** Bubble colour by clicks, in the heat's own colours; past `TURN` clicks the count on it changes its ink. */
export const BUBBLE_COLOURS: Record<Shade, [clicks: number, colour: string][]> = {
  light: [
    [1, "#fdd9a0"],
    [100, "#fba660"],
    [1_000, "#ee7440"],
    [10_000, "#b83350"],
    [100_000, "#7a2160"],
    [1_000_000, "#4a1254"],
  ],
  dark: [
    [1, "#54338c"],
    [100, "#82338f"],
    [1_000, "#b03d7e"],
    [10_000, "#f2825a"],
    [100_000, "#fcb45c"],
    [1_000_000, "#fdf0b5"],
  ],
};
const TURN = 3_200;

const INK = {
  light: {
    edge: "#ffffff",
    few: "#46190a",
    many: "#ffffff",
    lit: "#0c6b6b",
    name: "#3d4752",
    halo: "rgba(250, 250, 248, 0.9)",
  },
  dark: {
    edge: "#10161e",
    few: "#ffffff",
    many: "#2b1204",
    lit: "#7fe3d6",
    name: "#c3ccd6",
    halo: "rgba(18, 24, 32, 0.9)",
  },
};
const LOG_CLICKS: ExpressionSpecification = ["log10", ["max", 1, ["get", "clicks"]]];
const byClicks = (stops: [number, number | string][]) =>
  stops.flatMap(([n, at]) => [Math.log10(n), at]);

const HOVERED: ExpressionSpecification = ["boolean", ["feature-state", "hovered"], false];
const LIT: ExpressionSpecification = ["boolean", ["feature-state", "lit"], false];

const CITY_LABELS = ["city-labels", "town-labels", "streets-places_locality"];
const NAMES_FROM_ZOOM = 3;

/** What a part of the page adds to the map: each layer goes under the layer `before`, or on top. */
export interface Overlay {
  sources?: StyleSpecification["sources"];
  layers: { layer: LayerSpecification; before?: string }[];
  /** Draws layers of the others differently: dims them while something else is shown. */
  alter?: (layer: LayerSpecification) => LayerSpecification;
}

/** How bubbles look under a measure other than clicks. */
export interface Tint {
  colour: ExpressionSpecification;
  opacity: ExpressionSpecification;
  ink: ExpressionSpecification;
}

export interface ClickLayers {
  shade: Shade;
  mode: Mode;
  tiles: string[];
  heatMax: Record<string, number>;
  /** The operator's own map, where one is set. */
  streets?: Streets | null;
  /** Null while the measure is clicks. */
  tint?: Tint | null;
}

/** The whole style: the basemap, heat under its labels, clusters over everything, and what others add. */
export function mapStyle(drawn: ClickLayers, overlays: Iterable<Overlay> = []): StyleSpecification {
  const base = basemapStyle(drawn.shade, { streets: drawn.streets ?? undefined });
  // Bubbles lie on the cities they count and bring their own names.
  let layers = base.layers;
  if (drawn.mode === "clusters")
    layers = layers.filter(({ id }) => !CITY_LABELS.includes(id)).map(movable);
  const at = layers.findIndex(({ id }) => id === HEAT_BEFORE);
  layers.splice(at < 0 ? layers.length : at, 0, heatLayer(drawn), ...countryOutline(drawn));
  layers.push(
    nameLayer(drawn),
    spotLayer(drawn),
    clusterLayer(drawn),
    countLayer(drawn),
    roomLayer(drawn),
  );
  const sources = {};
  const added = [...overlays];
  for (const overlay of added) {
    Object.assign(sources, overlay.sources);
    for (const { layer, before } of overlay.layers) {
      const under = layers.findIndex(({ id }) => id === before);
      layers.splice(under < 0 ? layers.length : under, 0, layer);
    }
  }
  for (const { alter } of added) if (alter) layers = layers.map(alter);
  return {
    ...base,
    sources: {
      ...base.sources,
      ...sources,
      clicks: {
        type: "vector",
        tiles: drawn.tiles,
        minzoom: 0,
        maxzoom: 14,
        promoteId: { clusters: "id" },
      },
      spot: { type: "geojson", data: { type: "FeatureCollection", features: [] } },
    },
    layers,
  };
}

/** Names of countries and regions step aside where a bubble lies on them. */
function movable(layer: LayerSpecification): LayerSpecification {
  if (layer.type !== "symbol" || !/^(country|region)-/.test(layer.id)) return layer;
  const layout: SymbolLayerSpecification["layout"] = {
    ...layer.layout,
    "text-variable-anchor": ["center", "top", "bottom", "left", "right"],
    "text-radial-offset": 1.6,
    "text-justify": "auto",
  };
  return { ...layer, layout };
}

function heatLayer({ shade, mode, heatMax, tint }: ClickLayers): LayerSpecification {
  return {
    id: "heat",
    type: "heatmap",
    source: "clicks",
    "source-layer": "heat",
    layout: { visibility: mode === "heat" && !tint ? "visible" : "none" },
    paint: {
      "heatmap-weight": ["get", "clicks"],
      "heatmap-intensity": heatIntensity(heatMax),
      "heatmap-radius": ["interpolate", ["linear"], ["zoom"], ...RADIUS.flat()],
      "heatmap-color": [
        "interpolate",
        ["linear"],
        ["heatmap-density"],
        ...RAMP[shade].flat(),
      ] as ExpressionSpecification,
      "heatmap-opacity": 1,
    },
  };
}

function heatIntensity(heatMax: Record<string, number>): ExpressionSpecification {
  return ["interpolate", ["linear"], ["zoom"], ...intensities(heatMax).flat()];
}

/** Bubbles. On the heat map they are not drawn but still answer the pointer, and show a ring under it. */
function clusterLayer({ shade, mode, tint }: ClickLayers): LayerSpecification {
  const ink = INK[shade];
  const drawn = mode === "clusters";
  return {
    id: "clusters",
    type: "circle",
    source: "clicks",
    "source-layer": "clusters",
    layout: {
      visibility: mode === "areas" ? "none" : "visible",
      "circle-sort-key": ["get", "clicks"],
    },
    paint: {
      "circle-radius": [
        "interpolate",
        ["linear"],
        LOG_CLICKS,
        ...byClicks(BUBBLES),
      ] as ExpressionSpecification,
      "circle-color":
        tint?.colour ??
        ([
          "interpolate",
          ["linear"],
          LOG_CLICKS,
          ...byClicks(BUBBLE_COLOURS[shade]),
        ] as ExpressionSpecification),
      "circle-opacity": drawn ? (tint?.opacity ?? 0.95) : 0,
      "circle-stroke-color": drawn ? ["case", HOVERED, ink.lit, ink.edge] : ink.lit,
      "circle-stroke-width": drawn ? ["case", HOVERED, 3, 1.5] : ["case", HOVERED, 2.5, 0],
    },
  };
}

function countLayer({ shade, mode, tint }: ClickLayers): LayerSpecification {
  return {
    id: "cluster-counts",
    type: "symbol",
    source: "clicks",
    "source-layer": "clusters",
    layout: {
      visibility: mode === "clusters" ? "visible" : "none",
      "text-field": shortCount,
      "text-font": [FONTS.semibold],
      "text-size": 12,
      "text-allow-overlap": true,
      "text-ignore-placement": true,
      "symbol-sort-key": ["get", "clicks"],
    },
    paint: {
      "text-color": tint?.ink ?? ["step", ["get", "clicks"], INK[shade].few, TURN, INK[shade].many],
    },
  };
}

/** Nothing to see: two digits as large as the bubble keep the names of the basemap from peeping out below it. */
function roomLayer({ mode }: ClickLayers): LayerSpecification {
  return {
    id: "cluster-room",
    type: "symbol",
    source: "clicks",
    "source-layer": "clusters",
    layout: {
      visibility: mode === "clusters" ? "visible" : "none",
      "text-field": "00",
      "text-font": [FONTS.semibold],
      "text-size": [
        "interpolate",
        ["linear"],
        LOG_CLICKS,
        ...byClicks(BUBBLES.map(([n, px]) => [n, 1.65 * px])),
      ] as ExpressionSpecification,
      "text-padding": 0,
      "text-allow-overlap": true,
    },
    paint: { "text-opacity": 0 },
  };
}

/** Names under the bubbles, where there is room; drawn before the bubbles, so that none is written over. */
function nameLayer({ shade, mode }: ClickLayers): LayerSpecification {
  const ink = INK[shade];
  return {
    id: "cluster-names",
    type: "symbol",
    source: "clicks",
    "source-layer": "clusters",
    minzoom: NAMES_FROM_ZOOM,
    layout: {
      visibility: mode === "clusters" ? "visible" : "none",
      "text-field": PLAIN_NAME,
      "text-font": [FONTS.medium],
      "text-size": 11.5,
      "text-anchor": "top",
      "text-offset": [
        "interpolate",
        ["linear"],
        LOG_CLICKS,
        ...BUBBLES.flatMap(([n, px]) => [Math.log10(n), ["literal", [0, (px + 2) / 11.5]]]),
      ] as unknown as ExpressionSpecification,
      "text-max-width": 9,
      "text-padding": 1,
      "symbol-sort-key": ["-", ["get", "clicks"]],
    },
    paint: { "text-color": ink.name, "text-halo-color": ink.halo, "text-halo-width": 1.3 },
  };
}

/** The ring around the place of the table row under the pointer. */
function spotLayer({ shade }: ClickLayers): LayerSpecification {
  return {
    id: "spot",
    type: "circle",
    source: "spot",
    paint: {
      "circle-radius": 15,
      "circle-color": INK[shade].lit,
      "circle-opacity": 0.18,
      "circle-stroke-color": INK[shade].lit,
      "circle-stroke-width": 2.5,
    },
  };
}

// Every country has an outline that only its feature state shows: changing a filter instead would make the
// worker read all of the basemap's tiles again on each step of the pointer.
function countryOutline({ shade }: ClickLayers): LayerSpecification[] {
  const colour = INK[shade].lit;
  return [
    {
      id: "country-veil",
      type: "fill",
      ...AREA_SOURCES.country,
      paint: { "fill-color": colour, "fill-opacity": ["case", LIT, 0.08, 0] },
    },
    {
      id: "country-lit",
      type: "line",
      ...AREA_SOURCES.country,
      layout: { "line-join": "round" },
      paint: {
        "line-color": colour,
        "line-width": ["case", LIT, 1.3, 0],
        "line-opacity": ["case", LIT, 1, 0],
      },
    },
  ];
}

// On the map "Boston" says it; "Boston metro" is for where the level matters.
const PLAIN_NAME: ExpressionSpecification = [
  "case",
  ["==", ["get", "kind"], "metro"],
  ["slice", ["get", "name"], 0, ["index-of", " metro", ["concat", ["get", "name"], " metro"]]],
  ["get", "name"],
];

// 1234 → "1.2K", as the tables' compact numbers write it.
const shortCount: ExpressionSpecification = [
  "case",
  [">=", ["get", "clicks"], 999_500],
  ["concat", ["to-string", ["/", ["round", ["/", ["get", "clicks"], 100_000]], 10]], "M"],
  [">=", ["get", "clicks"], 9_950],
  ["concat", ["to-string", ["round", ["/", ["get", "clicks"], 1_000]]], "K"],
  [">=", ["get", "clicks"], 1_000],
  ["concat", ["to-string", ["/", ["round", ["/", ["get", "clicks"], 100]], 10]], "K"],
  ["to-string", ["get", "clicks"]],
];

/** The px radius of a bubble: the legend's twin of the layer's own expression. */
export function bubbleRadius(clicks: number): number {
  return between(
    BUBBLES.map(([at, px]) => [Math.log10(at), px]),
    Math.log10(Math.max(1, clicks)),
  );
}
