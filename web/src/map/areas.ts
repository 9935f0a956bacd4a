/** Areas as they are drawn: shaded where the basemap has their shape, else as bubbles. */

import type { AreaColumns } from "../api/measures";
import type { AREA_SOURCES } from "../basemap/style";
import type { Measure } from "../state/address";
import { colourAt, FAINT, isFaint, UNKNOWN, type Stops } from "./scale";

/** One area on the map. */
export interface DrawnArea {
  id: string;
  name: string;
  lat: number | null;
  lon: number | null;
  clicks: number;
  population: number | null;
  rate: number | null;
  index: number | null;
  expected: number | null;
  /** Its shape in the basemap; null where it has none. */
  shape: { kind: Shape; code: string } | null;
}

export type Shape = keyof typeof AREA_SOURCES;
const MOST_PX = 30;
const LEAST_PX = 2.5;

/** The basemap's shape of an area; of regions it has those whose codes are in `regions`. */
export function shapeOf(id: string, regions: ReadonlySet<string>): DrawnArea["shape"] {
  const [kind, code = ""] = id.split(":");
  if (kind === "country" || kind === "county") return { kind, code };
  return kind === "region" && regions.has(code) ? { kind, code } : null;
}

/** The columns as areas by id. */
export function drawnAreas(
  columns: AreaColumns,
  regions: ReadonlySet<string>,
): Map<string, DrawnArea> {
  return new Map(
    columns.ids.map((id, i) => {
      const area: DrawnArea = {
        id,
        name: columns.names[i]!,
        lat: columns.lat[i] ?? null,
        lon: columns.lon[i] ?? null,
        clicks: columns.clicks[i]!,
        population: columns.population[i] ?? null,
        rate: columns.rate[i] ?? null,
        index: columns.index[i] ?? null,
        expected: columns.expected[i] ?? null,
        shape: shapeOf(id, regions),
      };
      return [id, area];
    }),
  );
}

export type Look = { colour: string; opacity: number };

/** What an area looks like: null where nothing can be said. */
export function look(area: DrawnArea, measure: Measure, stops: Stops): Look | null {
  const value = area[measure];
  if (value === null || (measure === "clicks" && value === 0)) return null;
  const faint = measure !== "clicks" && isFaint(area.clicks, area.expected);
  return { colour: colourAt(stops, value), opacity: faint ? FAINT : 0.88 };
}

/** The radius of a bubble whose surface goes with its clicks, in px. */
export function areaRadius(clicks: number, most: number): number {
  return Math.max(LEAST_PX, MOST_PX * Math.sqrt(clicks / Math.max(25, most)));
}

export type DrawnBubbles = GeoJSON.FeatureCollection<GeoJSON.Point>;

/**
 * Areas as points: those without a shape, and those whose shape is too small to draw from far away, which have
 * `shaped` set.
 */
export function bubblesOf(
  areas: Iterable<DrawnArea>,
  most: number,
  lookOf: (area: DrawnArea) => Look | null,
): DrawnBubbles {
  const features: DrawnBubbles["features"] = [];
  for (const area of areas) {
    const { id, clicks, lat, lon, shape } = area;
    if (!clicks || lat === null || lon === null || shape?.kind === "country") continue;
    const { colour, opacity } = lookOf(area) ?? { colour: UNKNOWN, opacity: FAINT };
    features.push({
      type: "Feature",
      properties: {
        id,
        clicks,
        radius: areaRadius(clicks, most),
        colour,
        opacity,
        shaped: shape !== null,
      },
      geometry: { type: "Point", coordinates: [lon, lat] },
    });
  }
  return { type: "FeatureCollection", features };
}
