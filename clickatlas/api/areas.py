"""Areas and the atlas itself: what is known about a place, and who says so."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.filters import FilterDep
from clickatlas.atlas.atlas import Atlas
from clickatlas.errors import not_found
from clickatlas.insight.areas import standing

router = APIRouter(prefix="/api", tags=["atlas"])


@router.get("/areas")
def search(
    opened: HouseDep,
    _who: CallerDep,
    search: Annotated[str, Query(min_length=1, max_length=100, description="Part of a name, or a code.")],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> dict[str, Any]:
    """Areas by name or code, the most populous first."""
    atlas = opened.atlas
    return {"rows": [_area(atlas, number) for number in atlas.areas.search(search, limit)]}


@router.get("/areas/{area_id}")
def one(area_id: str, wanted: FilterDep, opened: HouseDep, who: CallerDep) -> dict[str, Any]:
    """One area: its parents, who lives there, and how it stands under the filter.

    `rate` is clicks per 10,000 residents; `index` compares it with the country's (100: the same).
    """
    snapshot = opened.questions.snapshot(who.workspace, wanted)
    atlas = snapshot.atlas
    number = atlas.areas.number(area_id)
    if number is None:
        raise not_found(
            f"The atlas has no area {area_id[:80]!r}.", remedy="Find one with GET /api/areas?search=NAME."
        )
    return {
        **_area(atlas, number),
        "people": atlas.people.figures(area_id),
        "standing": standing(snapshot.counts, atlas, number),
    }


def _area(atlas: Atlas, number: int) -> dict[str, Any]:
    areas = atlas.areas
    return {
        "id": areas.id(number),
        "name": areas.name(number),
        "level": str(areas.level(number)),
        "flag": areas.flag(number),
        "country": areas.country(number),
        "parents": [
            {"id": areas.id(parent), "name": areas.name(parent), "level": str(areas.level(parent))}
            for parent in areas.ancestors(number)
        ],
        "lat": round(areas.lat(number), 4),
        "lon": round(areas.lon(number), 4),
        "bbox": _rounded(areas.bbox(number)),
        "population": areas.population(number),
    }


def _rounded(bbox: list[float] | None) -> list[float] | None:
    return None if bbox is None else [round(value, 4) for value in bbox]


@router.get("/atlas")
def atlas(opened: HouseDep, _who: CallerDep) -> dict[str, Any]:
    """Which data the map stands on, how old it is, and whom to thank."""
    opened_atlas = opened.atlas
    return {
        "built": opened_atlas.built,
        "version": opened_atlas.version,
        "places": len(opened_atlas.places.key),
        "areas": len(opened_atlas.areas),
        "sources": [
            {"name": s.name, "attribution": s.attribution, "licence": s.licence, "url": s.url}
            for s in opened_atlas.sources
        ],
    }
