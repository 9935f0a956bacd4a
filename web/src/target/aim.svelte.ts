/** Whose target is being edited, for the parts of the page that are fetched later. */

export interface Aim {
  kind: "link" | "campaign";
  /** The link's code, or the campaign's name. */
  name: string;
  title: string;
  /** The link's campaign. */
  campaign?: string | null;
}

class Aiming {
  at = $state.raw<Aim | null>(null);
  /** Who takes the next drawing on the map, instead of the filter. */
  take = $state.raw<((within: string) => void) | null>(null);
}

export const aiming = new Aiming();
