/** A target as the parts that a person adds and takes away. */

import { corners } from "../draw/shape";
import { circle } from "../drawer/circle";
import { kilometres } from "../drawer/words";
import type { Bbox } from "../api/types";
import type { TargetDocument } from "./api";

export type Position = [lng: number, lat: number];
export type Rings = Position[][];
export interface Circle {
  lat: number;
  lon: number;
  km: number;
}
export type Part =
  | { kind: "area"; id: string }
  | { kind: "circle"; circle: Circle }
  | { kind: "shape"; rings: Rings };

export function partsOf(target: TargetDocument | null): Part[] {
  if (!target) return [];
  const { areas = [], circles = [], shape } = target;
  const polygons =
    shape?.type === "Polygon" ? [shape.coordinates] : ((shape?.coordinates ?? []) as unknown[]);
  return [
    ...areas.map((id): Part => ({ kind: "area", id })),
    ...circles.map((circle): Part => ({ kind: "circle", circle })),
    ...(polygons as Rings[]).map((rings): Part => ({ kind: "shape", rings })),
  ];
}

/** As the API takes it; null where there is no part. */
export function targetFrom(parts: Part[]): TargetDocument | null {
  if (!parts.length) return null;
  const polygons = parts.flatMap((part) => (part.kind === "shape" ? [part.rings] : []));
  return {
    areas: parts.flatMap((part) => (part.kind === "area" ? [part.id] : [])),
    circles: parts.flatMap((part) => (part.kind === "circle" ? [part.circle] : [])),
    shape: polygons.length ? { type: "MultiPolygon", coordinates: polygons } : null,
  };
}

/** The same part twice is one. */
export const added = (parts: Part[], part: Part): Part[] =>
  parts.some((other) => JSON.stringify(other) === JSON.stringify(part)) ? parts : [...parts, part];

/** A drawn area of the filter as a shape; null where the text is none. */
export function drawnPart(within: string): Part | null {
  const ring = corners(within);
  return ring && ring.length > 2 ? { kind: "shape", rings: [[...ring, ring[0]!]] } : null;
}

/** "42.36, -71.06" as a point; null for anything else. */
export function pointOf(text: string): Position | null {
  const found = /^\s*(-?\d{1,2}(?:\.\d+)?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d+)?)\s*$/.exec(text);
  if (!found) return null;
  const [lat, lon] = [Number(found[1]), Number(found[2])];
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? [lon, lat] : null;
}

/** The polygons of a GeoJSON text: a geometry, a feature or a collection of them. Throws with what is wrong. */
export function shapesIn(text: string): Part[] {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw new Error("This is not JSON.");
  }
  const found = polygonsIn(read);
  if (!found.length) throw new Error("There is no Polygon or MultiPolygon in it.");
  return found.map((rings) => ({ kind: "shape", rings }));
}

function polygonsIn(value: unknown): Rings[] {
  const node = value as Record<string, unknown> | null;
  switch (node?.["type"]) {
    case "FeatureCollection":
      return ((node["features"] ?? []) as unknown[]).flatMap(polygonsIn);
    case "Feature":
      return polygonsIn(node["geometry"]);
    case "Polygon":
      return [flat(node["coordinates"])];
    case "MultiPolygon":
      return ((node["coordinates"] ?? []) as unknown[]).map(flat);
    default:
      return [];
  }
}

/** Rings of plain positions: heights are left out. */
function flat(coordinates: unknown): Rings {
  return ((coordinates ?? []) as number[][][]).map((ring) =>
    ring.map(([lng, lat]): Position => {
      if (!Number.isFinite(lng) || !Number.isFinite(lat))
        throw new Error("A position in it is not two numbers.");
      return [lng!, lat!];
    }),
  );
}

/** What a part is called where it has no name of its own. */
export function partInWords(part: Part): string {
  if (part.kind === "circle") {
    const { lat, lon, km } = part.circle;
    return `Within ${kilometres(km)} of ${lat.toFixed(2)}, ${lon.toFixed(2)}`;
  }
  if (part.kind === "shape") {
    const corners = (part.rings[0]?.length ?? 1) - 1;
    return `A drawn area with ${corners} corners`;
  }
  return part.id;
}

/** Circles and shapes as polygons for the map. */
export const polygonsOf = (parts: Part[]): Rings[] =>
  parts.flatMap((part): Rings[] => {
    if (part.kind === "circle") return [[circle(part.circle.lat, part.circle.lon, part.circle.km)]];
    return part.kind === "shape" ? [part.rings] : [];
  });

/** The box around each of them, to fly to. */
export const boxesOf = (parts: Part[]): Bbox[] =>
  polygonsOf(parts).map((rings) => {
    const positions = rings[0] ?? [];
    const lngs = positions.map(([lng]) => lng);
    const lats = positions.map(([, lat]) => lat);
    return [Math.min(...lngs), Math.min(...lats), Math.max(...lngs), Math.max(...lats)];
  });
