import { cpSync, createReadStream, existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const FLAGS = module("flag-icons/flags/4x3/");
const DOCS = module("swagger-ui-dist/");
const DOCS_FILES = ["swagger-ui.css", "swagger-ui-bundle.js"];

/**
 * Puts files of other packages beside the page as they are: country flags at `flags/xx.svg` (one request per
 * flag shown; bundled they would weigh 500 kB) and the interactive API docs at `docs/`.
 */
export function vendored(): Plugin {
  let out = "";
  return {
    name: "clickatlas-vendored",
    configResolved(config) {
      out = config.build.outDir;
    },
    configureServer(server) {
      server.middlewares.use("/static/flags/", (request, response, next) => {
        const file = FLAGS + (request.url ?? "").replace(/^\/|\?.*$/g, "");
        if (!/^\/?[a-z-]+\.svg$/.test(request.url ?? "") || !existsSync(file)) return next();
        response.setHeader("Content-Type", "image/svg+xml");
        createReadStream(file).pipe(response);
      });
    },
    writeBundle() {
      for (const flag of readdirSync(FLAGS).filter((name) => /^[a-z]{2}\.svg$/.test(name)))
        cpSync(FLAGS + flag, `${out}/flags/${flag}`);
      for (const file of DOCS_FILES) cpSync(DOCS + file, `${out}/docs/${file}`);
    },
  };
}

function module(path: string): string {
  return fileURLToPath(new URL(`../node_modules/${path}`, import.meta.url));
}
