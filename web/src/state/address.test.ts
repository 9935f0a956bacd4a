import { describe, expect, it } from "vitest";
import { DEFAULT_DATES, filterSize, formatAddress, parseAddress } from "./address";

describe("an address", () => {
  it("says nothing when everything is as usual", () => {
    expect(formatAddress(parseAddress(""))).toBe("");
  });

  it("comes back the same from its own query string", () => {
    const search =
      "tab=links&level=cities&mode=clusters&link=spring&link=q3&campaign=Spring+launch&tag=a%26b" +
      "&area=country:US&area=region:US-MA&network=all&from=2026-11-01&to=2026-11-09&map=4.25/42.36/-71.0589";
    const address = parseAddress(search);
    expect(formatAddress(address)).toBe(search);
    expect(parseAddress(formatAddress(address))).toEqual(address);
    expect(address.filter.tag).toEqual(["a&b"]);
  });

  it("keeps what insights are held against", () => {
    const address = parseAddress("tab=insights&baseline=others&channel=email");
    expect(address.baseline).toBe("others");
    expect(formatAddress(address)).toBe("tab=insights&baseline=others&channel=email");
  });

  it("keeps a preset that is not the usual one", () => {
    const address = parseAddress("days=7d");
    expect(address.filter.dates).toEqual({ preset: "7d" });
    expect(formatAddress(address)).toBe("days=7d");
  });

  it("reads a range that is open on one side", () => {
    expect(parseAddress("from=2026-11-01").filter.dates).toEqual({ from: "2026-11-01", to: null });
  });

  it.each([
    "level=planets&mode=fog&tab=x&days=1y",
    "map=1/2&from=yesterday",
    "map=a/b/c&to=2026-13-45",
    "map=//&link=&area=",
    "map=3/91/0",
    "map=99/0/0",
  ])("makes the usual view of junk: %s", (search) => {
    const address = parseAddress(search);
    expect(address).toEqual(parseAddress(""));
    expect(address.filter.dates).toEqual(DEFAULT_DATES);
  });

  it("lists a value once", () => {
    expect(parseAddress("link=a&link=a&link=b").filter.link).toEqual(["a", "b"]);
  });

  it("rounds the camera to what can be seen", () => {
    const camera = { zoom: 9.87654, lat: 42.360081, lng: -71.0589001 };
    expect(formatAddress({ ...parseAddress(""), camera })).toBe("map=9.88/42.3601/-71.0589");
  });

  it("counts filters without the dates", () => {
    expect(filterSize(parseAddress("link=a&area=country:US&days=7d").filter)).toBe(2);
  });
});

describe("an explorer's address", () => {
  it("keeps measure, drawer, drawn area and the second filter of a comparison", () => {
    const search =
      "mode=areas&measure=index&within=-71.2,42.3,-71,42.4&from=2026-11-01T08:00&to=2026-11-01T17:00" +
      "&compare=difference&b.channel=email&b.days=7d&open=zip:02139";
    const address = parseAddress(search);
    expect(formatAddress(address)).toBe(search);
    expect(address.other.channel).toEqual(["email"]);
    expect(address.other.dates).toEqual({ preset: "7d" });
    expect(address.filter.dates).toEqual({ from: "2026-11-01T08:00", to: "2026-11-01T17:00" });
  });

  it("forgets the second filter once nothing is compared", () => {
    expect(formatAddress(parseAddress("b.channel=email"))).toBe("");
  });
});
