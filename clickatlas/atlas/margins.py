"""Margins of error of added-up survey estimates (90 % confidence, as the Census Bureau publishes them).

After "Understanding and Using American Community Survey Data: What All Data Users Need to Know" (US Census
Bureau, 2018), chapter 8, "Calculating Measures of Error for Derived Estimates". Approximations, all of them: they
take the parts for independent.
"""

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]


def of_sum(estimates: F64, margins: F64, axis: int = 0) -> F64:
    """Margin of the sum of `estimates` along `axis`: the root of the sum of the margins' squares.

    Of the estimates that are zero only the largest margin counts, once: the margin of a zero is modelled from its
    area's size and would pile up (Census Bureau, "Using ACS Estimates and Margins of Error", 2016, slide 26).
    NaN where an estimate that is known has no known margin; unknown estimates (NaN) are left out.
    """
    squares = np.where(np.isnan(estimates), 0.0, margins**2)
    zero = estimates == 0
    largest = np.where(zero, squares, 0.0).max(axis=axis, initial=0.0)
    return np.asarray(np.sqrt(np.where(zero, 0.0, squares).sum(axis=axis) + largest))


def of_share(part: float, whole: float, part_margin: float, whole_margin: float) -> float:
    """Margin of part / whole, where the part is in the whole: √(m² - p²·M²) / whole.

    Where the difference is below zero, the handbook says to use the formula for ratios: √(m² + p²·M²) / whole.
    """
    if not whole > 0:
        return float("nan")
    share = part / whole
    inner, spread = part_margin**2, share**2 * whole_margin**2
    return float(np.sqrt(inner - spread if inner >= spread else inner + spread) / whole)
