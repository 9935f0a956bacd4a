import { ask, get } from "../api/client";
import type { Schemas } from "../api/types";

export type Breakdown = Schemas["Breakdown"];
export type Row = Schemas["BreakdownRow"];
export type Part = Schemas["Part"];
export type Change = Schemas["ChangeOut"];
export type Visitors = Schemas["VisitorTable"];
export type Annotation = Schemas["AnnotationOut"];
export type NewAnnotation = Schemas["AnnotationIn"];

export const breakdown = (by: Part, query: string, signal?: AbortSignal) =>
  get<Breakdown>(`/api/analytics/breakdown?by=${by}&limit=200&${query}`, signal);
export const changeSince = (query: string, signal?: AbortSignal) =>
  get<Change>(`/api/analytics/change?${query}`, signal);
export const visitorsOf = (bucket: "hour" | "day", query: string, signal?: AbortSignal) =>
  get<Visitors>(`/api/analytics/visitors?bucket=${bucket}&${query}`, signal);
export const annotations = (query: string, signal?: AbortSignal) =>
  get<Schemas["AnnotationList"]>(`/api/annotations?${query}`, signal);
export const annotate = (note: NewAnnotation) => ask<Annotation>("POST", "/api/annotations", note);
export const forget = (id: number) => ask<void>("DELETE", `/api/annotations/${id}`);
