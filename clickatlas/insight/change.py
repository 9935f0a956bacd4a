"""A period against the one before: how much more or fewer, and whether chance may have made it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

Counts = npt.NDArray[np.int64]
LEVEL = 0.95
LEAST = 10  # clicks that a piece has in both periods together


class Change(NamedTuple):
    """`ratio` of now to before, with its interval; None where nothing was before. `beyond_chance` is 0 no, 1 more, -1 fewer."""

    now: int
    before: int
    ratio: float | None
    low: float | None
    high: float | None
    beyond_chance: int
    spread: float  # how many times the variance is that of independent clicks; at least 1


def change(now: Counts, before: Counts) -> Change:
    """Two periods cut into the same pieces (the first hour with the first hour, Monday with Monday).

    Clicks come in bursts: two weeks of the same link differ by more than Poisson's law has it. How much more is read
    from the pieces, as for a ratio of two sums over the same clusters (Cochran, Sampling Techniques, 3rd ed. 1977, 6.4):
    Var log(N/M) = k/(k-1) Σ (n/N - m/M)², with Student's t of k - 1 degrees of freedom; hours and weekdays fall out, as they
    are in both. Pieces are put together until they have enough clicks. Never narrower than independent clicks have it,
    which is exact (Clopper & Pearson 1934, of the share that is now) and all there is with fewer than three pieces.
    """
    n, m = int(now.sum()), int(before.sum())
    exact_low, exact_high = _exact(n, m)
    if not m:
        return Change(n, 0, None, None, None, 1 if exact_low > 1 else 0, 1.0)
    ratio = n / m
    low, high, spread = exact_low, exact_high, 1.0
    now, before = _together(now, before)
    if len(now) >= 3 and n:
        pieces = len(now)
        variance = pieces / (pieces - 1) * float(((now / n - before / m) ** 2).sum())
        spread = max(1.0, variance / (1 / n + 1 / m))
        half = float(stats.t.ppf((1 + LEVEL) / 2, pieces - 1)) * float(np.sqrt(variance))
        low, high = min(low, ratio * float(np.exp(-half))), max(high, ratio * float(np.exp(half)))
    return Change(n, m, ratio, low, high, 1 if low > 1 else -1 if high < 1 else 0, spread)


def _exact(n: int, m: int) -> tuple[float, float]:
    """The interval of n/m from that of the share n/(n+m)."""
    tail = (1 - LEVEL) / 2
    low = float(stats.beta.ppf(tail, n, m + 1)) if n else 0.0
    high = float(stats.beta.ppf(1 - tail, n + 1, m)) if m else 1.0
    return low / (1 - low), high / (1 - high) if high < 1 else float("inf")


def _together(now: Counts, before: Counts) -> tuple[Counts, Counts]:
    """Neighbouring pieces put together until each has `LEAST` clicks; what is left over goes to the last."""
    starts, held = [0], 0
    for at, clicks in enumerate((now + before).tolist()):
        if held >= LEAST:
            starts.append(at)
            held = 0
        held += clicks
    if held < LEAST and len(starts) > 1:
        starts.pop()
    return np.add.reduceat(now, starts), np.add.reduceat(before, starts)
