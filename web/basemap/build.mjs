// Cuts the offline basemap into public/basemap/: vector tiles and the fonts of its labels.
// Run by `npm run basemap`; does nothing when the result is newer than all it is made from.
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { layers } from "./layers.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const OUT = join(HERE, "../public/basemap");
const WORK = join(HERE, `.cache/${process.pid}`);
const require = createRequire(import.meta.url);

const FONTS = ["400-normal", "500-normal", "600-normal", "400-italic"];
const SUBSETS = ["latin", "latin-ext", "vietnamese"];

/** Changes with this generator's code and with any package in the lock file. */
function fingerprint() {
  const hash = createHash("sha256");
  const sources = readdirSync(HERE)
    .filter((name) => name.endsWith(".mjs"))
    .sort();
  for (const name of [...sources, "world/regions.json"])
    hash.update(readFileSync(join(HERE, name)));
  return hash.update(readFileSync(join(HERE, "../package-lock.json"))).digest("hex");
}

function write(folder, tiles) {
  let [files, bytes] = [0, 0];
  const made = new Set();
  for (const [path, data] of tiles.encoded()) {
    const file = join(WORK, folder, `${path}.pbf`);
    const parent = dirname(file);
    if (!made.has(parent)) mkdirSync(parent, { recursive: true });
    made.add(parent);
    writeFileSync(file, data);
    files += 1;
    bytes += data.length;
  }
  return `${files} ${folder} files (${(bytes / 1e6).toFixed(1)} MB)`;
}

function copyFonts() {
  const files = join(dirname(require.resolve("@fontsource/noto-sans/400.css")), "files");
  for (const subset of SUBSETS)
    for (const font of FONTS) {
      const name = `noto-sans-${subset}-${font}.woff2`;
      cpSync(join(files, name), join(WORK, "fonts", name));
    }
}

const stamp = fingerprint();
const stampFile = join(OUT, "stamp");
if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) {
  console.log("basemap: up to date");
} else {
  const start = performance.now();
  console.log("basemap: cutting the world into tiles …");
  const { tiles, areas, regions } = layers();
  const done = [write("tiles", tiles), write("areas", areas)];
  // For a page that shades regions: which of them it has to show in another way.
  writeFileSync(join(WORK, "areas/regions.json"), JSON.stringify(regions));
  copyFonts();
  writeFileSync(join(WORK, "stamp"), stamp);
  // Renamed into place whole, so that a build cut short leaves the old basemap or none.
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(dirname(OUT), { recursive: true });
  renameSync(WORK, OUT);
  console.log(
    `basemap: ${done.join(", ")} in ${((performance.now() - start) / 1000).toFixed(1)} s`,
  );
}
