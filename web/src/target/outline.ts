/** A target on the map: dashed outlines of its areas, circles and shapes; rings where an area has no outline. */

import type { ExpressionSpecification, LayerSpecification } from "maplibre-gl";
import { AREA_SOURCES } from "../basemap/style";
import { shapeOf, type Shape } from "../map/areas";
import type { Overlay } from "../map/layers";
import type { Shade } from "../state/theme.svelte";
import { polygonsOf, type Part } from "./parts";

const COLOUR = { light: "#0b6767", dark: "#5fd4c6" };
const DASHES = [2.5, 1.5];
/** From which zoom the basemap has the shapes; until then areas are rings, too. */
const SHAPED_FROM: Record<Shape, number> = { country: 0, region: 2, county: 3 };

/** Areas of a target whose place is known. */
export interface Placed {
  id: string;
  lat: number | null;
  lon: number | null;
}

export function targetOutline(
  parts: Part[],
  placed: ReadonlyMap<string, Placed>,
  shade: Shade,
  regions: ReadonlySet<string>,
): Overlay {
  const colour = COLOUR[shade];
  const codes: Record<Shape, string[]> = { country: [], region: [], county: [] };
  const features: GeoJSON.Feature[] = polygonsOf(parts).map((coordinates) => ({
    type: "Feature",
    properties: {},
    geometry: { type: "Polygon", coordinates },
  }));
  for (const part of parts) {
    if (part.kind !== "area") continue;
    const shape = shapeOf(part.id, regions);
    if (shape) codes[shape.kind].push(shape.code);
    const { lat, lon } = placed.get(part.id) ?? { lat: null, lon: null };
    if (lat === null || lon === null || shape?.kind === "country") continue;
    features.push({
      type: "Feature",
      properties: { until: shape ? SHAPED_FROM[shape.kind] : 24 },
      geometry: { type: "Point", coordinates: [lon, lat] },
    });
  }
  const line = { "line-color": colour, "line-width": 2.25, "line-dasharray": DASHES };
  const layers: LayerSpecification[] = [];
  for (const shape of Object.keys(codes) as Shape[]) {
    if (!codes[shape].length) continue;
    const filter: ExpressionSpecification = ["in", ["get", "code"], ["literal", codes[shape]]];
    layers.push({
      id: `target-fill-${shape}`,
      type: "fill",
      ...AREA_SOURCES[shape],
      filter,
      paint: { "fill-color": colour, "fill-opacity": 0.08 },
    });
    layers.push({
      id: `target-line-${shape}`,
      type: "line",
      ...AREA_SOURCES[shape],
      filter,
      layout: { "line-join": "round" },
      paint: line,
    });
  }
  const polygons: ExpressionSpecification = ["==", ["geometry-type"], "Polygon"];
  layers.push(
    {
      id: "target-fill",
      type: "fill",
      source: "target",
      filter: polygons,
      paint: { "fill-color": colour, "fill-opacity": 0.08 },
    },
    {
      id: "target-line",
      type: "line",
      source: "target",
      filter: polygons,
      layout: { "line-join": "round" },
      paint: line,
    },
    {
      id: "target-spots",
      type: "circle",
      source: "target",
      filter: ["all", ["==", ["geometry-type"], "Point"], [">", ["get", "until"], ["zoom"]]],
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 1, 5, 5, 9, 10, 18],
        "circle-color": colour,
        "circle-opacity": 0.1,
        "circle-stroke-color": colour,
        "circle-stroke-width": 2.25,
      },
    },
  );
  return {
    sources: {
      target: { type: "geojson", data: { type: "FeatureCollection", features } },
    },
    layers: layers.map((layer) => ({ layer, before: "marine-labels" })),
  };
}
