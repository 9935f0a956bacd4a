// Weighs what a first visit loads: the page, its map and the map's worker, gzipped. Fonts, flags and tiles are data.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

export const BUDGET = 480_000;
const STATIC = new URL("../../clickatlas/static/", import.meta.url);
const MANIFEST = new URL(".vite/manifest.json", STATIC);
const FIRST = ["index.html", "src/explorer/Explorer.svelte"];

/** File name → gzipped bytes, or null where the page has not been built. */
export function firstLoad() {
  if (!existsSync(MANIFEST)) return null;
  const manifest = JSON.parse(readFileSync(MANIFEST, "utf8"));
  const files = new Set(
    readdirSync(new URL("assets/", STATIC))
      .filter((name) => name.startsWith("maplibre-gl-worker"))
      .map((name) => `assets/${name}`),
  );
  const visit = (key) => {
    const { file, css = [], imports = [] } = manifest[key];
    if (files.has(file)) return;
    for (const name of [file, ...css]) files.add(name);
    imports.forEach(visit);
  };
  FIRST.forEach(visit);
  return Object.fromEntries(
    [...files].map((name) => [
      name,
      gzipSync(readFileSync(new URL(name, STATIC)), { level: 9 }).length,
    ]),
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const sizes = firstLoad();
  if (!sizes) throw new Error("Build the page first: npm run build");
  const total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  for (const [name, size] of Object.entries(sizes)) console.log(String(size).padStart(8), name);
  console.log(String(total).padStart(8), `of ${BUDGET} bytes, gzipped`);
  if (total > BUDGET) process.exitCode = 1;
}
