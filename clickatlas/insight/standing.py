"""How one area stands under a filter: its measures, its rank, and how sure its clicks' places are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import LEVELS
from clickatlas.insight.areas import AreaCounts, measured
from clickatlas.insight.measures import Expectation


@dataclass(frozen=True)
class Radius:
    """How far visitors may be from their places: accuracy radii in km, each weighted by its clicks."""

    median: float
    p90: float


@dataclass(frozen=True)
class Standing:
    """One area under a filter; figures are None where they are not known. See `measures`."""

    clicks: int
    share: float  # of all clicks that the filter lets through
    rate: float | None
    index: float | None
    expected: float | None  # clicks
    rank: int | None  # 1: the most clicks of its level; areas of as many share a rank; None without clicks
    of: int  # areas of its level with clicks
    coarser: list[
        tuple[int, int]
    ]  # area numbers above it, the widest first, and the clicks known only to them
    radius: Radius | None


def standing(expectation: Expectation, number: int) -> Standing | None:
    """The standing of area `number`; about 10 ms. None where it may not be shown.

    Where counts are held to a smallest number, ranks are among the areas that are shown, and there is nothing of
    coarser clicks and radii: those are about parts of an area.
    """
    counts, atlas = expectation.counts, expectation.atlas
    if counts.held is not None and not counts.held.shows(number):
        return None
    level = atlas.areas.level(number)
    column = np.asarray(atlas.places.area[level])
    sums = np.bincount(column + 1, counts.clicks, minlength=len(atlas.areas) + 1)[1:]
    if counts.held is not None:
        sums *= counts.held.visible
    clicks = int(sums[number])
    table = AreaCounts(level, np.array([number], np.int32), np.array([clicks], np.int64), 0)
    figures = measured(table, expectation)
    total = counts.total
    return Standing(
        clicks=clicks,
        share=clicks / total if total else 0.0,
        rate=_known(figures.rate[0]),
        index=_known(figures.index[0]),
        expected=_known(figures.expected[0] or np.nan),
        rank=int((sums > clicks).sum()) + 1 if clicks else None,
        of=int((sums > 0).sum()),
        coarser=_coarser(expectation, number) if counts.held is None else [],
        radius=_radius(expectation, column == number) if counts.held is None else None,
    )


def _coarser(expectation: Expectation, number: int) -> list[tuple[int, int]]:
    """Of each area above: the clicks of which no finer area than it is known. Those without any are left out."""
    atlas, clicks = expectation.atlas, expectation.counts.clicks
    found = []
    for above in atlas.areas.ancestors(number):
        level = atlas.areas.level(above)
        only = np.flatnonzero((np.asarray(atlas.places.area[level]) == above) & (clicks > 0))
        for finer in LEVELS[LEVELS.index(level) + 1 :]:
            only = only[np.asarray(atlas.places.area[finer])[only] < 0]
        if len(only):
            found.append((above, int(clicks[only].sum())))
    return found


def _radius(expectation: Expectation, inside: npt.NDArray[np.bool_]) -> Radius | None:
    """None where there are no clicks, or the database states no radius for any of them."""
    radius = np.asarray(expectation.atlas.places.radius)
    some = np.flatnonzero(inside & (expectation.counts.clicks > 0) & (radius > 0))
    if not len(some):
        return None
    some = some[np.argsort(radius[some], kind="stable")]
    part = np.cumsum(expectation.counts.clicks[some])
    # The smallest radius that at least this part of the clicks does not exceed.
    median, p90 = radius[some][np.searchsorted(part, np.array((0.5, 0.9)) * part[-1])].tolist()
    return Radius(float(median), float(p90))


def _known(figure: float) -> float | None:
    return None if np.isnan(figure) else float(figure)
