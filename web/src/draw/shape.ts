/** Areas drawn on the map, as the filter's `within` writes them. */

export type Point = [number, number];
const MAX_POINTS = 120;

/** "west,south,east,north" of a box from two corners in degrees; four decimals are 11 m. */
export function boxText([x0, y0]: Point, [x1, y1]: Point): string {
  return [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)]
    .map(rounded)
    .join(",");
}

export function polygonText(points: Point[]): string {
  return points.flat().map(rounded).join(",");
}

const rounded = (degrees: number) => String(+degrees.toFixed(4));

/** The corners of a drawn area; null where the text is none. */
export function corners(text: string): Point[] | null {
  const numbers = text.split(",").map(Number);
  if (numbers.some((n) => !Number.isFinite(n)) || numbers.length < 4 || numbers.length % 2)
    return null;
  if (numbers.length === 4) {
    const [west, south, east, north] = numbers as [number, number, number, number];
    return [
      [west, south],
      [east, south],
      [east, north],
      [west, north],
    ];
  }
  return Array.from({ length: numbers.length / 2 }, (_, i): Point => [
    numbers[2 * i]!,
    numbers[2 * i + 1]!,
  ]);
}

/**
 * A line with fewer points, none further than `tolerance` from the one drawn (Ramer 1972; Douglas and
 * Peucker 1973). The tolerance grows until what is left is short enough for an address.
 */
export function simplified(line: Point[], tolerance = 1.5): Point[] {
  const kept = keep(line, tolerance);
  return kept.length > MAX_POINTS ? simplified(line, tolerance * 1.6) : kept;
}

function keep(line: Point[], tolerance: number): Point[] {
  if (line.length < 3) return line;
  const [first, last] = [line[0]!, line.at(-1)!];
  let far = 0;
  let at = 0;
  for (let i = 1; i < line.length - 1; i++) {
    const distance = fromSegment(line[i]!, first, last);
    if (distance > far) [far, at] = [distance, i];
  }
  if (far <= tolerance) return [first, last];
  return [
    ...keep(line.slice(0, at + 1), tolerance).slice(0, -1),
    ...keep(line.slice(at), tolerance),
  ];
}

function fromSegment([x, y]: Point, [x0, y0]: Point, [x1, y1]: Point): number {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const length = dx * dx + dy * dy;
  const along = length ? Math.max(0, Math.min(1, ((x - x0) * dx + (y - y0) * dy) / length)) : 0;
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
}

/** The area that a closed line holds, in its own units squared (the shoelace formula). */
export function areaOf(line: Point[]): number {
  const twice = line.reduce((sum, [x, y], i) => {
    const [u, v] = line[(i + 1) % line.length]!;
    return sum + x * v - u * y;
  }, 0);
  return Math.abs(twice) / 2;
}
