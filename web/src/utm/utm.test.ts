import { describe, expect, it } from "vitest";
import { filled, given, partsOf, withParts } from "./utm";

const OWN = { campaign: "Spring", channel: "email", code: "", title: " Sale & more " };

describe("campaign parameters", () => {
  it("go into the query, in place of those before, and leave the rest as it is", () => {
    expect(
      withParts("https://a.example/?x=1&utm_source=old#top", { source: "mail", medium: "e mail" }),
    ).toBe("https://a.example/?x=1&utm_source=mail&utm_medium=e%20mail#top");
    expect(withParts("https://a.example/?x=1&x=2&flag", { term: "" })).toBe(
      "https://a.example/?x=1&x=2&flag",
    );
    expect(withParts("https://a.example/#a?b#c", { id: "7" })).toBe(
      "https://a.example/?utm_id=7#a?b#c",
    );
  });

  it("are read back, and taken out", () => {
    const url = withParts("https://a.example/p?q=%zz&=3", { source: "a&b=c", content: "ä +%" });
    expect(partsOf(url)).toEqual({ source: "a&b=c", content: "ä +%" });
    expect(partsOf("https://a.example/?utm_source&utm_medium=a+b")).toEqual({
      source: "",
      medium: "a b",
    });
    expect(withParts(url, {})).toBe("https://a.example/p?q=%zz&=3");
  });

  it("are filled with the link's own words; what is not known is left out", () => {
    const template = {
      source: "news-{channel}",
      campaign: "{campaign}",
      content: "{code}",
      term: " {title} ",
    };
    const found = filled(template, OWN);
    expect(given(found)).toEqual({ source: "news-email", campaign: "Spring", term: "Sale & more" });
    expect(given({ source: " " })).toBe(null);
  });
});
