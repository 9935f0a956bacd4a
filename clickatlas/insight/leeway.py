"""What an audience's index owes to where the City database puts people: how far places may be off, and how unevenly they lie.

**Misplaced.** A place is known to its accuracy radius. Its clicks are given the mean figure of those who live within (`surroundings`),
and that of their true ZIP code differs from it (Berkson's error: "Are there two regressions?", JASA 45, 1950; Carroll et al., Measurement
Error in Nonlinear Models, 2006, 1.4). Its variance sᵢ² is that of the ZIP codes' figures under the same kernel, by residents. All that
click at one place are taken to be wrong together, as they are for targets: a part wᵢ of the audience adds wᵢ² sᵢ². That is the most it can
be; were each of them wrong by themselves, it would be next to nothing. Of nᵢ of n clicks in clumps (design effect φ, `clumped`) wᵢ² is
(nᵢ² - φ nᵢ) / n² without bias: what chance alone puts at a place is in the interval already. Where other clicks are the reference,
what both have at a place is wrong in both, and takes itself away.

**Uneven.** The database has more addresses for some residents than for others: dense cities more, the country fewer. Clicks of an audience
that is just like the residents therefore yield indices beside 100. How unevenly its places are clicked can't be told from the database; it
is taken to lie between residents and the geometric mean of residents and addresses, state by state. Where the clicks themselves fit the
addresses best (within counties), up to these. No index between is called a finding.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from clickatlas.insight.surroundings import Surroundings

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
QUIET = 0.3  # clicks that are usual in a ZIP code: there hardly two visitors meet
FEWEST = 60  # such ZIP codes with clicks


class Placed(NamedTuple):
    """Clicks where the database has them: parallel arrays by place number."""

    cell: I32  # -1: in none
    clicks: npt.NDArray[np.integer]
    phi: float  # their design effect

    def together(self, size: int, other: Placed | None = None) -> F64:
        """By cell, `size` of them: Σ nᵢ² - φ nᵢ over its places; with an `other` side Σ nᵢ mᵢ over those in the same cell."""
        beside = self if other is None else other
        some = np.flatnonzero(
            (self.clicks > 0) & (beside.clicks > 0) & (self.cell >= 0) & (self.cell == beside.cell)
        )
        mine, theirs = self.clicks[some].astype(np.float64), beside.clicks[some].astype(np.float64)
        product = mine * theirs - (self.phi * mine if other is None else 0.0)
        return np.bincount(self.cell[some], product, minlength=size).astype(np.float64)


def clumped(clicks: F64, usual: F64) -> float:
    """The design effect of clicks by ZIP code, from those where hardly any are usual; 1 where that are too few to tell.

    Clicks there have E n² / E n = φ + what is usual (a compound Poisson count).
    """
    quiet = np.flatnonzero((clicks > 0) & (usual <= QUIET))
    if len(quiet) < FEWEST:
        return 1.0
    n = clicks[quiet]
    return max(1.0, float((n @ (n - usual[quiet])) / n.sum()))


def misplaced(around: Surroundings, mine: tuple[Placed, F64], other: tuple[Placed, F64] | None = None) -> F64:
    """By figure, the variance that the accuracy radius adds to the logarithm of a ratio of means; 5 ms.

    Each side is its clicks, and by figure the sum over them (clicks that tell it × mean). 0 where that is 0 or NaN.
    """
    (placed, total), size = mine, len(around.cluster)
    with np.errstate(divide="ignore", invalid="ignore"):
        result = placed.together(size) @ around.spreading / total**2
        if other is not None:
            beside, whole = other
            result += beside.together(size) @ around.spreading / whole**2
            result -= 2 * (placed.together(size, beside) @ around.spreading) / (total * whole)
    return np.asarray(np.maximum(np.where(np.isfinite(result), result, 0.0), 0.0))


def uneven(living: F64, addresses: F64, around: Surroundings, *, by_addresses: bool) -> F64:
    """(lowest and highest, figures): ratios to the residents' mean that clicks of an audience like them could have.

    `living` and `addresses` are by cell. `by_addresses`: whether clicks may come as addresses lie.
    """
    state = around.state[around.cluster]
    people = np.bincount(state, living)
    ideas = [np.sqrt(living * addresses), addresses][: 1 + by_addresses]
    means = [_mean(living, around)]
    for idea in ideas:
        sums = np.bincount(state, idea)
        part = np.divide(people, sums, out=np.zeros(len(sums)), where=sums > 0)
        means.append(_mean(idea * part[state], around))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.array(means) / means[0]
    return np.stack((ratios.min(axis=0), ratios.max(axis=0)))


def _mean(weight: F64, around: Surroundings) -> F64:
    told = weight @ around.known
    return np.asarray(
        np.divide(weight @ around.filled, told, out=np.full(told.shape, np.nan), where=told > 0)
    )
