import { count } from "../words/format";
import type { Breakdown, Part, Row } from "./answers";

/** A line of a panel; those of a group stand below it. */
export interface Line {
  value: string | null;
  name: string;
  clicks: number;
  share: number;
  inner: boolean;
}

const GROUPS: Record<string, string> = {
  social: "Social",
  email: "E-mail",
  search: "Search",
  messages: "Messages",
  assistants: "Assistants",
  direct: "Direct",
  other: "Other pages",
};
const PER_GROUP = 4;

/** Origins by their groups, the largest first, with the largest names of each. */
export function grouped({ rows, total }: Pick<Breakdown, "rows" | "total">): Line[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = row.group ?? row.value ?? "other";
    groups.set(group, [...(groups.get(group) ?? []), row]);
  }
  return [...groups]
    .map(([group, of]) => ({ group, of, clicks: of.reduce((sum, row) => sum + row.clicks, 0) }))
    .sort((a, b) => b.clicks - a.clicks)
    .flatMap(({ group, of, clicks }) => [
      {
        value: group,
        name: GROUPS[group] ?? group,
        clicks,
        share: total ? clicks / total : 0,
        inner: false,
      },
      ...of
        .filter((row) => row.group)
        .slice(0, PER_GROUP)
        .map((row) => ({ ...plain(row, "origin"), inner: true })),
    ]);
}

/** Every row as a line, the languages by their names. */
export function lines(part: Part, found: Breakdown, most: number): Line[] {
  if (part === "origin") return grouped(found);
  return found.rows.slice(0, most).map((row) => plain(row, part));
}

function plain(row: Row, part: Part): Line {
  const { value, clicks, share } = row;
  return { value, clicks, share, inner: false, name: nameOf(row, part) };
}

function nameOf({ value, name }: Row, part: Part): string {
  if (part === "device") return name.charAt(0).toUpperCase() + name.slice(1);
  if (part !== "language" || !value) return name;
  try {
    return new Intl.DisplayNames(undefined, { type: "language" }).of(value) ?? value;
  } catch {
    return value;
  }
}

/** What is not in sight: "and 12 more". */
export function rest(found: Breakdown, shown: number): string {
  return found.values > shown ? `and ${count(found.values - shown)} more` : "";
}
