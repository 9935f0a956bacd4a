"""Concentration: how unevenly clicks lie over areas, and how few areas have how much of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.baseline import Baseline, by_population, country_of
from clickatlas.insight.card import Card, Kind, area_filter, areas_of, count, listed, names, percent
from clickatlas.insight.clump_sizes import clump_sizes, design_effect, geometric
from clickatlas.insight.herfindahl import estimated
from clickatlas.insight.measures import Expectation
from clickatlas.insight.seeming import Figures, Rates, simulated

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PART = 0.4  # of the clicks: how few areas have so many?
MAIN = 0.01  # countries with this part of the clicks are those whose people are counted
NORMAL = 1.96
WIDE = 0.2  # an interval of a share that is wider says too little
DOUBT = 0.05  # a share that is mostly seeming: the areas' own is so much smaller
UNSURE = 0.12  # how well the size of clumps is known at best, a part of it
LEAST = 50  # clicks, clumps counted once
SEED = 1905
LEVELS = (Level.POSTAL, Level.METRO, Level.REGION, Level.COUNTRY)  # a card's, the finest that can be told
KNOWN = 0.5  # of the clicks, that a coarser level must know
NAMED = 100  # areas in a card's filter, at most


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval; all NaN where clicks are too few to say."""

    value: float
    low: float
    high: float


