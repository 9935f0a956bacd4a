import { get } from "../api/client";
import type { Schemas } from "../api/types";
import type { Level } from "../state/address";

/** Areas where either side has clicks, the surest differences first, and how far apart the two are in all. */
export type Differences = Schemas["DifferenceTable"];
export type CompareTileJson = Schemas["CompareTileJson"];

/** The query of a comparison from its sides' own: the second one's names get the prefix. */
export function bothQueries(a: string, b: string): string {
  const query = new URLSearchParams(a);
  for (const [name, value] of new URLSearchParams(b)) query.append(`b.${name}`, value);
  return query.toString();
}

export const differences = (level: Level, query: string, signal?: AbortSignal) =>
  get<Differences>(`/api/insights/differences?level=${level}&${query}`, signal);
/** The address of the same as CSV. */
export const differencesFile = (level: Level, query: string) =>
  `/api/insights/differences?format=csv&level=${level}&${query}`;
export const compareTiles = (query: string, signal?: AbortSignal) =>
  get<CompareTileJson>(`/api/compare/tilejson?${query}`, signal);
