import { get } from "../api/client";
import type { Schemas } from "../api/types";
import type { Address } from "../state/address";

/** What stands out in the clicks of a filter, the most telling first. */
export type Insights = Schemas["Insights"];
export type InsightCard = Schemas["InsightCard"];
export type InsightArea = Schemas["InsightArea"];
export type Kind = InsightCard["kind"];

export const BASELINES = ["population", "others"] as const;
export type Baseline = (typeof BASELINES)[number];

/** What an address has clicks held against; null: what fits. */
export const baselineOf = (address: Pick<Address, "baseline">): Baseline | null =>
  BASELINES.find((name) => name === address.baseline) ?? null;

export const insights = (query: string, signal?: AbortSignal) =>
  get<Insights>(`/api/insights?${query}`, signal);
