/** Colours for values: the server's scales for rate and index, and the heat's own colours for clicks. */

import type { ExpressionSpecification } from "maplibre-gl";
import type { Scale } from "../api/types";
import type { Shade } from "../state/theme.svelte";
import { BUBBLE_COLOURS } from "./layers";

/** Fewer clicks than this, both counted and expected, say next to nothing about a place. */
export const FEW = 10;
export const FAINT = 0.28;
/** For clicks whose residents nobody has counted. */
export const UNKNOWN = "#8a949e";

export type Stops = [value: number, colour: string][];

export function stopsOf(scale: Scale, shade: Shade): Stops {
  return scale.stops.map((value, i) => [value, scale[shade][i]!]);
}

/** Clicks from 1 to `most` on a log scale, in the bubbles' colours. */
export function clickStops(most: number, shade: Shade): Stops {
  const colours = BUBBLE_COLOURS[shade].slice(0, 5);
  const top = Math.log10(Math.max(10, most));
  return colours.map(([, colour], i) => [10 ** ((top * i) / (colours.length - 1)), colour]);
}

/** The colour at a value: between two stops on a logarithm, mixed in sRGB as MapLibre does; flat beyond both ends. */
export function colourAt(stops: Stops, value: number): string {
  const next = stops.findIndex(([at]) => at >= value);
  if (next === 0) return stops[0]![1];
  if (next < 0) return stops.at(-1)![1];
  const [from, below] = stops[next - 1]!;
  const [to, above] = stops[next]!;
  const part = Math.log(value / from) / Math.log(to / from);
  const [a, b] = [channels(below), channels(above)];
  return `#${a.map((c, i) => hex(c + (b[i]! - c) * part)).join("")}`;
}

/** The same as a MapLibre expression over `input`. */
export function colourExpression(
  input: ExpressionSpecification,
  stops: Stops,
): ExpressionSpecification {
  const logs = stops.flatMap(([value, colour]) => [Math.log(value), colour]);
  return [
    "interpolate",
    ["linear"],
    ["ln", ["max", input, 1e-9]],
    ...logs,
  ] as ExpressionSpecification;
}

/** Letters that can be read on a colour: dark ones on light colours, white ones on dark. */
export function inkOn(colour: string): string {
  const [r, g, b] = channels(colour).map((c) => {
    const part = c / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.22 ? "#231208" : "#ffffff";
}

/** Whether a place has too few clicks, and too few expected ones, for its rate to mean something. */
export function isFaint(clicks: number, expected: number | null): boolean {
  return expected === null || Math.max(clicks, expected) < FEW;
}

function channels(colour: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}

function hex(channel: number): string {
  return Math.round(channel).toString(16).padStart(2, "0");
}

/** A few of a scale's stops with their place on its bar in percent: the ends, the middle, and 100 for an index. */
export function legendTicks(stops: number[], index: boolean): { n: number; at: number }[] {
  const last = stops.length - 1;
  const middle = index ? stops.indexOf(100) : Math.round(last / 2);
  const chosen = new Set([0, middle < 0 ? Math.round(last / 2) : middle, last]);
  // With room for more, also the halves between.
  if (last >= 4) {
    chosen.add(Math.round(last / 4));
    chosen.add(Math.round((3 * last) / 4));
  }
  return [...chosen].sort((a, b) => a - b).map((i) => ({ n: stops[i]!, at: (100 * i) / last }));
}
