import type { StyleSpecification } from "maplibre-gl";

type FontFaces = NonNullable<StyleSpecification["font-faces"]>;

// The subsets and ranges that @fontsource/noto-sans cuts its files by; a file is fetched only when
// a name on the screen needs it, so most readers load the Latin ones alone (13 kB a weight).
const SUBSETS: Record<string, string> = {
  latin:
    "U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+2000-206F,U+20AC,U+2122,U+2212",
  "latin-ext": "U+0100-0130,U+0132-0151,U+0154-019F,U+01A2-01AE,U+01B1-02BA,U+1E00-1E9F",
  vietnamese: "U+01A0-01A1,U+01AF-01B0,U+1EA0-1EF9",
};

export const FONTS = {
  regular: "Noto Sans Regular",
  medium: "Noto Sans Medium",
  semibold: "Noto Sans SemiBold",
  italic: "Noto Sans Italic",
} as const;

const FILES: Record<keyof typeof FONTS, string> = {
  regular: "400-normal",
  medium: "500-normal",
  semibold: "600-normal",
  italic: "400-italic",
};

/** Style-root `font-faces`: Noto Sans from the server's own files, instead of a glyph server. */
export function fontFaces(base: string): FontFaces {
  const faces: FontFaces = {};
  for (const weight of Object.keys(FONTS) as (keyof typeof FONTS)[]) {
    faces[FONTS[weight]] = Object.entries(SUBSETS).map(([subset, ranges]) => ({
      url: `${base}fonts/noto-sans-${subset}-${FILES[weight]}.woff2`,
      "unicode-range": ranges.split(","),
    }));
  }
  return faces;
}
