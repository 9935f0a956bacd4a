/** Which figures of the people a drawer shows, and how they are written. */

import type { AreaFacts, Against } from "./answers";

export interface Shown {
  name: string;
  label: string;
  /** The figure itself, in words. */
  value: string;
  margin: string | null;
  raw: number;
  rawMargin: number | null;
  against: Against | null;
  nation: string | null;
}

export type Kind = "dollars" | "years" | "share";
export const FIGURES: [name: string, label: string, kind: Kind][] = [
  ["median_household_income", "Median household income", "dollars"],
  ["bachelors_or_higher", "Bachelor’s degree or higher", "share"],
  ["owner_occupied", "Own their home", "share"],
  ["median_age", "Median age", "years"],
  ["below_poverty", "Below the poverty line", "share"],
  ["income_under_25k", "Households under $25,000", "share"],
  ["income_over_200k", "Households over $200,000", "share"],
  ["under_18", "Under 18", "share"],
  ["aged_65_plus", "65 and older", "share"],
  ["with_children", "Households with children", "share"],
  ["no_vehicle", "Households without a car", "share"],
  ["college_enrolled", "Enrolled at a college", "share"],
  ["median_home_value", "Median home value", "dollars"],
  ["vacant", "Vacant dwellings", "share"],
];
const MAIN_MEDIANS = 5;
// Where no median is known, as above the ZIP, other figures say the same less well.
const MAIN_SHARES = [
  "income_under_25k",
  "income_over_200k",
  "bachelors_or_higher",
  "owner_occupied",
  "under_18",
  "aged_65_plus",
  "below_poverty",
];

const dollars = new Intl.NumberFormat("en", {
  style: "currency",
  currency: "USD",
  maximumFractionDigits: 0,
});
const years = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const share = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });
const WRITTEN: Record<Kind, (n: number) => string> = {
  dollars: (n) => dollars.format(n),
  years: (n) => years.format(n),
  share: (n) => share.format(n),
};

/** A figure in its own unit: $45,000, 38.2, 12.3%. */
export const written = (n: number, kind: Kind): string => WRITTEN[kind](n);

/** The figures that are known, the telling ones first: [shown at once, behind a press]. */
export function figuresOf({
  people,
  against,
}: Pick<AreaFacts, "people" | "against">): [Shown[], Shown[]] {
  const all = FIGURES.flatMap(([name, label, kind]): Shown[] => {
    const raw = people?.medians?.[name] ?? people?.shares?.[name];
    if (raw === null || raw === undefined) return [];
    const margin = people?.margins?.[name] ?? null;
    const nation = against?.figures[name] ?? null;
    const typical = nation?.p50 ?? null;
    const write = WRITTEN[kind];
    return [
      {
        name,
        label,
        value: write(raw),
        margin: margin === null ? null : `± ${write(margin)}`,
        raw,
        rawMargin: margin,
        against: nation,
        nation: typical === null ? null : write(typical),
      },
    ];
  });
  const medians = all.some(({ name }) => name === "median_household_income");
  const main = new Set(
    medians ? FIGURES.slice(0, MAIN_MEDIANS).map(([name]) => name) : MAIN_SHARES,
  );
  return [all.filter(({ name }) => main.has(name)), all.filter(({ name }) => !main.has(name))];
}

/** Where the parts of a strip lie, each 0..1 of its width. */
export function strip({ raw, rawMargin, against }: Pick<Shown, "raw" | "rawMargin" | "against">) {
  if (!against) return null;
  const { p10, p25, p50, p75, p90 } = against;
  const [low, high] = [Math.min(p10, raw), Math.max(p90, raw)];
  const room = (high - low || 1) * 0.06;
  const at = (value: number) =>
    Math.min(1, Math.max(0, (value - low + room) / (high - low + 2 * room)));
  return {
    value: at(raw),
    wide: [at(p10), at(p90)] as const,
    middle: [at(p25), at(p75)] as const,
    median: at(p50),
    margin: rawMargin ? ([at(raw - rawMargin), at(raw + rawMargin)] as const) : null,
  };
}

/** Where a figure stands in the nation, in words: percentiles count people, by the ZIP code they live in. */
export function percentileInWords(percentile: number): string {
  const n = Math.min(99, Math.max(1, Math.round(percentile)));
  if (n >= 45 && n <= 55) return "as in the nation’s middle";
  return n > 50 ? `higher than where ${n} in 100 live` : `lower than where ${100 - n} in 100 live`;
}

export const TIERS: [id: string, label: string][] = [
  ["rural", "Rural"],
  ["suburban", "Suburban"],
  ["urban", "Urban"],
  ["dense_urban", "Dense urban"],
];
