import { expect, it } from "vitest";
import { asCsv } from "./rows";

it("gives a list of addresses its header, and leaves a table as it is", () => {
  expect(asCsv("https://a.example/x,y\n\nhttps://b.example/\n")).toBe(
    'url\n"https://a.example/x,y"\n"https://b.example/"',
  );
  expect(asCsv("code,url\na,https://a.example/")).toBe("code,url\na,https://a.example/");
  expect(asCsv("Url\nhttps://a.example/")).toBe("Url\nhttps://a.example/");
  expect(asCsv("  ")).toBe("");
});
