"""How much more than single clicks' chance a share varies from day to day and week to week: visitors click again, and areas have their weeks.

The design effect φ is Pearson's χ² of the shares of days, or of weeks, over its degrees of freedom, whichever is larger (McCullagh and
Nelder, Generalized Linear Models, 1989, 4.5).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
TOLD = 40  # areas, those with the most clicks: of smaller ones chance is more than their weeks


def by_day(inside: I64, clicks: I64) -> float:
    """The design effect φ of an in-target share, from clicks inside and in all by day.

    Pearson's χ² of the shares of days, and of weeks, over its degrees of freedom, the larger of both; days (weeks) are put together until
    there are 5 expected clicks on either side. Never below 1. A share that really changes raises it, too: the interval is then wider, not wrong.
    """
    n, k = np.asarray(clicks, np.float64), np.asarray(inside, np.float64)
    if not n.sum():
        return 1.0
    return max(1.0, _over(n, k, 1), _over(n, k, 7))


def _over(n: F64, k: F64, days: int) -> float:
    """φ of pieces of at least so many days; 0 where there are too few of them."""
    share = k.sum() / n.sum()
    enough = 5 / max(min(share, 1 - share), 1e-12)
    starts = np.arange(0, n.size, days)
    n, k = np.add.reduceat(n, starts), np.add.reduceat(k, starts)
    rest = float(n.sum())
    pieces: list[list[float]] = [[0.0, 0.0]]
    for more, inside in zip(n.tolist(), k.tolist(), strict=True):
        pieces[-1][0] += more
        pieces[-1][1] += inside
        rest -= more
        if pieces[-1][0] >= enough and rest >= enough:  # what is left over stays with the last
            pieces.append([0.0, 0.0])
    if len(pieces) < 5:
        return 0.0
    table = np.array(pieces)
    usual = table[:, 0] * share
    return float(((table[:, 1] - usual) ** 2 / (usual * (1 - share))).sum() / (len(pieces) - 1))


def by_area(area: I64, clicks: I64, least: float) -> dict[int, float]:
    """φ of the shares of the `TOLD` largest areas, `least` at least: area numbers, and their clicks by day, (areas, days).

    Clicks of area -1 count in the whole only. 10 ms for a year.
    """
    whole, size = clicks.sum(axis=0), clicks.sum(axis=1)
    first = [at for at in np.lexsort((area, -size)).tolist() if area[at] >= 0 and size[at]]
    return {int(area[at]): max(least, by_day(clicks[at], whole)) for at in first[:TOLD]}
