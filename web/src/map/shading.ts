/** How areas get onto the map: their layers, their feature states, and which of them is under the pointer. */

import type {
  ExpressionSpecification,
  LayerSpecification,
  Map as MapLibre,
  PointLike,
} from "maplibre-gl";
import { AREA_SOURCES, HEAT_BEFORE } from "../basemap/style";
import type { Shade } from "../state/theme.svelte";
import type { DrawnArea, DrawnBubbles, Look, Shape } from "./areas";
import type { ClickMap } from "./clickmap";
import type { Overlay } from "./layers";

const LIT: ExpressionSpecification = ["boolean", ["feature-state", "lit"], false];
const EDGE = {
  light: { lit: "#0c6b6b", edge: "#4a5a66" },
  dark: { lit: "#7fe3d6", edge: "#0a0e13" },
};
/** From which zoom the basemap has the shapes. */
const SHAPED_FROM: Record<Shape, number> = { country: 0, region: 2, county: 3 };
const BUBBLES = ["area-bubbles", "area-far-bubbles"] as const;

/** Layers that the pointer can hit, and what kind of area each holds. */
const FILLS: Record<string, Shape> = {
  "areas-country": "country",
  "areas-region": "region",
  "areas-county": "county",
};

/** The layers for areas of one level; colours come by feature state and by the bubbles' own properties. */
export function areasOverlay(shape: Shape | null, bubbles: DrawnBubbles, shade: Shade): Overlay {
  const lit = EDGE[shade].lit;
  const layers: Overlay["layers"] = [];
  if (shape) {
    const fill: LayerSpecification = {
      id: `areas-${shape}`,
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
  if (bubbles.features.some(({ properties }) => !properties?.["shaped"]))
    layers.push({ layer: circles(BUBBLES[0], false, shade), before: "marine-labels" });
  if (shape && shape !== "country") {
    const far = { ...circles(BUBBLES[1], true, shade), maxzoom: SHAPED_FROM[shape] };
    layers.push({ layer: far, before: "marine-labels" });
  }
  return {
    sources: { "areas-spots": { type: "geojson", data: bubbles, promoteId: "id" } },
    layers,
  };
}

function circles(id: string, shaped: boolean, shade: Shade): LayerSpecification {
  const { lit, edge } = EDGE[shade];
  return {
    id,
    type: "circle",
    source: "areas-spots",
    filter: ["==", ["get", "shaped"], shaped],
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
      "circle-stroke-opacity": ["case", LIT, 1, 0.45],
    },
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
  const bubbles = BUBBLES.filter(there);
  const [bubble] = bubbles.length ? map.queryRenderedFeatures(box, { layers: bubbles }) : [];
  if (bubble) return String(bubble.properties["id"]);
  const fills = Object.keys(FILLS).filter(there);
  const [feature] = fills.length ? map.queryRenderedFeatures(point, { layers: fills }) : [];
  if (!feature) return null;
  const id = `${FILLS[feature.layer.id]}:${String(feature.properties["code"])}`;
  return areas.has(id) ? id : null;
}

/** The feature states of the shaded areas. */
export class Shading {
  #painted = new Map<string, DrawnArea>();
  #lit: DrawnArea | null = null;

  constructor(private readonly chart: ClickMap) {}

  paint(areas: Iterable<DrawnArea>, lookOf: (area: DrawnArea) => Look | null): void {
    const before = this.#painted;
    this.#painted = new Map();
    for (const area of areas) {
      const seen = area.shape && lookOf(area);
      if (!seen) continue;
      this.#mark(area, seen);
      this.#painted.set(area.id, area);
    }
    for (const [id, area] of before) if (!this.#painted.has(id)) this.#mark(area, { opacity: 0 });
  }

  /** Outlines one area, its bubble and its shape. */
  light(area: DrawnArea | null): void {
    if (area?.id === this.#lit?.id) return;
    if (this.#lit) this.#mark(this.#lit, { lit: false });
    // The map itself outlines countries.
    this.#lit = area?.shape?.kind === "country" ? null : area;
    if (this.#lit) this.#mark(this.#lit, { lit: true });
  }

  clear(): void {
    this.light(null);
    for (const area of this.#painted.values()) this.#mark(area, { opacity: 0 });
    this.#painted.clear();
  }

  #mark({ id, shape }: DrawnArea, state: Record<string, unknown>): void {
    const { map } = this.chart;
    if ("lit" in state && map.getSource("areas-spots"))
      map.setFeatureState({ source: "areas-spots", id }, state);
    if (!shape) return;
    const { source, "source-layer": sourceLayer } = AREA_SOURCES[shape.kind];
    if (map.getSource(source)) map.setFeatureState({ source, sourceLayer, id: shape.code }, state);
  }
}
