import { api } from "../api/client";
import { question } from "../api/question";
import { baselineOf } from "../insights/api";
import type { Explorer } from "../state/explorer.svelte";
import { Resource } from "../state/resource.svelte";
import { rhythm, type Rhythm } from "../time/api";
import {
  areaFacts,
  breakdown,
  hours,
  trend,
  type AreaFacts,
  type Breakdown,
  type Hours,
  type Part,
  type Trend,
} from "./answers";
import { audience, type Audience } from "./audience";
import { deviation, type Deviation } from "./deviation";
import { peaks, type Peaks } from "./peak";
import { bucketFor, common } from "./words";

export const PARTS: Part[] = ["link", "channel", "device"];

/** What an open drawer knows of its area. */
export class AreaDrawer {
  facts = new Resource<AreaFacts>();
  trend = new Resource<Trend>();
  hours = new Resource<Hours>();
  /** What recurs beyond chance in the area's week. */
  rhythm = new Resource<Rhythm>();
  /** The hours of all areas of its level; null for one that is finer than metros. */
  peaks = new Resource<Peaks | null>();
  deviation = new Resource<Deviation>();
  audience = new Resource<Audience>();
  /** The page's question narrowed to the area. */
  query = $state("");
  parts: Record<Part, Resource<Breakdown>> = {
    link: new Resource(),
    channel: new Resource(),
    device: new Resource(),
  };

  constructor(private readonly explorer: Explorer) {}

  /** Asks for everything about an area; quietly when only new clicks have come. */
  async load(id: string, quiet: boolean): Promise<void> {
    const { explorer } = this;
    const before = this.facts.value;
    const facts = await this.facts.load((signal) => areaFacts(id, explorer.query, signal), {
      quiet,
    });
    if (!facts?.standing) return;
    if (quiet && before?.id === id && before.standing?.clicks === facts.standing.clicks) return;
    const baseline = baselineOf(explorer.address);
    const whole = `${baseline ? `baseline=${baseline}&` : ""}${explorer.query}`;
    const sure = this.deviation.load((signal) => deviation(id, whole, signal), { quiet });
    if (!facts.standing.clicks) return void (await sure);
    const query = (this.query = await this.#query(facts));
    const bucket = bucketFor(explorer.filter.dates);
    // What was found in another area's clicks must not stay, whatever becomes of the question.
    if (!quiet) this.rhythm.value = null;
    await Promise.all([
      this.trend.load((signal) => trend(bucket, query, signal), { quiet }),
      ...PARTS.map((by) =>
        this.parts[by].load((signal) => breakdown(by, query, signal), { quiet }),
      ),
      this.hours.load((signal) => hours(query, signal), { quiet }),
      this.rhythm.load((signal) => rhythm(query, "place", signal), { quiet }),
      this.peaks.load((signal) => peaks(facts.level, explorer.query, signal), { quiet }),
      ...(facts.country === "US"
        ? [this.audience.load((signal) => audience(query, signal), { quiet })]
        : []),
    ]);
  }

  /** The page's question narrowed to this area. A filter's areas are OR-ed: another one would only widen it. */
  async #query(facts: AreaFacts): Promise<string> {
    const { filter, zone } = this.explorer;
    const others = await Promise.all(
      filter.area.map((id) => (id === facts.id ? facts : api.area(id).catch(() => null))),
    );
    const area = common(
      facts,
      others.filter((other) => other !== null),
    );
    return question({ ...filter, area }, new Date(), zone);
  }
}
