"""The map: its vector tiles, and what they stand on."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.document import tile_of
from clickatlas.api.filters import FilterDep
from clickatlas.api.geo import Bbox, Totals, totals
from clickatlas.errors import not_found
from clickatlas.insight.heat import MAX_ZOOM, Heat
from clickatlas.insight.scales import Measure

router = APIRouter(prefix="/api/heat", tags=["map"])
MVT = "application/vnd.mapbox-vector-tile"
THE_WORLD = (-180.0, -85.0, 180.0, 85.0)
FIELDS = {
    "heat": {"clicks": "Clicks in a cell of 1/256 tile"},
    "clusters": {
        "clicks": "Clicks",
        "residents": "People for whom its places stand; 0: nobody is counted there",
        "expected": "Clicks expected of its residents, in hundredths; 0: not known",
        "name": "What it is",
        "kind": "Its level",
        "id": "The same under every filter",
        "area": "Id of the area it is named after, where it breaks apart no more; else empty",
        "expansion_zoom": "The zoom at which it breaks apart; 15: never",
    },
}

Zoom = Annotated[int, Path(ge=0, le=MAX_ZOOM)]
Step = Annotated[int, Path(ge=0)]
Token = Annotated[str | None, Query(description="A snapshot's token, from the TileJSON.")]


class ScaleStops(BaseModel):
    """Values and their colours: `light[i]` and `dark[i]` belong to `stops[i]`.

    Between two stops colours mix with the logarithm of the value; beyond the ends they stay.
    """

    stops: list[float] = Field(description="Ascending.")
    light: list[str] = Field(description="#rrggbb, on a light map.")
    dark: list[str] = Field(description="#rrggbb, on a dark map.")


class Scales(BaseModel):
    """Colours of the measures, for bubbles, areas, the surface and legends alike."""

    rate: ScaleStops = Field(description="Clicks per 10,000 residents; the stops follow the filter.")
    index: ScaleStops = Field(description="Per cent of what was expected; the same stops for every filter.")


class VectorLayer(BaseModel):
    """A layer of the vector tiles."""

    id: str
    fields: dict[str, str] = Field(description="Its properties, and what each says.")


class HeatTileJson(Totals):
    """TileJSON 3.0, and what a legend needs."""

    tilejson: Literal["3.0.0"] = "3.0.0"
    tiles: list[str] = Field(description="Addresses of the vector tiles, with {z}, {x} and {y}.")
    surface: str = Field(
        description="Address of the surface's raster tiles, with {z}, {x} and {y}: 256 px images of 512-px tiles. "
        "Add `&measure=` rate or index and `&theme=` light or dark."
    )
    vector_layers: list[VectorLayer]
    minzoom: int
    maxzoom: int
    bounds: Bbox = Field(description="West, south, east, north; holds 99 % of the placed clicks.")
    attribution: str
    snapshot: str = Field(description="Name of the counts behind it all; `v` of the tiles.")
    heat_max: dict[str, int] = Field(description="Per zoom, clicks of the fullest cell of 1/256 tile.")
    scales: Scales


@router.get("/tilejson")
def tilejson(request: Request, wanted: FilterDep, opened: HouseDep, who: CallerDep) -> HeatTileJson:
    """The filter's tiles, with totals, the clicks' bounds, each zoom's fullest cell, and the colour scales."""
    snapshot = opened.questions.snapshot(who.workspace, wanted)
    counts, heat = snapshot.counts, snapshot.heat
    kept = [
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in ("v", "measure", "theme")
    ]
    query = urlencode([*kept, ("v", snapshot.token)])
    host = opened.settings.public_url or f"{request.url.scheme}://{request.url.netloc}"
    return HeatTileJson(
        tiles=[f"{host}/api/heat/tiles/{{z}}/{{x}}/{{y}}.mvt?{query}"],
        surface=f"{host}/api/heat/surface/{{z}}/{{x}}/{{y}}.png?{query}",
        vector_layers=[VectorLayer(id=name, fields=fields) for name, fields in FIELDS.items()],
        minzoom=0,
        maxzoom=MAX_ZOOM,
        bounds=heat.bounds or THE_WORLD,
        attribution=", ".join(source.attribution for source in snapshot.atlas.sources),
        snapshot=snapshot.token,
        **totals(counts),
        heat_max={str(zoom): clicks for zoom, clicks in enumerate(heat.largest_cell)},
        scales=Scales(**{measure.value: _stops(heat, measure) for measure in Measure}),
    )


def _stops(heat: Heat, measure: Measure) -> ScaleStops:
    scale = heat.scales[measure]
    return ScaleStops(stops=list(scale.stops), light=list(scale.light), dark=list(scale.dark))


@router.get("/tiles/{z}/{x}/{y}.mvt", response_class=Response, responses=tile_of(MVT))
def tile(
    request: Request, z: Zoom, x: Step, y: Step,
    wanted: FilterDep, opened: HouseDep, who: CallerDep, v: Token = None,
) -> Response:  # fmt: skip
    """One Mapbox Vector Tile (2.1) with the layers `heat` and `clusters`; 204 where there is nothing."""
    on_the_map(z, x, y)
    snapshot = opened.questions.snapshot(who.workspace, wanted, v)
    headers = caching(snapshot.token)
    if matches(request.headers.get("if-none-match", ""), headers["etag"]):
        return Response(status_code=304, headers=headers)
    data = snapshot.heat.tile(z, x, y)
    return Response(data, 200 if data else 204, headers, media_type=MVT if data else None)


def on_the_map(z: int, x: int, y: int) -> None:
    """Raises `Problem` (404) for a tile that its zoom does not have."""
    if x >= 1 << z or y >= 1 << z:
        raise not_found(
            f"Zoom {z} has no tile {x}/{y}.", remedy=f"Use 0 to {(1 << z) - 1} for each at this zoom."
        )


def caching(token: str) -> dict[str, str]:
    """A browser keeps a tile and asks each time whether it still holds."""
    return {"etag": f'"{token}"', "cache-control": "private, no-cache", "vary": "cookie, authorization"}


def matches(header: str, etag: str) -> bool:
    """Whether the browser has this very answer, by its If-None-Match."""
    return any(tag.strip().removeprefix("W/") in (etag, "*") for tag in header.split(","))
