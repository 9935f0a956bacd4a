"""Where clicks come from, as tables: countries, regions, metros, counties, cities, postal codes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.filters import FilterDep
from clickatlas.api.house import House
from clickatlas.atlas.areas import Level
from clickatlas.clicks.filter import Filter
from clickatlas.errors import invalid, not_found
from clickatlas.insight.areas import AreaCounts, by_area, rows
from clickatlas.insight.counts import Counts
from clickatlas.insight.measures import Expectation
from clickatlas.insight.sorting import Arrangement, Sort, arranged
from clickatlas.links.keys import Caller

router = APIRouter(prefix="/api/analytics/geo", tags=["analytics"])

Bbox = Annotated[
    tuple[float, float, float, float], Field(description="West, south, east, north, in degrees.")
]


class Table(StrEnum):
    """The tables by their names in the address."""

    COUNTRIES = "countries"
    REGIONS = "regions"
    METROS = "metros"
    COUNTIES = "counties"
    CITIES = "cities"
    POSTAL_CODES = "postal-codes"


LEVELS = {
    Table.COUNTRIES: Level.COUNTRY,
    Table.REGIONS: Level.REGION,
    Table.METROS: Level.METRO,
    Table.COUNTIES: Level.COUNTY,
    Table.CITIES: Level.CITY,
    Table.POSTAL_CODES: Level.POSTAL,
}


class Totals(BaseModel):
    """What the filter lets through, and what it leaves out."""

    total: int = Field(description="Clicks that the filter lets through.")
    unplaced: int = Field(
        description="Of them, known to a country or region at best: never drawn as a point."
    )
    unknown: int = Field(description="Of them, from addresses that the database does not know.")
    left_out: dict[str, int] = Field(
        description="Clicks of network kinds that the filter leaves out, by network kind; with `min_cell` only where "
        "there are enough, and none for a part of the world."
    )
    min_cell: int = Field(
        description="No area with fewer clicks is shown, nor a few more that would tell its clicks; 0: all are."
    )
    withheld: int = Field(
        description="Of the total, clicks whose spots `min_cell` hides: in tables of wider areas, and not on the map."
    )


def totals(counts: Counts) -> dict[str, Any]:
    """The fields of `Totals`."""
    return {
        "total": counts.total,
        "unplaced": counts.unplaced,
        "unknown": counts.unknown,
        "left_out": counts.left_out,
        "min_cell": counts.held.least if counts.held else 0,
        "withheld": counts.withheld,
    }


class GeoRow(BaseModel):
    """One area. The last fields are there in the tables that they belong to, and absent elsewhere."""

    id: str = Field(description="Such as country:US, region:US-MA, metro:14460, county:25017, zip:02139.")
    name: str
    flag: str = Field(description="The country's, as an emoji; empty where the country isn't known.")
    country: str = Field(description="ISO 3166-1 alpha-2; empty where it isn't known.")
    country_name: str | None
    clicks: int
    share: float = Field(description="Of `total`.")
    population: int | None = Field(description="Residents; null where no source says.")
    rate: float | None = Field(description="Clicks per 10,000 residents; null where nobody is known to live.")
    index: float | None = Field(
        description="Clicks in per cent of those expected of its residents: 100 is its country's average "
        "(a country's: the world's). Null where nobody is known to live."
    )
    lat: float | None
    lon: float | None
    bbox: Bbox | None
    region: str | None = Field(None, description="In regions, counties, cities and postal codes.")
    region_code: str | None = Field(None, description="Such as US-MA; where `region` is.")
    metro: str | None = Field(None, description="In metros.")
    metro_code: str | None = Field(None, description="In metros; of the US, the CBSA.")
    county: str | None = Field(None, description="In counties.")
    county_code: str | None = Field(None, description="In counties; FIPS.")
    city: str | None = Field(None, description="In cities and postal codes.")
    postal_code: str | None = Field(None, description="In postal codes.")


class GeoTable(Totals):
    """A table of areas, most clicks first unless asked for otherwise."""

    unlisted: int = Field(
        description="Clicks in no row, whatever the search: known to a coarser level than this table's, or of "
        "areas that `min_cell` hides."
    )
    rows: list[GeoRow]


class Order(StrEnum):
    """Which end comes first."""

    ASCENDING = "asc"
    DESCENDING = "desc"


@dataclass(frozen=True)
class Shown:
    """Which rows of a table, and in which order."""

    limit: int | None
    arrangement: Arrangement
    unplaced: bool


def shown(
    limit: Annotated[
        int | None, Query(ge=1, le=1_000_000, description="At most so many rows; all unless given.")
    ] = None,
    sort: Annotated[
        Sort, Query(description="What to sort all rows by, before `limit`; what isn't known comes last.")
    ] = Sort.CLICKS,
    order: Annotated[
        Order | None, Query(description="Names ascend and numbers descend unless given.")
    ] = None,
    search: Annotated[
        str,
        Query(max_length=100, description="Only rows whose name (or postal code's city) holds this."),
    ] = "",
    unplaced: Annotated[
        bool, Query(description="Count only unplaced clicks: those never drawn as a point.")
    ] = False,
) -> Shown:
    """Read the parameters that say how a table is shown."""
    ascending = None if order is None else order is Order.ASCENDING
    return Shown(limit, Arrangement(sort, ascending, search), unplaced)


ShownDep = Annotated[Shown, Depends(shown)]


@router.get("/{table}", response_model_exclude_unset=True)
def whole(table: str, wanted: FilterDep, opened: HouseDep, who: CallerDep, how: ShownDep) -> GeoTable:
    """A table for the whole workspace, or for what the filter lets through.

    `table` is countries, regions, metros, counties (US), cities or postal-codes.
    """
    return _answer(table, wanted, opened, who, how)


@router.get("/{code}/{table}", response_model_exclude_unset=True)
def of_link(
    code: str, table: str, wanted: FilterDep, opened: HouseDep, who: CallerDep, how: ShownDep
) -> GeoTable:
    """A table for one link."""
    return _answer(table, Filter(**{**vars(wanted), "links": (code,)}), opened, who, how)


def _answer(table: str, wanted: Filter, opened: House, who: Caller, how: Shown) -> GeoTable:
    if table not in LEVELS:
        raise not_found(f"There is no table {table[:80]!r}.", remedy=f"Use one of {', '.join(LEVELS)}.")
    counts, found, expectation = listing(Table(table), wanted, opened, who, how)
    told = rows(found, expectation, how.limit)
    return GeoTable(**totals(counts), unlisted=found.unlisted, rows=[GeoRow(**row) for row in told])


def listing(
    table: Table, wanted: Filter, opened: House, who: Caller, how: Shown
) -> tuple[Counts, AreaCounts, Expectation]:
    """What a table is made of: all its areas in order, and what they are held against. Raises `Problem` (403, 404, 422)."""
    if wanted.holds and how.unplaced:
        raise invalid(
            "Tables with a smallest number of clicks can't count unplaced clicks alone.",
            remedy="Leave 'unplaced' out.",
            field="unplaced",
        )
    snapshot = opened.questions.snapshot(who.workspace, wanted)
    counts, expectation = snapshot.counts, snapshot.heat.expectation
    listed = counts
    if how.unplaced:
        unplaced = np.asarray(snapshot.atlas.places.unplaced)
        listed = replace(counts, clicks=np.where(unplaced, counts.clicks, 0))
    found = by_area(listed, snapshot.atlas, LEVELS[table])
    return counts, arranged(found, expectation, how.arrangement), expectation
