import { describe, expect, it } from "vitest";
import type { Link } from "../api/types";
import { shownField, wrongIn } from "./check";
import { countriesIn, countriesShown, languagesIn, languagesShown, regionsIn } from "./codes";
import { formOf, newRule, newSide, onClock, patchOf } from "./form";
import { changeInWords } from "./history";

const LINK = {
  code: "spring",
  short_url: "https://go.test/spring",
  url: "https://example.com/spring",
  title: "Spring",
  campaign: null,
  channel: "email",
  tags: ["sale"],
  starts_at: null,
  expires_at: "2027-01-01T12:00:30Z",
  max_clicks: null,
  has_password: true,
  status: 302,
  pass_query: false,
  notes: "",
  rules: [{ name: "German", url: "https://example.com/de", languages: ["de", "de-AT"] }],
  split: [{ name: "A", url: null, weight: 3 }],
} as unknown as Link;

function edited(change: (form: ReturnType<typeof formOf>) => void) {
  const form = formOf(LINK);
  change(form);
  return form;
}
const patch = (change: (form: ReturnType<typeof formOf>) => void) =>
  patchOf(edited(change), formOf(LINK));
const wrong = (change: (form: ReturnType<typeof formOf>) => void) => wrongIn(edited(change));

describe("what is changed", () => {
  it("is nothing at first, and a moment keeps its seconds", () => {
    expect(patch(() => {})).toEqual({});
  });
  it("is said field by field", () => {
    expect(
      patch((form) => {
        form.url = "example.com/summer";
        form.campaign = " Summer ";
        form.channel = "";
        form.tags = "sale, , new";
        form.expires = "";
        form.max = 10;
      }),
    ).toEqual({
      url: "https://example.com/summer",
      campaign: "Summer",
      channel: null,
      tags: ["sale", "new"],
      expires_at: null,
      max_clicks: 10,
    });
  });
  it("takes moments from the reader's clock", () => {
    const moment = patch((form) => (form.starts = "2026-12-01T09:30")).starts_at!;
    expect(moment).toBe(new Date(2026, 11, 1, 9, 30).toISOString());
    expect(onClock(moment)).toBe("2026-12-01T09:30");
  });
  it("leaves the password as it is, sets it or takes it away", () => {
    expect(patch((form) => (form.title = "x"))).not.toHaveProperty("password");
    expect(patch((form) => (form.password = "secret"))).toEqual({ password: "secret" });
    expect(patch((form) => (form.unlock = true))).toEqual({ password: null });
  });
  it("has rules and sides whole", () => {
    const { rules, split } = patch((form) => {
      const rule = { ...newRule(), name: "App", url: "https://apps.example.com/" };
      form.rules.push({ ...rule, countries: "US, canada", regions: "us-ma", devices: ["mobile"] });
      form.split.push(newSide("B", "example.com/b"));
    });
    expect(rules![0]).toMatchObject({ name: "German", languages: ["de", "de-AT"], countries: [] });
    expect(rules![1]).toEqual({
      name: "App",
      url: "https://apps.example.com/",
      countries: ["US", "CA"],
      regions: ["US-MA"],
      devices: ["mobile"],
      languages: [],
    });
    expect(split).toEqual([
      { name: "A", url: null, weight: 3 },
      { name: "B", url: "https://example.com/b", weight: 1 },
    ]);
  });
});

describe("names and codes", () => {
  it("of countries", () => {
    const names = "Germany, at; UK, Atlantis, xq";
    expect(countriesIn(names)).toEqual({ codes: ["DE", "AT", "GB"], unknown: ["Atlantis", "xq"] });
    expect(countriesShown(["DE", "GB"])).toBe("Germany, United Kingdom");
  });
  it("come back as they were, all of them", () => {
    const codes = ["BA", "CD", "CI", "HK", "MM", "TR", "US", "VC", "XK"];
    expect(countriesIn(countriesShown(codes))).toEqual({ codes, unknown: [] });
    const languages = ["de", "de-AT", "zh", "zh-TW", "pt-BR", "en", "es-419"];
    expect(languagesIn(languagesShown(languages))).toEqual({ codes: languages, unknown: [] });
  });
  it("of languages and regions", () => {
    expect(languagesIn("german, pt_br, klingonish").codes).toEqual(["de", "pt-BR"]);
    expect(regionsIn("us-ma, Bavaria")).toEqual({ codes: ["US-MA"], unknown: ["Bavaria"] });
  });
});

describe("what is wrong", () => {
  it("is nothing with the link as it was", () => expect(wrong(() => {})).toBeNull());
  it("is said at its field", () => {
    expect(wrong((form) => (form.url = "nowhere"))?.field).toBe("url");
    expect(wrong((form) => (form.password = "abc"))?.field).toBe("password");
    expect(wrong((form) => (form.starts = "2030-01-01T00:00"))?.field).toBe("expires_at");
    expect(wrong((form) => (form.max = 0.5))?.field).toBe("max_clicks");
    expect(wrong((form) => (form.rules[0]!.countries = "Atlantis"))).toEqual({
      field: "rules.0.countries",
      words: "“Atlantis” is no country that is known here. Write it like Germany or DE.",
    });
    expect(wrong((form) => (form.split[0]!.weight = null))?.field).toBe("split.0.weight");
  });
  it("with a value of a list is shown with the list", () => {
    expect(shownField("rules.0.countries.1")).toBe("rules.0.countries");
    expect(shownField("tags.3")).toBe("tags");
    expect(shownField("rules.0")).toBe("rules.0");
    expect(shownField("url")).toBe("url");
  });
});

it("history is told in words", () => {
  const row = { at: "", who: null, action: "link.change", subject: "spring" };
  expect(
    changeInWords({ ...row, detail: "password, url: https://a.test/ → https://b.test/" }),
  ).toBe("Changed the password and the destination: https://a.test/ → https://b.test/");
  expect(changeInWords({ ...row, subject: "old → new", detail: "code" })).toBe(
    "Changed the code: old → new",
  );
  expect(changeInWords({ ...row, action: "link.create", detail: "https://a.test/" })).toBe(
    "Made it, leading to https://a.test/",
  );
});
