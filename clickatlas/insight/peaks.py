"""At which hour of its own day an area clicks most, and whether that is another than everybody else's.

The peak is that of the cosine of 24 hours that fits an area's local times best (the acrophase of a single cosinor: Cornelissen,
"Cosinor-based rhythmometry", Theoretical Biology and Medical Modelling 11:16, 2014), which is their circular mean (Mardia and Jupp,
Directional Statistics, 2000, 2.2). How sure it is tell the weeks: what each adds across the mean's direction, linearised as for a ratio of
sums (Cochran, Sampling Techniques, 1977, 6.3), and no less than what single clicks would make of it (Mardia and Jupp 4.8.17)
in clumps as large as those of all areas; Student's t with a degree of freedom for each further week, so that one loud week makes an
area uncertain and not a finding. Benjamini-Hochberg over areas.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from clickatlas.insight import chance

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Turns = npt.NDArray[np.complex128]

ALPHA = 0.01
LEAST_WEEKS = 6
LEAST = 200  # clicks of an area that is tested
VAGUE = 0.75  # hours, a standard error: of what is less sure, it can't be said how sure
SMALL = 0.5  # hours: what differs less is not worth telling
HOURS = 12 / np.pi  # of a radian


@dataclass(frozen=True)
class Peaks:
    """The tested areas as parallel arrays, the surest first. Hours are 0 to 24 by each place's own clock."""

    area: I64
    clicks: I64
    peak: F64
    low: F64  # 95 % interval: it may begin before midnight and end after it
    high: F64
    shift: F64  # hours that it is later than everybody else's, -12 to 12
    shift_low: F64  # 95 % interval; of those found as wide as being picked out of many asks for
    shift_high: F64
    p: F64
    q: F64
    found: npt.NDArray[np.bool_]
    all: float  # everybody's peak
    weeks: int
    phi: float


def peaks(area: I64, clicks: I64, first: Turns, second: Turns) -> Peaks:
    """Of area numbers; all others as (weeks, areas): clicks, and of their local times of the day t, as angles, Σ exp(i t) and Σ exp(2 i t).

    Nothing is tested with fewer than `LEAST_WEEKS` weeks. 1 ms for 3,000 areas.
    """
    weeks = int((clicks.sum(axis=1) > 0).sum())
    every = complex(first.sum())
    if weeks < LEAST_WEEKS or not abs(every) > 0:
        none, nobody = np.zeros(0), np.zeros(0, np.int64)
        return Peaks(
            nobody, nobody, none, none, none, none, none, none, none, none, none > 0, float("nan"), weeks, 1.0
        )
    number = clicks.sum(axis=0)
    all_of, rest = _known(clicks, first, second, weeks), _known(*_others(clicks, first, second), weeks)
    limit = (VAGUE / HOURS) ** 2
    some = (number >= LEAST) & (all_of.alone < limit) & (rest.alone < limit)
    # Of all areas together: what several clicks of one visitor, and weeks that differ, make of single clicks' variance.
    phi = max(1.0, float(np.median((all_of.variance() / all_of.alone)[some]))) if some.any() else 1.0
    mine = np.maximum(all_of.variance(), phi * all_of.alone)
    use = np.flatnonzero(some & (mine < limit))
    at, error = np.angle(all_of.whole[use]) % (2 * np.pi) * HOURS, np.sqrt(mine[use]) * HOURS
    shift, unsure, p = _apart(all_of, rest, phi, use)
    # Without its loudest week, too: what one week makes of an area it makes of the area's own direction.
    loud = np.zeros(clicks.shape, np.bool_)
    loud[clicks.argmax(axis=0), np.arange(len(area))] = True
    quiet = _known(np.where(loud, 0, clicks), np.where(loud, 0, first), np.where(loud, 0, second), weeks - 1)
    theirs, turned, twice = _others(clicks, first, second)
    hushed = np.where(loud, 0, theirs), np.where(loud, 0, turned), np.where(loud, 0, twice)
    p = np.maximum(p, _apart(quiet, _known(*hushed, weeks - 1), phi, use)[2])
    q = chance.benjamini_hochberg(p)
    picked = int((q <= ALPHA).sum())
    usual = float(special.stdtrit(weeks - 1, 0.975))
    reach = special.stdtrit(weeks - 1, 1 - 0.025 * np.where(q <= ALPHA, picked / max(1, use.size), 1.0))
    order = np.lexsort((use, p))
    ends = at - usual * error, at + usual * error, shift - reach * unsure, shift + reach * unsure
    return Peaks(
        area[use][order].astype(np.int64), number[use][order].astype(np.int64), at[order], ends[0][order], ends[1][order],
        shift[order], ends[2][order], ends[3][order], p[order], q[order],
        ((q <= ALPHA) & (np.abs(shift) >= SMALL))[order], float(np.angle(every) % (2 * np.pi)) * HOURS, weeks, phi,
    )  # fmt: skip


@dataclass(frozen=True)
class _Known:
    """Of each area the sum of its turns, what each week turns it by, and its direction's variance if each click went by itself."""

    whole: Turns
    across: F64  # (weeks, areas), radians
    alone: F64
    weeks: int

    def variance(self, beside: F64 | float = 0.0) -> F64:
        """Of the direction by its weeks, or of how it differs from one whose weeks turn it by `beside`."""
        grown = self.weeks / (self.weeks - 1)
        return np.asarray(grown * ((self.across - beside) ** 2).sum(axis=0))


def _others(clicks: I64, first: Turns, second: Turns) -> tuple[I64, Turns, Turns]:
    """Of each area all others' sums, week by week."""
    return (
        clicks.sum(axis=1, keepdims=True) - clicks,
        first.sum(axis=1, keepdims=True) - first,
        second.sum(axis=1, keepdims=True) - second,
    )


def _known(clicks: I64, first: Turns, second: Turns, weeks: int) -> _Known:
    whole = first.sum(axis=0)
    return _Known(whole, _across(first, whole), _alone(clicks.sum(axis=0), whole, second.sum(axis=0)), weeks)


def _apart(mine: _Known, rest: _Known, phi: float, use: npt.NDArray[np.intp]) -> tuple[F64, F64, F64]:
    """Hours that areas are later than the rest, the standard error, and the chance of it."""
    shift = np.angle(mine.whole[use] * np.conj(rest.whole[use])) * HOURS
    variance = np.maximum(mine.variance(rest.across), phi * (mine.alone + rest.alone))[use]
    unsure = np.sqrt(variance) * HOURS
    p = np.minimum(2 * special.stdtr(mine.weeks - 1, -np.abs(shift) / unsure), 1.0)
    return shift, unsure, np.where(np.isfinite(unsure), p, 1.0)


def _across(first: Turns, whole: Turns) -> F64:
    """What each week turns the mean's direction by, in radians."""
    size = np.abs(whole)
    there = size > 0
    turned = np.imag(first * np.conj(whole))
    return np.asarray(np.divide(turned, size**2, out=np.zeros(turned.shape), where=there))


def _alone(number: npt.ArrayLike, whole: Turns, second: Turns) -> F64:
    """The variance of the direction, in radians, if each click went by itself; infinite without clicks."""
    size = np.abs(whole)
    away = np.real(second * np.conj(whole) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.maximum((np.asarray(number, np.float64) - away / size**2) / 2, 0.0)
        return np.where(size > 0, np.maximum(spread / size**2, 1e-12), np.inf)
