/** How many clicks came in the last seconds: counted in slots of one second, so that a flood costs nothing. */
export class Tally {
  #slots = new Map<number, number>();
  #first = Infinity;

  constructor(private readonly seconds = 60) {}

  add(clicks: number, now: number): void {
    const slot = Math.floor(now / 1000);
    this.#first = Math.min(this.#first, slot);
    this.#slots.set(slot, (this.#slots.get(slot) ?? 0) + clicks);
    for (const old of this.#slots.keys()) if (old <= slot - this.seconds) this.#slots.delete(old);
  }

  /** Clicks of the last `seconds`, this one included. */
  last(seconds: number, now: number): number {
    const from = Math.floor(now / 1000) - seconds;
    let sum = 0;
    for (const [slot, clicks] of this.#slots) if (slot > from) sum += clicks;
    return sum;
  }

  /** Clicks a second, of the last `seconds` that are over or as many as there were since the first click. */
  rate(seconds: number, now: number): number {
    const slot = Math.floor(now / 1000);
    const span = Math.min(seconds, slot - this.#first);
    let sum = 0;
    for (const [at, clicks] of this.#slots) if (at >= slot - span && at < slot) sum += clicks;
    return span > 0 ? sum / span : 0;
  }
}
