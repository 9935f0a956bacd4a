import { ask, get } from "../api/client";
import type { Schemas } from "../api/types";

export type Letter = Schemas["LetterOut"];
export type Ways = Schemas["Ways"];

export const door = {
  ways: () => get<Ways>("/api/sign-in"),
  signIn: (email: string, password: string) =>
    ask<void>("POST", "/api/session", { email, password }),
  sendLink: (email: string) => ask<Schemas["Asked"]>("POST", "/api/session/link", { email }),
  signUp: (email: string) => ask<Schemas["Asked"]>("POST", "/api/sign-up", { email }),
  redeem: (token: string) => ask<Schemas["Redeemed"]>("POST", "/api/session/redeem", { token }),
  read: (token: string) => ask<Letter>("POST", "/api/letters/read", { token }),
  accept: (given: Schemas["Acceptance"]) => ask<void>("POST", "/api/letters/accept", given),
};

const KEPT = "letter";

/** The secret behind the address's #, which no server and no log gets to see; or one kept by `keep`. */
export const secret = () =>
  location.hash.slice(1) ||
  (location.pathname === "/app/join" && sessionStorage.getItem(KEPT)) ||
  "";

/** Keep a letter's secret in this window, while its reader is at an identity provider. */
export const keep = () => sessionStorage.setItem(KEPT, secret());
export const drop = () => sessionStorage.removeItem(KEPT);

/** Begun anew: nothing of whoever was signed in before is left in this page's memory. */
export function comeIn(to = "/app"): void {
  drop();
  location.replace(to);
}
