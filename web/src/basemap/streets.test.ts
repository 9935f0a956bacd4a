import { gzipSync } from "node:zlib";
import { validateStyleMin } from "@maplibre/maplibre-gl-style-spec";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { operatorStreets, type Streets } from "./operator";
import { AREA_SOURCES, COUNTRY_LAYER, HEAT_BEFORE, LABEL_LAYERS, basemapStyle } from "./style";

const addProtocol = vi.hoisted(() => vi.fn());
vi.mock("maplibre-gl", () => ({ addProtocol }));

const THEMES = ["light", "dark"] as const;

/** A PMTiles 3 archive without tiles; its header says which kind they would be. */
function archive(tileType: number, layers: string[]): Uint8Array {
  const root = gzipSync(Uint8Array.of(0));
  const about = { vector_layers: layers.map((id) => ({ id, fields: {} })) };
  const metadata = gzipSync(JSON.stringify(about));
  const file = new Uint8Array(127 + root.length + metadata.length);
  const view = new DataView(file.buffer);
  file.set(new TextEncoder().encode("PMTiles"));
  file[7] = 3;
  const sections = [127, root.length, 127 + root.length, metadata.length];
  sections.forEach((value, i) => view.setBigUint64(8 + 8 * i, BigInt(value), true));
  file.set([1, 2, 2, tileType, 0, 14], 96);
  file.set(root, 127);
  file.set(metadata, 127 + root.length);
  return file;
}

const PROTOMAPS = ["earth", "water", "roads", "places"];
const FOREIGN = {
  version: 8,
  sprite: "sprites/v1",
  glyphs: "/fonts/{fontstack}/{range}.pbf",
  sources: { basemap: { type: "vector", url: "tiles.json" } },
  layers: [
    { id: "land", type: "background", paint: { "background-color": "#fff" } },
    { id: "roads", type: "line", source: "basemap", "source-layer": "roads" },
    { id: "names", type: "symbol", source: "basemap", "source-layer": "places" },
    { id: "late", type: "line", source: "basemap", "source-layer": "late" },
  ],
};

let chosen: unknown;
let remote: (url: string) => Response | Uint8Array;
const asked: string[] = [];

beforeEach(() => {
  asked.length = 0;
  vi.stubGlobal("location", { href: "http://clicks.test/app" });
  vi.stubGlobal("fetch", async (input: string | URL, init?: RequestInit) => {
    const url = String(input);
    asked.push(url);
    if (url === "/api/basemap") return Response.json(chosen);
    const found = remote(url);
    if (found instanceof Response) return found;
    const range = new Headers(init?.headers).get("range")?.match(/bytes=(\d+)-(\d+)/);
    const bytes = found.slice(Number(range?.[1]), Number(range?.[2]) + 1);
    return new Response(bytes, { status: 206 });
  });
});
afterEach(() => vi.unstubAllGlobals());

async function opened(choice: object, from: typeof remote): Promise<Streets> {
  chosen = { attribution: "", problem: null, ...choice };
  remote = from;
  const { streets, problem } = await operatorStreets();
  expect(problem).toBeUndefined();
  return streets!;
}

function sound(style: ReturnType<typeof basemapStyle>) {
  expect(validateStyleMin(style as Parameters<typeof validateStyleMin>[0])).toEqual([]);
  const ids = style.layers.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toEqual(expect.arrayContaining([COUNTRY_LAYER, HEAT_BEFORE, ...LABEL_LAYERS]));
  for (const { source } of Object.values(AREA_SOURCES))
    expect(style.sources).toHaveProperty(source);
  return ids;
}

it("asks nothing more where none is configured", async () => {
  chosen = { kind: "offline", url: null, attribution: "", problem: null };
  expect(await operatorStreets()).toEqual({});
  expect(asked).toEqual(["/api/basemap"]);
});

