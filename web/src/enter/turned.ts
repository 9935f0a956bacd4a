/** Why nobody was signed in by an identity provider: a heading and what to do, by the word in the page's address. */
export function turned(why: string | null, name: string): [string, string] | undefined {
  const words: Record<string, [string, string]> = {
    cancelled: [
      "Nobody was signed in",
      `You cancelled at ${name}. Try again, or come in another way.`,
    ],
    lost: [
      "That sign-in is over",
      `A sign-in with ${name} holds for ten minutes, in the browser where it began. Try again.`,
    ],
    away: [
      `${name} can’t be reached`,
      "Try again in a moment, or come in another way. For who runs this clickatlas, the server’s log says more.",
    ],
    refused: [
      `${name} did not sign you in`,
      "Try again. If it stays so, tell who runs this clickatlas: the server’s log says why.",
    ],
    unverified: [
      "Your address is not confirmed",
      `${name} does not vouch for your e-mail address. Confirm it there, then try again.`,
    ],
    domain: [
      "Not with that address",
      `Accounts here are for certain e-mail domains. Sign out at ${name}, and come with your address at work.`,
    ],
    uninvited: [
      "No invitation yet",
      "Accounts here are by invitation. Ask an owner of a workspace to invite the address that you have there, then try again.",
    ],
    closed: [
      "No account yet",
      "This does not make accounts here. Open your invitation’s link first, or ask who runs this clickatlas for one.",
    ],
    taken: [
      "That account is another’s",
      `Somebody else at ${name} signs in to the account with your address. Ask who runs this clickatlas.`,
    ],
  };
  return words[why ?? ""];
}
