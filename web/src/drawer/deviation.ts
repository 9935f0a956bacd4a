/** Whether an area has more or fewer clicks than it should, in words. */

import { get } from "../api/client";
import type { Schemas } from "../api/types";
import { count } from "../words/format";
import { plural } from "./words";

export type Deviation = Schemas["Deviation"];

export const deviation = (id: string, query: string, signal: AbortSignal) =>
  get<Deviation>(`/api/insights/areas/${encodeURIComponent(id)}?${query}`, signal);

const BASIS = { population: "its residents", others: "your other links" };

/** The verdict: what a card would say of it, or that there is nothing to say. */
export function verdict({ said, together }: Pick<Deviation, "said" | "together">): string {
  if (said === "more") return together ? "Hot together with its neighbours" : "Hotter than chance";
  if (said === "fewer") return "A gap, beyond chance";
  return said === "usual" ? "Nothing beyond chance" : "Too few clicks to say";
}

/** "308 clicks where its residents would give 430." and what to make of it. */
export function explained(found: Deviation): string {
  const { said, clicks, expected, level, zone, baseline, tested } = found;
  const areas = plural(level);
  const basis = BASIS[baseline];
  if (clicks === null || expected === null)
    return `Hardly any clicks are expected here: ${basis} say too little for a test.`;
  const held = `${count(clicks)} where ${basis} would give ${count(Math.round(expected))}.`;
  if (said === "usual")
    return `${held} Of ${count(tested)} ${areas}, some are that far off anyway.`;
  if (zone < 2) return held;
  return `${held} One of ${count(zone)} ${said === "fewer" ? "such" : "hot"} ${areas} beside each other.`;
}
