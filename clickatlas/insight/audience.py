"""Who lives where the clicks come from: income, education, tenure, age, urbanicity, held against others.

The figures are of the people who live in a ZIP code, not of those who clicked: what holds for areas need not
hold for persons (Robinson, "Ecological correlations and the behavior of individuals", American Sociological
Review 15, 1950). A profile is the mean of the ZIP codes' figures over clicks, R = Σ c x / Σ c: a click stands
for an average neighbour. A mean of medians is that and no more: nobody's median. The **index** is 100 × R over
the same mean of the reference: of the residents of the nation or an area, each counted at the place that the
City database has for them, or of other clicks. 100 is as the reference.

The interval knows that clicks of one ZIP code share its figures and come in clumps. It is the linearised variance of a
ratio estimator over clusters (Cochran, Sampling Techniques, 3rd ed., 1977, 6.3 and 11.7), V = Σ (e (x - R))² / (Σ c)²,
where e is by how much a ZIP code's clicks differ from those that its residents, or the database's addresses there, or something
between them (the geometric mean) would give at the rate of its county without it, drawn towards the state's: a sandwich estimator with leverage (MacKinnon
and White, "Some heteroskedasticity-consistent covariance matrix estimators", Journal of Econometrics 29, 1985, HC2). The
best of these ideas of what is usual is taken; what is uneven beyond it counts as uncertainty. Never less than
were every click a draw of its own; t quantiles by Satterthwaite's degrees of freedom. The survey's margins of error are added
where known. How uncertain places are is in the figures (see `surroundings`) and in the interval; how unevenly the database
puts people is in the test of an index of 100: see `leeway`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.chance import benjamini_hochberg
from clickatlas.insight.counts import Counts
from clickatlas.insight.leeway import Placed, clumped, misplaced, uneven
from clickatlas.insight.measures import Residents
from clickatlas.insight.surroundings import Surroundings

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
PRIOR = 5.0  # clicks' worth of the wider area's rate in a county's
FEWEST_CLICKS, FEWEST_ZIPS = 30, 10  # for an interval; ZIP codes by their effective number
NATION = "the United States"


@dataclass(frozen=True)
class Profile:
    """Figures of an audience, parallel arrays by figure; NaN where not known, or too little to say how sure."""

    names: tuple[str, ...]  # `surroundings.NAMES`
    value: F64  # mean over clicks: shares 0 to 1, dollars, years
    reference: F64  # the same mean of the reference
    index: F64  # 100: as the reference
    low: F64  # 95 % interval of the index
    high: F64
    rough: F64  # part of the interval's variance (of the logarithm) that the accuracy radius adds
    even_low: F64  # indices between these two the database alone could make: see `leeway.uneven`
    even_high: F64
    p: F64  # two-sided, of an index between those
    q: F64  # after all figures (Benjamini-Hochberg)
    told: F64  # clicks whose surroundings tell the figure
    effective: F64  # so many independent clicks would be as sure (Kish, Survey Sampling, 1965)
    against: str  # what the reference is called
    clicks: int  # that the profile rests on
    zips: int  # ZIP codes they come from
    abroad: int  # clicks from outside the United States, or from no known country
    untold: (
        int  # of the United States, but not known to a ZIP code (or county, where that alone may be shown)
    )
    radius: float  # km, the median over clicks; 0 where the database states none
    surveyed: bool  # whether the intervals hold the survey's margins of error
    areas: I32  # ZIP codes (or counties) with clicks, the most first
    parts: F64  # (areas, figures): what each adds to value - reference

    def number(self, name: str) -> int:
        """Where a figure is in the arrays."""
        return self.names.index(name)


class Estimate(NamedTuple):
    """Means by figure, and how sure they are."""

    mean: F64
    variance: F64  # NaN where there is too little to say
    freedom: F64
    told: F64
    effective: F64
    base: int = 0  # the number of the idea of what is usual that fits the clicks best
    phi: float = 1.0  # clicks come in clumps with this design effect


def profile(
    counts: Counts,
    atlas: Atlas,
    against: Counts | int | None = None,
    *,
    name: str = "",
    usual: npt.NDArray[np.int64] | None = None,
    shown: npt.NDArray[np.bool_] | None = None,
    people: Residents | None = None,
    around: Surroundings | None = None,
) -> Profile:
    """The profile of `counts` against the nation, the residents of an area number, or other counts; about 60 ms.

    `name` is what the reference is called. `usual` are clicks per place that say what is usual where
    (all other links'). `shown` are the areas, by number,
    that may be told of: clicks in other ZIP codes count with their county's figures, or not at all. Other counts
    are taken for independent ones; where both share clicks the interval is wider than need be.
    """
    around = around or Surroundings.of(atlas)
    people = people or Residents.of(atlas)
    by_cell, cell = _clicks(counts, around, atlas, shown)
    bases = around.bases
    if usual is not None and usual.sum() > 0:
        bases = [*bases, _by_cell(around.cell, usual, len(around.cluster))]
    mine = estimate(by_cell, bases, around)
    placed, beside = _placed(counts, cell, mine), None
    if isinstance(against, Counts):
        theirs, where = _clicks(against, around, atlas, shown)
        other = estimate(theirs, bases, around)
        beside = _placed(against, where, other)
        even = np.ones((2, len(around.names)))
        name = name or "the others"
    else:
        living, addresses = _living(around, atlas, people, against)
        none = np.zeros(len(around.names))
        other = Estimate(_mean(living, around)[0], none, none, none, none)
        even = uneven(living, addresses, around, by_addresses=mine.base == 1)
        name = name or (NATION if against is None else atlas.areas.name(against))
    astray = misplaced(around, (placed, mine.told * mine.mean), beside and (beside, other.told * other.mean))
    index, low, high, rough, p = _index(mine, other, astray, even)
    total, spoken = counts.total, int(by_cell.sum())
    nation = atlas.areas.number("country:US")
    at_home = np.asarray(atlas.places.area[Level.COUNTRY]) == (-2 if nation is None else nation)
    home = int(counts.clicks[at_home].sum())
    areas, parts = _parts(by_cell, around, other.mean)
    return Profile(
        around.names, mine.mean, other.mean, index, low, high, rough, 100 * even[0], 100 * even[1], p, benjamini_hochberg(p), mine.told, mine.effective,
        name, spoken, len(areas), total - home, home - spoken, _radius(counts, cell, atlas),
        around.error is not None, areas, parts,
    )  # fmt: skip


def estimate(clicks: F64, bases: list[F64], around: Surroundings) -> Estimate:
    """Means of the figures over `clicks` by cell, where clicks would usually be as one of `bases` within a county."""
    mean, told = _mean(clicks, around)
    tried = [_excess(clicks, base, around) for base in bases]
    unlike = [float((_sums(excess, around) ** 2 * (1 - leverage)).sum()) for excess, leverage in tried]
    best = int(np.argmin(unlike))
    excess, leverage = tried[best]
    own = _sums(clicks, around)
    phi = clumped(own, own - _sums(excess, around))
    zips = float(own.sum() ** 2 / (own**2).sum()) if own.any() else 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        above, below = around.by_cluster(excess)
        squares = (above - mean * below) ** 2 * (1 - leverage)[:, None]
        # Were every click a draw of its own.
        alone = np.maximum(clicks @ around.filled**2 / told - mean**2, 0) / told
        freedom = np.clip(2 * squares.sum(0) ** 2 / (squares**2).sum(0), 1, 1e6)
        variance = np.fmax(alone, squares.sum(0) / told**2)
        effective = np.where(variance > 0, told * alone / variance, told)
        if around.error is not None:
            share = own[:, None] / told
            variance = variance + (share**2 * around.error[around.starts] ** 2).sum(0)
    enough = (told >= FEWEST_CLICKS) & (zips >= FEWEST_ZIPS) & (variance > 0)
    return Estimate(mean, np.where(enough, variance, np.nan), freedom, told, effective, best, phi)


def _excess(clicks: F64, base: F64, around: Surroundings) -> tuple[F64, F64]:
    """Clicks by cell less those that are usual there, and the leverage of each cluster."""
    starts = around.starts
    if not clicks.any():
        return clicks, np.zeros(len(starts))
    cluster = around.cluster[starts]
    own, size = _sums(clicks, around), _sums(base, around)
    leverage = np.zeros(len(starts))
    usual = np.full(len(starts), clicks.sum() / max(float(base.sum()), 1e-300))
    for of in (around.state, around.county):  # each without the ZIP code itself, towards the wider one's
        group = of[cluster]
        clicked, living = (np.bincount(group, sums)[group] for sums in (own, size))
        prior = PRIOR / np.maximum(usual, 1e-300)
        usual = (clicked - own + PRIOR) / (living - size + prior)
        leverage = size / (living + prior)
    each = np.diff(np.append(starts, len(clicks)))
    return clicks - base * np.repeat(usual, each), leverage


def _sums(weight: F64, around: Surroundings) -> F64:
    """By cluster that has cells."""
    return np.add.reduceat(weight, around.starts) if len(around.starts) else weight[:0]


def _mean(weight: F64, around: Surroundings) -> tuple[F64, F64]:
    """Weighted means by figure of the cells that tell it, and their weight; NaN for none."""
    told, whole = weight @ around.known, weight @ around.filled
    return np.divide(whole, told, out=np.full(told.shape, np.nan), where=told > 0), told


def _index(mine: Estimate, other: Estimate, astray: F64, even: F64) -> tuple[F64, F64, F64, F64, F64]:
    """Index, its 95 % interval on the logarithm's scale (delta method), what of it `astray` adds, and the p value of `even`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = mine.mean / other.mean
        first, second = mine.variance / mine.mean**2, other.variance / other.mean**2
        whole = first + second + astray
        width = np.sqrt(whole)
        # Welch's degrees of freedom; a reference of residents has no variance, and how figures spread is no estimate.
        freedom = whole**2 / (first**2 / mine.freedom + second**2 / np.fmax(other.freedom, 1))
        reach = special.stdtrit(freedom, 0.975) * width
        off = np.log(ratio) - np.clip(np.log(ratio), *np.log(even))
        p = 2 * special.stdtr(freedom, -np.abs(off) / width)
        return 100 * ratio, 100 * ratio * np.exp(-reach), 100 * ratio * np.exp(reach), astray / whole, p


def _clicks(
    counts: Counts, around: Surroundings, atlas: Atlas, shown: npt.NDArray[np.bool_] | None
) -> tuple[F64, I32]:
    """Clicks by cell, and the cell of each place: its own, its county's where its ZIP code may not be told of, or -1."""
    if shown is None and counts.held is not None:
        shown = counts.held.visible
    cell = around.cell
    if shown is not None:
        told = np.append(shown, False)
        cell = np.where(
            told[atlas.places.area[Level.POSTAL]],
            cell,
            np.where(told[atlas.places.area[Level.COUNTY]], around.county_cell, -1),
        ).astype(np.int32)
    return _by_cell(cell, counts.clicks, len(around.cluster)), cell


def _placed(counts: Counts, cell: I32, found: Estimate) -> Placed:
    # Clicks that were put elsewhere (`held`) tell nothing of clumps.
    return Placed(cell, counts.clicks, found.phi if counts.held is None else 1.0)


def _by_cell(cell: I32, clicks: npt.NDArray[np.generic], size: int) -> F64:
    return np.bincount(cell + 1, clicks, minlength=size + 1)[1:].astype(np.float64)


def _living(around: Surroundings, atlas: Atlas, people: Residents, area: int | None) -> tuple[F64, F64]:
    """Residents by cell, of an area or of the nation, and the database's addresses there."""
    if area is None:
        return around.residents, around.addresses
    inside = np.asarray(atlas.places.area[atlas.areas.level(area)]) == area
    of_places = people.place, np.asarray(atlas.places.addresses)
    living, addresses = (_by_cell(around.cell, inside * of, len(around.cluster)) for of in of_places)
    return living, addresses


def _radius(counts: Counts, cell: I32, atlas: Atlas) -> float:
    some = np.flatnonzero((cell >= 0) & (counts.clicks > 0))
    if not len(some):
        return 0.0
    radius = np.asarray(atlas.places.radius)[some]
    order = np.argsort(radius, kind="stable")
    part = np.cumsum(counts.clicks[some][order])
    return float(radius[order][np.searchsorted(part, part[-1] / 2)])


def _parts(clicks: F64, around: Surroundings, reference: F64) -> tuple[I32, F64]:
    """Area numbers with clicks, the most first, and what each adds to a figure's distance from the reference."""
    own = _sums(clicks, around)
    above, below = around.by_cluster(clicks)
    parts = (above - np.nan_to_num(reference) * below) / np.maximum(clicks @ around.known, 1)
    order = np.argsort(-own, kind="stable")[: np.count_nonzero(own)]
    return around.area[around.cluster[around.starts[order]]].astype(np.int32), parts[order]
