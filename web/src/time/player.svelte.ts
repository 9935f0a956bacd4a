import { HEAT_BEFORE } from "../basemap/style";
import type { ClickMap } from "../map/clickmap";
import type { Overlay } from "../map/layers";
import { Problem } from "../api/client";
import type { Shade } from "../state/theme.svelte";
import { fetchFrames } from "./api";
import type { Bucket } from "./buckets";
import { clicksUntil, frameAt, type Frames } from "./frames";
import { Glow } from "./glow";

/** The whole film takes about this long at normal speed, within what eyes can follow. */
const FILM_SECONDS = 22;
const [SLOWEST, FASTEST] = [1.5, 14];
/** How long a click glows, in seconds at normal speed. */
const GLOW_SECONDS = 0.9;
const SPEEDS = [1, 2, 4] as const;
export type Speed = (typeof SPEEDS)[number];

/** Plays the clicks on the map in the order of time. */
export class Player {
  state = $state<"off" | "loading" | "playing" | "paused">("off");
  speed = $state<Speed>(1);
  /** The time shown, in frames. */
  at = $state(0);
  frames = $state.raw<Frames | null>(null);
  problem = $state<string | null>(null);
  /** Reduced motion: frames are stepped through by hand. */
  readonly still = matchMedia("(prefers-reduced-motion: reduce)");

  readonly frame = $derived(this.frames ? frameAt(this.at, this.frames) : 0);
  readonly counted = $derived(this.frames ? clicksUntil(this.at, this.frames) : 0);
  readonly length = $derived(this.frames?.clicks.length ?? 0);
  readonly ended = $derived(this.length > 0 && this.at >= this.length);

  #chart: ClickMap | null = null;
  #glow: Glow | null = null;
  #asked = "";
  #open: AbortController | null = null;
  #beat = 0;

  /** Fetches the frames of a filter, unless they are there already, and plays them from the start. */
  async start(chart: ClickMap, query: string, bucket: Bucket, shade: Shade): Promise<void> {
    this.stop();
    const open = (this.#open = new AbortController());
    this.problem = null;
    this.state = "loading";
    try {
      const asked = `${bucket}&${query}`;
      if (asked !== this.#asked || !this.frames) {
        this.frames = await fetchFrames(query, bucket, open.signal);
        this.#asked = asked;
      }
    } catch (error) {
      if (open.signal.aborted) return;
      this.state = "off";
      this.problem = error instanceof Problem ? error.message : "The film can’t be read.";
      return;
    }
    if (open.signal.aborted) return;
    this.#chart = chart;
    this.at = this.still.matches ? Math.min(1, this.length) : 0;
    this.#glow = new Glow(this.frames, shade);
    chart.overlay("time", { layers: [], alter: dimmed });
    this.#draw();
    chart.map.on("styledata", this.#draw);
    chart.map.on("webglcontextlost", this.stop);
    if (this.still.matches) {
      this.state = "paused";
      this.#show();
    } else this.play();
  }

  play(): void {
    if (this.still.matches) return;
    if (this.ended) this.at = 0;
    this.state = "playing";
    let last = performance.now();
    const beat = (now: number) => {
      if (this.state !== "playing") return;
      // A tab that was in the background goes on where it was.
      const seconds = Math.min(1, Math.max(0, now - last) / 1000);
      last = now;
      this.at = Math.min(this.length, this.at + seconds * this.rate);
      this.#show();
      if (this.ended) this.state = "paused";
      else this.#beat = requestAnimationFrame(beat);
    };
    cancelAnimationFrame(this.#beat);
    this.#beat = requestAnimationFrame(beat);
  }

  pause(): void {
    if (this.state === "playing") this.state = "paused";
  }

  /** To a time, in frames. */
  seek(at: number): void {
    this.at = Math.max(0, Math.min(this.length, at));
    this.#show();
  }

  /** To the end of the next frame, or of the one before. */
  step(by: 1 | -1): void {
    this.pause();
    this.seek(Math.max(1, by > 0 ? Math.floor(this.at) + 1 : Math.ceil(this.at) - 1));
  }

  stop = (): void => {
    cancelAnimationFrame(this.#beat);
    this.#open?.abort();
    this.state = "off";
    const [chart, glow] = [this.#chart, this.#glow];
    this.#chart = this.#glow = null;
    if (!chart || !glow) return;
    chart.map.off("styledata", this.#draw);
    chart.map.off("webglcontextlost", this.stop);
    if (chart.map.getLayer(glow.id)) chart.map.removeLayer(glow.id);
    chart.overlay("time", null);
  };

  recolour(shade: Shade): void {
    if (this.#glow) this.#glow.shade = shade;
  }

  /** Frames a second. */
  get rate(): number {
    return Math.min(FASTEST, Math.max(SLOWEST, this.length / FILM_SECONDS)) * this.speed;
  }

  // Style changes leave custom layers alone, but a style that is set anew takes them along.
  #draw = (): void => {
    const [map, glow] = [this.#chart?.map, this.#glow];
    if (!map || !glow || map.getLayer(glow.id)) return;
    map.addLayer(glow, map.getLayer(HEAT_BEFORE) ? HEAT_BEFORE : undefined);
  };

  #show(): void {
    const glow = this.#glow;
    if (!glow) return;
    glow.at = this.at;
    // Standing still, the frame that has just ended is seen in full.
    glow.fade = Math.max(1.6, (this.rate / this.speed) * GLOW_SECONDS * Math.sqrt(this.speed));
    this.#chart?.map.triggerRepaint();
  }
}

/** What the film is drawn over: the heat is a memory, bubbles and their counts are not there. */
const dimmed: NonNullable<Overlay["alter"]> = (layer) => {
  if (layer.type === "heatmap")
    return { ...layer, paint: { ...layer.paint, "heatmap-opacity": 0.12 } };
  if ("source" in layer && layer.source === "clicks") {
    if (layer.type === "circle")
      return {
        ...layer,
        paint: { ...layer.paint, "circle-opacity": 0, "circle-stroke-opacity": 0.25 },
      };
    if (layer.type === "symbol") return { ...layer, paint: { ...layer.paint, "text-opacity": 0 } };
  }
  if (layer.id.startsWith("area") && layer.type === "fill")
    return { ...layer, paint: { ...layer.paint, "fill-opacity": 0.15 } };
  return layer;
};
