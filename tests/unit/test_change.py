"""A period against the one before it."""

from __future__ import annotations

import numpy as np

from clickatlas.insight.change import change


def counts(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(numbers, np.int64)


def test_twice_as_many_every_day_is_beyond_chance() -> None:
    found = change(counts(*[200] * 14), counts(*[100] * 14))
    assert found.ratio == 2
    assert found.beyond_chance == 1
    assert found.low is not None
    assert found.high is not None
    assert 1.8 < found.low < 2 < found.high < 2.2


def test_one_burst_is_within_chance() -> None:
    quiet = [10] * 14
    found = change(counts(*quiet[:-1], 150), counts(*quiet))
    assert found.ratio is not None
    assert found.ratio > 1.9
    assert found.spread > 5
    assert found.beyond_chance == 0


def test_days_of_the_week_are_no_spread() -> None:
    week = counts(100, 120, 110, 130, 90, 10, 5) * 10
    assert change(week, week).spread == 1


def test_nothing_before_has_no_ratio() -> None:
    assert change(counts(5, 5, 5), counts(0, 0, 0))[2:6] == (None, None, None, 1)
    assert change(counts(0, 0), counts(0, 0)).beyond_chance == 0


def test_independent_clicks_are_called_a_change_about_one_time_in_twenty() -> None:
    """And bursty ones (each burst of 1 to 20 clicks) no oftener, to what 600 worlds can tell."""
    random = np.random.default_rng(7)
    wrong = {"independent": 0, "bursts": 0, "days": 0}
    for _ in range(600):
        a, b = random.poisson(30, (2, 28))
        wrong["independent"] += change(a, b).beyond_chance != 0
        a, b = (
            np.array([random.integers(1, 21, n).sum() for n in random.poisson(4, 28)], np.int64)
            for _ in range(2)
        )
        wrong["bursts"] += change(a, b).beyond_chance != 0
        a, b = random.poisson(30 * random.lognormal(0, 0.7, (2, 28)))
        wrong["days"] += change(a, b).beyond_chance != 0
    assert 600 * 0.01 < wrong["independent"] < 600 * 0.08
    assert 600 * 0.01 < wrong["bursts"] < 600 * 0.08
    assert 600 * 0.01 < wrong["days"] < 600 * 0.08
