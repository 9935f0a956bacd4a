"""Two filters beside each other. The second one's parameters begin with `b.`."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlencode

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.columns import numbers
from clickatlas.api.document import tile_of
from clickatlas.api.filters import FilterDep, SecondFilterDep
from clickatlas.api.geo import LEVELS, Bbox, Table
from clickatlas.api.heat import (
    MVT,
    THE_WORLD,
    Step,
    Token,
    VectorLayer,
    Zoom,
    caching,
    matches,
    on_the_map,
)
from clickatlas.insight.areas import known
from clickatlas.insight.divergence import DIFFERS
from clickatlas.insight.heat import MAX_ZOOM
from clickatlas.insight.scales import index_scale

router = APIRouter(prefix="/api/compare", tags=["compare"])
BEYOND = f"Whether the sides differ there beyond chance: q <= {DIFFERS}. Of those that do, 1 in 20 by chance."


class AreaDifferences(BaseModel):
    """Areas where either side has clicks, most of both first: parallel lists, an entry per area."""

    level: Table
    total_a: int = Field(description="Clicks that the first filter lets through.")
    total_b: int = Field(description="Clicks that the second one lets through.")
    min_cell: int = Field(
        description="Only areas and clusters are there that have as many on both sides; 0: all are."
    )
    ids: list[str] = Field(description="Area ids.")
    names: list[str]
    lat: list[float | None]
    lon: list[float | None]
    a: list[int] = Field(description="Clicks of the first filter.")
    b: list[int] = Field(description="Clicks of the second.")
    share_a: list[float] = Field(description="`a` of `total_a`.")
    share_b: list[float] = Field(description="`b` of `total_b`.")
    difference: list[float] = Field(
        description="log2 of the first share over the second, shrunk: 1 is twice, -1 is half."
    )
    z: list[float] = Field(
        description="How far the difference is from none, in standard errors, clicks in clumps taken into account."
    )
    q: list[float | None] = Field(
        description="The chance of the like if there were none, after all areas (Benjamini-Hochberg); null: too few clicks."
    )
    differs: list[bool] = Field(description=BEYOND)


class DifferenceScale(BaseModel):
    """Values and their colours, those of an index (200 is a difference of 1). Between two stops they mix evenly."""

    stops: list[float] = Field(description="Differences (log2), ascending.")
    light: list[str] = Field(description="#rrggbb, on a light map.")
    dark: list[str] = Field(description="#rrggbb, on a dark map.")


class CompareScales(BaseModel):
    """The colours of differences."""

    difference: DifferenceScale


class CompareTileJson(BaseModel):
    """TileJSON 3.0 of the comparison's tiles, with both totals."""

    tilejson: Literal["3.0.0"] = "3.0.0"
    tiles: list[str]
    vector_layers: list[VectorLayer]
    minzoom: int
    maxzoom: int
    bounds: Bbox = Field(description="West, south, east, north of both filters' placed clicks.")
    attribution: str
    snapshot: str
    total_a: int = Field(description="Clicks that the first filter lets through.")
    total_b: int = Field(description="Clicks that the second one lets through.")
    min_cell: int = Field(
        description="Only areas and clusters are there that have as many on both sides; 0: all are."
    )
    unplaced_a: int = Field(description="Of the first, in no cluster: known to a country or region at best.")
    unplaced_b: int = Field(description="Of the second, in no cluster.")
    scales: CompareScales


