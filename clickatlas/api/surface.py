"""Measures on the map: the smoothed surface as raster tiles, and a level's areas in columns."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.document import tile_of
from clickatlas.api.filters import FilterDep
from clickatlas.api.geo import LEVELS, Table
from clickatlas.api.heat import Step, Token, Zoom, caching, matches, on_the_map
from clickatlas.insight import surface
from clickatlas.insight.areas import by_area_and_people, degrees, known, measured
from clickatlas.insight.scales import Measure, Theme

router = APIRouter(prefix="/api/heat", tags=["map"])


class AreaColumns(BaseModel):
    """Areas of one level as parallel lists, most clicks first; null where a figure isn't known."""

    level: Table
    snapshot: str = Field(description="Name of the counts behind it, as in the TileJSON.")
    total: int = Field(description="Clicks that the filter lets through.")
    ids: list[str]
    names: list[str]
    lat: list[float | None]
    lon: list[float | None]
    clicks: list[int]
    population: list[int | None]
    rate: list[float | None] = Field(description="Clicks per 10,000 residents.")
    expected: list[float | None] = Field(
        description="Clicks that there would be if everybody in the country clicked equally often."
    )
    index: list[float | None] = Field(description="Clicks in per cent of those expected.")


@router.get("/areas")
def areas(
    wanted: FilterDep,
    opened: HouseDep,
    who: CallerDep,
    level: Annotated[Table, Query(description="Which areas.")] = Table.COUNTRIES,
) -> AreaColumns:
    """Every area of a level with clicks, to shade a map with.

    Of countries, regions, counties and metros also those where people live and nobody clicked.
    """
    snapshot = opened.questions.snapshot(who.workspace, wanted)
    atlas, expectation = snapshot.atlas.areas, snapshot.heat.expectation
    table = by_area_and_people(expectation, LEVELS[level])
    numbers = table.area.tolist()
    figures = measured(table, expectation)
    return AreaColumns(
        level=level,
        snapshot=snapshot.token,
        total=snapshot.counts.total,
        ids=[atlas.id(number) for number in numbers],
        names=[atlas.name(number) for number in numbers],
        lat=[degrees(atlas.lat(number)) for number in numbers],
        lon=[degrees(atlas.lon(number)) for number in numbers],
        clicks=table.clicks.tolist(),
        population=[people if people >= 0 else None for people in atlas.populations()[table.area].tolist()],
        rate=_column(figures.rate),
        expected=[known(expected) if expected > 0 else None for expected in figures.expected.tolist()],
        index=_column(figures.index),
    )


def _column(figures: npt.NDArray[np.float64]) -> list[float | None]:
    return [known(figure) for figure in figures.tolist()]


@router.get("/surface/{z}/{x}/{y}.png", response_class=Response, responses=tile_of("image/png"))
def tile(
    request: Request, z: Zoom, x: Step, y: Step,
    wanted: FilterDep, opened: HouseDep, who: CallerDep,
    measure: Annotated[Measure, Query(description="Which measure the colours stand for.")] = Measure.INDEX,
    theme: Annotated[Theme, Query(description="The map below.")] = Theme.LIGHT,
    v: Token = None,
) -> Response:  # fmt: skip
    """A measure smoothed over the map: a PNG of 256 px for a tile of 512 px; 204 where nothing is known.

    Colours are those of the TileJSON's `scales`. It is drawn towards the average, and fades, where few
    clicks and few people say little.
    """
    on_the_map(z, x, y)
    snapshot = opened.questions.snapshot(who.workspace, wanted, v)
    headers = caching(f"{snapshot.token}-{measure.value}-{theme.value}")
    if matches(request.headers.get("if-none-match", ""), headers["etag"]):
        return Response(status_code=304, headers=headers)
    data = surface.tile(snapshot.heat, z, x, y, measure, theme)
    return Response(data, 200 if data else 204, headers, media_type="image/png" if data else None)
