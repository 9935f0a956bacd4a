"""How much of a concentration is only seeming: figures corrected by campaigns that are simulated.

Few clicks lie more unevenly than the people behind them. How much more is found by a parametric bootstrap (Efron and Tibshirani, An
Introduction to the Bootstrap, 1993, 6.5 and 10.6): areas' own rates are drawn, clumps of clicks (`clump_sizes`)
are dealt out to them, and the figures of these clicks held against those of the rates. That mean difference is
taken off, and its deviation is the error; so is what it would be if clumps were larger or smaller than those that were seen. The rates are gamma
posterior draws; how much areas differ, the gamma's shape, is chosen so that the simulated clicks are as uneven as the real ones (indirect inference:
Gouriéroux, Monfort and Renault, J. Applied Econometrics 8, 1993), which moments of the ratios don't ensure where these have long tails. Of few areas
the shapes that go with more and less even clicks tell what that choice is worth. What is taken off is itself believed to a `MISFIT` only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from clickatlas.insight.clump_sizes import design_effect

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Positions = npt.NDArray[np.intp]

NODES = (
    (-(3**0.5), 1 / 6),
    (0.0, 2 / 3),
    (3**0.5, 1 / 6),
)  # standard errors and weights: Gauss and Hermite's quadrature
DRAWS = 400_000  # of areas, in all replicates together; 12 to 60 replicates
STEPS = 7  # of the search for the shape
PUPILS = 3000  # areas that it goes by
STUDIED = 10_000  # areas that are simulated, or twice as many at most
FLATTEST, EVENEST = 1 / 30, 1e6  # shapes
MISFIT = 0.06  # of the correction: its standard error beside what is simulated
# Of many areas, whose shape's isn't simulated: the first figure's (how uneven they are), and the second's, which rests on φ most,
# and so on rare large clumps.
MISFIT_MANY = np.array([0.11, 0.19])
MANY = 30  # clumps in an area: then their sum is a gamma variable, nearly
MANY_AREAS = 500  # of so many, chance hardly changes how uneven they are
TRIALS = 12  # that tell how much it does
TRIED = 4000  # areas that a shape is tried with
FEWEST = 4  # replicates of each world
SINGLY = 40_000  # clumps that are dealt out one by one, at most


@dataclass(frozen=True)
class Rates:
    """What is known of areas' clicks: parallel arrays."""

    clicks: F64
    expected: F64
    nation: Positions  # a number for each one's country, whose clicks are as they are

    def take(self, rows: Positions) -> Rates:
        """Of some areas."""
        return Rates(self.clicks[rows], self.expected[rows], self.nation[rows])

    def draw(self, phi: float, shape: float, random: np.random.Generator) -> F64:
        """Rates that the clicks allow for, with as many clicks in each country."""
        known = self.expected > 0  # what has clicks where nobody lives is taken as it is
        worth = np.where(known, self.clicks / phi + shape, self.clicks / phi)
        scale = np.where(known, self.expected / (self.expected / phi + shape), phi)
        rate = random.standard_gamma(worth) * scale
        size, whole = np.bincount(self.nation, rate), np.bincount(self.nation, self.clicks)
        return np.asarray(
            rate * np.divide(whole, size, out=np.zeros(size.size), where=size > 0)[self.nation], np.float64
        )


def dealt(rate: F64, sizes: I64, random: np.random.Generator) -> F64:
    """Clicks of areas with these rates that come in clumps of these sizes: a compound Poisson draw.

    Of areas with `MANY` clumps or more a gamma draw of the same mean and variance; so of more areas where clumps are very many.
    """
    mean = float(sizes.mean())
    phi = design_effect(sizes)
    limit = MANY * mean
    few = rate < limit
    while rate[few].sum() > SINGLY * mean:
        limit /= 2
        few = rate < limit
    alone, many = np.flatnonzero(few), np.flatnonzero(~few)
    result = np.zeros(rate.size)
    result[many] = random.standard_gamma(rate[many] / phi) * phi
    clumps = random.poisson(rate[alone] / mean)
    drawn = sizes[random.integers(0, sizes.size, int(clumps.sum()))]
    result[alone] += np.bincount(np.repeat(np.arange(alone.size), clumps), drawn, alone.size)
    return result


@dataclass(frozen=True)
class Figures:
    """Of some areas, or all."""

    uneven: Callable[[F64], float]  # how uneven clicks by area are
    above: Callable[
        [F64, F64], tuple[float, ...]
    ]  # of clicks and rates: what each figure of the clicks has above the rates'


class World(NamedTuple):
    """What the clicks may come from: sizes of clumps of such a weight, and a shape that has such a part of it."""

    sizes: I64
    shape: float
    weight: float
    part: float


