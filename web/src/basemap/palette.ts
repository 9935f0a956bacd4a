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
    ocean: "#dde5eb",
    land: "#f8f8f6",
    coast: "#c3ced6",
    countryBorder: "#b4bcc4",
    regionBorder: "#cdd2d7",
    countyBorder: "#e0e3e6",
    countryText: "#4d5763",
    regionText: "#8f99a4",
    cityText: "#3d4752",
    townText: "#66707b",
    marineText: "#94a7b5",
    halo: "rgba(250, 250, 248, 0.88)",
    marineHalo: "rgba(221, 229, 235, 0)",
  },
  dark: {
    ocean: "#0d1219",
    land: "#19202a",
    coast: "#2b3644",
    countryBorder: "#434f5e",
    regionBorder: "#303a47",
    countyBorder: "#252d38",
    countryText: "#a9b5c3",
    regionText: "#66727f",
    cityText: "#c3ccd6",
    townText: "#8e99a6",
    marineText: "#3f5063",
    halo: "rgba(18, 24, 32, 0.88)",
    marineHalo: "rgba(13, 18, 25, 0)",
  },
};
