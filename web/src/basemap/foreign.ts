import type { LayerSpecification, StyleSpecification } from "maplibre-gl";
import type { Streets } from "./operator";
import type { Theme } from "./palette";
import { COUNTRY_LAYER, HEAT_BEFORE } from "./style";

const OURS = "streets-"; // before the names of a foreign style's sources and layers, which may be ours too
const THEMES: Theme[] = ["light", "dark"];

/**
 * A MapLibre style of the operator's, by its URL; `{theme}` in it becomes light or dark. The page's own
 * layers stay in it unseen, so that what is drawn over the map finds its place: heat under the style's
 * names, countries still to be pointed at. Rejects with a sentence when it is no style.
 */
export async function withStyle(url: string, attribution: string): Promise<Streets> {
  const themed = url.includes("{theme}");
  const styles = await Promise.all(
    (themed ? THEMES : THEMES.slice(0, 1)).map((theme) => read(url.replaceAll("{theme}", theme))),
  );
  return (offline, theme) =>
    merged(offline, styles[themed ? THEMES.indexOf(theme) : 0]!, attribution);
}

async function read(url: string): Promise<StyleSpecification> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`It answered ${answer.status}.`);
  const style = (await answer.json()) as StyleSpecification;
  if (style.version !== 8 || !Array.isArray(style.layers))
    throw new Error("It is no MapLibre style.");
  return located(style, url);
}

/** The style with every address in it absolute, as MapLibre needs when it is not given the URL itself. */
function located(style: StyleSpecification, url: string): StyleSpecification {
  const absolute = (address: string) =>
    new URL(address, url).href.replaceAll("%7B", "{").replaceAll("%7D", "}");
  const { sprite, glyphs } = style;
  const sources = Object.entries(style.sources).map(([name, source]) => {
    const found: Record<string, unknown> = { ...source };
    if (typeof found.url === "string") found.url = absolute(found.url);
    if (Array.isArray(found.tiles)) found.tiles = (found.tiles as string[]).map(absolute);
    if (source.type === "geojson" && typeof found.data === "string")
      found.data = absolute(found.data);
    return [OURS + name, found] as const;
  });
  return {
    ...style,
    ...(glyphs && { glyphs: absolute(glyphs) }),
    ...(sprite && {
      sprite:
        typeof sprite === "string"
          ? absolute(sprite)
          : sprite.map(({ id, url: at }) => ({ id, url: absolute(at) })),
    }),
    sources: Object.fromEntries(sources) as StyleSpecification["sources"],
    layers: style.layers.map(
      (layer) =>
        ({
          ...layer,
          id: OURS + layer.id,
          ...("source" in layer && { source: OURS + layer.source }),
        }) as LayerSpecification,
    ),
  };
}

function merged(
  offline: StyleSpecification,
  style: StyleSpecification,
  attribution: string,
): StyleSpecification {
  const names = style.layers.findIndex(({ type }) => type === "symbol");
  const at = names < 0 ? style.layers.length : names;
  const heat = offline.layers.findIndex(({ id }) => id === HEAT_BEFORE);
  const basemap = offline.sources.basemap!;
  return {
    ...offline,
    ...(style.glyphs && { glyphs: style.glyphs }),
    ...(style.sprite && { sprite: style.sprite }),
    sources: {
      ...style.sources,
      ...offline.sources,
      basemap: attribution ? ({ ...basemap, attribution } as typeof basemap) : basemap,
    },
    layers: [
      ...offline.layers.slice(0, heat).map(unseen),
      ...style.layers.slice(0, at),
      ...offline.layers.slice(heat).map(unseen),
      ...style.layers.slice(at),
    ],
  };
}

// A layer that is not visible can't be pointed at; one without opacity can.
function unseen(layer: LayerSpecification): LayerSpecification {
  if (layer.id === COUNTRY_LAYER)
    return { ...layer, paint: { "fill-opacity": 0 } } as LayerSpecification;
  return { ...layer, layout: { ...layer.layout, visibility: "none" } } as LayerSpecification;
}
