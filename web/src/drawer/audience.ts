/** Who lives where an area's clicks come from, as an index with its interval. */

import { get } from "../api/client";
import type { Schemas } from "../api/types";
import { FIGURES, written } from "./figures";

export type Audience = Schemas["Audience"];

export const audience = (query: string, signal: AbortSignal) =>
  get<Audience>(`/api/insights/audience?${query}`, signal);
export const audienceFile = (query: string) => `/api/insights/audience?format=csv&${query}`;

export interface Trait {
  name: string;
  label: string;
  value: string;
  reference: string;
  index: number;
  low: number;
  high: number;
  /** Both ends in words, with digits enough to tell them apart. */
  interval: string;
  /** Beyond chance, after all figures. */
  sure: boolean;
}

const SURE = 0.05;

/** The figures that something can be said of, in the drawer's own order. */
export function traits(found: Audience): Trait[] {
  return FIGURES.flatMap(([name, label, kind]): Trait[] => {
    const at = found.figure.indexOf(name);
    const [value, reference, index, low, high, q] = (
      ["value", "reference", "index", "low", "high", "q"] as const
    ).map((column) => found[column][at] ?? null);
    if (value == null || reference == null || index == null || low == null || high == null)
      return [];
    return [
      {
        name,
        label,
        value: written(value, kind),
        reference: written(reference, kind),
        index,
        low,
        high,
        interval: between(low, high),
        sure: q != null && q <= SURE,
      },
    ];
  });
}

function between(low: number, high: number): string {
  const digits = Math.round(low) === Math.round(high) ? 1 : 0;
  return `${low.toFixed(digits)} to ${high.toFixed(digits)}`;
}

/** Where an index lies on a strip that all figures share: 100 in the middle, twice and half as far from it. */
export function place(rows: Trait[]): (index: number) => number {
  const reach = Math.max(Math.log(1.25), ...rows.flatMap(({ low, high }) => [low, high]).map(away));
  return (index) =>
    Math.min(1, Math.max(0, 0.5 + (Math.log(Math.max(index, 1) / 100) / reach) * 0.47));
}
const away = (index: number) => Math.min(Math.log(4), Math.abs(Math.log(Math.max(index, 1) / 100)));
