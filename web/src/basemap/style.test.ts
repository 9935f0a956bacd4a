import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { validateStyleMin } from "@maplibre/maplibre-gl-style-spec";
import { describe, expect, it } from "vitest";
import { AREA_SOURCES, COUNTRY_LAYER, HEAT_BEFORE, LABEL_LAYERS, basemapStyle } from "./style";

describe.each(["light", "dark"] as const)("the %s basemap style", (theme) => {
  const style = basemapStyle(theme);
  const ids = style.layers.map((layer) => layer.id);

  it("is valid", () => {
    expect(validateStyleMin(style as Parameters<typeof validateStyleMin>[0])).toEqual([]);
  });

  it("has the layers the page asks for", () => {
    expect(ids).toEqual(expect.arrayContaining([COUNTRY_LAYER, HEAT_BEFORE, ...LABEL_LAYERS]));
    for (const { source } of Object.values(AREA_SOURCES))
      expect(style.sources).toHaveProperty(source);
  });

  it("draws clicks over land and lakes, under borders and names", () => {
    const at = (id: string) => ids.indexOf(id);
    expect(at(HEAT_BEFORE)).toBeGreaterThan(Math.max(at("land"), at("lakes")));
    for (const id of ["country-borders", ...LABEL_LAYERS])
      expect(at(id)).toBeGreaterThan(at(HEAT_BEFORE) - 1);
  });

  it("asks nothing of any other server", () => {
    expect(style.glyphs).toBeUndefined();
    const fetched = [JSON.stringify(style["font-faces"])];
    for (const source of Object.values(style.sources)) {
      if (source.type === "vector") fetched.push(...(source.tiles ?? []));
    }
    for (const address of fetched) expect(address).not.toMatch(/https?:/);
  });

  it("names only fonts that the build copies", () => {
    const copied = fileURLToPath(new URL("../../public/", import.meta.url));
    for (const faces of Object.values(style["font-faces"] ?? {})) {
      for (const face of faces as { url: string }[]) {
        expect(existsSync(copied + face.url.replace("/static/", "")), face.url).toBe(true);
      }
    }
  });
});

it("serves everything from the base it is given", () => {
  const text = JSON.stringify(basemapStyle("light", { base: "/maps/" }));
  expect(text).toContain("/maps/tiles/{z}/{x}/{y}.pbf");
  expect(text).not.toContain("/static/");
});

it("says where its data is from", () => {
  const source = basemapStyle("dark").sources.basemap;
  expect(source).toMatchObject({ attribution: expect.stringContaining("GeoNames") });
  expect(readFileSync(new URL("./style.ts", import.meta.url), "utf8")).toContain("CC BY 4.0");
});
