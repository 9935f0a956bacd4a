/** A card in words and pictures: what it is called, how its interval is drawn, where it lies. */

import type { Bbox } from "../api/types";
import { LISTS, type Filter, type ListName } from "../state/address";
import { count, share } from "../words/format";
import type { InsightArea, InsightCard, Kind } from "./api";

/** The label on a card, and the table behind it. */
export const KINDS: Record<Kind, { label: string; table: string }> = {
  concentration: { label: "Concentration", table: "concentration" },
  gap: { label: "Gap", table: "gaps" },
  hotspot: { label: "Hot spot", table: "hotspots" },
  audience: { label: "Who lives there", table: "audience" },
  difference: { label: "Difference", table: "differences" },
  rhythm: { label: "When", table: "rhythm" },
  target: { label: "Target", table: "target" },
  oddity: { label: "Odd", table: "oddities" },
  language: { label: "Language", table: "languages" },
};

/** The address of the whole table behind a card, as CSV. */
export function tableOf(
  { kind, numbers }: Pick<InsightCard, "kind" | "numbers">,
  query: string,
): string {
  const { by, level } = numbers;
  const more = new URLSearchParams({ format: "csv" });
  if (typeof by === "string") more.set("by", by);
  const named = TABLES[String(level)];
  if (named) more.set("level", named);
  let table = typeof by === "string" ? "offers" : KINDS[kind].table;
  if (kind === "rhythm" && "weekend" in numbers) table = "weekends";
  if (kind === "rhythm" && "east" in numbers) table = "coasts";
  if (kind === "language" && "expected" in numbers) table = "markets";
  if (kind === "target" && typeof numbers.table === "string") more.set("table", numbers.table);
  return `/api/insights/${table}?${[more.toString(), query].filter(Boolean).join("&")}`;
}
/** Tables by the level that a card names. */
const TABLES: Record<string, string> = {
  country: "countries",
  region: "regions",
  metro: "metros",
  county: "counties",
  city: "cities",
  postal: "postal-codes",
};

export type Unit = "share" | "times" | "index" | "hours" | "plain";

/** What a figure is measured in, by its name. */
export function unitOf(name: string): Unit {
  if (/(^|_)(share|part|reached|gini)($|_)/.test(name))
    return name.includes("gini") ? "plain" : "share";
  if (/(^|_)(ratio|times|lq|quotient|factor)($|_)/.test(name)) return "times";
  if (/(^|_)index($|_)/.test(name)) return "index";
  return "plain";
}

const two = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });
const three = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** A figure as the reader sees it: 0.4 of a share → "40.0%", 3.14 of a ratio → "3.1×". */
export function figure(value: number, unit: Unit): string {
  if (unit === "share") return share(value);
  if (unit === "times") return `${two.format(value)}×`;
  if (unit === "index") return count(Math.round(value));
  return Number.isInteger(value) && Math.abs(value) >= 1000 ? count(value) : three.format(value);
}

/** What would be nothing special, marked on the line. */
const USUAL: Partial<Record<Unit, number>> = { times: 1, index: 100 };

/** An interval as a line from 0 to 1: where it begins and ends, its figure, and what would be usual. */
export interface Line {
  low: number;
  high: number;
  at: number | null;
  usual: number | null;
  words: string;
}

/** The line of a card; null without an interval. Ratios lie on a log scale, on which twice and half are as far. */
export function lineOf(card: Pick<InsightCard, "interval" | "numbers" | "of">): Line | null {
  if (!card.interval) return null;
  const [low, high] = card.interval as [number, number];
  const given = card.numbers[card.of];
  const value = typeof given === "number" ? given : null;
  const unit = unitOf(card.of);
  const usual = USUAL[unit] ?? null;
  const log = usual !== null && low > 0 && (value ?? low) > 0;
  const scale = log ? Math.log : (n: number) => n;
  const marks = [low, high, ...(value === null ? [] : [value]), ...(usual === null ? [] : [usual])];
  let from = scale(Math.min(...marks));
  let to = scale(Math.max(...marks));
  if (unit === "share" && !log) [from, to] = [0, Math.min(1, Math.max(to * 1.15, 0.01))];
  else {
    const room = Math.max((to - from) * 0.12, 1e-9);
    [from, to] = [from - room, to + room];
  }
  const on = (n: number) => Math.min(1, Math.max(0, (scale(n) - from) / (to - from)));
  return {
    low: on(low),
    high: on(high),
    at: value === null ? null : on(value),
    usual: usual === null ? null : on(usual),
    words: between(low, high, unit),
  };
}