def simulated(
    rates: Rates, sizes: I64, figures: Callable[[Positions], Figures], seed: int
) -> tuple[F64, F64]:
    """How much too large figures of the clicks are, and the standard error of the corrected ones.

    Of very many areas some of all sizes are simulated. Seeded: the same clicks yield the same.
    """
    random = np.random.default_rng(seed)
    size = rates.clicks.size
    order = np.argsort(rates.expected, kind="stable")
    pupils, studied = (
        order[:: max(1, size // most)] if size > most else np.arange(size) for most in (PUPILS, STUDIED)
    )
    some, all_of = rates.take(pupils), rates.take(studied)
    learn, tell = figures(pupils), figures(studied)
    observed = learn.uneven(some.clicks)
    worlds = list[World]()
    for far, weight in NODES:
        own = leaning(sizes, far)
        shapes = _shapes(some, own, learn.uneven, observed, random)
        worlds += [World(own, shape, weight, part) for shape, part in shapes]
    each = max(FEWEST, int(np.clip(DRAWS // studied.size, 12, 60)) // len(worlds))
    means, spreads = [], []
    for world in worlds:
        phi, above = design_effect(world.sizes), []
        for _ in range(each):
            rate = all_of.draw(phi, world.shape, random)
            above.append(tell.above(dealt(rate, world.sizes, random), rate))
        means.append(np.mean(above, axis=0))
        spreads.append(np.var(above, axis=0, ddof=1))
    likely = np.array([world.weight for world in worlds])[:, None]
    part = np.array([world.part for world in worlds])[:, None]
    best = part == part.max()
    excess = (likely * best * np.array(means)).sum(axis=0)
    # What isn't known of clumps and shapes.
    unknown = (likely * part * (np.array(means) - excess) ** 2).sum(axis=0)
    # Of few replicates Student's quantile, in units of the normal one; of some of the areas their larger deviation.
    freedom = len(worlds) * (each - 1)
    wide = float(special.stdtrit(freedom, 0.975) / special.ndtri(0.975)) ** 2 * studied.size / size
    misfit = (MISFIT_MANY if best.all() else MISFIT) * excess
    return excess, np.sqrt(wide * np.mean(spreads, axis=0) + unknown + misfit**2)


def _shapes(
    rates: Rates,
    sizes: I64,
    uneven: Callable[[F64], float],
    observed: float,
    random: np.random.Generator,
) -> list[tuple[float, float]]:
    """Shapes that make simulated clicks as uneven as the real ones, each with its weight.

    Of few areas chance alone makes clicks more uneven or less: then also those that go with as much more and less.
    """
    phi = design_effect(sizes)
    same = int(random.integers(1 << 31))
    tries = int(np.clip(TRIED // rates.clicks.size, 1, TRIALS))

    def made(shape: float, chances: np.random.Generator) -> float:
        return uneven(dealt(rates.draw(phi, shape, chances), sizes, chances))

    def found(aim: float) -> float:
        low, high = np.log(FLATTEST), np.log(EVENEST)
        for _ in range(STEPS):
            middle = (low + high) / 2
            again = np.random.default_rng(same)  # the same chances for each shape
            more = np.mean([made(float(np.exp(middle)), again) for _ in range(tries)]) > aim
            low, high = (middle, high) if more else (low, middle)
        return float(np.exp((low + high) / 2))

    best = found(observed)
    if rates.clicks.size > MANY_AREAS:
        return [(best, 1.0)]
    error = float(np.std([made(best, random) for _ in range(TRIALS)], ddof=1))
    return [(found(observed + far * error) if far else best, weight) for far, weight in NODES]


def leaning(sizes: I64, away: float) -> I64:
    """Sizes of clumps whose design effect is so many of its standard errors away: large ones rarer, or more frequent.

    Weights along its influence function K² - φ K (Hampel, JASA 69, 1974): the error of a ratio is the root of the sum of its squares.
    """
    if away == 0:
        return sizes
    k, count = np.unique(sizes, return_counts=True)
    phi = float(count @ k**2 / (count @ k))
    influence = k**2 - phi * k
    error = float(np.sqrt(count @ influence**2) / (count @ k))
    if not error > 0:
        return sizes
    aim, unit = max(phi + away * error, 1.0), influence / np.abs(influence).max() * np.sign(away)
    low, high = 0.0, 1e3
    for _ in range(30):
        middle = (low + high) / 2
        weight = count * np.maximum(1 + middle * unit, 0.0)
        far = float(weight @ k**2 / (weight @ k)) - aim
        low, high = (middle, high) if far * away < 0 else (low, middle)
    ends = np.cumsum(weight)
    return np.asarray(k[np.searchsorted(ends, (np.arange(sizes.size) + 0.5) / sizes.size * ends[-1])])
