/** What a difference between two shares is called, and how it looks. */

import type { ExpressionSpecification, LayerSpecification } from "maplibre-gl";
import { FONTS } from "../basemap/fonts";
import type { Overlay } from "../map/layers";
import { inkOn, type Stops } from "../map/scale";
import type { Shade } from "../state/theme.svelte";
import type { Differences } from "./api";

/** What stands for 0 in a tile, whose integers are not negative; one is 100. */
const ZERO = 100_000;
const FAINT = 0.2;

export interface DifferenceRow {
  id: string;
  name: string;
  a: number;
  b: number;
  shareA: number;
  shareB: number;
  /** log2 of the first share over the second, shrunk. */
  difference: number;
  /** Beyond chance, after all that was looked at (false-discovery control). */
  differs: boolean;
}

/** 1 → "2× A", -1 → "2× B", 0.07 → "5% more A": which side has the larger share here, and by how much. */
export function differenceInWords(difference: number): string {
  const ratio = 2 ** Math.abs(difference);
  const side = difference > 0 ? "A" : "B";
  if (ratio < 1.005) return "equal";
  if (ratio < 1.5) return `${Math.round((ratio - 1) * 100)}% more ${side}`;
  return `${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio)}× ${side}`;
}

/** What the distance of the two geographies says, once chance is taken off. */
export function distanceInWords({
  distance_p,
  by_chance,
}: Pick<Differences, "distance_p" | "by_chance">): string {
  if (distance_p === null || by_chance === null)
    return "in all. Too few clicks to say whether that is more than chance.";
  return distance_p <= 0.05
    ? `in all, beyond chance: that alone would make about ${by_chance.toFixed(2)}.`
    : `in all, no more than chance would often make (about ${by_chance.toFixed(2)}).`;
}

/** Colour at a difference: linear between stops, flat beyond both ends. */
export function differenceColour(stops: Stops, difference: number): string {
  const next = stops.findIndex(([at]) => at >= difference);
  if (next === 0) return stops[0]![1];
  if (next < 0) return stops.at(-1)![1];
  const [from, below] = stops[next - 1]!;
  const [to, above] = stops[next]!;
  const part = (difference - from) / (to - from);
  const channels = (hex: string) =>
    [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  const high = channels(above);
  return `#${channels(below)
    .map((low, i) =>
      Math.round(low + (high[i]! - low) * part)
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`;
}

const get = (name: string): ExpressionSpecification => ["get", name];
const signed = (name: string): ExpressionSpecification => ["/", ["-", get(name), ZERO], 100];
const DIFFERENCE = signed("difference");
const SURE: ExpressionSpecification = ["==", get("differs"), 1];
const BOTH: ExpressionSpecification = ["+", get("a"), get("b")];

const HIDDEN = new Set([
  "heat",
  "clusters",
  "cluster-counts",
  "cluster-names",
  "surface",
  // Bubbles lie on the cities they count and bring their own names.
  "city-labels",
  "town-labels",
]);
export const BUBBLES = "difference-bubbles";

/** Bubbles as large as both sides' clicks, coloured by which has the larger share; what may be chance is faint. */
export function differenceOverlay(tiles: string[], stops: Stops, shade: Shade): Overlay {
  const edge = shade === "light" ? "#ffffff" : "#10161e";
  const colours = stops.flat();
  const inks: (string | number)[] = [];
  stops.forEach(([at, colour], i) => inks.push(...(i ? [at, inkOn(colour)] : [inkOn(colour)])));
  const bubbles: LayerSpecification = {
    id: BUBBLES,
    type: "circle",
    source: "difference",
    "source-layer": "clusters",
    layout: { "circle-sort-key": ["abs", signed("z")] },
    paint: {
      "circle-radius": [
        "interpolate",
        ["linear"],
        ["log10", ["max", 1, BOTH]],
        0,
        11,
        2,
        16,
        4,
        26,
        6,
        40,
      ],
      "circle-color": [
        "interpolate",
        ["linear"],
        DIFFERENCE,
        ...colours,
      ] as ExpressionSpecification,
      "circle-opacity": ["case", SURE, 0.95, FAINT],
      "circle-stroke-color": edge,
      "circle-stroke-width": ["case", SURE, 1.5, 0.5],
    },
  };
  const words: LayerSpecification = {
    id: "difference-words",
    type: "symbol",
    source: "difference",
    "source-layer": "clusters",
    filter: SURE,
    layout: {
      "text-field": [
        "concat",
        ["to-string", ["/", ["round", ["*", 10, ["^", 2, ["abs", DIFFERENCE]]]], 10]],
        "×",
      ],
      "text-font": [FONTS.semibold],
      "text-size": 11,
      "text-allow-overlap": true,
      "text-ignore-placement": true,
      "symbol-sort-key": ["abs", signed("z")],
    },
    paint: { "text-color": ["step", DIFFERENCE, ...inks] as unknown as ExpressionSpecification },
  };
  const names: LayerSpecification = {
    id: "difference-names",
    type: "symbol",
    source: "difference",
    "source-layer": "clusters",
    minzoom: 3,
    filter: SURE,
    layout: {
      "text-field": get("name"),
      "text-font": [FONTS.medium],
      "text-size": 11.5,
      "text-anchor": "top",
      "text-offset": [
        "interpolate",
        ["linear"],
        ["log10", ["max", 1, BOTH]],
        0,
        ["literal", [0, 1.1]],
        6,
        ["literal", [0, 3.6]],
      ],
      "text-max-width": 9,
      "symbol-sort-key": ["-", ["abs", signed("z")]],
    },
    paint: {
      "text-color": shade === "light" ? "#3d4752" : "#c3ccd6",
      "text-halo-color": shade === "light" ? "rgba(250, 250, 248, 0.9)" : "rgba(18, 24, 32, 0.9)",
      "text-halo-width": 1.3,
    },
  };
  return {
    sources: {
      difference: {
        type: "vector",
        tiles,
        minzoom: 0,
        maxzoom: 14,
        promoteId: { clusters: "id" },
      },
    },
    layers: [{ layer: names }, { layer: bubbles }, { layer: words }],
    alter: hideClicks,
  };
}

/** The layers of plain clicks, out of sight. */
export function hideClicks(layer: LayerSpecification): LayerSpecification {
  if (!HIDDEN.has(layer.id)) return layer;
  return { ...layer, layout: { ...layer.layout, visibility: "none" } } as LayerSpecification;
}

/** The columns as rows; shares are of the clicks known at this level. */
export function rowsOf(found: Differences): DifferenceRow[] {
  return found.ids.map((id, i) => ({
    id,
    name: found.names[i]!,
    a: found.a[i]!,
    b: found.b[i]!,
    shareA: found.a[i]! / Math.max(1, found.total_a),
    shareB: found.b[i]! / Math.max(1, found.total_b),
    difference: found.ratio[i] ?? 0,
    differs: found.differs[i]!,
  }));
}

/** A bubble of the tile under the pointer as a row. */
export function rowOf(
  properties: Record<string, unknown>,
  totals: [number, number],
): DifferenceRow {
  const [a, b] = [Number(properties["a"]), Number(properties["b"])];
  return {
    id: String(properties["id"]),
    name: String(properties["name"] ?? ""),
    a,
    b,
    shareA: a / Math.max(1, totals[0]),
    shareB: b / Math.max(1, totals[1]),
    difference: (Number(properties["difference"]) - ZERO) / 100,
    differs: Number(properties["differs"]) === 1,
  };
}
