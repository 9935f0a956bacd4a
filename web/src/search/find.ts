import { get } from "../api/client";
import type { Area, LinkPage, Schemas } from "../api/types";

export type Found =
  | { kind: "place"; id: string; name: string; detail: string; country: string | null; area: Area }
  | { kind: "link"; id: string; name: string; detail: string }
  | { kind: "campaign"; id: string; name: string; detail: string };

const PLACES = 8;
const LINKS = 5;
const LEVELS: Record<string, string> = { postal: "ZIP or postal code" };

/** Places, links and campaigns that answer to `text`; campaigns come from the list already on the page. */
export async function find(
  text: string,
  campaigns: string[],
  signal: AbortSignal,
): Promise<Found[]> {
  const query = encodeURIComponent(text);
  const [places, links] = await Promise.all([
    get<Schemas["AreaList"]>(`/api/areas?search=${query}&limit=${PLACES}`, signal),
    get<LinkPage>(`/api/links?search=${query}&limit=${LINKS}`, signal),
  ]);
  const wanted = text.toLocaleLowerCase();
  return [
    ...places.rows.map((area): Found => ({
      kind: "place",
      id: area.id,
      name: area.name,
      detail: placeDetail(area),
      country: area.country,
      area,
    })),
    ...campaigns
      .filter((name) => name.toLocaleLowerCase().includes(wanted))
      .slice(0, LINKS)
      .map((name): Found => ({ kind: "campaign", id: name, name, detail: "Campaign" })),
    ...links.rows.map((link): Found => ({
      kind: "link",
      id: link.code,
      name: link.title || `/${link.code}`,
      detail: link.url.replace(/^https?:\/\/(www\.)?/, ""),
    })),
  ];
}

/** "City · Massachusetts, United States": enough to tell two Cambridges apart. */
export function placeDetail({ level, parents }: Pick<Area, "level" | "parents">): string {
  const names = parents
    .filter((parent) => ["country", "region"].includes(parent.level))
    .map((parent) => parent.name)
    .reverse();
  const word = LEVELS[level] ?? level[0]!.toUpperCase() + level.slice(1);
  return [word, [...new Set(names)].join(", ")].filter(Boolean).join(" · ");
}
