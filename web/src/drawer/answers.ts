/** What the API says about one area. */

import { get } from "../api/client";
import type { Bbox } from "../api/types";

export interface Parent {
  id: string;
  name: string;
  level: string;
}

export interface Standing {
  clicks: number;
  share: number;
  rate: number | null;
  index: number | null;
  expected: number | null;
  /** 1: the most clicks of its level. */
  rank: number | null;
  of: number;
  /** Clicks of which no finer area than this parent is known. */
  coarser: { id: string; name: string; clicks: number }[];
  /** Accuracy radii in km, weighted by clicks. */
  radius: { median: number; p90: number } | null;
}

export interface Against {
  value: number | null;
  p10: number;
  p25: number;
  p50: number;
  p75: number;
  p90: number;
  percentile: number | null;
}

export interface People {
  residents: boolean;
  reason?: string;
  population?: number;
  households?: number;
  zips?: number;
  per_km2?: number | null;
  urbanicity?: Record<string, number>;
  shares?: Record<string, number | null>;
  medians?: Record<string, number | null>;
  margins?: Record<string, number>;
  vintage: string | null;
  source: string;
  older?: { vintage: string; source: string; figures: string[] };
}

export interface AreaFacts {
  id: string;
  name: string;
  level: string;
  flag: string | null;
  country: string | null;
  parents: Parent[];
  lat: number | null;
  lon: number | null;
  bbox: Bbox | null;
  population: number | null;
  people: People | null;
  standing: Standing | null;
  against: { name: string; figures: Record<string, Against> } | null;
}

export type Part = "link" | "channel" | "device";
export interface Breakdown {
  by: Part;
  total: number;
  rows: { value: string | null; name: string; clicks: number; share: number }[];
}
export interface Hours {
  total: number;
  unknown: number;
  /** 24 hours of 7 days, Monday first. */
  rows: number[][];
}
export interface Trend {
  total: number;
  bucket: "hour" | "day" | "week" | "month";
  rows: { time: string; clicks: number }[];
}

export const areaFacts = (id: string, query: string, signal: AbortSignal) =>
  get<AreaFacts>(`/api/areas/${encodeURIComponent(id)}?${query}`, signal);
export const breakdown = (by: Part, query: string, signal: AbortSignal) =>
  get<Breakdown>(`/api/analytics/breakdown?by=${by}&limit=4&${query}`, signal);
export const hours = (query: string, signal: AbortSignal) =>
  get<Hours>(`/api/analytics/hours?clock=place&${query}`, signal);
export const trend = (bucket: Trend["bucket"], query: string, signal: AbortSignal) =>
  get<Trend>(`/api/analytics/clicks?bucket=${bucket}&${query}`, signal);
