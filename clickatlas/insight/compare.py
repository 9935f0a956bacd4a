"""How two shares differ: shrunk log-odds with their z-score, the one measure of a difference."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
PRIOR = (
    0.05  # the prior's weight, of the smaller side's clicks: at more, |z| > 1.96 would be rarer than 1 in 20
)


class Difference(NamedTuple):
    """Per area: log2 of side A's share over side B's (1: twice as much), shrunk; and its z-score."""

    ratio: Floats
    z: Floats


def difference(a: Integers, b: Integers, total_a: int, total_b: int) -> Difference:
    """How the shares `a / total_a` and `b / total_b` differ; within chance while |z| < 1.96.

    Log-odds ratios with an informative Dirichlet prior: Monroe, Colaresi and Quinn (2008), "Fightin'
    Words", Political Analysis 16(4), equations 16 to 22. The prior is both sides' clicks together, scaled to
    `PRIOR` of the smaller side: it keeps an area that one side lacks from differing without end. Swapping
    the sides changes the signs and nothing else; a side without clicks differs nowhere.
    """
    both = a + b
    weight = max(1.0, PRIOR * min(total_a, total_b))
    prior = weight * both / max(1, total_a + total_b)
    with np.errstate(divide="ignore", invalid="ignore"):
        has_a, has_b = a + prior, b + prior
        lacks_a, lacks_b = total_a + weight - has_a, total_b + weight - has_b
        odds = np.log(has_a / lacks_a) - np.log(has_b / lacks_b)
        z = odds / np.sqrt(1 / has_a + 1 / lacks_a + 1 / has_b + 1 / lacks_b)
        ratio = np.log2(has_a / (total_a + weight)) - np.log2(has_b / (total_b + weight))
    # Neither where nobody clicked nor where everybody did is there anything to tell apart.
    told = (both > 0) & (both < total_a + total_b)
    return Difference(np.where(told, ratio, 0.0), np.where(told, z, 0.0))
