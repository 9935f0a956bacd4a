/** An area and its numbers in words. */

import { count, index } from "../words/format";
import type { Dates } from "../words/dates";
import type { AreaFacts, Parent, Trend } from "./answers";

type Named = Pick<AreaFacts, "id" | "name" | "level" | "parents">;

// Where people write the state's letters behind a city's name.
const LETTERED = ["US", "CA", "AU"];

/** "02139 Cambridge, MA", "Paris, France", "Middlesex County, MA", "Germany". */
export function titleOf({ name, level, parents }: Named): string {
  const above = (wanted: string) => parents.find((parent) => parent.level === wanted);
  const country = above("country");
  const region = above("region");
  const [land, letters] = region?.id.slice("region:".length).split("-") ?? [];
  const far = land && LETTERED.includes(land) ? letters : country?.name;
  const city = above("city")?.name;
  if (level === "country" || level === "metro") return name;
  const near = level === "postal" && city ? `${name} ${city}` : name;
  const behind = level === "region" ? country?.name : far;
  return behind && behind !== name ? `${near}, ${behind}` : near;
}

/** 1 → "1st", 12 → "12th", 1003 → "1,003rd". */
export function ordinal(n: number): string {
  const teen = n % 100 > 10 && n % 100 < 14;
  const ending = teen ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${count(n)}${ending}`;
}

const NOUNS: Record<string, [one: string, many: string]> = {
  country: ["country", "countries"],
  region: ["region", "regions"],
  metro: ["metro", "metros"],
  county: ["county", "counties"],
  city: ["city", "cities"],
  postal: ["postal code", "postal codes"],
};

export const plural = (level: string) => NOUNS[level]?.[1] ?? "areas";

/** "3rd of 512 cities with clicks"; null where it has no rank. */
export function rankInWords(level: string, rank: number | null, of: number): string | null {
  if (!rank) return null;
  if (of === 1) return `the only ${NOUNS[level]?.[0] ?? "area"} with clicks`;
  return `${ordinal(rank)} of ${count(of)} ${plural(level)} with clicks`;
}

/** What an index means, in one sentence. */
export function indexInWords(value: number, level: string): string {
  const than = level === "country" ? "the world’s rate" : "the country’s rate";
  const times = value / 100;
  if (Math.abs(value - 100) < 5) return `As many clicks as its residents would give at ${than}.`;
  const much =
    value >= 200
      ? `${new Intl.NumberFormat(undefined, { maximumSignificantDigits: 2 }).format(times)} times`
      : `${index(Math.abs(value - 100))} % ${value > 100 ? "more than" : "fewer than"}`;
  return `${much} the clicks that its residents would give at ${than}.`.replace(/^./, (c) =>
    c.toUpperCase(),
  );
}

/** 8 → "8 km", 0.4 → "under 1 km". */
export const kilometres = (km: number): string =>
  km < 1 ? "under 1 km" : `${count(Math.round(km))} km`;

/** How near the clicks' places are, in one sentence. */
export function radiusInWords({ median, p90 }: { median: number; p90: number }): string {
  if (median === p90)
    return `An address tells where its visitor is to within about ${kilometres(median)}.`;
  return (
    `An address tells where its visitor is to within about ${kilometres(median)} for half of these clicks, ` +
    `${kilometres(p90)} for nine in ten.`
  );
}

/** "Massachusetts › Cambridge": which parents come first, and short. */
export function crumbs(parents: Parent[]): { id: string; name: string }[] {
  return parents.map(({ id, name, level }) => ({
    id,
    // A metro's full name lists all of its cities and states.
    name: level === "metro" ? `${name.split(/[-,–]/)[0]!.trim()} metro` : name,
  }));
}

/** How finely to count a trend: 24 to about 100 points. */
export function bucketFor(dates: Dates): Trend["bucket"] {
  if (!("preset" in dates)) {
    const [from, to] = [dates.from, dates.to].map((day) => (day ? Date.parse(day) : Date.now()));
    const days = Math.abs(to! - from!) / 86_400_000;
    return !dates.from ? "week" : days <= 3 ? "hour" : days <= 120 ? "day" : "week";
  }
  return dates.preset === "24h" ? "hour" : dates.preset === "all" ? "week" : "day";
}

/** Which areas the drawer's own questions are about: what the area and the filter's areas have in common. */
export function common(
  area: Pick<AreaFacts, "id" | "parents">,
  filter: Pick<AreaFacts, "id" | "parents">[],
): string[] {
  const holds = (outer: string, inner: Pick<AreaFacts, "id" | "parents">) =>
    inner.id === outer || inner.parents.some(({ id }) => id === outer);
  if (!filter.length || filter.some(({ id }) => holds(id, area))) return [area.id];
  const inside = filter.filter((other) => holds(area.id, other));
  // Areas that neither hold each other may still share clicks; the drawer says so where its sums differ.
  return inside.length ? inside.map(({ id }) => id) : [area.id];
}
