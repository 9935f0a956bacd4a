/** What the page itself can tell about a form, in better words than a pattern that was not met. */
import { webAddress } from "../words/format";
import { countriesIn, languagesIn, regionsIn, type Codes } from "./codes";
import type { LinkForm } from "./form";

/** A field by the API's name for it ("rules.0.url"), and what is wrong with it. */
export interface Wrong {
  field: string;
  words: string;
}

const NO_ADDRESS =
  "This does not look like a web address. It should be like https://example.com/page.";
const whole = (n: number | null, most: number) => Number.isInteger(n) && n! >= 1 && n! <= most;

/** The first thing that is wrong, or null. */
export function wrongIn(form: LinkForm): Wrong | null {
  const at = (field: string, words: string | false | null | undefined) =>
    words ? { field, words } : null;
  const basics = [
    at("url", !webAddress(form.url) && NO_ADDRESS),
    at("code", !form.code.trim() && "A link needs a code."),
    at("expires_at", ended(form) && "It would expire before it starts."),
    at("max_clicks", form.max !== null && !whole(form.max, 1e12) && "A whole number from 1 on."),
    at(
      "password",
      form.password && form.password.length < 4 && "A password has 4 characters or more.",
    ),
  ];
  const rules = form.rules.flatMap((rule, i) => [
    at(
      `rules.${i}.name`,
      !rule.name.trim() && "Its clicks are listed under its name: give it one.",
    ),
    at(`rules.${i}.countries`, notKnown(countriesIn(rule.countries), "country", "Germany or DE")),
    at(`rules.${i}.regions`, notKnown(regionsIn(rule.regions), "region’s code", "US-MA")),
    at(`rules.${i}.languages`, notKnown(languagesIn(rule.languages), "language", "German or de")),
    at(`rules.${i}.url`, !webAddress(rule.url) && NO_ADDRESS),
  ]);
  const split = form.split.flatMap((side, i) => [
    at(
      `split.${i}.name`,
      !side.name.trim() && "Its clicks are listed under its name: give it one.",
    ),
    at(`split.${i}.weight`, !whole(side.weight, 10_000) && "A whole number from 1 to 10,000."),
    at(`split.${i}.url`, side.url.trim() && !webAddress(side.url) && NO_ADDRESS),
  ]);
  return [...basics, ...rules, ...split].find((wrong) => wrong !== null) ?? null;
}

const ended = ({ starts, expires }: LinkForm) =>
  starts !== "" && expires !== "" && expires <= starts;

function notKnown({ unknown: [first] }: Codes, what: string, example: string): string | undefined {
  return first && `“${first}” is no ${what} that is known here. Write it like ${example}.`;
}

/** The field that is shown, for one that the API names: a value of a list is shown with its list. */
export const shownField = (field: string): string =>
  field.replace(/^(tags|(?:rules|split)\.\d+\.\w+)\..*$/, "$1");
