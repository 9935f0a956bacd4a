"""Where clicks come from, as tables: countries, regions, metros, counties, cities, postal codes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.filters import FilterDep
from clickatlas.atlas.areas import Level
from clickatlas.clicks.filter import Filter
from clickatlas.errors import not_found
from clickatlas.insight.areas import by_area, rows

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
        description="Clicks of network kinds that the filter leaves out, by network kind."
    )


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
    """A table of areas, most clicks first."""

    unlisted: int = Field(
        description="Clicks of `total` in no row: known to a coarser level than this table's."
    )
    rows: list[GeoRow]


Limit = Annotated[
    int | None, Query(ge=1, le=1_000_000, description="At most so many rows; all unless given.")
]


@router.get("/{table}", response_model_exclude_unset=True)
def whole(table: str, wanted: FilterDep, opened: HouseDep, who: CallerDep, limit: Limit = None) -> GeoTable:
    """A table for the whole workspace, or for what the filter lets through.

    `table` is countries, regions, metros, counties (US), cities or postal-codes.
    """
    return _answer(table, wanted, opened, who, limit)


@router.get("/{code}/{table}", response_model_exclude_unset=True)
def of_link(
    code: str, table: str, wanted: FilterDep, opened: HouseDep, who: CallerDep, limit: Limit = None
) -> GeoTable:
    """A table for one link."""
    return _answer(table, Filter(**{**vars(wanted), "links": (code,)}), opened, who, limit)


def _answer(table: str, wanted: Filter, opened: HouseDep, who: CallerDep, limit: int | None) -> GeoTable:
    if table not in LEVELS:
        raise not_found(f"There is no table {table[:80]!r}.", remedy=f"Use one of {', '.join(LEVELS)}.")
    snapshot = opened.questions.snapshot(who.workspace, wanted)
    counts = snapshot.counts
    found = by_area(counts, snapshot.atlas, LEVELS[Table(table)])
    return GeoTable(
        total=counts.total,
        unplaced=counts.unplaced,
        unknown=counts.unknown,
        left_out=counts.left_out,
        unlisted=found.unlisted,
        rows=[GeoRow(**row) for row in rows(found, snapshot.heat.expectation, limit)],
    )
