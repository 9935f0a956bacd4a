import type { Letter } from "./api";

export const article = (role: string | null) => `${role === "viewer" ? "a" : "an"} ${role}`;

/** What a letter asks, as a heading. */
export function heading(letter: Letter): string {
  if (letter.kind === "invitation") return `Join ${letter.workspace}`;
  return letter.kind === "address" ? "Confirm your new address" : "Almost there";
}

/** What a letter asks, as a sentence. */
export function sentence(letter: Letter): string {
  if (letter.kind === "invitation")
    return `${letter.invited_by ?? "Somebody"} invites ${letter.email} to this workspace, as ${article(letter.role)}.`;
  return letter.kind === "address"
    ? `From then on you sign in as ${letter.email}.`
    : `Your account for ${letter.email} needs a name and a password.`;
}
