import { ask, get } from "../api/client";
import type { Schemas } from "../api/types";

export type SharedMap = Schemas["SharedMap"];
export type SharedRow = Schemas["SharedRow"];
export const SHARED_LEVELS = ["countries", "regions", "cities"] as const;
export type SharedLevel = (typeof SHARED_LEVELS)[number];

/** What the address of a shared map opens. `ticket` is what its password was answered with. */
export function shared(secret: string) {
  const path = `/api/shared/${encodeURIComponent(secret)}`;
  const by = (ticket: string) => (ticket ? `?ticket=${encodeURIComponent(ticket)}` : "");
  return {
    map: (ticket: string) => get<SharedMap>(path + by(ticket)),
    places: (level: SharedLevel, ticket: string) =>
      get<Schemas["SharedTable"]>(`${path}/places/${level}${by(ticket)}`),
    admit: async (password: string) =>
      (await ask<Schemas["Admission"]>("POST", `${path}/password`, { password })).ticket,
  };
}
export type SharedApi = ReturnType<typeof shared>;
