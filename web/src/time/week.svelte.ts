import type { Explorer } from "../state/explorer.svelte";
import { Resource } from "../state/resource.svelte";
import { counted, share } from "../words/format";
import { hoursTable, rhythm, type Clock, type HoursTable, type Rhythm } from "./api";
import { peakInWords, peaksOf, ratioAt, spanName, weekdays } from "./hours";

const QUIET_MS = 30_000; // as long as the server keeps what it found

export interface Cell {
  day: number;
  hour: number;
}

/** The hours of the week: whose clock they go by, and the cell that is being read. */
export class Week {
  clock = $state<Clock>("place");
  answer = new Resource<HoursTable>();
  rhythm = new Resource<Rhythm>();
  /** The cell under the pointer or focus. */
  active = $state.raw<Cell | null>(null);

  #asked = "";
  #when = 0;
  readonly #locale = navigator.language;
  readonly #days = weekdays("long", this.#locale);
  readonly value = $derived(this.answer.value);
  readonly most = $derived(Math.max(1, ...(this.value?.rows.flat() ?? [])));

  /** What recurs beyond chance. */
  readonly peaks = $derived(peaksOf(this.rhythm.value));

  /** The number that is read, or what recurs beyond chance. */
  readonly told = $derived.by((): { what: string; when: string } | null => {
    const { value } = this;
    if (!value) return null;
    const cell = this.active;
    if (cell) {
      const n = value.rows[cell.day]?.[cell.hour] ?? 0;
      const part = value.total ? ` (${share(n / value.total)})` : "";
      const times = ratioAt(this.rhythm.value, cell);
      const when = this.#words(cell);
      return {
        what: counted(n, "click") + part,
        when: times ? `${when} · ${times} the average hour` : when,
      };
    }
    if (!value.total) return { what: "No clicks in this range", when: "" };
    if (!this.rhythm.value) return { what: "", when: "" };
    if (!this.peaks.length)
      return { what: "No peak", when: "that chance alone would not often make" };
    return {
      what: this.peaks.length > 1 ? "Peaks" : "Peak",
      when: this.peaks.map((peak) => peakInWords(peak, this.#locale)).join("; "),
    };
  });

  constructor(readonly explorer: Explorer) {}

  async load(quiet: boolean): Promise<void> {
    const query = new URLSearchParams(this.explorer.query);
    query.set("tz", this.explorer.zone);
    const { clock } = this;
    await Promise.all([
      this.answer.load((signal) => hoursTable(query.toString(), clock, signal), { quiet }),
      this.#rhythm(query.toString(), quiet),
    ]);
  }

  /** Asked no more often than the server looks anew. */
  async #rhythm(query: string, quiet: boolean): Promise<void> {
    const asked = `${this.clock} ${query}`;
    const { clock } = this;
    if (asked === this.#asked && Date.now() - this.#when < QUIET_MS) return;
    // What was found in other clicks must not stay.
    if (asked !== this.#asked) this.rhythm.value = null;
    [this.#asked, this.#when] = [asked, Date.now()];
    await this.rhythm.load((signal) => rhythm(query, clock, signal), { quiet });
  }

  #words({ day, hour }: Cell): string {
    return `${this.#days[day]}, ${spanName(hour, this.#locale)}`;
  }
}