UNKNOWN = Estimate(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Concentration:
    """The areas that may be named as parallel arrays, most clicks first, and figures over all of them."""

    level: Level
    area: I32
    clicks: I64
    residents: F64
    countries: I32  # whose people are counted
    people: float  # in these, all of them
    lorenz: F64  # (points, 2): cumulative shares of residents and of clicks, least clicks per resident first
    gini: Estimate
    hhi: Estimate  # 1 / it is the effective number of areas
    top: int  # the fewest areas with `PART` of the clicks
    share: Estimate  # of the clicks, that these have
    living: float  # share of the people who live in these; NaN where nobody is counted
    sample: int
    phi: float

    @property
    def few(self) -> bool:
        """Whether clicks are too few to say how they lie."""
        return bool(np.isnan(self.share.value))


def concentration(
    expectation: Expectation,
    level: Level,
    *,
    part: float = PART,
    shown: Flags | None = None,
    phi: float | None = None,
    seed: int = SEED,
) -> Concentration:
    """Of clicks known to `level`. Lorenz curve and Gini are of the countries that most clicks are from.

    Plain figures of few clicks seem more concentrated than they are: the most clicked areas are the most clicked by chance, too.
    So figures and intervals are of what the areas' own rates are: see `seeming`. Clumps are learned (`clump_sizes`), or have the
    design effect `phi`. 50 ms for metros, 300 ms for postal codes.
    """
    baseline = by_population(expectation, level, shown)
    sizes = clump_sizes(expectation) if phi is None else geometric(phi)
    if sizes is None:
        usual = baseline.spread.phi
        if level in (Level.COUNTRY, Level.REGION):
            # Clumps are the same at every level, and there are more metros to learn from.
            usual = max(usual, by_population(expectation, Level.METRO).spread.phi)
        sizes = geometric(usual)
    lives = _residents(expectation, level)
    main = _main(expectation, shown)
    country = country_of(expectation.atlas, level)[baseline.area]
    inside = np.isin(country, main)
    named = baseline.shown & (baseline.clicks > 0)
    order = np.flatnonzero(named)
    order = order[np.lexsort((baseline.area[order], -baseline.clicks[order]))]
    area, clicks = baseline.area[order], baseline.clicks[order]
    residents, people = lives[area], float(lives[baseline.area[inside]].sum())
    sample = int(clicks.sum())
    top = int(np.searchsorted(np.cumsum(clicks), part * sample)) + 1 if sample else 0
    curve = lorenz(*_lump(baseline.clicks[inside], lives[baseline.area[inside]], baseline.shown[inside]))
    figures = _estimates(baseline, lives[baseline.area], country, inside, top, sizes, seed)
    within = residents[:top][inside[order[:top]]].sum()
    living = min(float(within) / people, 1.0) if people > 0 and within > 0 else float("nan")
    return Concentration(level, area, clicks, residents, main, people, curve, *figures[:2], top, figures[2],
                         living, sample, design_effect(sizes))  # fmt: skip


def lorenz(clicks: npt.NDArray[np.generic], residents: F64) -> F64:
    """The Lorenz curve as (points, 2): cumulative shares of residents and clicks, least clicks per resident first.

    Lorenz, "Methods of measuring the concentration of wealth", Publications of the American Statistical Association 9 (1905).
    Areas without residents come last. From (0, 0) to (1, 1); these two alone where there is nothing.
    """
    c, n = np.asarray(clicks, np.float64), np.asarray(residents, np.float64)
    if not c.sum() > 0 or not n.sum() > 0:
        return np.array([[0.0, 0.0], [1.0, 1.0]])
    rate = np.divide(c, n, out=np.full(c.size, np.inf), where=n > 0)
    rate[(n <= 0) & (c <= 0)] = 0
    order = np.argsort(rate, kind="stable")
    points = np.column_stack((np.cumsum(n[order]) / n.sum(), np.cumsum(c[order]) / c.sum()))
    return np.concatenate((np.zeros((1, 2)), points))


def gini(curve: F64) -> float:
    """Twice the area between the diagonal and the Lorenz curve: 0 for even, towards 1 for all in one place (Gini 1912)."""
    x, y = curve[:, 0], curve[:, 1]
    return float(1 - (np.diff(x) * (y[1:] + y[:-1])).sum())


def _residents(expectation: Expectation, level: Level) -> F64:
    """By area number; of countries their whole population."""
    if level is Level.COUNTRY:
        return np.nan_to_num(expectation.people.population)
    column = np.asarray(expectation.atlas.places.area[level])
    size = len(expectation.atlas.areas) + 1
    return np.asarray(np.bincount(column + 1, expectation.residents, size)[1:], np.float64)


def _main(expectation: Expectation, shown: Flags | None) -> I32:
    """The countries that most clicks are from; of those that may be named, as a card names them."""
    counts = expectation.counts
    column = np.asarray(expectation.atlas.places.area[Level.COUNTRY])
    clicks = np.bincount(column + 1, counts.clicks, len(expectation.atlas.areas) + 1)[1:]
    many = clicks >= max(MAIN * clicks.sum(), 1)
    if shown is not None:
        many &= shown
    if counts.held is not None:
        many &= counts.held.visible
    return np.flatnonzero(many).astype(np.int32)


def _lump(clicks: npt.NDArray[np.generic], residents: F64, shown: Flags) -> tuple[F64, F64]:
    """Clicks and residents with all areas that may not be named as one."""
    c, hidden = np.asarray(clicks, np.float64), ~shown
    if not hidden.any():
        return c, residents
    return np.append(c[shown], c[hidden].sum()), np.append(residents[shown], residents[hidden].sum())


def _gini(clicks: F64, residents: F64) -> float:
    """`gini` of `lorenz` without sorting: areas in steps of half a per cent of clicks per resident."""
    some = (clicks > 0) & (residents > 0)
    if not some.any():
        return gini(lorenz(clicks, residents))
    with np.errstate(divide="ignore"):
        step = np.log(np.where(some, clicks, 1) / np.where(some, residents, 1)) * 200
    step = (step - step[some].min()).astype(np.int64) + 1
    step = np.where(some, step, 0)
    nobody = (residents <= 0) & (clicks > 0)
    step[nobody] = step[some].max() + 1
    x, y = np.cumsum(np.bincount(step, residents)), np.cumsum(np.bincount(step, clicks))
    return gini(np.concatenate((np.zeros((1, 2)), np.column_stack((x / x[-1], y / y[-1])))))


def _estimates(
    baseline: Baseline,
    residents: F64,
    country: npt.NDArray[np.int64],
    inside: Flags,
    top: int,
    sizes: I64,
    seed: int,
) -> tuple[Estimate, Estimate, Estimate]:
    """Gini, Herfindahl and the share of the top areas, each with its interval."""
    clicks, shown = baseline.clicks.astype(np.float64), baseline.shown
    if clicks[shown].sum() < LEAST * design_effect(sizes):
        return UNKNOWN, UNKNOWN, UNKNOWN

    order = np.flatnonzero(shown)
    first = order[np.lexsort((baseline.area[order], -clicks[order]))][:top]
    part = float(clicks[first].sum() / clicks[shown].sum())
    _, nation = np.unique(country, return_inverse=True)

    def of(rows: npt.NDArray[np.intp]) -> Figures:
        here, living, named = inside[rows], residents[rows], shown[rows]
        able = np.flatnonzero(named)

        def uneven(some: F64) -> float:
            return _gini(*_lump(some[here], living[here], named[here]))

        def above(made: F64, rate: F64) -> tuple[float, float]:
            return uneven(made) - uneven(rate), _lead(made[able], rate[able], part)

        return Figures(uneven, above)

    every = Rates(clicks, baseline.expected, nation)
    seen = np.array([of(np.arange(clicks.size)).uneven(clicks), part])
    excess, error = simulated(every, sizes, of, seed)
    if not (excess[1] <= DOUBT and 2 * NORMAL * error[1] <= WIDE):  # nor where it can't be told
        return UNKNOWN, UNKNOWN, UNKNOWN
    index = estimated(clicks, sizes, UNSURE)
    value, error = np.append(np.clip(seen - excess, 0, 1), index[0]), np.append(error, index[1])
    low, high = np.clip(value - NORMAL * error, 0, 1), np.clip(value + NORMAL * error, 0, 1)
    uneven, top_share, squares = (
        Estimate(*figure) for figure in zip(value.tolist(), low.tolist(), high.tolist(), strict=True)
    )
    return uneven, squares, top_share


def _lead(made: F64, rate: F64, part: float) -> float:
    """What the most clicked areas, those with `part` of the clicks, have above their part of the rates; of equals a part of each."""
    if not made.size:  # none of those that are simulated may be named
        return float("nan")
    most = np.sort(made)[::-1]  # five times as quick as their order would be
    sums = np.cumsum(most)
    at = min(int(np.searchsorted(sums, part * sums[-1])), most.size - 1)
    above, equal = made > most[at], made == most[at]
    of = float(rate[above].sum() + rate[equal].sum() * (at + 1 - above.sum()) / equal.sum())
    return float(sums[at] / max(sums[-1], 1e-300)) - of / max(float(rate.sum()), 1e-300)


def cards(result: Concentration, atlas: Atlas) -> list[Card]:
    """The plain sentence; where clicks are too few, that. Nothing where there are none."""
    if not result.sample:
        return []
    top = result.area[: result.top]
    noun = areas_of(atlas, top, result.level)
    method = (
        "Areas in order of their clicks (Lorenz curve). They were picked because they have most, by chance, too: the interval is that of their own "
        f"rates, by simulated campaigns (parametric bootstrap). Clicks come in clumps worth {result.phi:.1f} each."
    )
    if result.few:
        many = areas_of(atlas, result.area, result.level)
        return [
            Card(
                kind=Kind.CONCENTRATION,
                sentence=f"Too few clicks to say where they concentrate: {count(result.sample)} in {many}.",
                numbers={"clicks": result.sample, "level": result.level.value},
                method=method,
                sample=result.sample,
                caveats=(
                    f"At least {count(LEAST * result.phi)} clicks are needed, more where areas are many.",
                ),
                note=True,
            )
        ]
    share = float(result.clicks[: result.top].sum()) / result.sample
    sentence = f"{percent(share)} of your clicks come from {noun}"
    if result.top <= 3:
        sentence += f", {listed(names(atlas, top))}"
    if result.living == result.living:
        sentence += f", where {percent(result.living)} of the population lives"
    numbers: dict[str, float | int | str] = {"share": share, "areas": result.top, "level": result.level.value}
    figures = {"population_share": result.living, "gini": result.gini.value, "hhi": result.hhi.value}
    numbers |= {name: value for name, value in figures.items() if value == value}
    lead = max(share - result.living, 0.0) if result.living == result.living else share / 2
    counted = [atlas.areas.label(n) for n in result.countries.tolist()]
    if result.level is Level.COUNTRY or not counted:
        counted = ["countries with clicks"]
    return [
        Card(
            kind=Kind.CONCENTRATION,
            sentence=f"{sentence}.",
            numbers=numbers,
            interval=(result.share.low, result.share.high),
            of="share",
            areas=tuple(top[:NAMED].tolist()),
            filter=area_filter(atlas, top[:NAMED]),
            method=method,
            sample=result.sample,
            caveats=(
                "Clicks that are known to a coarser area only are left out.",
                f"Population: {listed(counted)}.",
            ),
            weight=float(np.clip(lead, 0.0, 1.0)),
        )
    ]
