import type { StyleSpecification } from "maplibre-gl";
import { ask } from "../api/client";
import type { Schemas } from "../api/types";
import type { Theme } from "./palette";

/** What `/api/basemap` answers: the operator's choice of map. */
export type Chosen = Schemas["Basemap"];

/** Puts the operator's map into the page's own style, which stays beneath it and keeps its layers' order. */
export type Streets = (offline: StyleSpecification, theme: Theme) => StyleSpecification;

/**
 * The operator's own map where one is configured and can be read; `problem` says in a sentence why it
 * can't. Never rejects: without streets the page's own map is drawn. What draws them is loaded only here.
 */
export async function operatorStreets(): Promise<{
  streets?: Streets;
  attribution?: string;
  problem?: string;
}> {
  try {
    const chosen = await ask<Chosen>("GET", "/api/basemap");
    if (chosen.kind === "offline") return chosen.problem ? { problem: chosen.problem } : {};
    const { openStreets } = await import("./streets");
    return { streets: await openStreets(chosen), attribution: chosen.attribution };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { problem: `The street map can’t be read, so the built-in map is shown. ${why}` };
  }
}
