// The few pieces of plane and sphere geometry that the layers share.
import { geoEquirectangular } from "d3-geo";
import { geoProject } from "d3-geo-projection";
import polylabel from "polylabel";

// Degrees in, degrees out: what this projection does is cut at the antimeridian and close
// Antarctica over the pole. Without it such shapes draw stripes across the world.
const DEGREES = geoEquirectangular()
  .scale(180 / Math.PI)
  .translate([0, 0])
  .precision(0)
  .reflectY(true);

/**
 * The same feature with no edge across ±180°. Only parts more than half a world wide go through
 * the sphere: there, an islet rounded to nothing turns inside out and covers the globe.
 */
export function cutAtAntimeridian(feature) {
  const { type, coordinates } = feature.geometry;
  const single = type.replace("Multi", "");
  const parts = type === single ? [coordinates] : coordinates;
  const cut = parts.flatMap((part) => {
    const geometry = { type: single, coordinates: part };
    const [w, , e] = boundsOf(geometry);
    if (e - w <= 180) return [part];
    const { type: made, coordinates: pieces } = geoProject(geometry, DEGREES);
    return made === single ? [pieces] : pieces;
  });
  return { ...feature, geometry: { type: `Multi${single}`, coordinates: cut } };
}

/** [west, south, east, north] of a geometry, in its own units. */
export function boundsOf(geometry) {
  const bounds = [Infinity, Infinity, -Infinity, -Infinity];
  const grow = (part) => {
    if (typeof part[0] !== "number") return part.forEach(grow);
    bounds[0] = Math.min(bounds[0], part[0]);
    bounds[1] = Math.min(bounds[1], part[1]);
    bounds[2] = Math.max(bounds[2], part[0]);
    bounds[3] = Math.max(bounds[3], part[1]);
  };
  grow(geometry.coordinates);
  return bounds;
}

const MAX_LATITUDE = 85.0511;

/** Web mercator in the unit square, y down, as tiles count. */
export function mercator([lon, lat]) {
  const clamped = Math.max(-MAX_LATITUDE, Math.min(MAX_LATITUDE, lat));
  const sin = Math.sin((clamped * Math.PI) / 180);
  return [lon / 360 + 0.5, 0.5 - (0.25 * Math.log((1 + sin) / (1 - sin))) / Math.PI];
}

/** Degrees of a point in the unit square. */
export function degrees([x, y]) {
  const lat = (2 * Math.atan(Math.exp(Math.PI * (1 - 2 * y))) - Math.PI / 2) * (180 / Math.PI);
  return [x * 360 - 180, lat];
}

/**
 * Where a name sits best in a polygon: the point farthest from every edge of its largest part, as
 * drawn on the map (so in mercator), and that distance as a share of the world's width.
 */
export function labelPoint(geometry) {
  const parts = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
  const drawn = parts.map((rings) => rings.map((ring) => ring.map(mercator)));
  const largest = drawn.reduce((best, part) => (area(part[0]) > area(best[0]) ? part : best));
  const spot = polylabel(largest, 1e-4);
  return { coordinates: degrees(spot), radius: spot.distance, area: area(largest[0]) };
}

function area(ring) {
  let twice = 0;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    twice += (ring[j][0] - ring[i][0]) * (ring[j][1] + ring[i][1]);
  }
  return Math.abs(twice / 2);
}
