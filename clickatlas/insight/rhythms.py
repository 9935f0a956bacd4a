"""When do they click? Peaks of the local week with confidence, and two groups' rhythms beside each other.

Clicks are counted by week and local hour of the week (168 cells). A rhythm is what recurs: clicks of a cell in a week are
taken as quasi-Poisson around week's total × cell's part (McCullagh and Nelder, Generalized Linear Models, 1989, 6.2.3),
with the dispersion φ of all cells, Pearson's χ² over its degrees of freedom, so that one burst on launch day makes
every cell uncertain rather than a peak. Intervals are simultaneous (Bonferroni over the cells), and the largest
of 168 is a peak only if its interval lies above the average hour, and without its best week, too. 24 hours, 7 weekdays and 168 hours of the week are looked
at, each at a third of 5 %.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from clickatlas.insight import chance
from clickatlas.insight.rhythm import DAY, HOUR, MONDAY, offsets

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
CELLS = 168
CLOCKS = 14 * HOUR  # how far local time may be from UTC
ALPHA = 0.05 / 3  # for each of the three peaks that may be named
AGAIN = (
    7  # tests that the second look, without the best week, is corrected for: the first was for all of them
)
LEAST_WEEKS, LEAST = 3, 200  # weeks and clicks: below, nothing recurs yet


@dataclass(frozen=True)
class Peak:
    """An hour of the week, a weekday or an hour of the day: its clicks against the average such."""

    weekday: int | None  # 0 is Monday; None: every day
    hour: int | None  # None: the whole day
    clicks: int
    ratio: float
    low: float  # simultaneous 95 % interval
    high: float
    p: float  # Bonferroni over all that could have been named


@dataclass(frozen=True)
class Rhythm:
    """Clicks by local hour of the week: arrays of 7 x 24, Monday first.

    `ratio` is to the average hour, with its simultaneous interval `low` to `high`. Peaks are None where chance is enough.
    """

    clicks: I64
    ratio: F64
    low: F64
    high: F64
    phi: float
    weeks: int
    total: int
    peak: Peak | None  # an hour of one weekday, more than its hour and its weekday alone would make it
    hour: Peak | None  # an hour of the day
    weekday: Peak | None


def by_week(parts: Iterable[tuple[I64, I64, str]], first: int, last: int) -> I64:
    """Clicks by whole local week and cell, an array of (weeks, 168), from parts (times in ms UTC, clicks, zone).

    Weeks begin on local Mondays; those that `first` and `last` (ms UTC) cut are left out (by more than clocks differ), but
    where no whole one is left.
    Times are beginnings of quarters of an hour, as in `rhythm.weekly`, with whose clocks it agrees through all their changes.
    """
    origin = (first // DAY + MONDAY) // 7
    size = (last // DAY + MONDAY) // 7 - origin + 2
    grid = np.zeros((size + 1) * CELLS, np.int64)
    for times, clicks, zone in parts:
        local = times + offsets(times, zone)
        day = local // DAY + MONDAY
        cell = (
            day - 7 * (origin - 1)
        ) * 24 + local % DAY // HOUR  # a zone may be a day behind: one week spare
        grid += np.bincount(cell, weights=clicks, minlength=len(grid))[: len(grid)].astype(np.int64)
    weeks = grid.reshape(-1, CELLS)
    monday = ((origin - 1 + np.arange(len(weeks))) * 7 - MONDAY) * DAY
    whole = (monday >= first - CLOCKS) & (monday + 7 * DAY <= last + 1 + CLOCKS)
    if whole.any():
        return weeks[whole]
    return weeks[weeks.any(axis=1)]


def rhythm(weeks: I64) -> Rhythm:
    """What recurs in clicks by week and cell (see `by_week`); 1 ms."""
    cells = weeks.sum(axis=0)
    total = int(cells.sum())
    phi = dispersion(weeks)
    told = len(weeks) >= LEAST_WEEKS and total >= LEAST
    expected = np.full(CELLS, total / CELLS)
    rates = chance.exact_ratios(cells, expected, phi, 1 - 0.05 / CELLS)
    grid = cells.reshape(7, 24)
    peak = hour = weekday = None
    if told:
        hour = _named(weeks.reshape(-1, 7, 24).sum(axis=1), phi, 24, hours=True)
        weekday = _named(weeks.reshape(-1, 7, 24).sum(axis=2), phi, 7, hours=False)
        peak = _of_the_week(weeks, phi)
    shape = (7, 24)
    return Rhythm(
        clicks=grid,
        ratio=rates.ratio.reshape(shape),
        low=rates.low.reshape(shape),
        high=rates.high.reshape(shape),
        phi=phi,
        weeks=len(weeks),
        total=total,
        peak=peak,
        hour=hour,
        weekday=weekday,
    )


def dispersion(weeks: I64) -> float:
    """φ of clicks by week and cell around week's total × cell's part; 1 for fewer than two weeks."""
    used = weeks[:, weeks.any(axis=0)]
    used = used[used.any(axis=1)]
    if min(used.shape) < 2:
        return 1.0
    expected = used.sum(axis=1, keepdims=True) * (used.sum(axis=0) / used.sum())
    pearson = float(((used - expected) ** 2 / expected).sum())
    return max(1.0, pearson / float((used.shape[0] - 1) * (used.shape[1] - 1)))


def _steady(columns: I64) -> tuple[int, I64]:
    """The largest column when each is without its best week, and the weeks but for that one: what came once is no peak."""
    at = int((columns.sum(axis=0) - columns.max(axis=0)).argmax())
    return at, np.delete(columns, int(columns[:, at].argmax()), axis=0)


def _named(columns: I64, phi: float, tests: int, *, hours: bool) -> Peak | None:
    """The largest of some columns (weeks x columns), if it beats the average of all beyond chance."""
    sums, phi = columns.sum(axis=0), max(phi, dispersion(columns))
    at, others = _steady(columns)
    found = _against(int(sums[at]), sums.sum() / len(sums), phi, tests)
    again = _against(int(others[:, at].sum()), others.sum() / len(sums), dispersion(others), AGAIN)
    if found is None or again is None:
        return None
    weekday, hour = (None, at) if hours else (at, None)
    return Peak(weekday, hour, int(sums[at]), *found)


def _of_the_week(weeks: I64, phi: float) -> Peak | None:
    """The largest cell, if it beats the average hour, and what its hour and its weekday would make it together."""
    at, others = _steady(weeks)
    found = _against(int(weeks[:, at].sum()), weeks.sum() / CELLS, phi, CELLS)
    apart = _against(int(weeks[:, at].sum()), _together(weeks.sum(axis=0), at), phi, CELLS)
    again = _against(int(others[:, at].sum()), _together(others.sum(axis=0), at), dispersion(others), AGAIN)
    if found is None or apart is None or again is None:
        return None
    ratio, low, high, p = found
    return Peak(at // 24, at % 24, int(weeks[:, at].sum()), ratio, low, high, max(p, apart[3]))


def _together(cells: I64, at: int) -> float:
    """What the other weekdays at this hour, and the other hours of this weekday, make of a cell."""
    grid = cells.reshape(7, 24).astype(np.float64)
    day, hour = at // 24, at % 24
    rest = np.delete(np.delete(grid, day, 0), hour, 1).sum()
    return float(np.delete(grid[day], hour).sum() * np.delete(grid[:, hour], day).sum() / max(rest, 1.0))


def _against(
    clicks: int, expected: float, phi: float, tests: int
) -> tuple[float, float, float, float] | None:
    """(ratio, low, high, p) where the simultaneous interval lies above 1."""
    spread = chance.Spread(phi)
    rates = chance.ratios(np.array([clicks]), np.array([expected]), phi, 1 - 0.05 / tests)
    p = min(1.0, tests * float(chance.upper(np.array([clicks]), np.array([expected]), spread)[0]))
    if rates.low[0] <= 1 or p > ALPHA:
        return None
    return float(rates.ratio[0]), float(rates.low[0]), float(rates.high[0]), p


@dataclass(frozen=True)
class Apart:
    """Two groups' local hours: the part of each one's clicks in every hour of the day, and how sure they differ."""

    a: F64  # 24 shares
    b: F64
    ratio: F64  # a / b; NaN where b has none
    q: F64  # Benjamini-Hochberg over the hours
    shift: float  # hours that a's middle of the day is later than b's by the clock of each place, -12 to 12
    shift_low: float  # its 95 % interval
    shift_high: float
    total_a: int
    total_b: int
    low: F64  # 95 % interval of the ratio
    high: F64
    p: F64
    shift_p: float


def apart(a: I64, b: I64) -> Apart:
    """Compare two groups' hours of the day, each from clicks by week and cell: East and West, weekdays and weekend.

    Hours by two-proportion z tests with the larger φ of the two, ratios with intervals on the logarithm's scale (Katz et al.,
    Biometrics 34, 1978) and φ. The shift is that of the circular means (Mardia and Jupp,
    Directional Statistics, 2000, 2.2), with their large-sample variance (4.8.17) times φ.
    """
    phi = max(dispersion(a), dispersion(b))
    hours_a, hours_b = (
        side.reshape(-1, 7, 24).sum(axis=(0, 1)).astype(np.float64) if side.size else np.zeros(24)
        for side in (a, b)
    )
    n_a, n_b = hours_a.sum(), hours_b.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        part_a, part_b = np.nan_to_num(hours_a / n_a), np.nan_to_num(hours_b / n_b)
        pooled = (hours_a + hours_b) / (n_a + n_b)
        z = (part_a - part_b) / np.sqrt(phi * pooled * (1 - pooled) * (1 / n_a + 1 / n_b))
        p = np.where(np.isfinite(z), special.erfc(np.abs(z) / np.sqrt(2)), 1.0)
        ratio = np.where(part_b > 0, part_a / part_b, np.nan)
        wide = np.exp(1.96 * np.sqrt(phi * (1 / hours_a - 1 / n_a + 1 / hours_b - 1 / n_b)))
        told = (hours_a > 0) & (hours_b > 0)
        low, high = np.where(told, ratio / wide, 0.0), np.where(told, ratio * wide, np.nan)
    (at_a, error_a), (at_b, error_b) = _middle(hours_a, phi), _middle(hours_b, phi)
    shift = (at_a - at_b + 12) % 24 - 12
    error = float(np.hypot(error_a, error_b))
    reach = 1.96 * error
    return Apart(
        part_a,
        part_b,
        ratio,
        chance.benjamini_hochberg(p),
        shift,
        shift - reach,
        shift + reach,
        int(n_a),
        int(n_b),
        low,
        high,
        p,
        float(special.erfc(abs(shift) / error / np.sqrt(2))) if error > 0 else 1.0,
    )


def _middle(hours: F64, phi: float) -> tuple[float, float]:
    """Circular mean of the hours (their middles) and its standard error, in hours; 12 where there is no direction."""
    n = float(hours.sum())
    if not n:
        return 12.0, 12.0
    turn = (np.arange(24) + 0.5) * np.pi / 12
    mean = complex((hours * np.exp(1j * turn)).sum() / n)
    angle, length = np.angle(mean), abs(mean)
    if length < 1e-6:
        return 12.0, 12.0
    around = float((hours * np.cos(2 * (turn - angle))).sum() / n)
    error = np.sqrt(phi * max(0.0, 1 - around) / (2 * n)) / length
    return float(angle % (2 * np.pi)) * 12 / np.pi, min(12.0, float(error) * 12 / np.pi)
