/** How a QR code is to look, and whether scanners will read it. */

export interface Look {
  /** Pixels of a PNG, points of SVG and PDF. */
  size: number | null;
  /** Modules. */
  margin: number;
  /** Colours as the browser's own field gives them: "#1d3557". */
  dark: string;
  light: string;
  /** No background. */
  clear: boolean;
  logo: boolean;
}
export const PLAIN: Look = {
  ...{ size: 1024, margin: 4, dark: "#000000", light: "#ffffff", clear: false, logo: false },
};
export const FORMATS = ["png", "svg", "pdf"] as const;
export type Format = (typeof FORMATS)[number];
const [LEAST_SIZE, MOST_SIZE] = [256, 4096];
/** As the API has it: below, phones miss codes in poor light. */
const LEAST_CONTRAST = 4;

/** Where a link's code is. `drawn` counts new logos up: the same address has a new picture. */
export function codeAt(code: string, look: Look, format: Format, drawn = 0): string {
  const asked = new URLSearchParams({
    format,
    size: String(look.size),
    margin: String(look.margin),
    dark: look.dark.slice(1),
    light: look.clear ? "transparent" : look.light.slice(1),
    ...(look.logo && { logo: "true" }),
    ...(drawn && { v: String(drawn) }),
  });
  return `/api/links/${encodeURIComponent(code)}/qr?${asked}`;
}

/** Relative luminance, 0 to 1 (WCAG 2.2). */
function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

/** What keeps a code from being drawn, by the field that it lies in; null: nothing. */
export function wrongLook(look: Look): { field: "size" | "dark"; words: string } | null {
  const { size } = look;
  if (!Number.isInteger(size) || size! < LEAST_SIZE || size! > MOST_SIZE)
    return { field: "size", words: `A whole number from ${LEAST_SIZE} to ${MOST_SIZE}.` };
  const contrast =
    (luminance(look.clear ? "#ffffff" : look.light) + 0.05) / (luminance(look.dark) + 0.05);
  if (contrast >= LEAST_CONTRAST) return null;
  const inverted = contrast < 1;
  const ratio = (inverted ? 1 / contrast : contrast).toFixed(1);
  return {
    field: "dark",
    words: inverted
      ? `The code is lighter than its background (contrast ${ratio}): many phones miss such codes. Take a dark colour on a light one.`
      : `The colours are too alike for scanners: their contrast is ${ratio}, and 4 or more is needed. Take a darker code or a lighter background.`,
  };
}
