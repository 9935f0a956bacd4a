"""How a figure grows with the number of clicks, from a few sizes: two laws, fitted by least squares on logarithms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
KNEES = np.concatenate([[0.0], np.logspace(-3, 6, 1801)])  # of the sizes' unit
CONSTANT, SUBLINEAR, LINEAR = "constant", "sublinear", "linear"


class Fit(NamedTuple):
    """A law, the exponent of growth at the largest size, and how much of the logarithms' variance it tells (R²)."""

    law: str  # "power" or "base"
    exponent: float
    r2: float
    at: Callable[[float], float]

    @property
    def grows(self) -> str:
        """In a word: below n^0.15 it is called constant, below n^0.85 sublinear."""
        return CONSTANT if self.exponent < 0.15 else SUBLINEAR if self.exponent < 0.85 else LINEAR


def power(sizes: Sequence[float], values: Sequence[float]) -> Fit:
    """``c · n^p``: a straight line through the logarithms."""
    x, y = np.log(sizes), np.log(values)
    p, c = np.polyfit(x, y, 1)
    return Fit("power", float(p), _r2(y, c + p * x), lambda size: float(np.exp(c + p * np.log(size))))


def base(sizes: Sequence[float], values: Sequence[float]) -> Fit:
    """``c · (k + n)``: a fixed part, and one of each click. For each k the best c is a mean; k is looked for."""
    n, y = np.asarray(sizes, np.float64), np.log(values)
    steps = np.log(KNEES[:, None] + n)
    c = (y - steps).mean(1)
    best = int(np.argmin(((y - c[:, None] - steps) ** 2).sum(1)))
    knee, factor = float(KNEES[best]), float(np.exp(c[best]))
    largest = float(n.max())
    exponent = largest / (knee + largest)
    return Fit("base", exponent, _r2(y, c[best] + steps[best]), lambda size: factor * (knee + size))


def fit(sizes: Sequence[float], values: Sequence[float]) -> Fit:
    """The law that tells more. Takes two sizes at least; raises ValueError."""
    if len(sizes) < 2 or len(sizes) != len(values) or min(*sizes, *values) <= 0:
        raise ValueError("a fit takes two sizes at least, and figures above zero")
    return max(power(sizes, values), base(sizes, values), key=lambda found: found.r2)


def _r2(y: Floats, told: Floats) -> float:
    off, spread = float(((y - told) ** 2).sum()), float(((y - y.mean()) ** 2).sum())
    return 1.0 if off < 1e-12 else 0.0 if spread < 1e-12 else max(0.0, 1 - off / spread)
