import type {
  ExpressionSpecification,
  LayerSpecification,
  SymbolLayerSpecification,
} from "maplibre-gl";
import { FONTS } from "./fonts";
import type { Palette } from "./palette";

type Layout = NonNullable<SymbolLayerSpecification["layout"]>;

// Tiles carry only what their zoom may show; the filter does the same for stretched tiles.
const DUE: ExpressionSpecification = ["<=", ["get", "minzoom"], ["zoom"]];
// An area larger than the view is no longer named by one word in its middle.
const WHOLE: ExpressionSpecification = ["all", DUE, [">=", ["get", "maxzoom"], ["zoom"]]];

// In a small window the whole world lies below zoom 1: it has the names of the largest there too.
const LARGEST: ExpressionSpecification = [
  "all",
  ["<=", ["get", "minzoom"], ["max", 1, ["zoom"]]],
  [">=", ["get", "maxzoom"], ["zoom"]],
];

const COMMON: Layout = {
  "text-field": ["get", "name"],
  "text-padding": 4,
  "text-max-width": 8,
  "symbol-sort-key": ["get", "rank"],
};

/** Names, the least important first: MapLibre gives later layers the room. */
export function labelLayers(palette: Palette): LayerSpecification[] {
  return [
    {
      id: "marine-labels",
      type: "symbol",
      source: "basemap",
      "source-layer": "marine_labels",
      filter: DUE,
      maxzoom: 6,
      layout: {
        ...COMMON,
        "text-font": [FONTS.italic],
        "text-size": ["match", ["get", "rank"], 0, 14, 1, 12, 11],
        "text-letter-spacing": 0.14,
        "text-line-height": 1.4,
        "text-max-width": 6,
      },
      paint: { "text-color": palette.marineText },
    },
    {
      id: "town-labels",
      type: "symbol",
      source: "basemap",
      "source-layer": "city_labels",
      filter: ["all", DUE, [">", ["get", "minzoom"], 5]],
      minzoom: 6,
      layout: {
        ...COMMON,
        "text-font": [FONTS.regular],
        "text-size": [
          "interpolate",
          ["linear"],
          ["zoom"],
          6,
          10.5,
          9,
          ["step", ["get", "minzoom"], 13.5, 7, 12.5, 8, 11.5],
          11,
          ["step", ["get", "minzoom"], 15, 7, 14, 8, 12.5],
        ],
      },
      paint: {
        "text-color": palette.townText,
        "text-halo-color": palette.halo,
        "text-halo-width": 1.2,
      },
    },
    {
      id: "region-labels",
      type: "symbol",
      source: "basemap",
      "source-layer": "region_labels",
      filter: WHOLE,
      minzoom: 3,
      maxzoom: 8,
      layout: {
        ...COMMON,
        "text-font": [FONTS.medium],
        "text-transform": "uppercase",
        "text-size": ["interpolate", ["linear"], ["zoom"], 3, 9, 7, 12.5],
        "text-letter-spacing": 0.12,
        "text-max-width": 7,
      },
      paint: {
        "text-color": palette.regionText,
        "text-halo-color": palette.halo,
        "text-halo-width": 1,
      },
    },
    {
      id: "city-labels",
      type: "symbol",
      source: "basemap",
      "source-layer": "city_labels",
      filter: ["all", DUE, ["<=", ["get", "minzoom"], 5]],
      minzoom: 2,
      layout: {
        ...COMMON,
        "text-font": [FONTS.medium],
        "text-size": [
          "interpolate",
          ["linear"],
          ["zoom"],
          2,
          ["step", ["get", "minzoom"], 11.5, 4, 10.5],
          6,
          ["step", ["get", "minzoom"], 14, 3, 13, 5, 11.5],
          9,
          ["step", ["get", "minzoom"], 17, 4, 15, 5, 14],
        ],
      },
      paint: {
        "text-color": palette.cityText,
        "text-halo-color": palette.halo,
        "text-halo-width": 1.3,
      },
    },
    {
      id: "country-labels",
      type: "symbol",
      source: "basemap",
      "source-layer": "country_labels",
      filter: LARGEST,
      maxzoom: 8,
      layout: {
        ...COMMON,
        "text-font": [FONTS.semibold],
        "text-size": [
          "interpolate",
          ["linear"],
          ["zoom"],
          1,
          ["step", ["get", "minzoom"], 11, 2, 10],
          4,
          ["step", ["get", "minzoom"], 16, 2, 14, 3, 12.5, 4, 11.5],
          7,
          ["step", ["get", "minzoom"], 20, 3, 18, 4, 14.5, 5, 12.5],
        ],
        "text-letter-spacing": 0.03,
      },
      paint: {
        "text-color": palette.countryText,
        "text-halo-color": palette.halo,
        "text-halo-width": 1.4,
      },
    },
  ];
}
