/** What the API says about one area. */

import { get } from "../api/client";
import type { Schemas } from "../api/types";

export type Parent = Schemas["AreaName"];
export type Standing = Schemas["AreaStanding"];
export type Against = Schemas["Compared"];
export type People = Schemas["People"];
export type AreaFacts = Schemas["AreaPage"];
export type Breakdown = Schemas["Breakdown"];
/** `rows` are 24 hours of 7 days, Monday first. */
export type Hours = Schemas["Hours"];
export type Trend = Schemas["TimeTable"];
export type Part = "link" | "channel" | "device";

export const areaFacts = (id: string, query: string, signal: AbortSignal) =>
  get<AreaFacts>(`/api/areas/${encodeURIComponent(id)}?${query}`, signal);
export const breakdown = (by: Part, query: string, signal: AbortSignal) =>
  get<Breakdown>(`/api/analytics/breakdown?by=${by}&limit=4&${query}`, signal);
export const hours = (query: string, signal: AbortSignal) =>
  get<Hours>(`/api/analytics/hours?clock=place&${query}`, signal);
export const trend = (bucket: Trend["bucket"], query: string, signal: AbortSignal) =>
  get<Trend>(`/api/analytics/clicks?bucket=${bucket}&${query}`, signal);
