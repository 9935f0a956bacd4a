/** A link as the fields of its editor, and what of it was changed. */
import type { Link, Schemas } from "../api/types";
import { webAddress } from "../words/format";
import {
  countriesIn,
  countriesShown,
  languagesIn,
  languagesShown,
  regionsIn,
  words,
} from "./codes";

export type Patch = Partial<Schemas["LinkPatch"]>;
type Device = NonNullable<Schemas["Rule"]["devices"]>[number];
export const DEVICES: { id: Device; label: string }[] = [
  { id: "desktop", label: "Desktop" },
  { id: "mobile", label: "Mobile" },
  { id: "tablet", label: "Tablet" },
  { id: "other", label: "Other" },
];

export interface RuleForm {
  key: number;
  name: string;
  url: string;
  countries: string;
  regions: string;
  languages: string;
  devices: Device[];
}
export interface SideForm {
  key: number;
  name: string;
  /** "" is the link's own destination. */
  url: string;
  weight: number | null;
}
export interface LinkForm {
  url: string;
  code: string;
  /** "" is the installation's own host. */
  domain: string;
  title: string;
  campaign: string;
  channel: string;
  /** Comma-separated. */
  tags: string;
  notes: string;
  /** Local date and time as the browser's own field gives it, or "". */
  starts: string;
  expires: string;
  max: number | null;
  /** A new password, or "" to keep what there is. */
  password: string;
  /** Whether the password is taken away. */
  unlock: boolean;
  status: number;
  pass_query: boolean;
  rules: RuleForm[];
  split: SideForm[];
}

let keys = 0;
export const newRule = (): RuleForm => ({
  key: ++keys,
  name: "",
  url: "",
  countries: "",
  regions: "",
  languages: "",
  devices: [],
});
export const newSide = (name = "", url = ""): SideForm => ({ key: ++keys, name, url, weight: 1 });

/** A moment on the reader's clock, to the minute: "2026-11-22T14:00". */
export function onClock(moment: string | null): string {
  if (!moment) return "";
  const at = new Date(moment);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
const momentOf = (clock: string) => (clock ? new Date(clock).toISOString() : null);

/** A code without the domain that the API has behind it: `spring` of `spring@go.example.com`. */
export const bareCode = (code: string) => code.split("@")[0]!;

export function formOf(link: Link): LinkForm {
  const { url, title, notes, status, pass_query } = link;
  const code = bareCode(link.code);
  return {
    ...{ url, code, title, notes, status, pass_query },
    domain: link.domain ?? "",
    campaign: link.campaign ?? "",
    channel: link.channel ?? "",
    tags: link.tags.join(", "),
    starts: onClock(link.starts_at),
    expires: onClock(link.expires_at),
    max: link.max_clicks,
    password: "",
    unlock: false,
    rules: link.rules.map((rule) => ({
      ...newRule(),
      name: rule.name,
      url: rule.url,
      countries: countriesShown(rule.countries ?? []),
      regions: (rule.regions ?? []).join(", "),
      languages: languagesShown(rule.languages ?? []),
      devices: [...(rule.devices ?? [])],
    })),
    split: link.split.map((side) => ({
      ...newSide(side.name, side.url ?? ""),
      weight: side.weight ?? 1,
    })),
  };
}

const address = (text: string) => webAddress(text) ?? text.trim();
const ruleOf = (rule: RuleForm): Schemas["Rule"] => ({
  name: rule.name.trim(),
  url: address(rule.url),
  countries: countriesIn(rule.countries).codes,
  regions: regionsIn(rule.regions).codes,
  devices: DEVICES.flatMap(({ id }) => (rule.devices.includes(id) ? id : [])),
  languages: languagesIn(rule.languages).codes,
});
const sideOf = (side: SideForm): Schemas["Side"] => ({
  name: side.name.trim(),
  url: side.url.trim() ? address(side.url) : null,
  weight: side.weight ?? 1,
});

function asked(form: LinkForm): Omit<Required<Patch>, "target" | "archived" | "password"> {
  return {
    url: address(form.url),
    code: form.code.trim(),
    domain: form.domain || null,
    title: form.title.trim(),
    campaign: form.campaign.trim() || null,
    channel: form.channel.trim() || null,
    tags: words(form.tags),
    notes: form.notes,
    starts_at: momentOf(form.starts),
    expires_at: momentOf(form.expires),
    max_clicks: form.max,
    status: form.status as 301 | 302 | 307,
    pass_query: form.pass_query,
    rules: form.rules.map(ruleOf),
    split: form.split.map(sideOf),
  };
}

/** What `form` changes of `before`; what is the same is left out, and stays as exact as it was. */
export function patchOf(form: LinkForm, before: LinkForm): Patch {
  const was = asked(before);
  const changed = Object.entries(asked(form)).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(was[name as keyof typeof was]),
  );
  const password = form.unlock ? null : form.password || undefined;
  return { ...Object.fromEntries(changed), ...(password !== undefined && { password }) };
}
