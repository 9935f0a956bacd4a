import { api } from "../api/client";
import { question } from "../api/question";
import type { AreaTable } from "../api/types";
import { periodBefore } from "../compare/periods";
import type { Filter, Level, ListName } from "../state/address";
import type { Explorer } from "../state/explorer.svelte";
import { Resource } from "../state/resource.svelte";
import { clicksOverTime } from "../time/api";
import { bucketFor, series, spanOf, wallClock, type Series, type Span } from "../time/buckets";
import { dayIn, type Dates } from "../words/dates";
import {
  annotations,
  breakdown,
  changeSince,
  visitorsOf,
  type Annotation,
  type Breakdown,
  type Change,
  type Part,
  type Visitors,
} from "./answers";

/** What each panel can be told by; the first is shown first. */
export const PANELS = [
  { id: "origin", title: "Came from", parts: ["origin", "referrer"] },
  { id: "device", title: "Devices", parts: ["device", "browser", "system"] },
  { id: "language", title: "Languages", parts: ["language"] },
  { id: "link", title: "Channels and links", parts: ["channel", "campaign", "link", "tag"] },
] as const satisfies { id: string; title: string; parts: Part[] }[];
export const PART_WORDS: Partial<Record<Part, string>> = {
  origin: "Origins",
  referrer: "Pages",
  device: "Devices",
  browser: "Browsers",
  system: "Systems",
  language: "Languages",
  channel: "Channels",
  campaign: "Campaigns",
  link: "Links",
  tag: "Tags",
};

/** The query of a filter without one of its kinds: what a panel asks, so that its own choice can be changed there. */
export function without(filter: Filter, name: ListName, zone: string): string {
  return question({ ...filter, [name]: [] }, new Date(), zone);
}

/** Everything that the analytics page shows of one filter. */
export class Figures {
  time = new Resource<Series>();
  before = new Resource<Series>();
  change = new Resource<Change>();
  visitors = new Resource<Visitors>();
  notes = new Resource<Annotation[]>();
  geography = new Resource<AreaTable>();
  parts: Record<string, Resource<Breakdown>> = Object.fromEntries(
    PANELS.map(({ id }) => [id, new Resource<Breakdown>()]),
  );
  /** By what each panel is told just now. */
  by = $state<Record<string, Part>>(
    Object.fromEntries(PANELS.map(({ id, parts }) => [id, parts[0] as Part])),
  );
  level = $state<Level>("countries");

  constructor(readonly explorer: Explorer) {}

  get #now(): number {
    return wallClock(new Date(), this.explorer.zone);
  }

  get span(): Span {
    const first = this.explorer.choices?.first_click;
    const begin = first ? wallClock(new Date(first), this.explorer.zone) : this.#now;
    return spanOf(this.explorer.filter.dates, this.#now, begin);
  }

  #query(dates: Dates, end = true): string {
    const { filter, zone } = this.explorer;
    const now = new Date();
    const query = new URLSearchParams(question({ ...filter, dates }, now, zone));
    query.set("tz", zone);
    if (end && !query.has("to")) {
      const short = "preset" in dates && dates.preset === "24h";
      query.set("to", short ? now.toISOString() : dayIn(now, zone));
    }
    return query.toString();
  }

  /** Clicks and visitors over time, the period before, and the notes. */
  async loadTimes(quiet = false): Promise<void> {
    const { dates } = this.explorer.filter;
    const { zone } = this.explorer;
    const bucket = bucketFor(this.span);
    const query = this.#query(dates);
    const asked = [
      this.time.load(async (signal) => series(await clicksOverTime(query, bucket, signal)), {
        quiet,
      }),
      this.loadNotes(quiet),
    ];
    if (bucket === "hour" || bucket === "day")
      asked.push(
        this.visitors.load((signal) => visitorsOf(bucket, query, signal), { quiet }) as never,
      );
    else this.visitors.value = null;
    const earlier = periodBefore(dates, new Date(), zone);
    const open = "preset" in dates ? dates.preset === "all" : !dates.from;
    if (open) this.change.value = this.before.value = null;
    else {
      asked.push(
        this.change.load((signal) => changeSince(this.#query(dates, false), signal), {
          quiet,
        }) as never,
        this.before.load(
          async (signal) => series(await clicksOverTime(this.#query(earlier), bucket, signal)),
          { quiet },
        ) as never,
      );
    }
    await Promise.all(asked);
  }

  async loadNotes(quiet = false): Promise<void> {
    const { filter } = this.explorer;
    const all = new URLSearchParams(this.#query(filter.dates, false));
    const query = new URLSearchParams();
    for (const name of ["link", "campaign", "from", "to", "tz"])
      for (const value of all.getAll(name)) query.append(name, value);
    await this.notes.load(
      async (signal) => (await annotations(query.toString(), signal)).rows.reverse(),
      { quiet },
    );
  }

  async loadPart(id: string, quiet = false): Promise<void> {
    const { filter, zone } = this.explorer;
    const by = this.by[id]!;
    const query = without(filter, by as ListName, zone);
    await this.parts[id]!.load((signal) => breakdown(by, query, signal), { quiet });
  }

  async loadGeography(quiet = false): Promise<void> {
    const { filter, zone } = this.explorer;
    // Inside a country its regions and cities are what there is to see.
    const query =
      this.level === "countries"
        ? without(filter, "area", zone)
        : question(filter, new Date(), zone);
    await this.geography.load((signal) => api.table(this.level, `limit=8&${query}`, signal), {
      quiet,
    });
  }
}
