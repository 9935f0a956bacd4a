import { question } from "../api/question";
import { sameDates } from "../state/address";
import type { Explorer } from "../state/explorer.svelte";
import { Resource } from "../state/resource.svelte";
import { dayIn, type Dates } from "../words/dates";
import { clicksOverTime } from "./api";
import { OddDays } from "./odd.svelte";
import { sum, type Brush } from "./brush";
import {
  bucketFor,
  datesOf,
  positionOf,
  series,
  spanOf,
  surrounding,
  wallClock,
  type Series,
  type Span,
} from "./buckets";

/** The histogram under the map: a range of time, and the part of it that the filter's dates mark. */
export class Timeline {
  answer = new Resource<Series>();
  odd = new OddDays();
  /** What the histogram shows: the filter's dates, or more around them. */
  context = $state.raw<Dates>({ preset: "90d" });
  /** The brush while it is dragged; the filter learns of it on release. */
  draft = $state.raw<Brush | null>(null);

  constructor(readonly explorer: Explorer) {
    this.context = surrounding(explorer.filter.dates, this.now, this.first);
  }

  get now(): number {
    return wallClock(new Date(), this.explorer.zone);
  }

  /** Where all time begins. */
  get first(): number {
    const first = this.explorer.choices?.first_click;
    return first ? wallClock(new Date(first), this.explorer.zone) : this.now;
  }

  readonly brushed = $derived.by((): Brush | null => {
    const { dates } = this.explorer.filter;
    const edges = this.answer.value?.edges ?? [];
    if (edges.length < 2 || sameDates(dates, this.context)) return null;
    const span = spanOf(dates, this.now, this.first);
    const [start, end] = [positionOf(span.from, edges), positionOf(span.to, edges)];
    return end > start ? { start, end } : null;
  });
  readonly brush = $derived(this.draft ?? this.brushed);
  /** Clicks under the brush while it is dragged. */
  readonly marked = $derived(
    this.draft && this.answer.value ? sum(this.answer.value.clicks, this.draft) : null,
  );

  /** Keeps the range shown while the dates are a part of it, else shows what is around them. */
  follow(dates: Dates): void {
    const { now, first } = this;
    if ("preset" in dates) {
      this.context = dates;
      return;
    }
    const [inner, outer] = [spanOf(dates, now, first), spanOf(this.context, now, first)];
    const kept = inner.from >= outer.from && Math.min(inner.to, now) <= outer.to;
    if (!kept || sameDates(dates, this.context)) this.context = surrounding(dates, now, first);
  }

  /** False until it is known where all time begins, where that matters. */
  readonly ready = $derived.by(() => {
    const { context } = this;
    const open = "preset" in context ? context.preset === "all" : context.from === null;
    return !open || this.explorer.choices !== null;
  });

  async load(quiet = false): Promise<void> {
    const { zone, filter } = this.explorer;
    const now = new Date();
    const dates = this.context;
    const query = new URLSearchParams(question({ ...filter, dates }, now, zone));
    query.set("tz", zone);
    // Up to now, not to the last click: a quiet week at the end is part of the shape.
    if (!query.has("to"))
      query.set(
        "to",
        "preset" in dates && dates.preset === "24h" ? now.toISOString() : dayIn(now, zone),
      );
    const bucket = bucketFor(spanOf(dates, this.now, this.first));
    const ask = async (signal: AbortSignal) =>
      series(await clicksOverTime(query.toString(), bucket, signal));
    const span = spanOf(dates, this.now, this.first);
    await Promise.all([
      this.answer.load(ask, { quiet }),
      this.odd.load(query.toString(), zone, span),
    ]);
  }

  /** Where the odd days lie in the histogram; null where there are none. */
  readonly oddBrush = $derived.by((): Brush | null => {
    const edges = this.answer.value?.edges ?? [];
    const odd = this.odd.value;
    if (!odd || edges.length < 2) return null;
    const [start, end] = [positionOf(odd.from, edges), positionOf(odd.to, edges)];
    return end > start ? { start, end } : null;
  });

  /** The span under a brush, held within the context. */
  span({ start, end }: Brush): Span | null {
    const { edges } = this.answer.value ?? { edges: [] };
    if (edges.length < 2) return null;
    const edge = (at: number) => edges[Math.max(0, Math.min(edges.length - 1, Math.round(at)))]!;
    const outer = spanOf(this.context, this.now, this.first);
    const held = { from: Math.max(edge(start), outer.from), to: edge(end) };
    return { from: held.from, to: Math.max(held.from + 60_000, Math.min(held.to, outer.to)) };
  }

  /** Makes the brush the filter's dates. */
  commit(): void {
    const { draft } = this;
    this.draft = null;
    const span = draft && this.span(draft);
    if (!draft || !span) return;
    const all = draft.start <= 0 && draft.end >= this.answer.value!.clicks.length;
    const dates = all ? this.context : datesOf(span);
    if (!sameDates(dates, this.explorer.filter.dates)) this.explorer.dates(dates);
  }

  /** Back to all that is shown. */
  clear(): void {
    this.draft = null;
    this.explorer.dates(this.context);
  }

  /** Shows only what is brushed, in finer buckets. */
  enlarge(): void {
    const { dates } = this.explorer.filter;
    if (!("preset" in dates)) this.context = dates;
  }

  /** Out of what was enlarged. */
  reduce(): void {
    this.context = surrounding(this.explorer.filter.dates, this.now, this.first);
  }

  /** The bucket for a film of what the filter lets through. */
  get filmBucket() {
    const span = spanOf(this.explorer.filter.dates, this.now, this.first);
    return bucketFor(span);
  }

  place = (at: number): number => positionOf(at, this.answer.value?.edges ?? []);
}
