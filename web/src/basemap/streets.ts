// Streets from the operator's own source, drawn over the page's map. Loaded only where one is configured.
import { layers as protomaps, namedFlavor, type Flavor } from "@protomaps/basemaps";
import { addProtocol, type LayerSpecification, type StyleSpecification } from "maplibre-gl";
import { PMTiles, Protocol, TileType } from "pmtiles";
import type { Chosen, Streets } from "./operator";
import { PALETTES, type Theme } from "./palette";
import { withStyle } from "./foreign";
import { HEAT_BEFORE } from "./style";

const SOURCE = "streets";
const FROM_ZOOM = 6; // wider views are the page's own, which is as good there and asks nobody
const NAMES_FROM_ZOOM = 10; // up to here the page's own names of cities, which thin out evenly

// Nothing that needs a sprite, and nothing that the page's own map does already.
const LEFT_OUT =
  /^(background|pois|roads_shields|roads_oneway|water_label_ocean|places_country|places_region|boundaries_country)$/;

let protocol: Protocol | undefined;

/** Reads enough of the source to know that it can be drawn. Rejects with a sentence for the reader. */
export async function openStreets({ kind, url, attribution }: Chosen): Promise<Streets> {
  if (!url) throw new Error("It has no address.");
  if (kind === "style") return withStyle(url, attribution);
  const archive = new PMTiles(new URL(url, location.href).href);
  const { tileType } = await archive.getHeader();
  const vector = tileType === TileType.Mvt;
  if (vector) {
    const { vector_layers: found = [] } = (await archive.getMetadata()) as {
      vector_layers?: { id: string }[];
    };
    if (found.length && !found.some(({ id }) => id === "roads"))
      throw new Error("Its layers are not those of Protomaps.");
  } else if (tileType === TileType.Unknown) throw new Error("Its kind of tiles is unknown.");
  if (!protocol) addProtocol("pmtiles", (protocol = new Protocol()).tile);
  protocol.add(archive);
  const source = { url: `pmtiles://${archive.source.getKey()}`, attribution };
  return (offline, theme) => (vector ? drawn(offline, theme, source) : pictures(offline, source));
}

type Address = { url: string; attribution: string };

function drawn(offline: StyleSpecification, theme: Theme, source: Address): StyleSpecification {
  const mine = protomaps(SOURCE, flavor(theme), { lang: "en" })
    .filter(({ id }) => !LEFT_OUT.test(id))
    .map((layer) => fitted(layer as LayerSpecification));
  const at = (id: string) => offline.layers.findIndex((layer) => layer.id === id);
  const names = mine.filter(({ type }) => type === "symbol");
  const [borders, ground] = split(
    mine.filter(({ type }) => type !== "symbol"),
    ({ id }) => id === `${SOURCE}-boundaries`,
  );
  const [heat, labels] = [at(HEAT_BEFORE), at("marine-labels")];
  return {
    ...offline,
    sources: { ...offline.sources, [SOURCE]: { type: "vector", ...source } },
    layers: [
      ...offline.layers.slice(0, heat),
      ...ground,
      ...offline.layers.slice(heat, labels).map(untilStreets),
      ...borders,
      ...names,
      ...offline.layers.slice(labels).map(untilStreets),
    ],
  };
}

function pictures(offline: StyleSpecification, source: Address): StyleSpecification {
  const heat = offline.layers.findIndex(({ id }) => id === HEAT_BEFORE);
  const layer: LayerSpecification = {
    id: SOURCE,
    type: "raster",
    source: SOURCE,
    minzoom: FROM_ZOOM,
  };
  return {
    ...offline,
    sources: { ...offline.sources, [SOURCE]: { type: "raster", tileSize: 256, ...source } },
    layers: offline.layers.toSpliced(heat, 0, layer),
  };
}

/** A Protomaps layer under a name of ours, without icons, from the zoom where streets begin. */
function fitted(layer: LayerSpecification): LayerSpecification {
  const first = /^places_/.test(layer.id) ? NAMES_FROM_ZOOM : FROM_ZOOM;
  const layout = Object.fromEntries(
    Object.entries(layer.layout ?? {}).filter(([key]) => !key.startsWith("icon-")),
  );
  const minzoom = Math.max(first, layer.minzoom ?? 0);
  return { ...layer, id: `${SOURCE}-${layer.id}`, minzoom, layout } as LayerSpecification;
}

/** The page's own names, and its coarse lines, stop where the streets have better. */
function untilStreets(layer: LayerSpecification): LayerSpecification {
  const better = /^(town|city)-labels$|-borders$/.test(layer.id);
  return better ? { ...layer, maxzoom: NAMES_FROM_ZOOM } : layer;
}

// Fill and edge of roads, the widest first: enough to find one's way by, no more.
const ROADS: Record<Theme, [kind: RegExp, fill: string, edge: string][]> = {
  light: [
    [/highway/, "#e0e4e9", "#cfd5dc"],
    [/major/, "#e9ecef", "#dadfe4"],
    [/minor|link|other|service|railway|pier/, "#eff1f3", "#e3e6ea"],
  ],
  dark: [
    [/highway/, "#394453", "#121820"],
    [/major/, "#303a47", "#121820"],
    [/minor|link|other|service|railway|pier/, "#262f3a", "#121820"],
  ],
};

/** Protomaps' colours, with the page's own land, water, roads and ink. */
function flavor(theme: Theme): Flavor {
  const palette = PALETTES[theme];
  const quiet = namedFlavor(theme === "dark" ? "dark" : "white");
  const roads = Object.keys(quiet).flatMap((key) => {
    const road = /label/.test(key) ? undefined : ROADS[theme].find(([kind]) => kind.test(key));
    return road ? [[key, road[/casing/.test(key) ? 2 : 1]] as const] : [];
  });
  return {
    ...quiet,
    ...Object.fromEntries(roads),
    background: palette.ocean,
    earth: palette.land,
    water: palette.ocean,
    buildings: palette.countyBorder,
    boundaries: palette.regionBorder,
    roads_label_minor: palette.townText,
    roads_label_minor_halo: palette.halo,
    roads_label_major: palette.townText,
    roads_label_major_halo: palette.halo,
    city_label: palette.cityText,
    city_label_halo: palette.halo,
    subplace_label: palette.townText,
    subplace_label_halo: palette.halo,
  };
}

function split<T>(all: T[], first: (one: T) => boolean): [T[], T[]] {
  return [all.filter(first), all.filter((one) => !first(one))];
}
