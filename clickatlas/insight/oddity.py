"""Is something odd? Areas that jump against their own history, and whether that is people or machines.

Clicks are counted by area in equal pieces of whole weeks, so that weekdays play no part. An area's clicks in the last
piece are held against its usual part of all others' clicks, as in Farrington, Andrews, Beale and Catchpole, "A statistical
algorithm for the early detection of outbreaks", J. R. Statist. Soc. A 159 (1996): past pieces that were out of line
themselves count less (weights of Noufaily et al., Statistics in Medicine 32, 2013: residuals beyond 2.58), and the
threshold is of a negative binomial with the dispersion of the past. No jump of people rests on one place, which may be one visitor:
the one that stands out most is taken for as the area's other places; machines often are one. A campaign that grows everywhere is no oddity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight import chance
from clickatlas.insight.card import LEVEL, NETWORKS, Card, Kind, area_filter, count, listed, percent, times
from clickatlas.insight.rhythm import DAY

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PEOPLE = "residential"
MACHINES = "machines"  # all other network kinds, where they are counted together
LEVELS = (Level.COUNTRY, Level.REGION)  # asked of; each with half of the budget
ALPHA = LEVEL[Kind.ODDITY] / len(LEVELS)
LEAST_PIECES, MOST_PIECES = 6, 26  # of the past
LEAST = 20  # clicks of a jump
LEAST_RATIO = 1.5
USUAL = 1.0  # clicks in a piece: an area that has them
OUT_OF_LINE = 2.58
FAR = 100.0  # squared standard deviations: what is further off counts as this much


@dataclass(frozen=True)
class Oddities:
    """Areas by how surely they jumped, the surest first; parallel arrays, those by network kind of (kinds, areas)."""

    level: Level
    days: int  # in a piece of time
    pieces: int  # of the past
    area: I64
    clicks: I64  # in the last piece, of all network kinds
    expected: F64
    ratio: F64
    low: F64  # 95 % interval of the ratio
    high: F64
    p: F64
    q: F64
    kinds: tuple[str, ...]
    now: I64  # clicks of the last piece by network kind
    usual: F64  # expected by network kind
    total: int
    spread: chance.Spread
    # Clicks of the last piece by network kind, where asked for.
    machine_kinds: Mapping[str, I64] = field(default_factory=dict)

    def machines(self, at: int) -> float:
        """The part of row `at`'s jump that isn't people: 0 to 1."""
        more = np.maximum(self.now[:, at] - self.usual[:, at], 0.0)
        whole = float(more.sum())
        people = float(more[self.kinds.index(PEOPLE)]) if PEOPLE in self.kinds else 0.0
        return 1 - people / whole if whole else 0.0

    def mostly(self, at: int) -> tuple[str, ...]:
        """The network kinds that make up most of row `at`'s machines: each a fifth of them or more, the largest first."""
        clicks = {name: int(of[at]) for name, of in self.machine_kinds.items() if of[at] > 0}
        whole = sum(clicks.values())
        return tuple(
            sorted((name for name, n in clicks.items() if n >= 0.2 * whole), key=lambda name: -clicks[name])
        )


