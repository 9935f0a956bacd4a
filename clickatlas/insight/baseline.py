"""Baselines: how many clicks areas would have if nothing were out of the ordinary.

`population`: people of a country click equally often (see `measures`). `others`: a country's clicks spread over its areas as those
of other links do; countries themselves as all clicks do. Within a country either adds up to the clicks that
there are, so that what is found is a difference inside of countries, and a country's own stands at its own level.

The City database doesn't put addresses where people live. So of the population's findings only those are kept that the area's
addresses don't explain: `reach` is the geometric mean of what residents and what addresses would give, and a gap has fewer clicks than
either of expectation and reach, a hot spot more. (Addresses alone say less than residents: many lie idle, or with hosts.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.chance import LEAST, Spread, dispersion, offices
from clickatlas.insight.clump_sizes import clump_sizes, design_effect, most_usual, of_one_place
from clickatlas.insight.counts import Counts
from clickatlas.insight.measures import F64, Expectation

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Name = Literal["population", "others"]

ENOUGH = 10  # times as many clicks as the campaign: then others tell better than population does
UNEVEN = (
    "Internet addresses are put at the centre of a city or a provider's region more often than where people live. "
    "How much areas differ for such reasons is estimated from the clicks and allowed for; so are the addresses that an area has."
)

MIRRORED = (
    "Your other links are taken for what is usual: what they have too many clicks of is missing here, and the other way round. "
    "A link that went where this one did hides the difference."
)


def caveats(name: Name | str) -> tuple[str, ...]:
    """When not to trust what was held against this baseline."""
    return (UNEVEN,) if name == "population" else (MIRRORED,)


@dataclass(frozen=True)
class Baseline:
    """The areas of a level that have clicks or should have, ascending, as parallel arrays."""

    name: Name
    level: Level
    area: I32
    clicks: I64
    expected: F64
    shown: Flags  # which may be named and are tested
    reach: F64  # what could be expected knowing the area's addresses, too; of `others` the same as expected
    ratio: float = 0.0  # clicks per click that the expectation was counted from
    offices: tuple[float, float] = (0.0, 0.0)  # see `chance.offices`
    alone: F64 | None = None  # clicks by which one place of each area stands out; None: that isn't known
    clump: float | None = None  # clicks that are worth one, by `clump_sizes`; None: that isn't known

    @property
    def worth(self) -> float:
        """φ of an area's own rate: of clumps alone, where these are known, and the noise of what it is held against."""
        return self.spread.phi if self.clump is None else self.clump * (1 + self.ratio)

    @property
    def steady(self) -> F64:
        """Clicks without those: what a hot spot has to have."""
        clicks = self.clicks.astype(np.float64)
        return clicks if self.alone is None else np.maximum(clicks - self.alone, 0.0)

    @property
    def sample(self) -> int:
        """Clicks known to this level."""
        return int(self.clicks.sum())

    @cached_property
    def spread(self) -> Spread:
        """How much areas vary around what is expected."""
        learned = dispersion(self.clicks, self.expected, ratio=self.ratio)
        return replace(learned, offices=self.offices[0], office=self.offices[1])

    @property
    def tested(self) -> Flags:
        """Areas with expectation enough for a test, and that may be named."""
        return self.shown & (self.expected >= LEAST)


def by_population(expectation: Expectation, level: Level, shown: Flags | None = None) -> Baseline:
    """Clicks as people live; `shown` has a flag per area number of those that may be named."""
    atlas, counts = expectation.atlas, expectation.counts
    clicks, expected = _clicks(atlas, counts, level), expectation.of_areas(level)
    group = country_of(atlas, level) + 1 if level is not Level.COUNTRY else np.zeros(clicks.size, np.int64)
    addresses = np.where(np.asarray(atlas.places.unplaced), 0, np.asarray(atlas.places.addresses, np.float64))
    if counts.within is not None:
        addresses = np.where(counts.within, addresses, 0)
    column = np.asarray(atlas.places.area[level])
    theirs = np.bincount(column + 1, addresses, minlength=clicks.size + 1)[1:]
    size = int(group.max(initial=0)) + 1
    factor = _factor(np.bincount(group, expected, size), np.bincount(group, theirs, size))
    large = offices(counts.clicks, expectation.places)
    return _of(
        "population",
        level,
        clicks,
        expected,
        theirs * factor[group],
        _shown(counts, clicks, shown),
        0.0,
        large,
        of_one_place(column, _placed(atlas, counts), most_usual(expectation), clicks.size),
    )


