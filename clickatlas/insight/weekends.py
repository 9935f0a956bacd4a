"""Weekday against weekend geography: areas whose clicks come on weekends more, or less, than everybody's do.

Clicks are counted by area and whole week, those of local Saturdays and Sundays apart. Of an area's n clicks in a week, n s are usual on
its weekend, s being the week's own share everywhere: weeks that differ play no part. What is beyond that, over all weeks, is
held against how much it varies from week to week (quasi-binomial: McCullagh and Nelder, Generalized Linear Models, 1989, 4.5;
φ of the area itself or of all of them, whichever is more) by Student's t with a degree of freedom for each further week, so that one
loud weekend makes an area uncertain and not a finding; Benjamini-Hochberg over areas.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from clickatlas.atlas.atlas import Atlas
from clickatlas.insight import chance
from clickatlas.insight.card import Card, Kind, area_filter, percent

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

ALPHA = 0.01
LEAST_WEEKS = 6
ENOUGH = 20.0  # clicks, clumps counted once, on the smaller side: an area that is tested
SMALL = 1.1  # times: what differs less is not worth a card


@dataclass(frozen=True)
class Weekends:
    """The tested areas as parallel arrays, the surest first."""

    area: I64
    weekday: I64  # clicks
    weekend: I64
    ratio: F64  # its weekend part over everybody else's
    low: F64  # 95 % interval; of those found as wide as being picked out of many asks for
    high: F64
    p: F64
    q: F64
    share: float  # the weekend's part of all clicks
    weeks: int
    phi: float


def weekends(area: I64, weekday: I64, weekend: I64) -> Weekends:
    """Of area numbers, and clicks as (weeks, areas). Nothing is tested with fewer than `LEAST_WEEKS` weeks. 1 ms.

    Intervals are those of a ratio of two proportions (Katz et al., Biometrics 34, 1978), with φ and t.
    """
    used = (weekday.sum(axis=1) > 0) & (weekend.sum(axis=1) > 0)
    x, n = (of[used].astype(np.float64) for of in (weekend, weekday + weekend))
    weeks = int(used.sum())
    if weeks < LEAST_WEEKS:
        none = np.zeros(0)
        nobody = np.zeros(0, np.int64)
        return Weekends(nobody, nobody, nobody, none, none, none, none, none, float("nan"), weeks, 1.0)
    part = x.sum(axis=1, keepdims=True) / n.sum(axis=1, keepdims=True)
    variance = (n * part * (1 - part)).sum(axis=0)
    apart = x - n * part
    away, clicks, whole = apart.sum(axis=0), n.sum(axis=0), float(n.sum())
    of_weekend, share = x.sum(axis=0), float(x.sum()) / whole
    own = np.divide(away, clicks, out=np.zeros(clicks.size), where=clicks > 0)
    square = ((apart - n * own) ** 2).sum(axis=0) * weeks / (weeks - 1)
    phi = max(1.0, float(square.sum()) / max(float(variance.sum()), 1e-300))
    clump = np.maximum(np.divide(square, variance, out=np.ones(clicks.size), where=variance > 0), phi)
    rest, rest_x = whole - clicks, float(x.sum()) - of_weekend
    use = np.flatnonzero(
        (variance >= ENOUGH * clump * max(share, 1 - share)) & (rest_x > 0) & (rest > rest_x)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        z = away[use] / np.sqrt(clump[use] * variance[use] * rest[use] / whole)
    p = np.minimum(2 * special.stdtr(weeks - 1, -np.abs(z)), 1.0)
    q = chance.benjamini_hochberg(p)
    found = int((q <= ALPHA).sum())
    reach = special.stdtrit(weeks - 1, 1 - 0.025 * (np.where(q <= ALPHA, found / max(1, use.size), 1.0)))
    k, m, others, all_others = of_weekend[use], clicks[use], rest_x[use], rest[use]
    ratio = (k / m) / (others / all_others)
    error = np.sqrt(clump[use] * (1 / np.maximum(k, 0.5) - 1 / m + 1 / others - 1 / all_others))
    order = np.lexsort((use, p))
    rows = use[order]
    return Weekends(
        area[rows].astype(np.int64), (clicks - of_weekend)[rows].astype(np.int64), of_weekend[rows].astype(np.int64),
        ratio[order], (ratio * np.exp(-reach * error))[order], (ratio * np.exp(reach * error))[order],
        p[order], q[order], share, weeks, phi,
    )  # fmt: skip


def weekend_cards(found: Weekends, atlas: Atlas) -> list[Card]:
    """The area whose weekend part differs most surely, if any does."""
    for at in np.flatnonzero((found.q <= ALPHA) & (np.abs(np.log(np.maximum(found.ratio, 1e-9))) > np.log(SMALL))).tolist():  # fmt: skip
        area = int(found.area[at])
        clicks = int(found.weekday[at] + found.weekend[at])
        part = float(found.weekend[at]) / clicks
        more = "leans to weekends" if found.ratio[at] > 1 else "leans to weekdays"
        return [
            Card(
                kind=Kind.RHYTHM,
                sentence=f"{atlas.areas.label(area)} {more}: {percent(part)} of its clicks come on Saturdays and Sundays, "
                f"{percent(found.share)} of all.",
                numbers={
                    "ratio": float(found.ratio[at]),
                    "weekend": part,
                    "all": found.share,
                    "clicks": clicks,
                    "weeks": found.weeks,
                    "level": atlas.areas.level(area).value,
                },
                interval=(float(found.low[at]), float(found.high[at])),
                of="ratio",
                p=float(found.p[at]),
                q=float(found.q[at]),
                areas=(area,),
                filter=area_filter(atlas, [area]),
                method=f"Each area's local Saturdays and Sundays against everybody's, week by week: quasi-binomial over {found.weeks} weeks "
                "(Student's t), Benjamini-Hochberg over areas.",
                sample=int(found.weekday.sum() + found.weekend.sum()),
                caveats=("When you publish shapes when people click.",),
                weight=min(0.7, 0.3 + abs(float(np.log2(max(found.ratio[at], 1 / 16))))),
            )
        ]
    return []
