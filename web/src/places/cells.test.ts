import { describe, expect, it } from "vitest";
import { safe, tsv } from "./cells";

describe("cells", () => {
  it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])("disarm the formula %j", (text) =>
    expect(safe(text)).toBe(`'${text}`),
  );
  it("leave names and numbers as they are", () => {
    expect(safe("Cambridge")).toBe("Cambridge");
    expect(tsv([["a", -1.5, null, undefined, 0]])).toBe("a\t-1.5\t\t\t0");
  });
  it("keep a row in one line when copied", () => {
    expect(tsv([["a\tb", "c\nd"]])).toBe("a b\tc d");
  });
});
