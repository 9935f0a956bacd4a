import { mount, unmount, type Component } from "svelte";
import { signIn } from "../state/session.svelte";
import Settings from "./Settings.svelte";

export const ROOMS = [
  { id: "profile", label: "Profile", load: () => import("./Profile.svelte") },
  { id: "digest", label: "Digest", load: () => import("./Digest.svelte") },
  { id: "people", label: "People", load: () => import("./People.svelte") },
  { id: "tokens", label: "API tokens", load: () => import("./Tokens.svelte") },
  { id: "webhooks", label: "Webhooks", owners: true, load: () => import("./Webhooks.svelte") },
  { id: "domains", label: "Domains", load: () => import("./Domains.svelte") },
  { id: "workspace", label: "Workspace", load: () => import("./Workspace.svelte") },
] as const satisfies {
  id: string;
  label: string;
  owners?: boolean; // for them only
  load: () => Promise<{ default: Component }>;
}[];
export type Room = (typeof ROOMS)[number]["id"];
/** The rooms that whoever is signed in may enter. */
export const mine = () =>
  ROOMS.filter((room) => !("owners" in room) || signIn.session!.may.includes("admin"));

/** The dialog stands beside the page, not in the menu that opens it: the menu closes, and gives the focus to `opener`. */
export function openSettings(room: Room = "profile", opener = document.activeElement): void {
  const onclose = () => {
    void unmount(dialog);
    // The browser gives it back to who had it when the dialog opened: nobody, where that was lost while this was loaded.
    if (document.activeElement === document.body && opener instanceof HTMLElement) opener.focus();
  };
  const dialog = mount(Settings, { target: document.body, props: { room, onclose } });
}
