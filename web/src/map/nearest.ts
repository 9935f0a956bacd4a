import type { AreaRow } from "../api/types";

const TILE = 512;

/** The table row whose place is nearest to a point on the map, if it is within `reach` px at this zoom. */
export function nearestRow(
  rows: AreaRow[],
  { lng, lat }: { lng: number; lat: number },
  zoom: number,
  reach = 26,
): AreaRow | null {
  const world = TILE * 2 ** zoom;
  const x = mercatorX(lng);
  const y = mercatorY(lat);
  let best: AreaRow | null = null;
  let least = (reach / world) ** 2;
  for (const row of rows) {
    if (row.lat === null || row.lon === null) continue;
    const dx = Math.abs(mercatorX(row.lon) - x);
    const across = Math.min(dx, 1 - dx);
    const distance = across ** 2 + (mercatorY(row.lat) - y) ** 2;
    if (distance < least) [best, least] = [row, distance];
  }
  return best;
}

function mercatorX(lng: number): number {
  return lng / 360 + 0.5;
}

function mercatorY(lat: number): number {
  const sine = Math.sin((lat * Math.PI) / 180);
  return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
}
