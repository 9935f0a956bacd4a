import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { VectorTile, type VectorTileFeature } from "@mapbox/vector-tile";
import { PbfReader } from "pbf";
import { beforeAll, describe, expect, it } from "vitest";

const WEB = fileURLToPath(new URL("../..", import.meta.url));
const OUT = join(WEB, "public/basemap");

// Reads the served files with the format's reference reader, which shares no code with the writer.
function tile(set: "tiles" | "areas", z: number, x: number, y: number): VectorTile | undefined {
  const file = join(OUT, set, `${z}/${x}/${y}.pbf`);
  return existsSync(file) ? new VectorTile(new PbfReader(readFileSync(file))) : undefined;
}

function features(layer: string, z: number, set: "tiles" | "areas" = "tiles") {
  const found: { feature: VectorTileFeature; x: number; y: number }[] = [];
  for (let x = 0; x < 2 ** z; x++)
    for (let y = 0; y < 2 ** z; y++) {
      const content = tile(set, z, x, y)?.layers[layer];
      for (let i = 0; content && i < content.length; i++)
        found.push({ feature: content.feature(i), x, y });
    }
  return found;
}

const text = (feature: VectorTileFeature, key: string) => feature.properties[key] as string;

function memo<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** Even-odd: holes and parts alike. */
function inside(rings: number[][][], [x, y]: readonly [number, number]): boolean {
  let odd = false;
  for (const ring of rings)
    for (let i = 1; i < ring.length; i++) {
      const [[ax = 0, ay = 0], [bx = 0, by = 0]] = [ring[i - 1]!, ring[i]!];
      if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) odd = !odd;
    }
  return odd;
}

const twiceArea = (ring: { x: number; y: number }[]) =>
  ring.reduce((sum, { x, y }, i) => {
    const next = ring[(i + 1) % ring.length]!;
    return sum + x * next.y - next.x * y;
  }, 0);

/** The zoom at which a city is first named, and where. */
function firstNamed(name: string, near: [number, number]) {
  for (let z = 0; z <= 6; z++)
    for (const { feature, x, y } of features("city_labels", z)) {
      if (text(feature, "name") !== name) continue;
      const { geometry } = feature.toGeoJSON(x, y, z);
      if (geometry.type !== "Point") continue;
      const [lon = NaN, lat = NaN] = geometry.coordinates;
      const apart = Math.hypot(lon - near[0], lat - near[1]);
      if (apart < 0.5) return { z, minzoom: feature.properties.minzoom as number };
    }
  return undefined;
}

beforeAll(() => {
  execFileSync("node", ["basemap/build.mjs"], { cwd: WEB });
}, 120_000);

describe("the world in one tile", () => {
  it("has each country once", () => {
    // What reaches over the edge of the world is there a second time, in the tile's margin.
    const inside = features("countries", 0).filter(({ feature }) => {
      const [w = 0, , e = 0] = feature.bbox();
      return w < 4096 && e > 0;
    });
    const coded = inside.map(({ feature }) => text(feature, "code")).filter(Boolean);
    expect(new Set(coded).size).toBe(coded.length);
    const large =
      "US CA MX BR AR GB FR DE ES IT PL UA RU TR CN IN JP ID AU NZ ZA NG EG KE XK TW EH";
    expect(coded).toEqual(expect.arrayContaining(large.split(" ")));
    expect(coded.length).toBeGreaterThan(190);
  });

  it("gives ISO 3166-1 codes and names", () => {
    for (const { feature } of features("countries", 0)) {
      if (feature.properties.code) expect(feature.properties.code).toMatch(/^[A-Z]{2}$/);
      expect(text(feature, "name")).not.toBe("");
    }
  });
});

