"""Where clicks come from, as tables: countries, regions, metros, cities, postal codes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.filters import FilterDep
from clickatlas.atlas.areas import Level
from clickatlas.clicks.filter import Filter
from clickatlas.errors import not_found
from clickatlas.insight.areas import by_area, rows

router = APIRouter(prefix="/api/analytics/geo", tags=["analytics"])


class Table(StrEnum):
    """The five tables by their names in the address."""

    COUNTRIES = "countries"
    REGIONS = "regions"
    METROS = "metros"
    CITIES = "cities"
    POSTAL_CODES = "postal-codes"


LEVELS = {
    Table.COUNTRIES: Level.COUNTRY,
    Table.REGIONS: Level.REGION,
    Table.METROS: Level.METRO,
    Table.CITIES: Level.CITY,
    Table.POSTAL_CODES: Level.POSTAL,
}


class GeoRow(BaseModel):
    """One area. Its level adds fields: region, region_code; metro, metro_code; city; postal_code."""

    model_config = ConfigDict(extra="allow")
    id: str
    name: str
    flag: str
    country: str
    country_name: str | None
    clicks: int
    share: float = Field(description="Of `total`.")
    lat: float
    lon: float
    bbox: list[float] | None = Field(description="West, south, east, north.")


class GeoTable(BaseModel):
    """A table of areas, most clicks first."""

    total: int = Field(description="Clicks that the filter lets through.")
    unplaced: int = Field(
        description="Of them, known to a country or region at best: never drawn as a point."
    )
    unknown: int = Field(description="Of them, from addresses that the database does not know.")
    left_out: dict[str, int] = Field(description="Clicks of network kinds that the filter leaves out.")
    unlisted: int = Field(
        description="Clicks of `total` in no row: known to a coarser level than this table's."
    )
    rows: list[GeoRow]


Limit = Annotated[
    int | None, Query(ge=1, le=1_000_000, description="At most so many rows; all unless given.")
]


@router.get("/{table}", response_model=GeoTable)
def whole(
    table: str, wanted: FilterDep, opened: HouseDep, who: CallerDep, limit: Limit = None
) -> dict[str, Any]:
    """A table for the whole workspace, or for what the filter lets through."""
    return _answer(table, wanted, opened, who, limit)


@router.get("/{code}/{table}", response_model=GeoTable)
def of_link(
    code: str, table: str, wanted: FilterDep, opened: HouseDep, who: CallerDep, limit: Limit = None
) -> dict[str, Any]:
    """A table for one link."""
    return _answer(table, Filter(**{**vars(wanted), "links": (code,)}), opened, who, limit)


def _answer(
    table: str, wanted: Filter, opened: HouseDep, who: CallerDep, limit: int | None
) -> dict[str, Any]:
    if table not in LEVELS:
        raise not_found(f"There is no table {table[:80]!r}.", remedy=f"Use one of {', '.join(LEVELS)}.")
    snapshot = opened.questions.snapshot(who.workspace, wanted)
    counts, atlas = snapshot.counts, snapshot.atlas
    found = by_area(counts, atlas, LEVELS[Table(table)])
    return {
        "total": counts.total,
        "unplaced": counts.unplaced,
        "unknown": counts.unknown,
        "left_out": counts.left_out,
        "unlisted": found.unlisted,
        "rows": rows(found, atlas, counts.total, limit),
    }
