import { api } from "../api/client";
import type { Area } from "../api/types";
import type { Part } from "./parts";

const MOST = 100; // names that are fetched: more are listed by their ids

/** What is known of a target's areas: their names and where they lie. */
export class Names {
  known = $state.raw<ReadonlyMap<string, Area>>(new Map());
  #asked = new Set<string>();

  learn(area: Area): void {
    this.#asked.add(area.id);
    this.known = new Map(this.known).set(area.id, area);
  }

  async of(parts: Part[]): Promise<ReadonlyMap<string, Area>> {
    const wanted = parts.flatMap((part) => (part.kind === "area" ? [part.id] : []));
    const unknown = wanted.filter((id) => !this.#asked.has(id)).slice(0, MOST - this.#asked.size);
    unknown.forEach((id) => this.#asked.add(id));
    const found = await Promise.all(unknown.map((id) => api.area(id).catch(() => null)));
    const more = found.filter((area) => area !== null);
    if (more.length)
      this.known = new Map([...this.known, ...more.map((area) => [area.id, area] as const)]);
    return this.known;
  }
}
