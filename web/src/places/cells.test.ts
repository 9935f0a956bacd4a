import { describe, expect, it } from "vitest";
import { csv, safe, tsv } from "./cells";

describe("cells", () => {
  it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])("disarm the formula %j", (text) =>
    expect(safe(text)).toBe(`'${text}`),
  );
  it("leave names and numbers as they are", () => {
    expect(safe("Cambridge")).toBe("Cambridge");
    expect(tsv([["a", -1.5, null, undefined, 0]])).toBe("a\t-1.5\t\t\t0");
  });
  it("are quoted in CSV only where they must be", () => {
    expect(
      csv([
        ["id", 'a "b", c'],
        ["x\ny", 2],
      ]),
    ).toBe('\ufeffid,"a ""b"", c"\r\n"x\ny",2\r\n');
  });
  it("keep a row in one line when copied", () => {
    expect(tsv([["a\tb", "c\nd"]])).toBe("a b\tc d");
  });
});
