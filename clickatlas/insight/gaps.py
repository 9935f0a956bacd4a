"""Gaps: areas with fewer clicks than the baseline gives, beyond chance, and the dead zones that they form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.baseline import Baseline, caveats
from clickatlas.insight.card import LEVEL, Card, Kind, area_filter, areas_of, count, listed, names, percent
from clickatlas.insight.chance import (
    F64,
    Spread,
    benjamini_hochberg,
    empirical_bayes,
    lower,
    ratios,
)
from clickatlas.insight.contiguity import Contiguity

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LEVELS = (Level.REGION, Level.METRO)  # what cards are made of; each has an equal part of the kind's share
SMALL = 0.8  # a gap has fewer than this part of what is expected: less is not worth a word, however sure
MOST = 3  # cards per level


@dataclass(frozen=True)
class Gaps:
    """The tested areas as parallel arrays, the most missing clicks first."""

    level: Level
    baseline: str
    area: I32
    clicks: I64
    expected: F64
    missing: F64  # expected - clicks
    ratio: F64  # clicks / expected, empirical Bayes
    low: F64  # 95 % interval of the plain ratio; for gaps as wide as being picked out of many asks for
    high: F64
    p: F64
    q: F64
    gap: Flags
    zone: I32  # of gaps: the contiguous set that it is in, from 0, the most missing clicks first; else -1
    alpha: float
    spread: Spread
    sample: int
    worth: float  # φ that the intervals are made with


def gaps(
    baseline: Baseline, contiguity: Contiguity | None = None, *, alpha: float = LEVEL[Kind.GAP] / len(LEVELS)
) -> Gaps:
    """Test the areas of a baseline; the chance of any gap where there is none is at most `alpha`.

    Lower tail of the negative binomial (see `chance`), Benjamini-Hochberg over the areas tested. Intervals of gaps hold
    the false coverage rate: Benjamini and Yekutieli, "False Discovery Rate-Adjusted Multiple Confidence Intervals", JASA 100 (2005).
    """
    spread, tested = baseline.spread, baseline.tested
    # Learned from all areas, the unnamed ones too: none of them can be told from it.
    shrunk = empirical_bayes(baseline.clicks, baseline.expected, spread.phi)
    order = np.flatnonzero(tested)
    order = order[np.argsort(-(baseline.expected[order] - baseline.clicks[order]), kind="stable")]
    area, clicks, expected = baseline.area[order], baseline.clicks[order], baseline.expected[order]
    p = lower(clicks, np.minimum(expected, baseline.reach[order]), spread)
    q = benjamini_hochberg(p)
    gap = (q <= alpha) & (clicks < SMALL * expected)
    found = int(gap.sum())
    wide = np.where(gap, 1 - 0.05 * found / max(order.size, 1), 0.95)
    plain = ratios(clicks, expected, baseline.worth, wide)
    zone = zones(contiguity, area, gap, expected - clicks)
    return Gaps(baseline.level, baseline.name, area, clicks, expected, expected - clicks, shrunk.ratio[order],
                plain.low, plain.high, p, q, gap, zone, alpha, spread, baseline.sample, baseline.worth)  # fmt: skip


def zones(contiguity: Contiguity | None, area: I32, members: Flags, worth: F64) -> I32:
    """Contiguous sets of the `members` among areas, numbered by their summed `worth`, the most first; -1 for others."""
    result = np.full(area.size, -1, np.int32)
    if not members.any():
        return result
    label = np.arange(area.size)
    if contiguity is not None:
        at = contiguity.at(area)
        inside = np.zeros(contiguity.area.size, np.bool_)
        inside[at[members & (at >= 0)]] = True
        sets = contiguity.sets(inside)
        # What has no neighbours is a set of its own, after all others.
        label = np.where(at >= 0, sets[at] if sets.size else -1, contiguity.area.size + label)
    _, which = np.unique(label[members], return_inverse=True)
    total = np.bincount(which, worth[members])
    rank = np.empty(total.size, np.int32)
    rank[np.argsort(-total, kind="stable")] = np.arange(total.size)
    result[members] = rank[which]
    return result


def cards(result: Gaps, atlas: Atlas) -> list[Card]:
    """The largest gaps: one card per dead zone, or per area that is a gap by itself."""
    made = []
    for zone in range(min(MOST, int(result.zone.max(initial=-1)) + 1)):
        at = np.flatnonzero(result.zone == zone)
        area, clicks, expected = (
            result.area[at],
            int(result.clicks[at].sum()),
            float(result.expected[at].sum()),
        )
        basis = "the people who live there" if result.baseline == "population" else "your other links"
        where = listed(names(atlas, area))
        have = f"has {count(clicks)} clicks" if at.size == 1 else f"together have {count(clicks)} clicks"
        sentence = (
            f"{where} {have} where {basis} would give {count(expected)}: {count(expected - clicks)} missing."
        )
        if at.size > 1:
            sentence = f"Dead zone of {areas_of(atlas, area, result.level)}: {sentence}"
        phi = result.worth
        wide = 1 - 0.05 * int(result.gap.sum()) / result.area.size
        plain = ratios(np.array([clicks]), np.array([expected]), phi, wide)
        made.append(
            Card(
                kind=Kind.GAP,
                sentence=sentence,
                numbers={
                    "clicks": clicks,
                    "expected": round(expected, 1),
                    "missing": round(expected - clicks, 1),
                    "ratio": clicks / expected,
                    "areas": int(at.size),
                    "level": result.level.value,
                    "baseline": result.baseline,
                },
                interval=(float(plain.low[0]), float(plain.high[0])),
                of="ratio",
                p=float(result.p[at].min()),
                q=float(result.q[at].max()),
                areas=tuple(area.tolist()),
                filter=area_filter(atlas, area),
                method=told(result.baseline, result.area.size, result.spread, result.alpha, "fewer"),
                sample=result.sample,
                caveats=caveats(result.baseline),
                weight=weight(expected - clicks, result.sample),
            )
        )
    return made


def weight(clicks: float, sample: int) -> float:
    """How much so many clicks too few or too many matter: 0 for none, 0.5 for a tenth of all, towards 1."""
    part = abs(clicks) / max(sample, 1)
    return part / (part + 0.1)


def told(baseline: str, tested: int, spread: Spread, alpha: float, way: str) -> str:
    """How a card of single areas is known."""
    basis = "its population" if baseline == "population" else "the share of your other clicks that it has"
    uneven = (
        f" and lasting differences between areas of ±{percent(spread.tau2**0.5)}" if spread.tau2 > 0 else ""
    )
    return (
        f"{count(tested)} areas were tested for {way} clicks than {basis} gives (negative binomial, allowing for clicks in clumps "
        f"worth {spread.phi:.1f} each{uneven}), with Benjamini-Hochberg's false-discovery control at {percent(alpha)}."
    )
