import { describe, expect, it } from "vitest";
import { bareUrl, clicks, compact, counted, roundDown, share, webAddress } from "./format";

describe("numbers", () => {
  it("agree with their noun", () => {
    expect(clicks(1)).toBe("1 click");
    expect(counted(2, "city", "cities")).toBe("2 cities");
    expect(clicks(0)).toBe("0 clicks");
  });

  it("are short where space is", () => {
    expect(compact(1204)).toBe("1.2K");
    expect(compact(47)).toBe("47");
    expect(compact(2_500_000)).toBe("2.5M");
    expect([0.05, 0.15, 1.5].map(compact)).toEqual(["0.05", "0.15", "1.5"]);
  });

  it("never round a share to nothing or to everything", () => {
    expect(share(0)).toBe("0.0%");
    expect(share(0.00001)).toBe("<0.01%");
    expect(share(0.00062)).toBe("0.06%");
    expect(share(0.99999)).toBe(">99.9%");
    expect(share(1)).toBe("100.0%");
    expect(share(0.374)).toBe("37.4%");
  });

  it("round down to 1, 2 or 5 for legends", () => {
    expect([0.3, 1, 3, 7, 49, 51, 1999].map(roundDown)).toEqual([1, 1, 2, 5, 20, 50, 1000]);
  });
});

describe("web addresses", () => {
  it("get their scheme when it was left out", () => {
    expect(webAddress(" example.com/a?b=c ")).toBe("https://example.com/a?b=c");
    expect(webAddress("example.com:8080/a")).toBe("https://example.com:8080/a");
    expect(webAddress("http://localhost:3000")).toBe("http://localhost:3000");
  });

  it.each([
    "",
    "hello",
    "two words",
    "javascript:alert(1)",
    "ftp://example.com",
    "mailto:a@example.com",
  ])("are not made of %j", (text) => {
    expect(webAddress(text)).toBeNull();
  });

  it("open apps that the operator allows", () => {
    expect(webAddress(" myapp://open/7 ", ["myapp", "tel"])).toBe("myapp://open/7");
    expect(webAddress("TEL:+15550100", ["myapp", "tel"])).toBe("TEL:+15550100");
    expect(webAddress("myapp://open/7", ["tel"])).toBeNull();
    expect(webAddress("tel:", ["tel"])).toBeNull();
    expect(webAddress("javascript:alert(1)", ["tel"])).toBeNull();
  });

  it("are shown without what every address has", () => {
    expect(bareUrl("https://www.example.com/a/")).toBe("example.com/a");
  });
});
