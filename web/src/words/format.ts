/** Numbers and names as the reader sees them, in the reader's own locale where it matters. */

const LOCALE = typeof navigator === "undefined" ? "en" : navigator.language;
const whole = new Intl.NumberFormat(LOCALE);
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const percent = [0, 1, 2].map(
  (digits) =>
    new Intl.NumberFormat(LOCALE, {
      style: "percent",
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }),
);

/** 1204 → "1,204". */
export const count = (n: number): string => whole.format(n);

/** 1204 → "1.2K": for bubbles and legends, where space is short. */
export const compact = (n: number): string => (n < 1 ? rate(n) : short.format(n));

const three = new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 3 });

/** Clicks per 10,000 residents, to three digits: 8.03, 0.512, 1,240. */
export const rate = (n: number): string => three.format(n);

/** An index, whole: 238. Next to nothing is "<1", which "0" is not. */
export const index = (n: number): string => (n > 0 && n < 1 ? "<1" : whole.format(Math.round(n)));

/** 1 → "1 click", 47 → "47 clicks". */
export const clicks = (n: number): string => counted(n, "click");

/** counted(2, "link") → "2 links"; an irregular plural is given as third. */
export function counted(n: number, noun: string, plural = `${noun}s`): string {
  return `${count(n)} ${n === 1 ? noun : plural}`;
}

/** A share of 0..1 as a percentage fine enough that something is never 0 % nor a part 100 %. */
export function share(part: number): string {
  if (part > 0 && part < 0.0001) return `<${percent[2]!.format(0.0001)}`;
  if (part > 0 && part < 0.001) return percent[2]!.format(part);
  if (part < 1 && part > 0.999) return `>${percent[1]!.format(0.999)}`;
  return percent[1]!.format(part);
}

/** "https://www.example.com/a/?x=1" → "example.com/a/?x=1", for lists where the scheme is noise. */
export function bareUrl(url: string): string {
  return url
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, "")
    .replace(/^www\./i, "")
    .replace(/\/$/, "");
}

/** The 1, 2 or 5 times a power of ten that is nearest below `n` (n ≥ 1): round numbers for legends. */
export function roundDown(n: number): number {
  if (n <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(n));
  const lead = n / power;
  return (lead >= 5 ? 5 : lead >= 2 ? 2 : 1) * power;
}

/**
 * Whether a pasted text is an address that can be shortened: of the web, with its scheme added where it was left out, or of an
 * app by one of `schemes`.
 */
export function webAddress(text: string, schemes: readonly string[] = []): string | null {
  const trimmed = text.trim();
  if (!trimmed) return null;
  const scheme = /^([a-z][a-z0-9+.-]*):./i.exec(trimmed)?.[1]?.toLowerCase();
  if (scheme && schemes.includes(scheme)) return trimmed;
  const full =
    /^[a-z][a-z0-9+.-]*:/i.test(trimmed) && !/^[^/]+:\d+/.test(trimmed)
      ? trimmed
      : `https://${trimmed}`;
  try {
    const url = new URL(full);
    const web = url.protocol === "http:" || url.protocol === "https:";
    return web && (url.hostname.includes(".") || url.hostname === "localhost") ? full : null;
  } catch {
    return null;
  }
}