describe("countries across the antimeridian", () => {
  // What breaks there is an edge from one side of the world to the other: a stripe.
  it.each(["RU", "FJ", "US", "NZ", "AQ"])(
    "%s is drawn without an edge across the world",
    (code) => {
      const shapes = features("countries", 0).filter((f) => f.feature.properties.code === code);
      expect(shapes.length).toBeGreaterThan(0);
      for (const ring of shapes.flatMap(({ feature }) => feature.loadGeometry()))
        for (let i = 1; i < ring.length; i++) {
          const along = Math.abs(ring[i]!.x - ring[i - 1]!.x);
          const edgeOfWorld = ring[i]!.y >= 4096 && ring[i - 1]!.y >= 4096; // Antarctica's foot
          if (!edgeOfWorld) expect(along).toBeLessThan(600);
        }
    },
  );

  it("leaves the mid-Atlantic to the sea", () => {
    expect(tile("tiles", 6, 26, 27)?.layers.countries).toBeUndefined();
  });

  it("keeps a speck of an island from covering the globe", () => {
    const { feature } = features("countries", 4).find((f) => f.feature.properties.code === "MV")!;
    const [w = NaN, , e = NaN] = feature.bbox();
    expect(e - w).toBeLessThan(1000);
  });
});

describe("names", () => {
  it("grow in number with the zoom", () => {
    const counts = [2, 3, 4, 5, 6].map((z) => features("city_labels", z).length);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(counts[0]).toBeLessThan(60);
    expect(counts[4]).toBeGreaterThan(20_000);
  });

  it.each([
    ["Tokyo", [139.69, 35.69], 2],
    ["New York", [-74, 40.71], 2],
    ["London", [-0.13, 51.51], 2],
    ["Paris", [2.35, 48.85], 3],
    ["Boston", [-71.06, 42.36], 4],
    ["Providence", [-71.41, 41.82], 6],
  ] as const)("%s at %o is named by zoom %i", (name, [lon, lat], latest) => {
    const first = firstNamed(name, [lon, lat]);
    expect(first).toBeDefined();
    expect(first!.z).toBeLessThanOrEqual(latest);
  });

  it("leave Cambridge to close views, Boston being next to it", () => {
    const first = firstNamed("Cambridge", [-71.11, 42.37]);
    expect(first?.minzoom).toBeGreaterThan(6);
  });

  it("name every country, the United States sooner than Luxembourg", () => {
    const labels = features("country_labels", 6).map(({ feature }) => feature.properties);
    expect(labels.length).toBeGreaterThan(235);
    const minzoom = (code: string) =>
      labels.find((label) => label.code === code)?.minzoom as number;
    expect(minzoom("US")).toBe(1);
    expect(minzoom("LU")).toBeGreaterThan(3);
  });
});