def by_others(
    atlas: Atlas, counts: Counts, others: Counts, level: Level, shown: Flags | None = None
) -> Baseline:
    """Clicks as those of other links; `others` are counted within the same areas, without this one's clicks."""
    clicks, theirs = _clicks(atlas, counts, level), _clicks(atlas, others, level)
    may = _shown(counts, clicks, shown)
    if others.held is not None:
        may = may & _shown(others, theirs, None)
    here = np.flatnonzero((clicks > 0) | (theirs > 0))
    group = np.zeros(here.size, np.int64)
    if level is not Level.COUNTRY:
        group = country_of(atlas, level)[here] + 1
    size = int(group.max(initial=0)) + 1
    ours, all_theirs = np.bincount(group, clicks[here], size), np.bincount(group, theirs[here], size)
    factor = _factor(ours, all_theirs)
    expected = np.zeros(clicks.size)
    expected[here] = theirs[here] * factor[group]
    ratio = float(clicks.sum()) / max(int(theirs.sum()), 1)
    large = offices(counts.clicks, np.asarray(others.clicks * ratio, np.float64))
    column = np.asarray(atlas.places.area[level])
    usual = np.asarray(others.clicks * ratio, np.float64)
    alone = of_one_place(column, _placed(atlas, counts), usual, clicks.size)
    return _of("others", level, clicks, expected, expected, may, ratio, large, alone)


def chosen(
    expectation: Expectation,
    level: Level,
    others: Counts | None = None,
    *,
    name: Name | None = None,
    shown: Flags | None = None,
) -> Baseline:
    """The baseline asked for by `name`; by default `others` where they have `ENOUGH` clicks, else population."""
    counts = expectation.counts
    if name is None:
        plenty = others is not None and others.total >= ENOUGH * max(counts.total, 1)
        name = "others" if plenty else "population"
    if name == "others" and others is not None:
        made = by_others(expectation.atlas, counts, others, level, shown)
    else:
        made = by_population(expectation, level, shown)
    sizes = clump_sizes(expectation)
    return made if sizes is None else replace(made, clump=design_effect(sizes))


def _of(
    name: Name,
    level: Level,
    clicks: I64,
    expected: F64,
    reach: F64,
    shown: Flags,
    ratio: float,
    large: tuple[float, float],
    alone: F64,
) -> Baseline:
    area = np.flatnonzero((clicks > 0) | (expected > 0)).astype(np.int32)
    return Baseline(
        name, level, area, clicks[area], expected[area], shown[area], reach[area], ratio, large, alone[area]
    )


def _factor(above: npt.NDArray[np.number], below: npt.NDArray[np.number]) -> F64:
    return np.asarray(np.divide(above, below, out=np.zeros(above.size), where=below > 0))


def _clicks(atlas: Atlas, counts: Counts, level: Level) -> I64:
    """By area number. Below the region unplaced clicks don't count, as nothing is expected of them."""
    clicks = counts.clicks if level in (Level.COUNTRY, Level.REGION) else _placed(atlas, counts)
    column = np.asarray(atlas.places.area[level])
    some = np.flatnonzero(clicks)
    return np.bincount(column[some] + 1, clicks[some], minlength=len(atlas.areas) + 1)[1:].astype(np.int64)


def _placed(atlas: Atlas, counts: Counts) -> I64:
    return np.where(np.asarray(atlas.places.unplaced), 0, counts.clicks)


def country_of(atlas: Atlas, level: Level) -> I64:
    """By area number: the country of the areas of `level`; -1 where there is none."""
    column, country = np.asarray(atlas.places.area[level]), np.asarray(atlas.places.area[Level.COUNTRY])
    result = np.full(len(atlas.areas) + 1, -1, np.int64)
    result[column] = country  # what has no area goes to the last entry
    return result[:-1]


def _shown(counts: Counts, clicks: I64, shown: Flags | None) -> Flags:
    may = np.ones(clicks.size, np.bool_) if shown is None else shown
    if counts.held is not None:  # nobody, or few: that isn't told
        may = may & counts.held.visible & (clicks >= counts.held.least)
    return np.asarray(may)
