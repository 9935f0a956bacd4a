import { domains } from "../settings/api";

/** Where new links may be. */
export interface Choice {
  /** The installation's own host. */
  own: string;
  /** Where they are unless it is said; the own host where no domain is the primary one. */
  primary: string;
  verified: { name: string; shown: string }[];
}

/** The domains that there are to choose from. */
export async function choice(): Promise<Choice> {
  const { rows, default: own } = await domains.all();
  const verified = rows.filter((row) => row.verified_at);
  const primary = verified.find((row) => row.primary)?.name ?? own;
  return { own, primary, verified };
}
