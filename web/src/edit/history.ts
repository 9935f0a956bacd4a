import type { Schemas } from "../api/types";

const NAMES: Record<string, string> = {
  url: "the destination",
  code: "the code",
  title: "the title",
  campaign: "the campaign",
  channel: "the channel",
  tags: "the tags",
  notes: "the notes",
  starts_at: "when it starts",
  expires_at: "when it expires",
  max_clicks: "the most clicks",
  password: "the password",
  status: "the kind of redirect",
  pass_query: "whether the query goes along",
  archived: "whether it is archived",
  rules: "the rules",
  split: "the split",
  target: "the target",
};
const listed = new Intl.ListFormat("en", { type: "conjunction" });

/** "Changed the destination and the tags: https://a → https://b". */
export function changeInWords({ action, subject, detail }: Schemas["AuditRow"]): string {
  if (action === "link.create") return `Made it, leading to ${detail}`;
  if (action !== "link.change") return `${action} ${detail}`.trim();
  const [, fields, rest] = /^([a-z_, ]*)(?:: (.*))?$/s.exec(detail) ?? ["", "", detail];
  const names = (fields ?? "").split(", ").flatMap((name) => (name ? (NAMES[name] ?? name) : []));
  const moved = [rest, subject.includes(" → ") && subject].filter(Boolean).join("; ");
  return `Changed ${listed.format(names) || "it"}${moved && `: ${moved}`}`;
}
