import { ask, get, Problem } from "../api/client";
import type { Schemas } from "../api/types";

export type OwnSession = Schemas["SessionRow"];
export type OwnIdentity = Schemas["IdentityRow"];

export const account = {
  setPassword: (given: Partial<Schemas["NewPassword"]>) =>
    ask<void>("PUT", "/api/session/password", given),
  sessions: async () => (await get<Schemas["SessionList"]>("/api/sessions")).rows,
  end: (id: number) => ask<void>("DELETE", `/api/sessions/${id}`),
  identities: async () => (await get<Schemas["IdentityList"]>("/api/profile/identities")).rows,
  part: (id: string) => ask<void>("DELETE", `/api/profile/identities/${id}`),
  endOthers: () => ask<Schemas["Ended"]>("DELETE", "/api/sessions"),
};

/** What went wrong, in words for who reads them. */
export const words = (error: unknown) =>
  error instanceof Problem ? error.message : "That did not work. Try again.";
