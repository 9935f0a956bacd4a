/** Circles of a true size on the earth. */

const EARTH_KM = 6371.0088;
const POINTS = 96;
const RAD = Math.PI / 180;

/**
 * The ring of points `km` away from a point along great circles, closed, counter-clockwise.
 *
 * Longitudes run on past ±180 where the ring crosses the date line, so that it stays in one piece.
 */
export function circle(lat: number, lon: number, km: number): [lng: number, lat: number][] {
  const angle = km / EARTH_KM;
  const [sin, cos] = [Math.sin(lat * RAD), Math.cos(lat * RAD)];
  const ring: [number, number][] = [];
  for (let i = 0; i < POINTS; i++) {
    const bearing = (-2 * Math.PI * i) / POINTS;
    const sine = sin * Math.cos(angle) + cos * Math.sin(angle) * Math.cos(bearing);
    const east = Math.atan2(
      Math.sin(bearing) * Math.sin(angle) * cos,
      Math.cos(angle) - sin * sine,
    );
    ring.push([lon + east / RAD, Math.asin(sine) / RAD]);
  }
  return [...ring, ring[0]!];
}

/** The distance of two points along a great circle in km. */
export function distance(a: { lat: number; lon: number }, b: { lat: number; lon: number }): number {
  const half = (x: number) => Math.sin((x * RAD) / 2) ** 2;
  const h =
    half(b.lat - a.lat) + Math.cos(a.lat * RAD) * Math.cos(b.lat * RAD) * half(b.lon - a.lon);
  return 2 * EARTH_KM * Math.asin(Math.sqrt(h));
}
