/** The two looks of the basemap. It stays quiet: colour and contrast belong to the clicks drawn on it. */
export type Theme = "light" | "dark";

export interface Palette {
  ocean: string;
  land: string;
  /** Lines, from the strongest to the faintest. */
  coast: string;
  countryBorder: string;
  regionBorder: string;
  countyBorder: string;
  countryText: string;
  regionText: string;
  cityText: string;
  townText: string;
  marineText: string;
  /** Behind letters: the land's colour, nearly opaque, so a name stays readable on a hot spot. */
  halo: string;
  marineHalo: string;
}

export const PALETTES: Record<Theme, Palette> = {
  light: {
    ocean: "#d6e0e8",
    land: "#f8f8f6",
    coast: "#bccad4",
    countryBorder: "#a9b3bd",
    regionBorder: "#c8ced4",
    countyBorder: "#e0e3e6",
    countryText: "#4d5763",
    regionText: "#858f9a",
    cityText: "#3d4752",
    townText: "#66707b",
    marineText: "#86a0b3",
    halo: "rgba(250, 250, 248, 0.88)",
    marineHalo: "rgba(214, 224, 232, 0)",
  },
  dark: {
    ocean: "#0d1219",
    land: "#19202a",
    coast: "#2b3644",
    countryBorder: "#4d5a6b",
    regionBorder: "#36414f",
    countyBorder: "#252d38",
    countryText: "#a9b5c3",
    regionText: "#76828f",
    cityText: "#c3ccd6",
    townText: "#8e99a6",
    marineText: "#4f647b",
    halo: "rgba(18, 24, 32, 0.88)",
    marineHalo: "rgba(13, 18, 25, 0)",
  },
};
