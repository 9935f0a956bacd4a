"""Areas and the atlas itself: what is known about a place, and who says so."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.filters import FilterDep
from clickatlas.api.geo import Bbox
from clickatlas.api.people import Against, People, against
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.errors import not_found
from clickatlas.insight.areas import degrees
from clickatlas.insight.measures import Expectation
from clickatlas.insight.standing import standing
from clickatlas.links import plans

router = APIRouter(prefix="/api", tags=["atlas"])


class AreaName(BaseModel):
    """An area in short."""

    id: str
    name: str
    level: Level


class Area(AreaName):
    """An area."""

    flag: str = Field(description="The country's, as an emoji; empty where the country isn't known.")
    country: str = Field(description="ISO 3166-1 alpha-2; empty where it isn't known.")
    parents: list[AreaName] = Field(description="What holds it, the widest first.")
    lat: float | None
    lon: float | None
    bbox: Bbox | None
    population: int | None = Field(description="Residents; null where no source says.")


class AreaList(BaseModel):
    """Areas that were found."""

    rows: list[Area]


class Coarser(BaseModel):
    """Clicks that may be from the area as well."""

    id: str
    name: str
    clicks: int = Field(description="Clicks known to this wider area and to nothing finer in it.")


class Radius(BaseModel):
    """How far visitors may be from the spot that the database gives, over the area's clicks."""

    median: float = Field(description="km")
    p90: float = Field(description="km; for nine clicks in ten it is at most that.")


class AreaStanding(BaseModel):
    """How an area stands under the filter."""

    clicks: int
    share: float = Field(description="Of all clicks that the filter lets through.")
    rate: float | None = Field(description="Clicks per 10,000 residents; null where nobody is known to live.")
    index: float | None = Field(description="100 × clicks / expected; null where nobody is known to live.")
    expected: float | None = Field(
        description="Clicks that its residents would give if they clicked as often as their country's do "
        "(a country's: as the world's)."
    )
    rank: int | None = Field(description="1: the most clicks of all areas of its level. Null without clicks.")
    of: int = Field(description="Areas of its level with clicks.")
    coarser: list[Coarser] = Field(
        description="Clicks known only to an area that holds it; the widest first."
    )
    radius: Radius | None = Field(description="Null without clicks, or where the database states no radius.")


class AreaPage(Area):
    """An area, who lives there, and how it stands."""

    people: People | None = Field(description="Null where no source says anything.")
    against: Against | None = Field(
        description="Its people's figures held against the nation's; US areas only."
    )
    standing: AreaStanding | None = Field(
        description="Null where `min_cell` hides it: for having few clicks, or for telling of an area that has."
    )


class AtlasSource(BaseModel):
    """A data file that the atlas is built from."""

    name: str
    attribution: str
    licence: str
    url: str


class AtlasFacts(BaseModel):
    """The atlas in use."""

    built: datetime = Field(description="When the City database was built by its maker.")
    version: str
    places: int
    areas: int
    sources: list[AtlasSource]


@router.get("/areas")
def search(
    opened: HouseDep,
    _who: CallerDep,
    search: Annotated[str, Query(min_length=1, max_length=100, description="Part of a name, or a code.")],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> AreaList:
    """Areas by name or code, the most populous first."""
    atlas = opened.atlas
    return AreaList(rows=[Area(**_area(atlas, number)) for number in atlas.areas.search(search, limit)])


@router.get("/areas/{area_id}")
def one(area_id: str, wanted: FilterDep, opened: HouseDep, who: CallerDep) -> AreaPage:
    """One area: its parents, who lives there, and how it stands under the filter."""
    snapshot = opened.questions.snapshot(who.workspace, wanted)
    atlas = snapshot.atlas
    number = atlas.areas.number(area_id)
    if number is None:
        raise not_found(
            f"The atlas has no area {area_id[:80]!r}.", remedy="Find one with GET /api/areas?search=NAME."
        )
    told = plans.of(who.plan, opened.settings.default_plan).demographics
    figures = atlas.people.figures(area_id) if told else None
    return AreaPage(
        **_area(atlas, number),
        people=None if figures is None else People(**figures),
        against=against(atlas, area_id, figures),
        standing=_standing(snapshot.heat.expectation, number),
    )


def _standing(expectation: Expectation, number: int) -> AreaStanding | None:
    found, areas = standing(expectation, number), expectation.atlas.areas
    if found is None:
        return None
    return AreaStanding(
        clicks=found.clicks, share=found.share, rate=found.rate, index=found.index, expected=found.expected,
        rank=found.rank, of=found.of,
        coarser=[
            Coarser(id=areas.id(above), name=areas.name(above), clicks=clicks) for above, clicks in found.coarser
        ],
        radius=None if found.radius is None else Radius(median=found.radius.median, p90=found.radius.p90),
    )  # fmt: skip


def _area(atlas: Atlas, number: int) -> dict[str, Any]:
    areas = atlas.areas
    return {
        **_short(atlas, number),
        "flag": areas.flag(number),
        "country": areas.country(number),
        "parents": [_short(atlas, parent) for parent in areas.ancestors(number)],
        "lat": degrees(areas.lat(number)),
        "lon": degrees(areas.lon(number)),
        "bbox": _rounded(areas.bbox(number)),
        "population": areas.population(number),
    }


def _short(atlas: Atlas, number: int) -> dict[str, Any]:
    return {
        "id": atlas.areas.id(number),
        "name": atlas.areas.name(number),
        "level": atlas.areas.level(number),
    }


def _rounded(bbox: list[float] | None) -> list[float] | None:
    return None if bbox is None else [round(value, 4) for value in bbox]


@router.get("/atlas")
def atlas(opened: HouseDep, _who: CallerDep) -> AtlasFacts:
    """Which data the map stands on, how old it is, and whom to thank."""
    found = opened.atlas
    return AtlasFacts(
        built=found.built,
        version=found.version,
        places=len(found.places.key),
        areas=len(found.areas),
        sources=[
            AtlasSource(name=s.name, attribution=s.attribution, licence=s.licence, url=s.url)
            for s in found.sources
        ],
    )
