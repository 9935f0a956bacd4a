"""The Herfindahl-Hirschman index of areas' own rates, from clicks that come in clumps: unbiased, with its error.

Herfindahl (1950), Hirschman (1945). A plain Σ share² has a part that chance adds, φ N / N². Without it, as in Simpson's unbiased
estimator ("Measurement of Diversity", Nature 163, 1949), here for clumps: (Σ n² - φ N) / (N² - φ N), φ = E K² / E K for clumps of size K.
Its error is that of compound Poisson counts, whose cumulants are κᵣ = μ E Kʳ / E K, by linearisation (Cochran, Sampling Techniques, 1977,
6.3), with that of φ. It holds for single postal codes, too, where a few large ones make up most of the index.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.generic]
I64 = npt.NDArray[np.int64]


def herfindahl(clicks: Numbers, phi: float = 1.0) -> float:
    """The index, 0 to 1; NaN where there are no more clicks than one clump."""
    n = np.asarray(clicks, np.float64)
    whole = float(n.sum())
    if not whole > phi:
        return float("nan")
    return float(np.clip(((n**2).sum() - phi * whole) / (whole**2 - phi * whole), 0.0, 1.0))


def estimated(clicks: Numbers, sizes: I64, doubt: float) -> tuple[float, float]:
    """The index and its standard error, of clicks in clumps of `sizes`; φ itself is known to `doubt` (a part of it) at best. 0.2 ms."""
    n, k = np.asarray(clicks, np.float64), sizes.astype(np.float64)
    phi, third, fourth = (float((k**power).sum() / k.sum()) for power in (2, 3, 4))
    index = herfindahl(n, phi)
    one = float(n.sum())
    # Σ μ, Σ μ², Σ μ³ without what chance adds to Σ n, Σ n², Σ n³.
    two = max(float((n**2).sum()) - phi * one, 0.0)
    three = max(float((n**3).sum()) - 3 * phi * two - third * one, 0.0)
    # Of Σ (n² + a n), which the index goes with.
    a = -(phi + 2 * index * one)
    variance = (fourth + 2 * a * third + a**2 * phi) * one
    variance += (4 * third + 2 * phi**2 + 4 * a * phi) * two + 4 * phi * three
    wrong = float(np.hypot(np.sqrt(((k**2 - phi * k) ** 2).sum()) / k.sum(), doubt * phi))
    return index, float(np.hypot(np.sqrt(max(variance, 0.0)) / one**2, (1 - index) * wrong / one))
