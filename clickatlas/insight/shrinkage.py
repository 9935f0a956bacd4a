"""How far to trust a ratio of few clicks: gamma-Poisson shrinkage, its strength learned from the clicks.

Clicks of an area with E expected are taken for Poisson with mean θE, and the θ of all areas for gamma with
mean 1 and shape k. Then an area with O clicks is thought to be at (O + k) / (E + k): close to O / E where
much is known, to 1 where little is. k comes from the areas by the method of moments: Marshall, "Mapping
Disease and Mortality Rates Using Empirical Bayes Estimators", Applied Statistics 40 (1991), the global estimator.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]

WEAKEST, STRONGEST = (
    1.0,
    30.0,
)  # clicks' worth of prior; the ends hold where there is too little to learn from
LEAST = 1.0  # expected clicks of an area that is learned from: below that a ratio is noise


def strength(clicks: npt.NDArray[np.integer], expected: npt.NDArray[np.floating]) -> float:
    """k, from areas' clicks and expected clicks (parallel arrays)."""
    use = expected >= LEAST
    if use.sum() < 10:
        return STRONGEST
    observed, expected = clicks[use].astype(np.float64), expected[use].astype(np.float64)
    whole = float(expected.sum())
    mean = float(observed.sum()) / whole
    if not mean > 0:
        return STRONGEST
    spread = float((expected * (observed / expected - mean) ** 2).sum()) / whole
    real = spread - mean * len(expected) / whole  # what chance alone does not explain
    return float(np.clip(mean**2 / real, WEAKEST, STRONGEST)) if real > 0 else STRONGEST


def shrunk(clicks: F64, expected: F64, k: float) -> F64:
    """The likely ratio to what was expected; 1 where nothing is known."""
    return (clicks + k) / (expected + k)
