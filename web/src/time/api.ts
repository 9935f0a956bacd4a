import { get, Problem } from "../api/client";
import type { Schemas } from "../api/types";
import type { Bucket } from "./buckets";
import { decodeFrames, type Frames } from "./frames";

export type ClicksOverTime = Schemas["TimeTable"];
/** Whose clock: the reader's, or that of each click's own place. */
export type Clock = Schemas["Clock"];
/** Clicks per weekday (Monday first) and hour; `unknown` clicks come from places without a clock. */
export type HoursTable = Schemas["Hours"];

export const clicksOverTime = (query: string, bucket: Bucket, signal?: AbortSignal) =>
  get<ClicksOverTime>(`/api/analytics/clicks?bucket=${bucket}&${query}`, signal);

export const hoursTable = (query: string, clock: Clock, signal?: AbortSignal) =>
  get<HoursTable>(`/api/analytics/hours?clock=${clock}&${query}`, signal);

/** The hours of the week with their intervals, and what recurs beyond chance. */
export type Rhythm = Schemas["RhythmTable"];
export type PeakHour = Schemas["PeakHour"];
/** Areas that jumped against their own history in the last days. */
export type Oddities = Schemas["OddityTable"];

export const rhythm = (query: string, clock: Clock, signal?: AbortSignal) =>
  get<Rhythm>(`/api/insights/rhythm?clock=${clock}&${query}`, signal);
export const oddities = (level: "countries" | "regions", query: string, signal?: AbortSignal) =>
  get<Oddities>(`/api/insights/oddities?level=${level}&${query}`, signal);

/** All frames in one answer. Raises `Problem`. */
export async function fetchFrames(
  query: string,
  bucket: Bucket,
  signal?: AbortSignal,
): Promise<Frames> {
  let response: Response;
  try {
    response = await fetch(`/api/heat/frames?bucket=${bucket}&${query}`, { signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, "clickatlas can’t be reached", "The server did not answer.");
  }
  if (!response.ok) {
    const said = (await response.json().catch(() => ({}))) as { title?: string; detail?: string };
    throw new Problem(
      response.status,
      said.title ?? `The server answered ${response.status}`,
      said.detail,
    );
  }
  return decodeFrames(await response.arrayBuffer());
}
