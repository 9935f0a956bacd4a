import { wallClock, type Span } from "./buckets";
import { oddities, type Oddities } from "./api";

/** The last days of what is shown, where areas jumped against their own history. */
export interface Odd extends Span {
  days: number;
  areas: OddArea[];
}
export interface OddArea {
  id: string;
  name: string;
  ratio: number;
  /** The part of the jump that is machines. */
  machines: number;
}

const LEVELS = ["countries", "regions"] as const;
const QUIET_MS = 30_000; // as long as the server keeps what it found
/** Below, there is no history to hold anything against: six weeks and the last one. */
const LEAST_MS = 49 * 86_400_000;

/** What the tables of both levels found, the surest first; null where nothing jumped. */
export function oddOf(tables: Oddities[], zone: string): Odd | null {
  const areas = tables.flatMap((table) =>
    table.ids.flatMap((id, at): (OddArea & { q: number })[] =>
      table.found[at]
        ? [
            {
              id,
              name: table.names[at]!,
              ratio: table.ratio[at] ?? 1,
              machines: table.machines[at] ?? 0,
              q: table.q[at] ?? 1,
            },
          ]
        : [],
    ),
  );
  const told = tables.find(({ begins, ends }) => begins && ends);
  if (!areas.length || !told) return null;
  return {
    from: wallClock(new Date(told.begins!), zone),
    to: wallClock(new Date(told.ends!), zone),
    days: told.days,
    areas: areas.sort((a, b) => a.q - b.q).map(({ q: _q, ...area }) => area),
  };
}

/** "California 5.4×", "California 5.4× and 2 more". */
export function oddInWords({ areas }: Odd): string {
  const [first] = areas;
  const more = areas.length - 1;
  return `${first!.name} ${first!.ratio.toFixed(1)}×${more ? ` and ${more} more` : ""}`;
}

/** All of it, for the chip's title: what jumped, and whether it is people. */
export function oddAtLength({ areas, days }: Odd): string {
  const parts = areas.map(
    ({ name, ratio, machines }) =>
      `${name} ${ratio.toFixed(1)} times as many as usual, ${machines >= 0.5 ? "machines" : "people"} mostly`,
  );
  return `Odd in the last ${days} days: ${parts.join("; ")}. Press for the insights.`;
}

/** Asks for the oddities of what the histogram shows. */
export class OddDays {
  value = $state.raw<Odd | null>(null);
  #asked = "";
  #when = 0;
  #open: AbortController | null = null;

  async load(query: string, zone: string, { from, to }: Span): Promise<void> {
    const long = to - from >= LEAST_MS;
    if (query === this.#asked && Date.now() - this.#when < QUIET_MS) return;
    if (query !== this.#asked || !long) this.value = null;
    [this.#asked, this.#when] = [query, Date.now()];
    this.#open?.abort();
    if (!long) return;
    const { signal } = (this.#open = new AbortController());
    // Marks in a histogram are no reason to bother anybody with a problem: without an answer there are none.
    const tables = await Promise.all(
      LEVELS.map((level) => oddities(level, query, signal).catch(() => null)),
    );
    if (!signal.aborted)
      this.value = oddOf(
        tables.filter((table) => table !== null),
        zone,
      );
  }
}
