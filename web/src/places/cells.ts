/** A table as text for spreadsheets. */

import type { AreaRow } from "../api/types";

export type Cell = string | number | null | undefined;

/** What a spreadsheet would take for a formula gets an apostrophe before it (OWASP, "CSV Injection"). */
export function safe(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

const plain = (cell: Cell) => (typeof cell === "string" ? safe(cell) : `${cell ?? ""}`);

/** As spreadsheets put it on the clipboard: no quotes, so a cell's own tabs and line ends become spaces. */
export function tsv(rows: Cell[][]): string {
  return rows
    .map((row) => row.map((cell) => plain(cell).replace(/[\t\r\n]+/g, " ")).join("\t"))
    .join("\n");
}

/** The table's columns, the same for every level; `share` is of all clicks. */
export function cells(rows: AreaRow[]): Cell[][] {
  const head = [
    "id",
    "name",
    "city",
    "region",
    "country",
    "clicks",
    "share",
    "population",
    "per_10000",
    "index",
  ];
  return [
    head,
    ...rows.map((row) => [
      row.id,
      row.name,
      row.city,
      row.region,
      row.country_name,
      row.clicks,
      row.share,
      row.population,
      row.rate,
      row.index,
    ]),
  ];
}
