import type { Explorer } from "../state/explorer.svelte";
import { Resource } from "../state/resource.svelte";
import { counted, share } from "../words/format";
import { hoursTable, type Clock, type HoursTable } from "./api";
import { hourName, weekdays } from "./hours";

export interface Cell {
  day: number;
  hour: number;
}

/** The hours of the week: whose clock they go by, and the cell that is being read. */
export class Week {
  clock = $state<Clock>("place");
  answer = new Resource<HoursTable>();
  /** The cell under the pointer or focus. */
  active = $state.raw<Cell | null>(null);

  readonly #locale = navigator.language;
  readonly #days = weekdays("long", this.#locale);
  readonly value = $derived(this.answer.value);
  readonly most = $derived(Math.max(1, ...(this.value?.rows.flat() ?? [])));

  /** The number that is read, or where the week is at its busiest. */
  readonly told = $derived.by((): { what: string; when: string } | null => {
    const { value } = this;
    if (!value) return null;
    const cell = this.active;
    if (cell) {
      const n = value.rows[cell.day]?.[cell.hour] ?? 0;
      const part = value.total ? ` (${share(n / value.total)})` : "";
      return { what: counted(n, "click") + part, when: this.#words(cell) };
    }
    const busiest = value.rows.flat().indexOf(this.most);
    if (busiest < 0) return { what: "No clicks in this range", when: "" };
    const top = { day: Math.floor(busiest / 24), hour: busiest % 24 };
    return { what: "Busiest", when: this.#words(top) };
  });

  constructor(readonly explorer: Explorer) {}

  async load(quiet: boolean): Promise<void> {
    const query = new URLSearchParams(this.explorer.query);
    query.set("tz", this.explorer.zone);
    const { clock } = this;
    await this.answer.load((signal) => hoursTable(query.toString(), clock, signal), { quiet });
  }

  #words({ day, hour }: Cell): string {
    const [from, to] = [hour, (hour + 1) % 24].map((at) => hourName(at, this.#locale));
    return `${this.#days[day]}, ${from}–${to}`;
  }
}
