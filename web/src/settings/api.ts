import { ask, get } from "../api/client";
import type { Schemas } from "../api/types";

export type Member = Schemas["MemberOut"];
export type Role = Schemas["RoleIn"]["role"];
export type Invitation = Schemas["InvitationOut"];
export type NewInvitation = Schemas["NewInvitation"];
export type Token = Schemas["TokenOut"];
export type Scope = Schemas["TokenIn"]["scopes"] extends (infer S)[] | undefined ? S : never;
export type WorkspaceRow = Schemas["WorkspaceRow"];

export const ROLES: { id: Role; label: string; may: string }[] = [
  { id: "viewer", label: "Viewer", may: "Sees everything, changes nothing" },
  { id: "editor", label: "Editor", may: "Makes and changes links, too" },
  { id: "owner", label: "Owner", may: "Everything: also people, tokens and the workspace" },
];

export const people = {
  all: async () => (await get<Schemas["MemberList"]>("/api/people")).rows,
  change: (id: number, role: Role) => ask<Member>("PATCH", `/api/people/${id}`, { role }),
  remove: (id: number) => ask<void>("DELETE", `/api/people/${id}`),
  invitations: async () => (await get<Schemas["InvitationList"]>("/api/invitations")).rows,
  invite: (email: string, role: Role) =>
    ask<NewInvitation>("POST", "/api/invitations", { email, role }),
  revoke: (id: number) => ask<void>("DELETE", `/api/invitations/${id}`),
};

export const tokens = {
  all: async () => (await get<Schemas["TokenList"]>("/api/tokens")).rows,
  make: (draft: Schemas["TokenIn"]) => ask<Schemas["NewToken"]>("POST", "/api/tokens", draft),
  end: (id: number) => ask<void>("DELETE", `/api/tokens/${id}`),
};

export type Domain = Schemas["DomainOut"];

export const domains = {
  all: () => get<Schemas["DomainList"]>("/api/domains"),
  add: (name: string) => ask<Domain>("POST", "/api/domains", { name }),
  check: (id: number) => ask<Domain>("POST", `/api/domains/${id}/check`),
  primary: (id: number, primary: boolean) =>
    ask<Domain>("PATCH", `/api/domains/${id}`, { primary }),
  remove: (id: number) => ask<void>("DELETE", `/api/domains/${id}`),
};

export type Plan = Schemas["PlanOut"];

export const workspaces = {
  plan: () => get<Plan>("/api/plan"),
  all: async () => (await get<Schemas["WorkspaceList"]>("/api/workspaces")).rows,
  make: (name: string) => ask<WorkspaceRow>("POST", "/api/workspaces", { name }),
  go: (id: number) => ask<void>("PUT", "/api/session/workspace", { id }),
  leave: (id: number, confirm: string) =>
    ask<void>("POST", `/api/workspaces/${id}/leave`, { confirm }),
  rename: (name: string) => ask<void>("PATCH", "/api/workspace", { name }),
  remove: (confirm: string) => ask<void>("DELETE", "/api/workspace", { confirm }),
};

export const profile = {
  rename: (name: string) => ask<void>("PATCH", "/api/profile", { name }),
  address: (given: Schemas["AddressIn"]) =>
    ask<Schemas["AddressOut"]>("POST", "/api/profile/email", given),
  remove: (given: Schemas["Farewell"]) => ask<void>("DELETE", "/api/profile", given),
};

/** Begun anew: nothing of what was shown before is left in this page's memory. */
export const startOver = () => location.replace("/app");
