/** How areas get onto the map: their layers, their feature states, and which of them is under the pointer. */

import type {
  ExpressionSpecification,
  LayerSpecification,
  Map as MapLibre,
  PointLike,
} from "maplibre-gl";
import { AREA_SOURCES, HEAT_BEFORE } from "../basemap/style";
import type { Shade } from "../state/theme.svelte";
import { areaOf, shapeOf, type DrawnArea, type DrawnBubbles, type Look, type Shape } from "./areas";
import type { ClickMap } from "./clickmap";
import type { Overlay } from "./layers";

const LIT: ExpressionSpecification = ["boolean", ["feature-state", "lit"], false];
const EDGE = {
  light: { lit: "#0c6b6b", edge: "#ffffff" },
  dark: { lit: "#7fe3d6", edge: "#10161e" },
};
export const BUBBLES_LAYER = "area-bubbles";
const fillLayer = (shape: Shape) => `areas-${shape}`;

/** Layers that the pointer can hit, and what kind of area each holds. */
export const SHAPE_LAYERS: Record<string, Shape> = {
  "areas-country": "country",
  "areas-region": "region",
  "areas-county": "county",
};

/** The layers for areas of one level; colours come by feature state and by the bubbles' own properties. */
export function areasOverlay(shape: Shape | null, bubbles: DrawnBubbles, shade: Shade): Overlay {
  const { lit, edge } = EDGE[shade];
  const layers: Overlay["layers"] = [];
  if (shape) {
    const fill: LayerSpecification = {
      id: fillLayer(shape),
      type: "fill",
      ...AREA_SOURCES[shape],
      paint: {
        "fill-color": ["to-color", ["feature-state", "colour"], "#000000"],
        "fill-opacity": ["number", ["feature-state", "opacity"], 0],
      },
    };
    const line: LayerSpecification = {
      id: "areas-lit",
      type: "line",
      ...AREA_SOURCES[shape],
      layout: { "line-join": "round" },
      paint: {
        "line-color": lit,
        "line-width": ["case", LIT, 2, 0],
        "line-opacity": ["case", LIT, 1, 0],
      },
    };
    layers.push({ layer: fill, before: HEAT_BEFORE }, { layer: line, before: "marine-labels" });
  }
  const circles: LayerSpecification = {
    id: BUBBLES_LAYER,
    type: "circle",
    source: "areas-spots",
    layout: { "circle-sort-key": ["-", ["get", "clicks"]] },
    paint: {
      "circle-radius": [
        "interpolate",
        ["exponential", 1.4],
        ["zoom"],
        1,
        ["*", 0.8, ["get", "radius"]],
        9,
        ["+", 3, ["*", 1.5, ["get", "radius"]]],
      ],
      "circle-color": ["get", "colour"],
      "circle-opacity": ["get", "opacity"],
      "circle-stroke-color": ["case", LIT, lit, edge],
      "circle-stroke-width": ["case", LIT, 2.5, 0.75],
      "circle-stroke-opacity": ["case", LIT, 1, 0.7],
    },
  };
  if (bubbles.features.length) layers.push({ layer: circles, before: "marine-labels" });
  return {
    sources: { "areas-spots": { type: "geojson", data: bubbles, promoteId: "id" } },
    layers,
  };
}

/** The drawn area under the pointer: a bubble before the shape that it lies on. */
export function areaAt(
  map: MapLibre,
  point: PointLike,
  box: [PointLike, PointLike],
  areas: Map<string, DrawnArea>,
): string | null {
  const there = (id: string) => map.getLayer(id) !== undefined;
  if (there(BUBBLES_LAYER)) {
    const [bubble] = map.queryRenderedFeatures(box, { layers: [BUBBLES_LAYER] });
    if (bubble) return String(bubble.properties["id"]);
  }
  const layers = Object.keys(SHAPE_LAYERS).filter(there);
  const [feature] = layers.length ? map.queryRenderedFeatures(point, { layers }) : [];
  if (!feature) return null;
  const id = areaOf(SHAPE_LAYERS[feature.layer.id]!, String(feature.properties["code"]));
  return areas.has(id) ? id : null;
}

/** The feature states of the shaded areas. */
export class Shading {
  #painted = new Set<string>();
  #lit: string | null = null;

  constructor(private readonly chart: ClickMap) {}

  paint(areas: Iterable<DrawnArea>, lookOf: (area: DrawnArea) => Look | null): void {
    const before = this.#painted;
    this.#painted = new Set();
    for (const area of areas) {
      const seen = shapeOf(area.id) && lookOf(area);
      if (!seen) continue;
      this.#mark(area.id, seen);
      this.#painted.add(area.id);
    }
    for (const id of before) if (!this.#painted.has(id)) this.#mark(id, { opacity: 0 });
  }

  /** Outlines one area, a bubble or a shape. */
  light(id: string | null): void {
    if (id === this.#lit) return;
    // The map itself outlines countries.
    if (id?.startsWith("country:")) id = null;
    if (this.#lit) this.#mark(this.#lit, { lit: false });
    if (id) this.#mark(id, { lit: true });
    this.#lit = id;
  }

  clear(): void {
    this.light(null);
    for (const id of this.#painted) this.#mark(id, { opacity: 0 });
    this.#painted.clear();
  }

  #mark(id: string, state: Record<string, unknown>): void {
    const { map } = this.chart;
    const shape = shapeOf(id);
    if (!shape) {
      if (map.getSource("areas-spots")) map.setFeatureState({ source: "areas-spots", id }, state);
      return;
    }
    const { source, "source-layer": sourceLayer } = AREA_SOURCES[shape.shape];
    if (map.getSource(source)) map.setFeatureState({ source, sourceLayer, id: shape.code }, state);
  }
}
