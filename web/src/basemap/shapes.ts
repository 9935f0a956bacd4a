import type { LayerSpecification } from "maplibre-gl";
import type { Palette } from "./palette";

/** Water, land and lines, in drawing order. */
export function shapeLayers(palette: Palette): LayerSpecification[] {
  return [
    { id: "ocean", type: "background", paint: { "background-color": palette.ocean } },
    {
      id: "land",
      type: "fill",
      source: "basemap",
      "source-layer": "countries",
      paint: { "fill-color": palette.land },
    },
    {
      id: "lakes",
      type: "fill",
      source: "basemap",
      "source-layer": "lakes",
      paint: { "fill-color": palette.ocean },
    },
    {
      id: "coast",
      type: "line",
      source: "basemap",
      "source-layer": "coast",
      layout: { "line-join": "round" },
      paint: {
        "line-color": palette.coast,
        "line-width": ["interpolate", ["linear"], ["zoom"], 0, 0.4, 4, 0.7, 9, 1],
      },
    },
    {
      id: "county-borders",
      type: "line",
      source: "basemap",
      "source-layer": "county_borders",
      minzoom: 5,
      paint: {
        "line-color": palette.countyBorder,
        "line-width": ["interpolate", ["linear"], ["zoom"], 5, 0.4, 9, 1],
        // Too coarse for a street-level view: there it steps back.
        "line-opacity": ["interpolate", ["linear"], ["zoom"], 5, 0, 6.5, 1, 9, 1, 11, 0.5],
      },
    },
    {
      id: "region-borders",
      type: "line",
      source: "basemap",
      "source-layer": "region_borders",
      minzoom: 2,
      filter: ["<=", ["get", "minzoom"], ["zoom"]],
      layout: { "line-join": "round" },
      paint: {
        "line-color": palette.regionBorder,
        "line-width": ["interpolate", ["linear"], ["zoom"], 2, 0.4, 5, 0.9, 9, 1.6],
        "line-opacity": ["interpolate", ["linear"], ["zoom"], 2, 0, 3.2, 1],
      },
    },
    {
      id: "country-borders",
      type: "line",
      source: "basemap",
      "source-layer": "country_borders",
      layout: { "line-join": "round", "line-cap": "round" },
      paint: {
        "line-color": palette.countryBorder,
        "line-width": ["interpolate", ["linear"], ["zoom"], 0, 0.5, 3, 0.9, 6, 1.4, 9, 2],
      },
    },
  ];
}
