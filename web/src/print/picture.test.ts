import { expect, it } from "vitest";
import { filterInWords } from "./caption";
import { wrapped } from "./picture";
import { parseAddress } from "../state/address";

it("breaks a text between words and loses none", () => {
  const text = "This product includes data that somebody made and wants to be thanked for";
  const lines = wrapped(text, (line) => line.length <= 20);
  expect(lines.join(" ")).toBe(text);
  expect(lines.every((line) => line.length <= 20)).toBe(true);
  expect(wrapped("", () => true)).toEqual([]);
  expect(wrapped("unbreakable", () => false)).toEqual(["unbreakable"]);
});

it("says which clicks a picture shows", () => {
  const { filter } = parseAddress("channel=email&channel=social&area=country:DE&within=1,2,3,4");
  expect(filterInWords(filter, () => "Germany")).toEqual([
    "channel email, social",
    "in Germany",
    "in an area drawn on the map",
  ]);
});
