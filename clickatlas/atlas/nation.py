"""The spread of each demographic figure over the nation's ZIP codes: what one area's figure is held against."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.figures import FIGURES, Figure
from clickatlas.atlas.files import load
from clickatlas.atlas.gazetteer import ZIP_COUNTRIES
from clickatlas.atlas.people import Table

F64 = npt.NDArray[np.float64]

NATION = "United States"
PARTS = (0.1, 0.25, 0.5, 0.75, 0.9)
# Whom a median speaks of; shares have a base of their own.
OF = {"median_household_income": "households", "median_home_value": "households", "median_age": "population"}


class Spread(NamedTuple):
    """Of everybody whom a figure speaks of (adults, households, …), by the ZIP code they live in."""

    p10: float
    p25: float
    p50: float
    p75: float
    p90: float
    percentile: float  # how many in 100 of them live where the figure is lower; of equals, half


class Nation:
    """Figures of the ZIP codes of the states, sorted; a few megabytes once asked."""

    def __init__(self, folder: Path) -> None:
        others = np.array(sorted(ZIP_COUNTRIES - {"US"}), "S2")
        rows = np.flatnonzero(~np.isin(load(folder, "people_state"), others))
        names = [figure.name for figure in FIGURES]
        table = Table({name: load(folder, f"people_{name}")[rows] for name in names})
        self._sorted = {figure.name: _sorted(figure, table) for figure in FIGURES if figure.kind != "count"}

    @classmethod
    def of(cls, folder: Path) -> Nation:
        """That of the atlas in `folder`; the last two are remembered. 40 ms the first time."""
        return _nation(folder)

    def spread(self, name: str, value: float) -> Spread | None:
        """Where `value` of the share or median `name` stands; None for other figures."""
        values, ends = self._sorted.get(name, (np.zeros(0), np.zeros(0)))
        if not len(values):
            return None
        whole = ends[-1]
        quantiles = values[np.searchsorted(ends, np.array(PARTS) * whole)]
        lower, upper = (
            _before(ends, int(np.searchsorted(values, value, side))) for side in ("left", "right")
        )
        p10, p25, p50, p75, p90 = (round(float(quantile), 4) for quantile in quantiles)
        return Spread(p10, p25, p50, p75, p90, round(50 * (lower + upper) / float(whole), 1))


@lru_cache(maxsize=2)
def _nation(folder: Path) -> Nation:
    return Nation(folder)


def _sorted(figure: Figure, table: Table) -> tuple[F64, F64]:
    """Values in ascending order, and their weights added up; ZIPs that don't tell one of the two are left out."""
    values = table.column(figure.name)
    weights = table.base(figure) if figure.base else table.column(OF[figure.name])
    use = np.flatnonzero(~np.isnan(values) & (weights > 0))
    use = use[np.argsort(values[use], kind="stable")]
    return values[use], np.cumsum(weights[use])


def _before(ends: F64, at: int) -> float:
    return float(ends[at - 1]) if at else 0.0
