// Layers cut into Mapbox Vector Tiles 2.1 (extent 4096, drawn 512 pixels wide).
import { GeoJSONVT } from "@maplibre/geojson-vt";
import { fromGeojsonVt } from "@maplibre/vt-pbf";
import { mercator } from "./geometry.mjs";

const EXTENT = 4096;

/** Tiles being filled: "z/x/y" → layer name → features. Only tiles with something in them exist. */
export class Tiles {
  #tiles = new Map();

  /**
   * Polygons or lines for the zooms from..to, or from their own `minzoom` on; detail finer than 3/4096
   * of a tile goes, save at `exact`. The last zoom has them all, as closer views stretch it.
   */
  addShapes(layer, features, from, to, exact = to) {
    const index = new GeoJSONVT(
      { type: "FeatureCollection", features },
      {
        maxZoom: Math.max(exact, to),
        indexMaxZoom: to,
        indexMaxPoints: 0,
        extent: EXTENT,
        buffer: 64,
      },
    );
    for (let z = from; z <= to; z++)
      for (let x = 0; x < 2 ** z; x++)
        for (let y = 0; y < 2 ** z; y++) {
          const cut = index.getTile(z, x, y)?.features ?? [];
          const due = cut.filter(({ tags }) => z === to || !(tags?.minzoom > z));
          if (due.length) this.#layers(z, x, y).set(layer, due);
        }
  }

  /** Points from their own `minzoom` on, each in exactly one tile per zoom. */
  addPoints(layer, points, from, to) {
    for (const { coordinates, minzoom, properties } of points) {
      const [mx, my] = mercator(coordinates);
      const start = Math.max(from, Math.min(minzoom, to));
      for (let z = start; z <= to; z++) {
        const across = 2 ** z;
        const [x, y] = [Math.floor(mx * across), Math.floor(my * across)];
        const inside = (value, tile) => Math.round((value * across - tile) * EXTENT);
        const layers = this.#layers(z, x, y);
        if (!layers.has(layer)) layers.set(layer, []);
        const geometry = [[inside(mx, x), inside(my, y)]];
        layers.get(layer).push({ type: 1, geometry, tags: properties });
      }
    }
  }

  /** ["z/x/y", bytes] of every tile. */
  *encoded() {
    for (const [path, layers] of this.#tiles) {
      const content = Object.fromEntries(
        [...layers].map(([name, features]) => [name, { features }]),
      );
      yield [path, fromGeojsonVt(content, { version: 2, extent: EXTENT })];
    }
  }

  #layers(z, x, y) {
    const path = `${z}/${x}/${y}`;
    if (!this.#tiles.has(path)) this.#tiles.set(path, new Map());
    return this.#tiles.get(path);
  }
}