describe("polygons for shading", () => {
  const codes = (layer: string, z: number) =>
    new Set(features(layer, z, "areas").map(({ feature }) => text(feature, "code")));
  const listed = () =>
    new Set(JSON.parse(readFileSync(join(OUT, "areas/regions.json"), "utf8")) as string[]);
  const deepest = memo(() => features("regions", 5, "areas"));

  it("have the regions of the whole world, as the atlas counts them", () => {
    const regions = [...listed()];
    const of = (country: string) =>
      regions.filter((code) => code.startsWith(`${country}-`)).sort((x, y) => (x < y ? -1 : 1));
    const counted = "US CA BR AU MX FR IT ES GB DE PL CZ NL AT CH SE NO IN CN JP TR RU ZA NG EG";
    expect(Object.fromEntries(counted.split(" ").map((c) => [c, of(c).length]))).toEqual({
      US: 51,
      CA: 13,
      BR: 27,
      AU: 8,
      MX: 32,
      FR: 13,
      IT: 20,
      ES: 19,
      GB: 4,
      DE: 16,
      PL: 16,
      CZ: 14,
      NL: 13,
      AT: 9,
      CH: 26,
      SE: 21,
      NO: 15,
      IN: 36,
      CN: 31,
      JP: 47,
      TR: 81,
      RU: 83,
      ZA: 9,
      NG: 37,
      EG: 27,
    });
    expect(of("GB")).toEqual(["GB-ENG", "GB-NIR", "GB-SCT", "GB-WLS"]);
    const some = "US-MA FR-IDF IT-25 ES-MD ZA-GP IN-UK PL-14 CZ-10 BE-VLG IE-L PH-00 MX-CMX CO-DC";
    expect(regions).toEqual(expect.arrayContaining(some.split(" ")));
    expect(regions.length).toBeGreaterThan(3400);
  });

  it("are drawn for every region that is listed", () => {
    expect(codes("regions", 5)).toEqual(listed());
  });

  // Where two look alike or Natural Earth has them the wrong way round.
  it.each([
    ["FR-IDF", [2.35, 48.86]],
    ["FR-20R", [9.1, 42.2]],
    ["GB-SCT", [-4.0, 56.8]],
    ["IT-25", [9.9, 45.6]],
    ["ES-MD", [-3.7, 40.4]],
    ["RU-MOW", [37.62, 55.75]],
    ["RU-MOS", [36.6, 55.5]],
    ["IR-23", [51.4, 35.68]],
    ["IN-TS", [78.5, 17.4]],
    ["ZA-GP", [28.05, -26.2]],
    ["EC-T", [-78.6, -1.25]],
    ["CN-SC", [103.5, 30.6]],
    ["AU-ACT", [149.1, -35.35]],
    ["NP-P3", [85.3, 27.7]],
  ] as const)("%s is where it should be", (code, [lon, lat]) => {
    const here = deepest().filter(({ feature, x, y }) => {
      const { geometry } = feature.toGeoJSON(x, y, 5);
      if (geometry.type === "Polygon") return inside(geometry.coordinates, [lon, lat]);
      if (geometry.type !== "MultiPolygon") return false;
      return geometry.coordinates.some((rings) => inside(rings, [lon, lat]));
    });
    // A point in a tile's margin is in two tiles.
    expect([...new Set(here.map(({ feature }) => text(feature, "code")))]).toEqual([code]);
  });

  it("have closed rings, each region some with an area, and none across the world", () => {
    const wide = new Set<string>();
    for (const { feature } of deepest())
      for (const ring of feature.loadGeometry()) {
        expect(ring.length).toBeGreaterThan(3);
        expect(ring.at(-1)).toEqual(ring[0]);
        if (twiceArea(ring) !== 0) wide.add(text(feature, "code"));
      }
    expect(wide).toEqual(listed());
    for (const { feature } of features("regions", 2, "areas"))
      for (const ring of feature.loadGeometry())
        for (let i = 1; i < ring.length; i++) {
          const [a, b] = [ring[i - 1]!, ring[i]!];
          const cut = a.y === b.y && (a.y < 0 || a.y > 4096); // along the tile's own edge
          if (!cut) expect(Math.abs(a.x - b.x)).toBeLessThan(1000);
        }
  });

  it("lie on both sides of the antimeridian", () => {
    const chukotka = deepest().filter(({ feature }) => text(feature, "code") === "RU-CHU");
    expect(new Set(chukotka.map(({ x }) => x < 16))).toEqual(new Set([true, false]));
  });

  it("have US counties by FIPS code", () => {
    const counties = codes("counties", 5);
    expect(counties.size).toBeGreaterThan(3200);
    expect(counties).toContain("25017");
  });
});

describe("lines between regions", () => {
  it("wait where regions are small", () => {
    const near = (lon: number, lat: number, z: number) => {
      const n = 2 ** z;
      const x = Math.floor((lon / 360 + 0.5) * n);
      const rad = (lat * Math.PI) / 180;
      const y = Math.floor(((1 - Math.asinh(Math.tan(rad)) / Math.PI) / 2) * n);
      return tile("tiles", z, x, y)?.layers.region_borders?.length ?? 0;
    };
    expect(near(-98, 39, 3)).toBeGreaterThan(0); // Kansas
    expect(near(14.5, 46, 6)).toBeGreaterThan(0);
    const first = features("region_borders", 6).map(
      ({ feature }) => feature.properties.minzoom as number,
    );
    expect(Math.max(...first)).toBeGreaterThan(7); // Slovenia's 212 municipalities
    for (let z = 2; z < 6; z++)
      for (const { feature } of features("region_borders", z))
        expect(feature.properties.minzoom).toBeLessThanOrEqual(z);
  });
});

describe("the folder", () => {
  it("stays small", () => {
    const files = readdirSync(OUT, { recursive: true, withFileTypes: true }).filter((f) =>
      f.isFile(),
    );
    const bytes = files.reduce((sum, f) => sum + statSync(join(f.parentPath, f.name)).size, 0);
    expect(files.length).toBeLessThan(5000);
    expect(bytes).toBeLessThan(12e6);
  });
});
