"""Who inside a target was not reached: residents of areas without a click, also weighed by their income.

What an area's people may spend is taken as residents × median household income: buying power indices rest on population
and income, too (with retail sales in Sales Management's Survey of Buying Power, which adds the three up). It only stands
in for aggregate income: the median is of households, not of people, and the survey tells none above 250,000 dollars.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import special

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.files import load
from clickatlas.insight import chance
from clickatlas.insight.measures import Residents
from clickatlas.insight.surroundings import positions
from clickatlas.insight.target import Target

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
LEAST = 30  # clicks inside: below, nothing is said of who was not reached
MOST = 200  # areas in a list
FALSE = 0.05  # of the areas called silent, those that may be so by chance


@dataclass(frozen=True)
class Unreached:
    """Who lives in the target's postal areas (cities where there are none) that had no click.

    An area is `silent` where so few clicks would be chance in fewer than `q` ≤ 0.05 (Benjamini-Hochberg). `by_chance`
    is how many people would live in areas without a click if clicks came as people live; (`low`, `high`) its 95 % range.
    """

    people: float  # who live in the target's areas that an address leads to
    unreached: float
    unreached_low: float  # of them, in silent areas: all of these, not only those listed
    income_known: float  # share of `people` in areas whose median household income is known
    # Of residents × income there, the share of areas without a click, and of silent ones; NaN where none is known.
    unreached_income: float
    unreached_income_low: float
    by_chance: float
    low: float
    high: float
    p: float
    areas: int  # in the target
    without: int  # of them, had no click
    area: I64  # silent ones, most people first, 200 at most
    population: F64
    expected: F64  # clicks
    q: F64


def unreached(
    atlas: Atlas, target: Target, clicks: I64, phi: float, shown: Flags | None, people: Residents
) -> Unreached | None:
    """None where fewer than `LEAST` clicks came from inside, where nobody is known to live there, or an area is not `shown`.

    `clicks` are per place number. They are expected where people live and where the database has addresses, the lesser
    of the two: who has no address of their own there can't be seen, and is not said to be unreached.
    """
    places = atlas.places
    core = target.members(atlas) & ~np.asarray(places.unplaced)
    if target.circles or target.polygons:
        core |= target.covers(places.lat, places.lon) & ~np.asarray(places.unplaced)
    postal, city = np.asarray(places.area[Level.POSTAL]), np.asarray(places.area[Level.CITY])
    postal_known = (postal >= 0) & ~np.isnan(people.population)[postal]
    area = np.where(postal_known, postal, city)
    some = np.flatnonzero(core & (area >= 0))
    number, index = np.unique(area[some], return_inverse=True)
    living = np.bincount(index, weights=people.place[some]).astype(np.float64)
    addresses = np.bincount(index, weights=np.asarray(places.addresses)[some])
    had = np.bincount(index, weights=clicks[some]).astype(np.int64)
    use = (living > 0) & (addresses > 0)
    if shown is not None and not shown[number[use]].all():
        return None  # one without a click is hidden like one with a few: of those that are shown, all were reached
    number, living, addresses, had = number[use], living[use], addresses[use], had[use]
    if had.sum() < LEAST:
        return None
    expected = had.sum() * np.minimum(living / living.sum(), addresses / addresses.sum())
    # φ from days, not from areas: lasting differences between these are no chance here, but what is asked. Clumps are
    # φ clicks large at most on average, so that there are E/φ of them at least: this is no less than the chance of none.
    none = np.exp(-expected / phi)
    without = had == 0
    people_without = float(living[without].sum())
    by_chance = float((living * none).sum())
    deviation = float(np.sqrt((living**2 * none * (1 - none)).sum()))
    z = (people_without - by_chance) / deviation if deviation else 0.0
    q = chance.benjamini_hochberg(np.where(without, none, 1.0))
    quiet = without & (q <= FALSE)
    income = median_incomes(atlas)[number]
    known = ~np.isnan(income)
    worth = np.where(known, living * income, 0.0)
    whole = float(worth.sum())
    silent = np.flatnonzero(quiet)
    silent = silent[np.lexsort((number[silent], -living[silent]))][:MOST]
    return Unreached(
        people=float(living.sum()),
        unreached=people_without,
        unreached_low=float(living[quiet].sum()),
        income_known=float(living[known].sum() / living.sum()),
        unreached_income=float(worth[without].sum()) / whole if whole else float("nan"),
        unreached_income_low=float(worth[quiet].sum()) / whole if whole else float("nan"),
        by_chance=by_chance,
        low=max(0.0, by_chance - 1.96 * deviation),
        high=by_chance + 1.96 * deviation,
        p=float(special.ndtr(-z)),
        areas=len(number),
        without=int(without.sum()),
        area=number[silent].astype(np.int64),
        population=living[silent],
        expected=expected[silent],
        q=q[silent],
    )


def median_incomes(atlas: Atlas) -> F64:
    """Median household income by area number, US dollars a year: of ZIP codes, NaN elsewhere and where the survey says none.

    Those of the last two atlases are remembered; 0.2 s the first time.
    """
    return _median_incomes(atlas.folder)


@lru_cache(maxsize=2)
def _median_incomes(folder: Path) -> F64:
    areas = Atlas.open(folder).areas
    of_zip, _, _ = positions(areas, load(folder, "people_zip"))
    result = np.full(len(areas), np.nan)
    result[of_zip[of_zip >= 0]] = load(folder, "people_median_household_income")[of_zip >= 0]
    result.flags.writeable = False
    return result
