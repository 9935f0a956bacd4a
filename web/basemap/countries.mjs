// Countries and territories from Natural Earth (npm world-atlas), one shape per ISO 3166-1 code as
// the address database and GeoNames use them, so that a count by code always finds its shape.
import iso from "i18n-iso-countries";
import { feature, mergeArcs, mesh } from "topojson-client";
import { boundsOf, cutAtAntimeridian } from "./geometry.mjs";

// Shapes without a number of their own. Null: nobody's in the data, drawn as land without a code.
const CODE_OF_NAME = {
  Kosovo: "XK",
  Somaliland: "SO",
  "N. Cyprus": "CY",
  "Cyprus U.N. Buffer Zone": "CY",
  Dhekelia: "CY",
  Akrotiri: "CY",
  "USNB Guantanamo Bay": "CU",
  Baikonur: "KZ",
  "Indian Ocean Ter.": "CX",
  "Coral Sea Is.": "AU",
  "Clipperton I.": "FR",
};

// Pieces that have a code of their own, or belong to another, by where they lie: [w, s, e, n].
const PARTS = {
  FR: [
    ["GF", [-55, 2, -51, 6]],
    ["GP", [-62, 15.7, -60.9, 16.6]],
    ["MQ", [-61.3, 14.3, -60.7, 15]],
    ["RE", [55, -21.5, 56, -20.8]],
    ["YT", [44.9, -13.1, 45.4, -12.5]],
  ],
  NO: [
    ["SJ", [-10, 70.7, -7, 71.3]],
    ["SJ", [8, 73, 35, 82]],
    ["BV", [3, -55, 4, -54]],
  ],
  NL: [
    ["BQ", [-68.6, 11.9, -68, 12.5]],
    ["BQ", [-63.4, 17.3, -62.8, 17.8]],
  ],
  NZ: [["TK", [-173, -10, -171, -8]]],
  CX: [["CC", [96, -13, 98, -11]]],
  RU: [["UA", [32.3, 44.3, 36.7, 46.3]]], // Crimea: UA in ISO 3166-2, GeoNames and GeoLite2
};

// Where the short English name of the standard is not what a map says.
const NAMES = {
  US: "United States",
  GB: "United Kingdom",
  CD: "DR Congo",
  CG: "Congo",
  SJ: "Svalbard",
};

const english = new Intl.DisplayNames("en", { type: "region", style: "short" });

/** Name of a country code for a map label. */
export function countryName(code) {
  return NAMES[code] ?? english.of(code);
}

/**
 * One feature per code, with the lines between countries and between land and sea.
 * `topology` is a world-atlas file; longitudes beyond ±180 are cut, not wrapped.
 */
export function countries(topology) {
  const groups = new Map();
  for (const geometry of topology.objects.countries.geometries) {
    const own = geometry.id
      ? iso.numericToAlpha2(geometry.id)
      : CODE_OF_NAME[geometry.properties.name];
    for (const arcs of geometry.type === "Polygon" ? [geometry.arcs] : geometry.arcs) {
      const code = partOf(own, topology, arcs) ?? `?${geometry.properties.name}`;
      const group = groups.get(code) ?? { polygons: [], sources: new Set() };
      group.polygons.push(arcs);
      group.sources.add(geometry);
      groups.set(code, group);
    }
  }
  const shapes = [...groups].map(([code, { polygons, sources }]) => {
    const whole = { type: "MultiPolygon", arcs: polygons };
    const shape = sources.size > 1 ? mergeArcs(topology, [whole]) : whole;
    return { ...shape, properties: propertiesOf(code) };
  });
  const all = { type: "GeometryCollection", geometries: shapes };
  const line = (filter) =>
    cutAtAntimeridian({ type: "Feature", properties: {}, geometry: mesh(topology, all, filter) });
  return {
    features: shapes.map((shape) => cutAtAntimeridian(feature(topology, shape))),
    borders: line((a, b) => a !== b),
    coast: line((a, b) => a === b),
  };
}

function propertiesOf(code) {
  return code.startsWith("?") ? { name: code.slice(1) } : { code, name: countryName(code) };
}

function partOf(own, topology, arcs) {
  if (!PARTS[own]) return own;
  const [w, s, e, n] = boundsOf(feature(topology, { type: "Polygon", arcs }).geometry);
  const part = PARTS[own].find(([, [pw, ps, pe, pn]]) => w >= pw && s >= ps && e <= pe && n <= pn);
  return part ? part[0] : own;
}
