/** Countries, regions and languages as people type them: names or codes, with commas between. */

/** What was understood, and what was not. */
export interface Codes {
  codes: string[];
  unknown: string[];
}

const LETTERS = [..."abcdefghijklmnopqrstuvwxyz"];
const PAIRS = LETTERS.flatMap((first) => LETTERS.map((second) => first + second));

class Words {
  readonly #names: Intl.DisplayNames;
  readonly #byName = new Map<string, string>();

  constructor(
    type: "region" | "language",
    /** The code that is used today, for an older one: UK is GB. */
    readonly canonical: (code: string) => string,
  ) {
    this.#names = new Intl.DisplayNames("en", { type, fallback: "none" });
    for (const pair of PAIRS) {
      const code = canonical(pair);
      const name = code.toLowerCase() === pair && this.name(code);
      if (name) this.#byName.set(name.toLowerCase(), code);
    }
  }

  name(code: string): string | undefined {
    return this.#names.of(code);
  }

  /** A name where it leads back to the code, else the code. */
  shown(code: string): string {
    const name = this.name(code);
    return name && this.#byName.get(name.toLowerCase()) === code ? name : code;
  }

  code(word: string, form: RegExp): string | undefined {
    const named = this.#byName.get(word.toLowerCase());
    if (named || !form.test(word)) return named;
    const code = this.canonical(word);
    return this.name(code) && code;
  }
}

let countries: Words | undefined;
let languages: Words | undefined;
const countryWords = () =>
  (countries ??= new Words("region", (code) => new Intl.Locale(`und-${code}`).region!));
const languageWords = () =>
  (languages ??= new Words("language", (code) => new Intl.Locale(code).toString()));

export const words = (text: string): string[] =>
  text
    .split(/[,;\n]/)
    .map((word) => word.trim())
    .filter(Boolean);

function understood(text: string, codeOf: (word: string) => string | undefined): Codes {
  const found = words(text).map((word) => [word, codeOf(word)] as const);
  return {
    codes: [...new Set(found.flatMap(([, code]) => code ?? []))],
    unknown: found.flatMap(([word, code]) => (code ? [] : word)),
  };
}

/** "Germany, at" → DE, AT. */
export const countriesIn = (text: string): Codes =>
  understood(text, (word) => countryWords().code(word, /^[a-z]{2}$/i));
/** "German, pt-br" → de, pt-BR. */
export const languagesIn = (text: string): Codes =>
  understood(text, (word) =>
    languageWords().code(word.replace("_", "-"), /^[a-z]{2,3}(-[a-z]{2}|-[0-9]{3})?$/i),
  );
/** "us-ma" → US-MA. */
export const regionsIn = (text: string): Codes =>
  understood(text, (word) =>
    /^[a-z]{2}-[a-z0-9]{1,3}$/i.test(word) ? word.toUpperCase() : undefined,
  );

export const countriesShown = (codes: readonly string[]): string =>
  codes.map((code) => countryWords().shown(code)).join(", ");
export const languagesShown = (codes: readonly string[]): string =>
  codes.map((code) => languageWords().shown(code)).join(", ");
