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

  it("have every US state, Canadian province, Brazilian state and Australian state", () => {
    const regions = [...codes("regions", 4)];
    const of = (country: string) => regions.filter((code) => code.startsWith(country)).length;
    expect([of("US-"), of("CA-"), of("BR-"), of("AU-")]).toEqual([56, 13, 27, 8]);
    expect(regions).toContain("US-MA");
  });

  it("have US counties by FIPS code", () => {
    const counties = codes("counties", 6);
    expect(counties.size).toBeGreaterThan(3200);
    expect(counties).toContain("25017");
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
