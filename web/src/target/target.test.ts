import { describe, expect, it } from "vitest";
import { targetOutline } from "./outline";
import {
  added,
  boxesOf,
  drawnPart,
  partInWords,
  partsOf,
  pointOf,
  shapesIn,
  targetFrom,
  type Part,
  type Position,
} from "./parts";

const RING: Position[] = [
  [-80, 40],
  [-70, 40],
  [-70, 45],
  [-80, 40],
];
const PARTS: Part[] = [
  { kind: "area", id: "region:US-MA" },
  { kind: "area", id: "zip:10001" },
  { kind: "circle", circle: { lat: 42, lon: -71, km: 50 } },
  { kind: "shape", rings: [RING] },
];

describe("a target", () => {
  it("comes back from its parts", () => {
    expect(partsOf(targetFrom(PARTS))).toEqual(PARTS);
    expect(targetFrom([])).toBeNull();
    expect(partsOf(null)).toEqual([]);
    const polygon = {
      areas: [],
      circles: [],
      shape: { type: "Polygon", coordinates: [RING] },
    } as const;
    expect(partsOf(polygon as never)).toEqual([{ kind: "shape", rings: [RING] }]);
  });
  it("has no part twice", () => {
    expect(added(PARTS, { kind: "area", id: "zip:10001" })).toBe(PARTS);
    expect(added(PARTS, { kind: "area", id: "zip:10002" })).toHaveLength(5);
  });
  it("is called by what is in it", () => {
    expect(partInWords(PARTS[2]!)).toBe("Within 50 km of 42.00, -71.00");
    expect(partInWords(PARTS[3]!)).toBe("A drawn area with 3 corners");
  });
  it("has a box for all that has no area", () => {
    const [circle, shape] = boxesOf(PARTS);
    expect(shape).toEqual([-80, 40, -70, 45]);
    expect(circle![3] - circle![1]).toBeCloseTo((100 / 6371) * (180 / Math.PI), 2);
  });
  it("is outlined: what the basemap has by its code, the rest as rings", () => {
    const placed = new Map([["zip:10001", { id: "zip:10001", lat: 40.7, lon: -74 }]]);
    const { sources, layers } = targetOutline(PARTS, placed, "light", new Set(["US-MA"]));
    const source = sources!["target"] as { data: { features: { geometry: { type: string } }[] } };
    expect(source.data.features.map(({ geometry }) => geometry.type)).toEqual([
      "Polygon",
      "Polygon",
      "Point",
    ]);
    expect(layers.map(({ layer }) => layer.id)).toContain("target-line-region");
    expect(layers.map(({ layer }) => layer.id)).not.toContain("target-line-county");
  });
});

describe("what is typed or pasted", () => {
  it.each([
    ["42.36, -71.06", [-71.06, 42.36]],
    ["-33.9 18.4", [18.4, -33.9]],
    ["91, 0", null],
    ["42.36", null],
    ["02139", null],
    ["Boston", null],
  ])("%s", (text, point) => expect(pointOf(text)).toEqual(point));
  it("is a drawn area with its ring closed", () => {
    const part = drawnPart("-71.2,42.3,-71,42.4") as { rings: Position[][] };
    expect(part.rings[0]).toHaveLength(5);
    expect(part.rings[0]![0]).toEqual(part.rings[0]!.at(-1));
    expect(drawnPart("1,2,3")).toBeNull();
  });
  it("is GeoJSON of any kind that has polygons", () => {
    const polygon = { type: "Polygon", coordinates: [RING.map(([x, y]) => [x, y, 7])] };
    const feature = { type: "Feature", properties: {}, geometry: polygon };
    for (const value of [polygon, feature, { type: "FeatureCollection", features: [feature] }])
      expect(shapesIn(JSON.stringify(value))).toEqual([{ kind: "shape", rings: [RING] }]);
    expect(
      shapesIn(JSON.stringify({ type: "MultiPolygon", coordinates: [[RING], [RING]] })),
    ).toHaveLength(2);
    expect(() => shapesIn("{")).toThrow("not JSON");
    expect(() => shapesIn('{"type":"Point","coordinates":[0,0]}')).toThrow("no Polygon");
    expect(() => shapesIn('{"type":"Polygon","coordinates":[[["a",1]]]}')).toThrow("two numbers");
  });
});
