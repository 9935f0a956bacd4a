import { LISTS, type Filter, type ListName, type Measure } from "../state/address";
import type { Explorer } from "../state/explorer.svelte";
import { datesInWords } from "../words/dates";
import { counted } from "../words/format";

export interface Caption {
  title: string;
  filter: string;
  counted: string;
}

const MEASURES: Record<Measure, (of: string) => string> = {
  clicks: () => "",
  rate: () => "clicks per 10,000 residents",
  index: (of) => `index against the ${of}’s average (100)`,
};
const WORDS: Record<ListName, string> = {
  link: "link",
  campaign: "campaign",
  channel: "channel",
  tag: "tag",
  origin: "origin",
  referrer: "page",
  browser: "browser",
  system: "system",
  language: "language",
  device: "device",
  area: "in",
  within: "in",
  network: "networks",
};

/** What a picture or a printed page says of itself: how many clicks, which ones, and what is not among them. */
export function caption(explorer: Explorer): Caption {
  const { filter, measure, mode, level } = explorer.address;
  const whose = mode === "areas" && level === "countries" ? "world" : "country"; // as the legend says
  const totals = explorer.totals;
  const total = totals?.total ?? 0;
  const leftOut = Object.values(totals?.left_out ?? {}).reduce((sum, n) => sum + n, 0);
  const parts = [
    totals && `${counted(totals.unplaced, "click")} known only to a country or region, not drawn`,
    leftOut > 0 && `${counted(leftOut, "click")} from machines and hidden networks left out`,
  ];
  return {
    title: [counted(total, "click"), MEASURES[measure](whose)].filter(Boolean).join(" · "),
    filter: [
      datesInWords(filter.dates),
      ...filterInWords(filter, (id) => explorer.areaNames[id]?.name ?? id),
    ].join(" · "),
    counted: parts.filter(Boolean).join("; "),
  };
}

export function filterInWords(filter: Filter, nameOf: (area: string) => string): string[] {
  return LISTS.filter((name) => filter[name].length > 0).map((name) => {
    if (name === "within") return "in an area drawn on the map";
    const values = filter[name].map((value) => (name === "area" ? nameOf(value) : value));
    return `${WORDS[name]} ${values.join(", ")}`;
  });
}
