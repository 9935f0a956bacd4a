import { describe, expect, it } from "vitest";
import { parseAddress } from "../state/address";
import { question } from "./question";

const NOW = new Date("2026-11-22T12:00:00Z");
const ask = (search: string) => question(parseAddress(search).filter, NOW, "Europe/Berlin");

describe("the API's query for a filter", () => {
  it("repeats a list and names the zone beside dates", () => {
    expect(ask("link=a&link=b&area=country:US&days=7d")).toBe(
      "link=a&link=b&area=country%3AUS&from=2026-11-16&tz=Europe%2FBerlin",
    );
  });

  it("asks for people only unless told otherwise", () => {
    expect(ask("days=all")).toBe("");
    expect(ask("days=all&network=all")).toBe("network=all");
  });

  it("leaves out what is only the page's own: tab, level, mode, camera", () => {
    expect(ask("tab=links&level=cities&mode=clusters&map=1/2/3&days=all")).toBe("");
  });
});
