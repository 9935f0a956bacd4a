import {
  Map as MapLibre,
  setWorkerUrl,
  type GeoJSONSource,
  type LngLatLike,
  type MapGeoJSONFeature,
  type MapMouseEvent,
  type PointLike,
  type StyleSpecification,
  type VectorTileSource,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import type { AreaRow, Bbox } from "../api/types";
import { AREA_SOURCES, COUNTRY_LAYER } from "../basemap/style";
import type { Camera } from "../state/address";
import { mapStyle, type ClickLayers, type Overlay } from "./layers";

// Without its own worker file MapLibre 6 hangs when bundled.
setWorkerUrl(workerUrl);

/** A cluster of the atlas as its tile tells it. */
export interface Cluster {
  id: string | number;
  /** The id of the area that names it, where it is one place that breaks apart no more. */
  area: string | null;
  name: string;
  kind: string;
  clicks: number;
  expansionZoom: number;
  lng: number;
  lat: number;
}

export interface Pointed {
  x: number;
  y: number;
  lng: number;
  lat: number;
  cluster: Cluster | null;
  /** ISO code of the country under the pointer. */
  country: string | null;
  /** Id of the drawn area under the pointer. */
  area: string | null;
}

export interface Insets {
  top: number;
  right: number;
  bottom: number;
  left: number;
}

const WORLD: Bbox = [-168, -52, 188, 74];
const TOUCH_SLACK = 6;

/** The drawn map: MapLibre with the basemap, heat and clusters. Knows nothing of the page around it. */
export class ClickMap {
  readonly map: MapLibre;
  #drawn: ClickLayers;
  #overlays = new Map<string, Overlay>();
  #hovered: string | number | undefined;
  #lit: string | null = null;
  /** Finds the drawn area at a point: set by what draws the areas. */
  areaAt: ((map: MapLibre, point: PointLike, box: [PointLike, PointLike]) => string | null) | null =
    null;

  constructor(
    container: HTMLElement,
    drawn: ClickLayers,
    start: Camera | null,
    bounds: Bbox | null,
    private readonly insets: () => Insets,
  ) {
    this.#drawn = drawn;
    this.map = new MapLibre({
      container,
      style: mapStyle(drawn),
      ...(start
        ? { center: [start.lng, start.lat] as LngLatLike, zoom: start.zoom }
        : { bounds: framed(bounds ?? WORLD), fitBoundsOptions: { padding: insets(), maxZoom: 6 } }),
      attributionControl: false,
      // Circles fade with the tile, their counts with collision: only without fading do they stay together.
      fadeDuration: 0,
      maxZoom: 16,
      minZoom: 0,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      canvasContextAttributes: { preserveDrawingBuffer: false, antialias: false },
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
  }

  get camera(): Camera {
    const { lng, lat } = this.map.getCenter().wrap();
    return { lng, lat, zoom: this.map.getZoom() };
  }

  /** Points the layers at other tiles; the old ones stay until the new ones are there. */
  retile(tiles: string[], heatMax: Record<string, number>): void {
    const { tiles: before } = this.#drawn;
    this.#drawn = { ...this.#drawn, tiles, heatMax };
    if (tiles[0] !== before[0]) this.map.getSource<VectorTileSource>("clicks")?.setTiles(tiles);
    this.#restyle();
  }

  redraw(change: Partial<Pick<ClickLayers, "shade" | "mode" | "tint" | "streets">>): void {
    this.#drawn = { ...this.#drawn, ...change };
    this.#restyle();
  }

  /** Adds, changes or (null) takes away what another part of the page draws. */
  overlay(name: string, overlay: Overlay | null): void {
    if (overlay) this.#overlays.set(name, overlay);
    else if (!this.#overlays.delete(name)) return;
    this.#restyle(overlay?.sources);
  }

  /** Lights a table row: an outline around a country, a ring at any other place. */
  light(row: AreaRow | null, country: string | null): void {
    const spot = row && !row.id.startsWith("country:") && row.lat !== null && row.lon !== null;
    this.map.getSource<GeoJSONSource>("spot")?.setData({
      type: "FeatureCollection",
      features: spot
        ? [
            {
              type: "Feature",
              properties: {},
              geometry: { type: "Point", coordinates: [row.lon!, row.lat!] },
            },
          ]
        : [],
    });
    if (country === this.#lit) return;
    const { source, "source-layer": sourceLayer } = AREA_SOURCES.country;
    const mark = (id: string, lit: boolean) =>
      this.map.setFeatureState({ source, sourceLayer, id }, { lit });
    if (this.#lit) mark(this.#lit, false);
    if (country) mark(country, true);
    this.#lit = country;
  }

  flyTo({ lat, lon, bbox }: Pick<AreaRow, "lat" | "lon" | "bbox">): void {
    const options = { padding: this.insets(), maxZoom: 11, duration: 1200 };
    if (bbox) this.map.fitBounds(framed(bbox), options);
    else if (lat !== null && lon !== null)
      this.map.flyTo({ center: [lon, lat], zoom: 9, ...options });
  }

  fit(bounds: Bbox | null): void {
    this.map.fitBounds(framed(bounds ?? WORLD), {
      padding: this.insets(),
      maxZoom: 9,
      duration: 900,
    });
  }

  reset(): void {
    this.fit(WORLD);
  }

  expand(cluster: Cluster): void {
    const zoom = Math.max(cluster.expansionZoom, this.map.getZoom() + 1);
    this.map.easeTo({ center: [cluster.lng, cluster.lat], zoom, duration: 600 });
  }

  pointed({ point, lngLat }: MapMouseEvent, touch = false): Pointed {
    const slack = touch ? TOUCH_SLACK : 0;
    const box: [PointLike, PointLike] = [
      [point.x - slack, point.y - slack],
      [point.x + slack, point.y + slack],
    ];
    const [cluster] = this.map.queryRenderedFeatures(box, { layers: ["clusters"] });
    const [country] = this.map.queryRenderedFeatures(point, { layers: [COUNTRY_LAYER] });
    const area = this.areaAt?.(this.map, point, box);
    const { lng, lat } = lngLat.wrap();
    return {
      x: point.x,
      y: point.y,
      lng,
      lat,
      cluster: cluster ? asCluster(cluster) : null,
      country: (country?.properties["code"] as string | undefined) ?? null,
      area: area ?? null,
    };
  }

  /** Marks the cluster under the pointer or focus. */
  hover(id: string | number | undefined): void {
    if (id === this.#hovered) return;
    const mark = (of: string | number, hovered: boolean) =>
      this.map.setFeatureState({ source: "clicks", sourceLayer: "clusters", id: of }, { hovered });
    if (this.#hovered !== undefined) mark(this.#hovered, false);
    if (id !== undefined) mark(id, true);
    this.#hovered = id;
  }

  /** The clusters in sight, fullest first. */
  clusters(limit: number): Cluster[] {
    const seen = new Map<string | number, Cluster>();
    for (const feature of this.map.queryRenderedFeatures({ layers: ["clusters"] })) {
      const cluster = asCluster(feature);
      seen.set(cluster.id, cluster);
    }
    return [...seen.values()].sort((a, b) => b.clicks - a.clicks).slice(0, limit);
  }

  remove(): void {
    this.map.remove();
  }

  // Sources keep their tiles: MapLibre compares the styles and changes only what differs.
  #restyle(fresh: StyleSpecification["sources"] = {}): void {
    const style = mapStyle(this.#drawn, this.#overlays.values());
    for (const [id, { type }] of Object.entries(style.sources)) {
      // What was set as data since must not be taken back.
      const data = type === "geojson" && !(id in fresh) && this.map.getSource<GeoJSONSource>(id);
      if (data) style.sources[id] = data.serialize();
    }
    this.map.setStyle(style, { diff: true });
  }
}

function asCluster({ properties, geometry }: MapGeoJSONFeature): Cluster {
  const [lng, lat] =
    geometry.type === "Point" ? (geometry.coordinates as [number, number]) : [0, 0];
  return {
    id: properties["id"] as string | number,
    area: (properties["area"] as string | undefined) || null,
    name: String(properties["name"] ?? ""),
    kind: String(properties["kind"] ?? ""),
    clicks: Number(properties["clicks"]),
    expansionZoom: Number(properties["expansion_zoom"]),
    lng,
    lat,
  };
}

// A box whose west lies east of its east crosses the date line.
function framed([west, south, east, north]: Bbox): [number, number, number, number] {
  return [west, Math.max(-80, south), east < west ? east + 360 : east, Math.min(84, north)];
}
