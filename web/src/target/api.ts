import { ask, get } from "../api/client";
import type { Link, Schemas } from "../api/types";
import type { Aim } from "./aim.svelte";

/** Where clicks are meant to come from: areas, circles, and one shape in GeoJSON. */
export type TargetDocument = Schemas["TargetDocument"];
type Campaign = Schemas["CampaignOut"];

const pathOf = ({ kind, name }: Pick<Aim, "kind" | "name">) =>
  kind === "link"
    ? `/api/links/${encodeURIComponent(name)}`
    : `/api/campaigns/${encodeURIComponent(name)}`;

export const readTarget = (aim: Pick<Aim, "kind" | "name">) =>
  get<Link | Campaign>(pathOf(aim)).then(({ target }) => target);
export const saveTarget = (aim: Pick<Aim, "kind" | "name">, target: TargetDocument | null) =>
  ask<Link | Campaign>("PATCH", pathOf(aim), { target });
/** The target that a filter's links have, as the insights know it. */
export const targetOf = (query: string, signal?: AbortSignal) =>
  get<Schemas["TargetTable"]>(`/api/insights/target?${query}`, signal).then(({ target }) => target);
export const placesNamed = (text: string, signal: AbortSignal) =>
  get<Schemas["AreaList"]>(`/api/areas?search=${encodeURIComponent(text)}&limit=8`, signal).then(
    ({ rows }) => rows,
  );
