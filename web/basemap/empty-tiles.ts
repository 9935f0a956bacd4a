import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

/**
 * Answers 204 for a basemap tile with nothing in it, as the server does. Vite's own answer to a
 * missing file is the page with 200, which MapLibre cannot read as a tile.
 */
export function emptyTiles(): Plugin {
  return {
    name: "basemap-empty-tiles",
    configureServer({ middlewares, config }) {
      middlewares.use((request, response, next) => {
        const path = new URL(request.url ?? "/", "http://vite").pathname;
        const file = path.startsWith(config.base) ? path.slice(config.base.length) : path;
        const tile = /^\/?basemap\/\w+\/\d+\/\d+\/\d+\.pbf$/.test(file);
        if (!tile || existsSync(join(config.publicDir, file))) return next();
        response.statusCode = 204;
        response.end();
      });
    },
  };
}