describe("streets from PMTiles", () => {
  const choice = { kind: "pmtiles", url: "/api/basemap/tiles.pmtiles", attribution: "© Us" };

  it.each(THEMES)("are drawn over the page's own map (%s)", async (theme) => {
    const streets = await opened(choice, () => archive(1, PROTOMAPS));
    const style = basemapStyle(theme, { streets });
    const ids = sound(style);
    const at = (id: string) => ids.indexOf(id);
    expect(style.sources.streets).toMatchObject({
      type: "vector",
      url: "pmtiles://http://clicks.test/api/basemap/tiles.pmtiles",
      attribution: "© Us",
    });
    expect(addProtocol).toHaveBeenCalledWith("pmtiles", expect.any(Function));
    for (const ground of ["streets-earth", "streets-water", "streets-roads_highway"]) {
      expect(at(ground)).toBeGreaterThan(at("lakes"));
      expect(at(ground)).toBeLessThan(at(HEAT_BEFORE));
    }
    expect(at("streets-roads_labels_major")).toBeGreaterThan(at(HEAT_BEFORE));
    expect(at("streets-roads_labels_major")).toBeLessThan(at("marine-labels"));
  });

  it("leave wide views as they are, and need no sprite or glyph server", async () => {
    const streets = await opened(choice, () => archive(1, PROTOMAPS));
    const style = basemapStyle("light", { streets });
    const mine = style.layers.filter(({ id }) => id.startsWith("streets-"));
    expect(mine.length).toBeGreaterThan(40);
    for (const layer of mine) {
      expect(layer.minzoom).toBeGreaterThanOrEqual(6);
      expect(Object.keys(layer.layout ?? {}).join()).not.toContain("icon-");
    }
    expect(style.sprite).toBeUndefined();
    expect(style.glyphs).toBeUndefined();
  });

  it("may be pictures", async () => {
    const streets = await opened(choice, () => archive(2, []));
    const style = basemapStyle("light", { streets });
    sound(style);
    expect(style.sources.streets).toMatchObject({ type: "raster" });
  });

  it.each([
    ["is gone", () => new Response("", { status: 404 })],
    ["is something else", () => new TextEncoder().encode("<!doctype html>".padEnd(200))],
    ["has other layers", () => archive(1, ["transportation"])],
  ])("give way to the page's own map where the file %s", async (_, from) => {
    // Another address each time: PMTiles keeps what it has read.
    chosen = { ...choice, url: `/broken-${String(_).length}.pmtiles`, problem: null };
    remote = from;
    const { streets, problem } = await operatorStreets();
    expect(streets).toBeUndefined();
    expect(problem).toContain("built-in map");
  });
});

describe("a style of the operator's", () => {
  const at = "https://maps.example.com/styles/plain.json";

  it("lies over the page's own map, with addresses of its own", async () => {
    const streets = await opened({ kind: "style", url: at, attribution: "© Us" }, () =>
      Response.json(FOREIGN),
    );
    const style = basemapStyle("light", { streets });
    const ids = sound(style);
    expect(style.glyphs).toBe("https://maps.example.com/fonts/{fontstack}/{range}.pbf");
    expect(style.sprite).toBe("https://maps.example.com/styles/sprites/v1");
    expect(style.sources["streets-basemap"]).toEqual({
      type: "vector",
      url: "https://maps.example.com/styles/tiles.json",
    });
    expect(style.sources.basemap).toMatchObject({ attribution: "© Us" });
    const order = ["land", "streets-land", "streets-roads", HEAT_BEFORE, "streets-names"];
    expect(ids.filter((id) => order.includes(id))).toEqual(order);
    const seen = style.layers.filter(({ layout }) => layout?.visibility !== "none");
    expect(seen.filter(({ id }) => !id.startsWith("streets-")).map(({ id }) => id)).toEqual([
      COUNTRY_LAYER,
    ]);
  });

  it("has a light and a dark form where its address says so", async () => {
    const url = "https://maps.example.com/{theme}.json";
    const streets = await opened({ kind: "style", url }, (from) =>
      Response.json({ ...FOREIGN, glyphs: `${from}/{fontstack}/{range}` }),
    );
    for (const theme of THEMES)
      expect(basemapStyle(theme, { streets }).glyphs).toContain(`/${theme}.json/`);
  });

  it.each([
    ["answers with an error", () => new Response("no", { status: 403 })],
    ["is no style", () => Response.json({ hello: "world" })],
  ])("gives way to the page's own map where it %s", async (_, from) => {
    chosen = { kind: "style", url: at, attribution: "", problem: null };
    remote = from;
    const { streets, problem } = await operatorStreets();
    expect(streets).toBeUndefined();
    expect(problem).toContain("built-in map");
  });
});

it("says why where the server knows of a problem", async () => {
  const problem = "The basemap's file town.pmtiles is not there.";
  chosen = { kind: "offline", url: null, attribution: "", problem };
  expect(await operatorStreets()).toEqual({ problem });
});
