import { api, ask, get } from "../api/client";
import type { Link, Schemas } from "../api/types";
import type { Patch } from "./form";

const pathOf = (code: string) => `/api/links/${encodeURIComponent(code)}`;

export const readLink = api.link;
export const saveLink = (code: string, patch: Patch) => ask<Link>("PATCH", pathOf(code), patch);
export const historyOf = (code: string, cursor: string | null) =>
  get<Schemas["AuditPage"]>(
    `${pathOf(code)}/history?limit=20${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`,
  );