@router.get("/areas")
def compared(
    wanted: FilterDep,
    second: SecondFilterDep,
    opened: HouseDep,
    who: CallerDep,
    level: Annotated[Table, Query(description="Which areas.")] = Table.COUNTRIES,
    limit: Annotated[
        int | None, Query(ge=1, le=1_000_000, description="At most so many areas; all unless given.")
    ] = None,
) -> AreaDifferences:
    """Where the first filter has more of its clicks than the second.

    Shares differ by chance, too, the more the fewer clicks there are, and clicks come in clumps: `differs` says where
    it is beyond that, as GET /api/insights/differences does. Differences are log-odds ratios with a Dirichlet prior of
    both sides together (Monroe et al. 2008), so a handful of clicks makes no large one.
    """
    _token, atlas, found = opened.questions.comparison(who.workspace, wanted, second)
    table = found.areas(LEVELS[level])
    number = table.area[:limit].tolist()
    areas, total_a, total_b = atlas.areas, found.a.total, found.b.total
    return AreaDifferences(
        level=level,
        total_a=total_a,
        total_b=total_b,
        min_cell=wanted.least if wanted.holds else 0,
        ids=[areas.id(area) for area in number],
        names=[areas.name(area) for area in number],
        lat=[known(round(areas.lat(area), 4)) for area in number],
        lon=[known(round(areas.lon(area), 4)) for area in number],
        a=table.a[:limit].tolist(),
        b=table.b[:limit].tolist(),
        share_a=_rounded(table.a[:limit] / max(1, total_a), 9),
        share_b=_rounded(table.b[:limit] / max(1, total_b), 9),
        difference=_rounded(table.ratio[:limit], 4),
        z=_rounded(table.z[:limit], 4),
        q=numbers(table.q[:limit]),
        differs=table.differs[:limit].tolist(),
    )


def _rounded(values: npt.NDArray[np.float64], digits: int) -> list[float]:
    rounded: list[float] = (np.round(values, digits) + 0.0).tolist()  # no -0.0
    return rounded


@router.get("/tilejson")
def tilejson(
    request: Request, wanted: FilterDep, second: SecondFilterDep, opened: HouseDep, who: CallerDep
) -> CompareTileJson:
    """TileJSON 3.0 of the comparison's tiles, with both totals and the colours of differences."""
    token, atlas, found = opened.questions.comparison(who.workspace, wanted, second)
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "v"]
    host = opened.settings.public_url or f"{request.url.scheme}://{request.url.netloc}"
    scale = index_scale()  # an index of 200 is twice as much, as a difference of 1 is
    hundredths = "in hundredths, plus 100000"
    return CompareTileJson(
        tiles=[f"{host}/api/compare/tiles/{{z}}/{{x}}/{{y}}.mvt?{urlencode([*kept, ('v', token)])}"],
        vector_layers=[
            VectorLayer(
                id="clusters",
                fields={
                    "a": "Clicks of the first filter",
                    "b": "Clicks of the second",
                    "name": "What it is",
                    "kind": "Its level",
                    "id": "The same under every filter",
                    "expansion_zoom": "The zoom at which it breaks apart; 15: never",
                    "difference": f"log2 of the first share over the second, shrunk, {hundredths}",
                    "z": f"How far from none, in standard errors, {hundredths}",
                    "differs": "1: beyond chance, after all clusters of the zoom",
                },
            )
        ],
        minzoom=0,
        maxzoom=MAX_ZOOM,
        bounds=found.heat.bounds or THE_WORLD,
        attribution=", ".join(source.attribution for source in atlas.sources),
        snapshot=token,
        total_a=found.a.total,
        total_b=found.b.total,
        min_cell=wanted.least if wanted.holds else 0,
        unplaced_a=found.a.unplaced,
        unplaced_b=found.b.unplaced,
        scales=CompareScales(
            difference=DifferenceScale(
                stops=np.round(np.log2(np.array(scale.stops) / 100), 4).tolist(),
                light=list(scale.light),
                dark=list(scale.dark),
            )
        ),
    )


@router.get(
    "/tiles/{z}/{x}/{y}.mvt",
    response_class=Response,
    responses=tile_of(MVT),
)
def tile(
    request: Request,
    z: Zoom,
    x: Step,
    y: Step,
    wanted: FilterDep,
    second: SecondFilterDep,
    opened: HouseDep,
    who: CallerDep,
    v: Token = None,
) -> Response:
    """One Mapbox Vector Tile (2.1) with the layer `clusters`; 204 where neither filter has clicks."""
    on_the_map(z, x, y)
    token, _atlas, found = opened.questions.comparison(who.workspace, wanted, second, v)
    headers = caching(token)
    if matches(request.headers.get("if-none-match", ""), headers["etag"]):
        return Response(status_code=304, headers=headers)
    data = found.tile(z, x, y)
    return Response(data, 200 if data else 204, headers, media_type=MVT if data else None)
