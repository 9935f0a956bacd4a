"""How many clicks come together: sizes of clumps, read off the places where hardly anybody clicks.

A visitor clicks once or thrice, an office dozens of times, each at one place. Where far less than one visitor is expected,
the clicks of a place are nearly always one clump. So sizes are not assumed to follow any law, and lasting differences between areas, which
only change how many clumps there are, don't look like clumps. The design effect (Kish, Survey Sampling, 1965, 8.2) of counts
made of independent clumps of size K is φ = E K² / E K.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Level
from clickatlas.insight.measures import Expectation

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

PLACES = 1500  # with clicks: so many tell sizes, those where the least is expected; more of them if all are as good
ALONE = 0.05  # expected clicks of a place that are as good as none
MOST = 1.0  # expected clicks of a place, else several visitors are one clump
LARGE = 15  # clicks that are never several visitors, there
REPEATED = 60  # times that small clumps go with the large ones of more places
STEPS = 8  # of what is usual at a place
PRIOR = 15.0  # expected clicks
FEWEST = 60  # places with clicks: with fewer nothing is learned


def clump_sizes(expectation: Expectation) -> I64 | None:
    """Sizes of single clumps, of as many places; None where there are too few to tell, or clicks were put elsewhere (`held`)."""
    counts = expectation.counts
    if counts.held is not None:
        return None
    some = np.flatnonzero(counts.clicks)
    clicks, usual = counts.clicks[some], most_usual(expectation)[some]
    quiet = np.flatnonzero((usual > 0) & (usual <= MOST))
    quiet = quiet[np.argsort(usual[quiet], kind="stable")]
    first = clicks[quiet[: max(PLACES, int((usual[quiet] <= ALONE).sum()))]]
    if first.size < FEWEST:
        return None
    # Large clumps are rare and weigh most. Several visitors don't look like one, so more places tell of them.
    small, large = first[first <= LARGE], clicks[quiet][clicks[quiet] > LARGE]
    if not small.size:
        return np.asarray(first)
    small = _alone(small, clicks[quiet], usual[quiet])
    rest = int(clicks[quiet].sum() - large.sum())
    each = min(max(1, round(rest / int(small.sum()))), REPEATED)
    kept = max(1, round(large.size * each * int(small.sum()) / max(rest, 1))) if large.size else 0
    if kept < large.size:  # as many as go with so many small ones
        large = np.sort(large)[((np.arange(kept) + 0.5) * large.size / kept).astype(np.int64)]
    return np.concatenate((np.tile(small, each), large)).astype(np.int64)


def _alone(small: I64, clicks: I64, usual: F64) -> I64:
    """As many sizes, without those that are several visitors: fewer large ones, so that their design effect is that of places
    where nobody at all is expected. That is where the line through the design effects of places by what is usual there begins.
    """
    few = clicks <= LARGE
    n, x = clicks[few].astype(np.float64), usual[few]
    starts = np.searchsorted(np.cumsum(n), np.linspace(0, n.sum(), STEPS + 1)[:-1])
    whole, mean, square = (np.add.reduceat(of, starts) for of in (n, n * x, n**2))
    slope, begins = np.polyfit(mean / whole, square / whole, 1)
    found = design_effect(small)
    aim = max(1.0, float(begins))
    if slope <= 0 or aim >= found:
        return small
    sizes, count = np.unique(small, return_counts=True)
    low, high = 0.0, 20.0
    for _ in range(40):  # exponential tilting: the nearest distribution with this design effect
        tilt = (low + high) / 2
        weight = count * np.exp(-tilt * (sizes - 1.0))
        low, high = (tilt, high) if (weight * sizes**2).sum() > aim * (weight * sizes).sum() else (low, tilt)
    ends = np.cumsum(weight) / weight.sum()
    return np.asarray(sizes[np.searchsorted(ends, (np.arange(small.size) + 0.5) / small.size)])


def most_usual(expectation: Expectation) -> F64:
    """By place: the clicks that its residents would give, or its addresses, whichever are more."""
    counts, places = expectation.counts, expectation.atlas.places
    addresses = np.where(np.asarray(places.unplaced), 0.0, np.asarray(places.addresses, np.float64))
    if counts.within is not None:
        addresses = np.where(counts.within, addresses, 0.0)
    country = np.asarray(places.area[Level.COUNTRY]).astype(np.int64) + 1
    size = int(country.max(initial=0)) + 1
    theirs, ours = np.bincount(country, addresses, size), np.bincount(country, counts.clicks, size)
    rate = np.divide(ours, theirs, out=np.zeros(size), where=theirs > 0)
    return np.asarray(np.maximum(expectation.places, addresses * rate[country]))


def of_one_place(
    column: npt.NDArray[np.integer], clicks: I64, usual: F64, size: int, prior: float = PRIOR
) -> F64:
    """By area number, `size` of them: the clicks by which the place that stands out most is above the area's other places.

    `column` has the area number of each place, `usual` what is expected there. Where the others are expected to have few clicks, how much
    they are above is drawn to nothing, by so many expected clicks as `prior`. No finding is to rest on these: they may be one visitor's.
    """
    some = np.flatnonzero((column >= 0) & (clicks > 0))
    area, own = column[some], usual[some]
    known = np.flatnonzero((column >= 0) & (usual > 0))
    wholes = np.bincount(area, clicks[some], size), np.bincount(column[known], usual[known], size)
    others = (wholes[0][area] - clicks[some] + prior) / (wholes[1][area] - own + prior)
    result = np.zeros(size)
    np.maximum.at(result, area, clicks[some] - own * others)
    return result


def geometric(phi: float) -> I64:
    """Sizes with the design effect φ where none are known: of visitors who click once more with the same chance each time."""
    p = 2 / (1 + max(phi, 1.0))
    if p >= 1:
        return np.ones(1, np.int64)
    quantiles = np.log1p(-(np.arange(1000) + 0.5) / 1000) / np.log1p(-p)
    return np.asarray(np.ceil(quantiles), np.int64)


def design_effect(sizes: I64) -> float:
    """φ = Σ K² / Σ K."""
    return float((sizes.astype(np.float64) ** 2).sum() / sizes.sum())
