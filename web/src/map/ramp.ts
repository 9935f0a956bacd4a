import type { Shade } from "../state/theme.svelte";

/**
 * Heat colours by density, 0..1. Lightness runs one way only, so the order holds for every kind of colour sight
 * and in grey; the first colour begins at alpha 0, so that no clicks leave no veil over the map.
 */
export const RAMP: Record<Shade, [density: number, colour: string][]> = {
  light: [
    [0, "rgba(255, 196, 120, 0)"],
    [0.015, "rgba(254, 186, 108, 0.5)"],
    [0.08, "rgba(250, 152, 78, 0.78)"],
    [0.22, "rgba(235, 107, 62, 0.86)"],
    [0.45, "rgba(202, 62, 71, 0.9)"],
    [0.72, "rgba(143, 37, 91, 0.93)"],
    [1, "rgba(74, 18, 84, 0.95)"],
  ],
  dark: [
    [0, "rgba(76, 38, 130, 0)"],
    [0.015, "rgba(88, 40, 136, 0.5)"],
    [0.08, "rgba(138, 44, 138, 0.75)"],
    [0.22, "rgba(196, 62, 116, 0.85)"],
    [0.45, "rgba(238, 104, 78, 0.9)"],
    [0.72, "rgba(252, 168, 78, 0.94)"],
    [1, "rgba(254, 244, 190, 0.97)"],
  ],
};

/** The peak of MapLibre's heat kernel: one lone spot of weight w adds this much of w × intensity at its centre. */
const KERNEL_PEAK = 0.3989;

/** How far past "the fullest neighbourhood just reaches the last colour" the ramp is turned up. */
const GAIN = 1.8;

/** With fewer clicks than this in the fullest neighbourhood the ramp is not stretched: one click is not a crowd. */
const FEW = 8;

const ZOOMS = Array.from({ length: 15 }, (_, zoom) => zoom);

/** The radius of one spot's glow in px, by zoom. */
export const RADIUS: [zoom: number, px: number][] = [
  [0, 9],
  [2, 14],
  [4, 19],
  [7, 26],
  [11, 34],
  [14, 42],
];

/**
 * Heat intensity per whole zoom level, such that the fullest neighbourhood, not the fullest cell, reaches the end
 * of the ramp: many small places side by side add up under the kernel and would turn the map into one blot.
 *
 * Weights are plain clicks (linear), so a new maximum costs one uniform instead of reading every tile again.
 */
export function intensities(heatMax: Record<string, number>): [zoom: number, intensity: number][] {
  return ZOOMS.map((zoom) => [zoom, GAIN / (KERNEL_PEAK * neighbourhood(heatMax, zoom))]);
}

/** How many clicks in one lone spot give the colour at `density`, at a (fractional) zoom. */
export function clicksAt(density: number, heatMax: Record<string, number>, zoom: number): number {
  return density / (between(intensities(heatMax), zoom) * KERNEL_PEAK);
}

/** Linear interpolation between stops, flat beyond both ends: what MapLibre's `interpolate` does. */
export function between(stops: [number, number][], x: number): number {
  const next = stops.findIndex(([at]) => at >= x);
  if (next === 0) return stops[0]![1];
  if (next < 0) return stops.at(-1)![1];
  const [x0, y0] = stops[next - 1]!;
  const [x1, y1] = stops[next]!;
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}

/**
 * Clicks in the fullest square that the kernel sums over at a zoom.
 *
 * A cell of the 256-cell grid is 2 px wide at its own zoom, twice that one zoom on. A Gaussian of σ = radius / 3
 * holds as much as a square of √(2π) σ, so the fullest cell of a coarser zoom is that square's count.
 */
function neighbourhood(heatMax: Record<string, number>, zoom: number): number {
  const side = (Math.sqrt(2 * Math.PI) * between(RADIUS, zoom)) / 3;
  const coarser = zoom - Math.log2(side / 2);
  const counts = ZOOMS.map((z): [number, number] => [z, Math.log(Math.max(1, heatMax[z] ?? 1))]);
  const [world, next] = [counts[0]![1], counts[1]![1]];
  // Coarser than the whole world's grid: as much more again as between the two coarsest that there are.
  const beyond = coarser < 0 ? -coarser * (world - next) : 0;
  return Math.max(FEW, Math.exp(between(counts, coarser) + beyond));
}
