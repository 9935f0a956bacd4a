import { describe, expect, it } from "vitest";
import { drawnAreas, look, shapeOf, areaRadius } from "./areas";
import { clickStops, colourAt, inkOn, isFaint, legendTicks, stopsOf, type Stops } from "./scale";
import { tintOf } from "./tint";

const STOPS: Stops = [
  [1, "#000000"],
  [10, "#0a0a0a"],
  [100, "#ff0000"],
];

describe("a colour by value", () => {
  it("is a stop's own at the stop, and stays beyond the ends", () => {
    expect(STOPS.map(([value]) => colourAt(STOPS, value))).toEqual(STOPS.map(([, c]) => c));
    expect(colourAt(STOPS, 0)).toBe("#000000");
    expect(colourAt(STOPS, 1e6)).toBe("#ff0000");
  });

  it("is mixed halfway on the logarithm", () => {
    expect(colourAt(STOPS, Math.sqrt(10))).toBe("#050505");
  });

  it("comes from the server's scale in both themes", () => {
    const scale = { stops: [50, 100], light: ["#111111", "#222222"], dark: ["#333333", "#444444"] };
    expect(stopsOf(scale, "dark")).toEqual([
      [50, "#333333"],
      [100, "#444444"],
    ]);
  });

  it("of clicks spans one to the most, and never less than ten", () => {
    expect(clickStops(10_000, "light").map(([n]) => Math.round(n))).toEqual([
      1, 10, 100, 1000, 10000,
    ]);
    expect(clickStops(2, "dark").at(-1)![0]).toBe(10);
  });

  it("bears letters that can be read", () => {
    expect([inkOn("#ffffff"), inkOn("#4a1254")]).toEqual(["#231208", "#ffffff"]);
  });
});

describe("a legend", () => {
  it("has an index's 100 in its middle", () => {
    const ticks = legendTicks([20, 33, 50, 75, 100, 133, 200, 300, 500], true);
    expect(ticks.map(({ n }) => n)).toEqual([20, 50, 100, 200, 500]);
    expect(ticks[2]!.at).toBe(50);
  });
});

describe("too few clicks", () => {
  it("are few both counted and expected: none where hundreds were expected says a lot", () => {
    expect(isFaint(0, 300)).toBe(false);
    expect(isFaint(9, 3)).toBe(true);
    expect(isFaint(10, 0.1)).toBe(false);
    expect(isFaint(500, null)).toBe(true);
  });

  it("make a bubble faint by a rule that MapLibre can follow", () => {
    const { opacity } = tintOf("index", STOPS);
    expect(JSON.stringify(opacity)).toContain('["get","expected"]');
  });
});

describe("an area on the map", () => {
  const columns = {
    level: "regions" as const,
    snapshot: "1",
    total: 30,
    ids: ["region:US-MA", "region:KE-30", "region:US-WY"],
    names: ["Massachusetts", "Nairobi", "Wyoming"],
    lat: [42, -1, 43],
    lon: [-71, 37, -107],
    clicks: [20, 10, 0],
    population: [7e6, null, 6e5],
    rate: [0.03, null, 0],
    index: [100, null, 0],
    expected: [20, null, 40],
  };
  const areas = drawnAreas(columns, new Set(["US-MA", "US-WY"]));

  it("has a shape where the basemap has one", () => {
    expect(areas.get("region:US-MA")!.shape).toEqual({ kind: "region", code: "US-MA" });
    expect(areas.get("region:KE-30")!.shape).toBeNull();
    expect(shapeOf("county:25017", new Set())).toEqual({ kind: "county", code: "25017" });
    expect(shapeOf("metro:14460", new Set())).toBeNull();
  });

  it("looks as its value says, and like nothing where there is none", () => {
    expect(look(areas.get("region:US-MA")!, "index", STOPS)).toEqual({
      colour: "#ff0000",
      opacity: 0.88,
    });
    expect(look(areas.get("region:US-WY")!, "index", STOPS)).toEqual({
      colour: "#000000",
      opacity: 0.88,
    });
    expect(look(areas.get("region:US-WY")!, "clicks", STOPS)).toBeNull();
    expect(look(areas.get("region:KE-30")!, "rate", STOPS)).toBeNull();
  });

  it("without a shape is a bubble whose surface goes with its clicks", () => {
    expect(areaRadius(400, 400) / areaRadius(100, 400)).toBeCloseTo(2);
  });
});
