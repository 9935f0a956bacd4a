/** The areas of a card on the map: shaded where the basemap has their outlines, ringed where it has none. */

import type { ExpressionSpecification, LayerSpecification } from "maplibre-gl";
import { AREA_SOURCES, HEAT_BEFORE } from "../basemap/style";
import { shapeOf, type Shape } from "../map/areas";
import type { Overlay } from "../map/layers";
import type { Shade } from "../state/theme.svelte";
import type { InsightArea, Kind } from "./api";

const FEWER = { light: "#2a63a6", dark: "#79b0f2" };
const MORE = { light: "#b0400a", dark: "#ffab70" };
const OTHER = { light: "#0b6767", dark: "#5fd4c6" };
/** From which zoom the basemap has the shapes; until then areas are rings, too. */
const SHAPED_FROM: Record<Shape, number> = { country: 0, region: 2, county: 3 };

export const colourOf = (kind: Kind, shade: Shade): string =>
  (kind === "gap" ? FEWER : kind === "hotspot" ? MORE : OTHER)[shade];

export function insightOverlay(
  areas: InsightArea[],
  kind: Kind,
  shade: Shade,
  regions: ReadonlySet<string>,
): Overlay {
  const colour = colourOf(kind, shade);
  const codes: Record<Shape, string[]> = { country: [], region: [], county: [] };
  const spots: GeoJSON.Feature<GeoJSON.Point>[] = [];
  for (const { id, name, lat, lon } of areas) {
    const shape = shapeOf(id, regions);
    if (shape) codes[shape.kind].push(shape.code);
    if (lat === null || lon === null || shape?.kind === "country") continue;
    const until = shape ? SHAPED_FROM[shape.kind] : 24;
    spots.push({
      type: "Feature",
      properties: { name, until },
      geometry: { type: "Point", coordinates: [lon, lat] },
    });
  }
  const layers: Overlay["layers"] = [];
  for (const shape of Object.keys(codes) as Shape[]) {
    if (!codes[shape].length) continue;
    const filter: ExpressionSpecification = ["in", ["get", "code"], ["literal", codes[shape]]];
    const fill: LayerSpecification = {
      id: `insight-fill-${shape}`,
      type: "fill",
      ...AREA_SOURCES[shape],
      filter,
      paint: { "fill-color": colour, "fill-opacity": shade === "light" ? 0.34 : 0.42 },
    };
    const line: LayerSpecification = {
      id: `insight-line-${shape}`,
      type: "line",
      ...AREA_SOURCES[shape],
      filter,
      layout: { "line-join": "round" },
      paint: { "line-color": colour, "line-width": 1.75 },
    };
    layers.push({ layer: fill, before: HEAT_BEFORE }, { layer: line, before: "marine-labels" });
  }
  layers.push({
    layer: {
      id: "insight-spots",
      type: "circle",
      source: "insight",
      filter: [">", ["get", "until"], ["zoom"]],
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 1, 5, 5, 10, 10, 20],
        "circle-color": colour,
        "circle-opacity": 0.22,
        "circle-stroke-color": colour,
        "circle-stroke-width": 2.25,
      },
    },
  });
  return {
    sources: {
      insight: { type: "geojson", data: { type: "FeatureCollection", features: spots } },
    },
    layers,
  };
}
