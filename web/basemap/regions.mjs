// First-level areas below a country, with the codes that the address database counts them by (ISO
// 3166-2, but for a few), and US counties with their FIPS codes. United States from the Census
// Bureau (npm us-atlas, 2017 edition: Connecticut still by county, as ZIP figures are); the rest of
// the world from world/regions.json, which world/make.mjs makes.
import { feature, mesh } from "topojson-client";
import { cutAtAntimeridian, labelPoint } from "./geometry.mjs";
import { STATES } from "./names.mjs";

/** States and the lines between them, from a us-atlas file; features carry code, name, country. */
export function states(topology) {
  const geometries = topology.objects.states.geometries.filter(({ id }) => STATES[id]);
  const collection = { type: "GeometryCollection", geometries };
  return {
    features: shapes(topology, collection, ({ id, properties }) => ({
      code: `US-${STATES[id]}`,
      name: properties.name,
      country: "US",
    })),
    borders: [inner(topology, collection, { minzoom: 2 })],
  };
}

/** US counties and the lines between them, without those that are state lines too. */
export function counties(topology) {
  const inOneState = (a, b) => a.id.slice(0, 2) === b.id.slice(0, 2);
  return {
    features: shapes(topology, topology.objects.counties, ({ id, properties }) => ({
      code: id,
      name: properties.name,
      region: `US-${STATES[id.slice(0, 2)] ?? id.slice(0, 2)}`,
    })),
    borders: inner(topology, topology.objects.counties, {}, inOneState),
  };
}

/**
 * The regions of all other countries, from world/regions.json, and the lines between them: a feature
 * for each country, whose `minzoom` is where half its regions are wide enough to tell apart.
 */
export function worldRegions(topology) {
  const byCountry = new Map();
  for (const geometry of topology.objects.regions.geometries) {
    const country = geometry.id.slice(0, 2);
    if (!byCountry.has(country)) byCountry.set(country, []);
    byCountry.get(country).push(geometry);
  }
  const countries = [...byCountry].map(([country, geometries]) => {
    const collection = { type: "GeometryCollection", geometries };
    const features = shapes(topology, collection, ({ id, properties }) => ({
      code: id,
      name: properties.name,
      country,
    }));
    return { features, borders: inner(topology, collection, { minzoom: tellingZoom(features) }) };
  });
  return {
    features: countries.flatMap(({ features }) => features),
    borders: countries
      .map(({ borders }) => borders)
      .filter(({ geometry }) => geometry.coordinates.length),
  };
}

const APART = 36; // pixels between two lines, so that they don't darken the country

function tellingZoom(features) {
  const widths = features.map(({ geometry }) => Math.sqrt(labelPoint(geometry).area));
  const median = widths.sort((a, b) => a - b)[widths.length >> 1];
  return Math.max(2, Math.min(9, Math.ceil(Math.log2(APART / 512 / median))));
}

function shapes(topology, object, propertiesOf) {
  return object.geometries.map((geometry) =>
    cutAtAntimeridian({ ...feature(topology, geometry), properties: propertiesOf(geometry) }),
  );
}

function inner(topology, object, properties, keep = () => true) {
  const lines = mesh(topology, object, (a, b) => a !== b && keep(a, b));
  return cutAtAntimeridian({ type: "Feature", properties, geometry: lines });
}
