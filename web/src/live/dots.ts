import type { Map as MapLibre } from "maplibre-gl";
import type { LiveClick } from "./stream.svelte";

const LASTS_MS = 4_000;
/** As many at once: a flood beyond it lets the oldest go, and costs no more. */
export const MOST = 400;

const FASTEST_MS = 33;
const SLOWEST_MS = 250;

interface Dot {
  lng: number;
  lat: number;
  born: number;
}

/** Clicks as dots over the map that fade away: one canvas of its own, so that the map is not drawn anew. */
export class Dots {
  readonly canvas = document.createElement("canvas");
  colour = "#e8590c";
  #dots: Dot[] = [];
  #frame = 0;
  #still = matchMedia("(prefers-reduced-motion: reduce)");
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Until the next drawing, in ms: as long again as the page took to show the last, so that it has half its time for itself. */
  #rest = FASTEST_MS;
  #move = () => this.#draw(performance.now());

  constructor(private readonly map: MapLibre) {
    this.canvas.setAttribute("aria-hidden", "true");
    this.canvas.dataset["testid"] = "live-dots";
    this.canvas.style.cssText = "position:absolute;inset:0;pointer-events:none";
    map.getContainer().append(this.canvas);
    map.on("move", this.#move);
    map.on("resize", this.#move);
  }

  get size(): number {
    return this.#dots.length;
  }

  add(clicks: LiveClick[]): void {
    const now = performance.now();
    for (const { place } of clicks)
      if (place && place.lat !== null && place.lon !== null)
        // Spread over the half second until the next are told: clicks of a flood don't flash together.
        this.#dots.push({ lng: place.lon, lat: place.lat, born: now + Math.random() * 450 });
    if (this.#dots.length > MOST) this.#dots.splice(0, this.#dots.length - MOST);
    this.canvas.dataset["dots"] = String(this.#dots.length);
    if (this.#dots.length) this.#run();
  }

  clear(): void {
    this.#dots = [];
    this.#draw(performance.now());
  }

  remove(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.map.off("move", this.#move);
    this.map.off("resize", this.#move);
    this.canvas.remove();
  }

  // Drawn only while there is a dot; who asked for little motion sees dots come and go, four times a second.
  #run(): void {
    if (this.#frame || this.#timer) return;
    const wait = this.#still.matches ? SLOWEST_MS : this.#rest;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#frame = requestAnimationFrame(() => {
        const drawn = performance.now();
        this.#draw(drawn);
        // The next frame comes once this one is on the screen: without a graphics card that takes 100 ms.
        this.#frame = requestAnimationFrame(() => {
          this.#frame = 0;
          const took = performance.now() - drawn;
          this.#rest = Math.max(FASTEST_MS, Math.min(SLOWEST_MS, 2 * took - 16));
          if (this.#dots.length) this.#run();
        });
      });
    }, wait);
  }

  #draw(now: number): void {
    const { canvas, map } = this;
    const { clientWidth: width, clientHeight: height } = map.getContainer();
    const scale = Math.min(2, devicePixelRatio);
    if (canvas.width !== width * scale || canvas.height !== height * scale) {
      [canvas.width, canvas.height] = [width * scale, height * scale];
      [canvas.style.width, canvas.style.height] = [`${width}px`, `${height}px`];
    }
    const context = canvas.getContext("2d")!;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    this.#dots = this.#dots.filter(({ born }) => now - born < LASTS_MS);
    canvas.dataset["dots"] = String(this.#dots.length);
    const middle = map.getCenter().lng;
    const still = this.#still.matches;
    context.fillStyle = context.strokeStyle = this.colour;
    context.lineWidth = 1.5;
    for (const { lng, lat, born } of this.#dots) {
      const age = (now - born) / LASTS_MS;
      if (age < 0) continue;
      // On the copy of the world that is in sight.
      const { x, y } = map.project([lng - 360 * Math.round((lng - middle) / 360), lat]);
      if (x < -30 || y < -30 || x > width + 30 || y > height + 30) continue;
      context.globalAlpha = still ? 0.9 : 1 - age;
      context.beginPath();
      context.arc(x, y, 4, 0, 2 * Math.PI);
      context.fill();
      if (still || age > 0.4) continue;
      context.globalAlpha = 0.7 * (1 - age / 0.4);
      context.beginPath();
      context.arc(x, y, 4 + age * 50, 0, 2 * Math.PI);
      context.stroke();
    }
    context.globalAlpha = 1;
  }
}