/** "0.5× to 2×", with so many digits that the two differ. */
function between(low: number, high: number, unit: Unit): string {
  const [from, to] = [low, high].map((value) => figure(value, unit));
  if (from !== to || unit !== "times") return `${from} to ${to}`;
  return `${three.format(low)}× to ${three.format(high)}×`;
}

/** The smallest box around areas, crossing the date line where that is shorter; null where none has a place. */
export function frame(areas: Pick<InsightArea, "lat" | "lon" | "bbox">[]): Bbox | null {
  const boxes = areas.flatMap(({ lat, lon, bbox }): Bbox[] => {
    if (bbox) return [bbox as Bbox];
    return lat === null || lon === null ? [] : [[lon - 0.2, lat - 0.2, lon + 0.2, lat + 0.2]];
  });
  if (!boxes.length) return null;
  const spans = boxes
    .map(([west, , east]) => [west, east < west ? east + 360 : east] as const)
    .sort((a, b) => a[0] - b[0]);
  // The widest gap between two neighbours around the globe is what the box leaves out.
  let west = spans[0]![0];
  let east = Math.max(...spans.map(([, end]) => end));
  let gap = west + 360 - east;
  let reach = spans[0]![1];
  for (const [begin, end] of spans.slice(1)) {
    if (begin - reach > gap) [gap, west, east] = [begin - reach, begin, reach + 360];
    reach = Math.max(reach, end);
  }
  const south = Math.min(...boxes.map((box) => box[1]));
  const north = Math.max(...boxes.map((box) => box[3]));
  return [turned(west), south, turned(east), north];
}

/** A longitude between -180 and 180. */
const turned = (lon: number) => (lon > 180 ? lon - 360 : lon);

/** A text whose numbers stay with their per cent signs and units. */
export const unbroken = (text: string): string =>
  text.replace(/(\d) (%|km\b|clicks?\b)/g, "$1\u00a0$2");

/** What a card's filter changes of the page's; null where it has none, or nothing that the page could ask. */
export function filterOf(card: Pick<InsightCard, "filter">): Partial<Filter> | null {
  const lists = LISTS.filter((name) => card.filter[name]?.length);
  if (!lists.length) return null;
  return Object.fromEntries(lists.map((name) => [name, card.filter[name]])) as Partial<
    Pick<Filter, ListName>
  >;
}

/** How sure, in words: the chance that nothing is there, after all that was tested. */
export function sureness(card: Pick<InsightCard, "p" | "q">): string | null {
  const chance = card.q ?? card.p;
  if (chance === null || chance === undefined) return null;
  if (chance > 0.5) return "Chance alone would do this more often than not.";
  const often =
    chance < 0.0001 ? "less than 1 in 10,000" : `about 1 in ${count(round(1 / chance))}`;
  const after = card.q === null ? "" : ", after all that was tested with it";
  return `Chance alone would do this ${often} times${after}.`;
}

function round(n: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(n)) - 1);
  return Math.round(n / unit) * unit;
}

/** Cards by what tells them apart: the same key when a card comes again with newer numbers. */
export function keyed(cards: InsightCard[]): { key: string; card: InsightCard }[] {
  const seen = new Map<string, number>();
  return cards.map((card) => {
    const { kind, of, areas, filter } = card;
    const name = [kind, of, areas.map(({ id }) => id).join(), JSON.stringify(filter)].join(" ");
    const before = seen.get(name) ?? 0;
    seen.set(name, before + 1);
    return { key: before ? `${name} ${before}` : name, card };
  });
}
