import { count, counted } from "../words/format";
import type { Import } from "./api";

/** Lines of a report: what became of the rows. */
export function lines(found: Import): string[] {
  const { report } = found;
  const would = report.dry_run ? "would come in" : "came in";
  const said: string[] = [];
  if (report.imported_before && !report.dry_run)
    return [
      `This very file was imported before: ${counted(report.imported_before.imported, "click")}. Nothing was added.`,
    ];
  if (report.imported || !report.new_links)
    said.push(`${counted(report.imported, "click")} ${would}`);
  if (report.new_links)
    said.push(`${counted(report.new_links, "link")} ${report.dry_run ? "would be" : "were"} made`);
  if (report.known_links) said.push(`${counted(report.known_links, "link")} were here already`);
  if (report.repeated) said.push(`${counted(report.repeated, "click")} were imported before`);
  if (report.coarser)
    said.push(
      `${counted(report.coarser, "row")} count for a region or country: their city is not known`,
    );
  if (report.placed.nowhere) said.push(`${counted(report.placed.nowhere, "row")} tell no place`);
  if (report.farthest_km >= 1)
    said.push(
      `the farthest position is ${count(Math.round(report.farthest_km))} km from its place`,
    );
  return said;
}

/** "3 May 2026 to 9 May 2026", of the clicks of a report; "" without clicks. */
export function between(found: Import): string {
  const { first, last } = found.report;
  if (!first || !last) return "";
  const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });
  const [from, to] = [day.format(new Date(first)), day.format(new Date(last))];
  return from === to ? from : `${from} to ${to}`;
}
