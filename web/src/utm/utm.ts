/** Campaign parameters in a destination, as the server puts them there (`clickatlas/links/utm.py`). */
import { ask, get } from "../api/client";
import type { Schemas } from "../api/types";

export const PARTS = ["source", "medium", "campaign", "term", "content", "id"] as const;
export type Part = (typeof PARTS)[number];
/** What is not set is "" or left out. May hold `{campaign}`, `{channel}`, `{code}`, `{title}`. */
export type Parts = Partial<Record<Part, string>>;
/** A link's own words, which stand for these. */
export type Own = Record<"campaign" | "channel" | "code" | "title", string>;
export type Template = Schemas["UtmTemplateOut"];

const TEMPLATES = "/api/utm-templates";
export const templates = {
  all: async () => (await get<Schemas["UtmTemplates"]>(TEMPLATES)).rows,
  make: (name: string, parts: Parts) =>
    ask<Template>("POST", TEMPLATES, { name, utm: given(parts) ?? {} }),
  forget: (id: number) => ask<void>("DELETE", `${TEMPLATES}/${id}`),
};

/** Only the parts that say something; null: none does. */
export function given(parts: Parts): Parts | null {
  const said = PARTS.filter((part) => parts[part]?.trim());
  return said.length ? Object.fromEntries(said.map((part) => [part, parts[part]!.trim()])) : null;
}

/** The parts with a link's own words in them. */
export function filled(parts: Parts, own: Own): Parts {
  const of = (text: string) =>
    text.replace(/\{(campaign|channel|code|title)\}/g, (_, name: keyof Own) => own[name].trim());
  return Object.fromEntries(PARTS.map((part) => [part, of(parts[part] ?? "").trim()]));
}

const piecesOf = (query: string) => query.split("&").filter(Boolean);
const nameOf = (piece: string) => decoded(piece.split("=", 1)[0]!);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

/** (before the query, the query, the fragment with its #) */
function cut(url: string): [string, string, string] {
  const [rest, ...fragment] = url.split("#");
  const at = rest!.indexOf("?");
  const mark = fragment.length ? `#${fragment.join("#")}` : "";
  return at < 0 ? [rest!, "", mark] : [rest!.slice(0, at), rest!.slice(at + 1), mark];
}

/** The parameters that a destination has. */
export function partsOf(url: string): Parts {
  const found: Parts = {};
  for (const piece of piecesOf(cut(url)[1])) {
    const part = PARTS.find((one) => nameOf(piece) === `utm_${one}`);
    if (part) found[part] ??= decoded(piece.slice(piece.indexOf("=") + 1 || piece.length));
  }
  return found;
}

/** The destination with exactly these parameters; what else is in its query stays as it is. */
export function withParts(url: string, parts: Parts): string {
  const [before, query, fragment] = cut(url);
  const names = PARTS.map((part) => `utm_${part}`);
  const kept = piecesOf(query).filter((piece) => !names.includes(nameOf(piece)));
  const added = PARTS.flatMap((part) =>
    parts[part] ? `utm_${part}=${encodeURIComponent(parts[part])}` : [],
  );
  const all = [...kept, ...added].join("&");
  return `${before}${all && `?${all}`}${fragment}`;
}