def pieces(first: int, end: int, days: int = 7) -> I64:
    """Edges (ms UTC) of pieces of `days` (whole weeks) back from `end`, the last beginning at -`days`; none from before `first`.

    Too few where they are less than `LEAST_PIECES` + 2 edges: then nothing can be called usual.
    """
    if days % 7:
        raise ValueError("weekdays would play a part")
    number = max(0, min(MOST_PIECES + 1, (end - first) // (days * DAY)))
    return end - np.arange(number, -1, -1, dtype=np.int64) * (days * DAY)


def oddities(
    level: Level, area: I64, kinds: Mapping[str, I64], *, days: int = 7, shown: Flags | None = None,
    alone: F64 | None = None, machine_kinds: Mapping[str, I64] | None = None,
) -> Oddities:  # fmt: skip
    """Jumps from clicks by network kind: each an array (pieces, areas), the last piece now; `area` are area numbers.

    `shown` (a flag per area number) says which may be named. `alone` are the people's clicks of the last piece, by area,
    by which one place stands out: they may be one visitor's, and no jump is to rest on them; without it
    an office is allowed for. `machine_kinds`, the last piece's clicks of each kind by area, only say what machines they were.
    10 ms for 3,000 areas and half a year.
    """
    names = tuple(kinds)
    cube = np.stack([np.asarray(kinds[name], np.int64) for name in names])  # kinds, pieces, areas
    every = cube.sum(axis=0)
    past, now = every[:-1].astype(np.float64), every[-1]
    total = int(now.sum())
    if len(past) < LEAST_PIECES or not past.sum():
        none, nothing = np.zeros(0, np.int64), np.zeros(0, np.float64)
        return Oddities(
            level, days, len(past), none, none, nothing, nothing, nothing, nothing, nothing, nothing, names,
            np.zeros((len(names), 0), np.int64), np.zeros((len(names), 0), np.float64), total, chance.Spread(),
        )  # fmt: skip
    odds, spread, worth, clump = _usual(past)
    if alone is not None:  # then large clumps are taken off one by one, and not allowed for besides
        spread = replace(spread, offices=0.0, office=0.0)
    rest = total - now
    expected = odds * rest
    # What the expectation was counted from varies, too.
    noise = 1 + np.divide(rest, worth, out=np.full(len(now), np.inf), where=worth > 0)
    p = np.ones(len(now))
    # Areas without a click are tested, too: to leave them out would be to choose by what is asked.
    tested = rest >= LEAST
    steady = now if alone is None else np.maximum(np.floor(now - alone), 0).astype(np.int64)
    some = np.flatnonzero(tested & (steady >= LEAST))
    p[some] = _tail(steady[some], expected[some], np.minimum(noise[some], 10.0), spread)
    p[(steady < LEAST) | (now < LEAST_RATIO * expected)] = 1.0
    q = _controlled(p, tested, expected)
    tested &= now > 0
    if shown is not None:
        tested &= shown[area]
    order = np.flatnonzero(tested)
    order = order[np.lexsort((order, -now[order], p[order]))]
    rates = _rates(now[order], np.maximum(expected[order], 0.5), noise[order], q[order], spread, clump)
    usual = _by_kind(cube[:, :-1, order], expected[order])
    return Oddities(
        level, days, len(past), area[order].astype(np.int64), now[order], expected[order],
        rates.ratio, rates.low, rates.high, p[order], q[order], names, cube[:, -1, order], usual, total, spread,
        {name: of[order] for name, of in (machine_kinds or {}).items()},
    )  # fmt: skip


def _controlled(p: F64, tested: Flags, expected: F64) -> F64:
    """Benjamini-Hochberg within the areas that usually have clicks, and within those that have hardly any, each with half of the level.

    The past alone puts them apart, so none of it depends on what is tested (Bourgon, Gentleman and Huber, PNAS 107, 2010); thousands of areas
    without clicks would hide jumps of the few that have them (Genovese, Roeder and Wasserman, Biometrika 93, 2006).
    """
    q = np.full(p.size, np.nan)
    for group in (expected >= USUAL, expected < USUAL):
        mine = np.flatnonzero(tested & group)
        q[mine] = np.minimum(2 * chance.benjamini_hochberg(p[mine]), 1.0)
    return q


def _rates(now: I64, expected: F64, noise: F64, q: F64, spread: chance.Spread, clump: float) -> chance.Rates:
    """Ratios to what is usual, with intervals of the area's rate now: clicks in clumps worth `clump`, and a usual part that
    is known as well as its pieces tell. Of areas picked out they hold the false coverage rate (Benjamini and Yekutieli, JASA 100, 2005)."""
    known = np.minimum(noise, 10.0)
    worth = clump * known + spread.tau2 * expected * (known - 1)
    found = q <= ALPHA
    level = np.where(found, 1 - 0.05 * found.sum() / max(q.size, 1), 0.95)
    return chance.ratios(now, expected, worth, level)


def _usual(past: F64) -> tuple[F64, chance.Spread, F64, float]:
    """Of each area its clicks per click of all others, robustly; how counts vary around that; what it is worth in clicks; and
    what clumps are worth, the largest among them, which `Spread` leaves to its offices."""
    rest = past.sum(axis=1, keepdims=True) - past
    weight = np.ones_like(past)
    spread = chance.Spread()
    for _ in range(3):
        base = (weight * rest).sum(axis=0)
        odds = np.divide((weight * past).sum(axis=0) + 0.5, base, out=np.zeros(past.shape[1]), where=base > 0)
        expected = odds * rest
        whole = past.shape[0]
        fitted = chance.dispersion(past.ravel(), expected.ravel())
        grown = whole / (whole - 1)  # residuals around a mean of few pieces are smaller
        spread = replace(
            fitted,
            phi=fitted.phi * grown,
            tau2=fitted.tau2 * grown,
            offices=1 / chance.VISITORS,
            office=chance.OFFICE,
        )
        # Anscombe residuals, as Farrington et al. have them.
        mean = np.maximum(expected, 0.5)
        residual = (
            1.5 * (past ** (2 / 3) * mean ** (-1 / 6) - mean**0.5) / np.sqrt(spread.phi + spread.tau2 * mean)
        )
        weight = np.where(residual > OUT_OF_LINE, (OUT_OF_LINE / np.maximum(residual, 1e-9)) ** 2, 1.0)
    square = np.minimum((past - expected) ** 2, FAR * spread.variance(np.maximum(expected, 1.0))) * grown
    clump = float((square - spread.tau2 * expected**2).sum() / max(float(expected.sum()), 1.0))
    return odds, spread, (weight * rest).sum(axis=0), max(clump, spread.phi)


def _tail(now: I64, expected: F64, noise: F64, spread: chance.Spread) -> F64:
    """The chance of as many, φ and τ² grown by what the expectation itself varies; in a few steps of that."""
    result = np.ones(len(now))
    steps = np.ceil(4 * noise) / 4
    for step in np.unique(steps).tolist():
        mine = steps == step
        grown = replace(spread, phi=spread.phi * step, tau2=spread.tau2 * step)
        result[mine] = chance.upper(now[mine], expected[mine], grown)
    return result


def _by_kind(past: I64, expected: F64) -> F64:
    """What is expected, divided as past clicks were among the network kinds."""
    sums = past.sum(axis=1).astype(np.float64)
    whole = sums.sum(axis=0)
    return np.asarray(np.divide(sums, whole, out=np.zeros_like(sums), where=whole > 0) * expected)


def any_found(found: Oddities) -> bool:
    """Whether there would be a card."""
    return bool((found.q <= LEVEL[Kind.ODDITY] / len(LEVELS)).any())


def cards(found: Oddities, atlas: Atlas, most: int = 3) -> list[Card]:
    """The surest jumps, at this level's part of the budget, each with a filter that is suggested for it."""
    sure = np.flatnonzero(found.q <= ALPHA)[:most]
    return [_card(found, atlas, int(at)) for at in sure.tolist()]


def _card(found: Oddities, atlas: Atlas, at: int) -> Card:
    area, clicks, expected = int(found.area[at]), int(found.clicks[at]), float(found.expected[at])
    machines = found.machines(at)
    sentence = f"{atlas.areas.name(area)} had {count(clicks)} clicks in the last {found.days} days"
    sentence += (
        f", {times(clicks / expected)} as many as usual" if expected >= 1 else ", where there are hardly any"
    )
    sentence += ": of the jump " + ", ".join(_sides(found, at, machines)) + "."
    numbers: dict[str, float | int | str] = {
        "clicks": clicks,
        "expected": expected,
        "ratio": float(found.ratio[at]),
        "machines": machines,
        "level": found.level.value,
    }
    for row, name in enumerate(found.kinds):
        numbers[f"now_{name}"] = int(found.now[row, at])
        numbers[f"usual_{name}"] = round(float(found.usual[row, at]), 1)
    return Card(
        kind=Kind.ODDITY,
        sentence=sentence,
        numbers=numbers,
        interval=(float(found.low[at]), float(found.high[at])),
        of="ratio",
        p=float(found.p[at]),
        q=float(found.q[at]),
        areas=(area,),
        filter=area_filter(atlas, [area])
        | {"network": [PEOPLE] if machines < 0.5 else list(found.mostly(at)) or ["all"]},
        method=f"The last {found.days} days against the area's part in {found.pieces} equal pieces before (Farrington 1996, "
        "Noufaily 2013; negative binomial), Benjamini-Hochberg over areas; not counting one place's people.",
        sample=found.total,
        caveats=(
            "Network kinds come from lists of networks: a home line that a machine uses counts as people.",
        ),
        weight=min(0.95, 0.6 + 0.05 * float(np.log2(max(1.0, found.low[at])))),
    )


def _sides(found: Oddities, at: int, machines: float) -> list[str]:
    """What people and machines have of row `at`'s jump, the larger first, each with its clicks now and as usual."""
    people = found.kinds.index(PEOPLE) if PEOPLE in found.kinds else -1
    rows = [row for row in range(len(found.kinds)) if row != people]
    kinds = listed([NETWORKS.get(kind, kind) for kind in found.mostly(at)])
    sides = [
        ("machines", machines, rows, f"{kinds}; " if kinds else ""),
        ("people", 1 - machines, [people] if people >= 0 else [], ""),
    ]
    told: list[str] = []
    for name, part, mine, what in sorted(sides, key=lambda side: -side[1]):
        if mine:
            now, usual = int(found.now[mine, at].sum()), float(found.usual[mine, at].sum())
            are, clicks = ("", "now") if told else ("are ", "clicks")
            told.append(
                f"{percent(part)} {are}{name} ({what}{count(now)} {clicks}, usually {count(round(usual))})"
            )
    return told
