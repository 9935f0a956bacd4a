import { describe, expect, it } from "vitest";
import { parseAddress } from "../state/address";
import { shareFilter } from "./api";

const of = (query: string) => shareFilter(parseAddress(query).filter, "Europe/Berlin", false);

describe("a share's filter", () => {
  it("moves on where the page's dates do", () => {
    expect(of("days=30d&link=a&link=b")).toEqual({
      days: 30,
      link: ["a", "b"],
      tz: "Europe/Berlin",
      today: false,
    });
    expect(of("days=24h")).toMatchObject({ days: 1 });
    expect(of("days=all")).toEqual({ tz: "Europe/Berlin", today: false });
  });
  it("is of whole days", () => {
    expect(of("from=2026-11-01T14:00&to=2026-11-09")).toMatchObject({
      from: "2026-11-01",
      to: "2026-11-09",
    });
  });
});
