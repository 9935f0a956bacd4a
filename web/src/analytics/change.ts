import { count } from "../words/format";
import type { Change } from "./answers";

/** 1.12 → "+12%", 0.4 → "−60%", 7.5 → "7.5 times". */
export function percent(ratio: number): string {
  if (ratio >= 3) return `${+ratio.toPrecision(2)} times`;
  const change = (ratio - 1) * 100;
  const digits = Math.abs(change) < 1 ? 1 : 0;
  const number = Math.abs(change).toFixed(digits);
  if (Number(number) === 0) return "no change";
  return `${change < 0 ? "−" : "+"}${number}%`;
}

/** A change in words: what it is, how sure that is, and whether it may be called one. */
export function inWords(change: Change): {
  what: string;
  sure: string;
  tone: "more" | "fewer" | "chance" | "none";
} {
  const { ratio, interval, now, before } = change;
  if (!change.whole)
    return { what: "New", sure: "Nothing to compare with: it began since.", tone: "none" };
  if (ratio === null || !interval)
    return now.clicks
      ? { what: "None before", sure: `${count(now.clicks)} now.`, tone: "none" }
      : { what: "No clicks", sure: "Neither now nor before.", tone: "none" };
  const [low, high] = interval;
  const range =
    high === null ? `${percent(low)} or more` : `between ${percent(low)} and ${percent(high)}`;
  if (change.beyond_chance)
    return {
      what: percent(ratio),
      sure: `${range}, from ${count(before.clicks)}`,
      tone: ratio > 1 ? "more" : "fewer",
    };
  return {
    what: percent(ratio),
    sure: `within chance: ${range}, from ${count(before.clicks)}`,
    tone: "chance",
  };
}
