/** What the API says about measures and areas: fetched only once a reader asks for them. */

import type { Level } from "../state/address";
import { get } from "./client";
import type { Schemas } from "./types";

/** Every area of a level that is drawn, as columns; `rate` and `index` are null without a known population. */
export type AreaColumns = Schemas["AreaColumns"];

export const areaColumns = (level: Level, query: string, signal?: AbortSignal) =>
  get<AreaColumns>(`/api/heat/areas?level=${level}&${query}`, signal);

/** Codes of the regions that the basemap has as shapes. */
export const shapedRegions = () =>
  get<string[]>(`${import.meta.env.BASE_URL}basemap/areas/regions.json`).then(
    (codes): ReadonlySet<string> => new Set(codes),
    (): ReadonlySet<string> => new Set(),
  );
