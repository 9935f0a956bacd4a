import { ask, get } from "../api/client";
import type { Schemas } from "../api/types";

export type Hook = Schemas["WebhookOut"];
export type NewHook = Schemas["NewWebhook"];
export type HookEvent = Schemas["WebhookIn"]["events"][number];
export type DigestTime = Schemas["DigestTime"];
export type Delivery = Schemas["DeliveryOut"];
type Deliveries = Schemas["DeliveryList"];

export const EVENTS: { id: HookEvent; label: string; may: string }[] = [
  { id: "link.created", label: "New links", may: "each link that is made, alone or in bulk" },
  { id: "click", label: "Clicks", may: "as they come, gathered for a few seconds" },
  { id: "insight.new", label: "New insights", may: "what stands out now and didn’t before" },
  { id: "digest", label: "Digest", may: "the figures of a day, a week or a month" },
  { id: "domain.lost", label: "Lost domains", may: "one that leads here no longer, for days" },
];

const at = (id: number) => `/api/webhooks/${id}`;
export const hooks = {
  all: async () => (await get<Schemas["WebhookList"]>("/api/webhooks")).rows,
  make: (draft: Schemas["WebhookIn"]) => ask<NewHook>("POST", "/api/webhooks", draft),
  change: (id: number, patch: Schemas["WebhookPatch"]) => ask<Hook>("PATCH", at(id), patch),
  end: (id: number) => ask<void>("DELETE", at(id)),
  rotate: (id: number) => ask<NewHook>("POST", `${at(id)}/secret`),
  test: (id: number) => ask<Delivery>("POST", `${at(id)}/test`),
  deliveries: (id: number, failed: boolean, cursor: string | null) =>
    get<Deliveries>(
      `${at(id)}/deliveries?limit=10${failed ? "&failed=true" : ""}${cursor ? `&cursor=${cursor}` : ""}`,
    ),
  replay: (id: number, delivery: number) =>
    ask<Delivery>("POST", `${at(id)}/deliveries/${delivery}/replay`),
};

/** What became of a delivery, in a few words. */
export function fate(one: Delivery, clock: (moment: string) => string): string {
  const tried = one.tries === 1 ? "tried once" : `tried ${one.tries} times`;
  const said = one.status === null ? "no answer" : `answered ${one.status}`;
  if (one.state === "delivered") return said;
  if (!one.tries) return "on its way";
  const next = one.due_at ? `, again ${clock(one.due_at)}` : "";
  return `${said}, ${tried}${next}`;
}
