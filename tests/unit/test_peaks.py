"""Peaks of the day by area: chance names none, a later one is found, and intervals hold the truth."""

from __future__ import annotations

import cmath
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from clickatlas.insight.circular import by_week
from clickatlas.insight.peaks import LEAST_WEEKS, Peaks, peaks

AREAS, WEEKS = 60, 13
DAY = 1 + 0.8 * np.cos((np.arange(24) - 16) / 24 * 2 * np.pi)


def drawn(random: np.random.Generator, later: float = 0.0, weeks: int = WEEKS) -> Peaks:
    """Visitors who click thrice at the same hour, in weeks that differ in number and in their hours; area 7, with 600
    visitors and a thousand clicks, is `later` by so much."""
    size = np.exp(random.normal(6.5, 1.0, AREAS))
    size[7] = 600
    number = random.poisson(size / weeks * np.exp(random.normal(0, 0.4, (weeks, 1))), (weeks, AREAS))
    wander = random.normal(0, 0.5, weeks)  # hours: a newsletter in the morning moves everybody
    week, area = (np.repeat(at.ravel(), number.ravel()) for at in np.indices(number.shape))
    hour = random.choice(24, len(week), p=DAY / DAY.sum()) + wander[week] + later * (area == 7)
    each = random.geometric(0.6, len(week))
    turn = np.exp(2j * np.pi * (hour + random.random(len(week))) / 24)
    cell = week * AREAS + area

    def summed(of: np.ndarray) -> np.ndarray:
        return np.bincount(cell, of, weeks * AREAS).reshape(weeks, AREAS)

    first, twice = (summed(each * of.real) + 1j * summed(each * of.imag) for of in (turn, turn**2))
    return peaks(100 + np.arange(AREAS), summed(each).astype(np.int64), first, twice)


def test_sums_are_those_of_each_place_s_own_clock_through_changes_of_it() -> None:
    """Click by click, by the standard library's zones."""
    random, zones = np.random.default_rng(5), ["America/New_York", "Europe/Berlin", "Asia/Kathmandu"]
    since = int(datetime(2026, 2, 16, tzinfo=UTC).timestamp() * 1000)
    moment = since + random.integers(0, 70 * 24, 400) * 3_600_000 + 1_800_000
    area, clock, clicks = (
        random.choice([4, 9, 11], 400),
        random.integers(0, 3, 400),
        random.integers(1, 5, 400),
    )
    areas, number, first, second = by_week(area, clock, moment, clicks, zones, since)
    assert areas.tolist() == [4, 9, 11]
    assert number.shape == (10, 3)
    expected = np.zeros((3, 10, 3), complex)
    for at, who, zone, many in zip(
        moment.tolist(), area.tolist(), clock.tolist(), clicks.tolist(), strict=True
    ):
        local = datetime.fromtimestamp(at / 1000, ZoneInfo(zones[zone]))
        turn = cmath.exp(2j * cmath.pi * (local.hour + local.minute / 60) / 24)
        cell = (at - since) // (7 * 86_400_000), areas.tolist().index(who)
        for row, of in enumerate((1, turn, turn**2)):
            expected[row][cell] += many * of
    for row, found in enumerate((number, first, second)):
        np.testing.assert_allclose(found, expected[row], atol=1e-9)


def test_chance_names_no_area() -> None:
    random = np.random.default_rng(1)
    runs = [drawn(random) for _ in range(200)]
    assert np.mean([len(run.area) for run in runs]) > 0.8 * AREAS
    # At 95 % of runs without any, more than ten of 200 would be too many; at the 1 % that it is tested at, six are rare.
    assert sum(run.found.any() for run in runs) <= 6
    inside = np.concatenate([(run.shift_low <= 0) & (run.shift_high >= 0) for run in runs])
    assert inside.mean() >= 0.93
    truth = [run.all for run in runs]
    assert abs(np.mean(truth) - 16.5) < 0.2


def test_a_region_three_hours_later_is_found_and_no_other() -> None:
    random, found, others, held = np.random.default_rng(2), 0, 0, []
    for _ in range(100):
        run = drawn(random, later=3.0)
        row = run.area.tolist().index(107)
        found += bool(run.found[row])
        others += int(run.found.sum() - run.found[row])
        held.append(run.shift_low[row] <= 3 <= run.shift_high[row])
    assert found >= 95
    assert others <= 3
    assert np.mean(held) >= 0.9


def test_one_loud_week_is_no_finding_and_few_weeks_say_nothing() -> None:
    random = np.random.default_rng(3)
    clicks = random.poisson(60, (WEEKS, 20))
    turn = np.exp(2j * np.pi * 16 / 24) * 0.4
    first = clicks * turn + random.normal(0, 4, clicks.shape) + 1j * random.normal(0, 4, clicks.shape)
    clicks[4, 3] += 2_000
    first[4, 3] += 2_000 * np.exp(2j * np.pi * 4 / 24)
    loud = peaks(np.arange(20), clicks, first, clicks * 0j)
    assert not loud.found.any()
    few = peaks(
        np.arange(20), clicks[: LEAST_WEEKS - 1], first[: LEAST_WEEKS - 1], first[: LEAST_WEEKS - 1] * 0
    )
    assert len(few.area) == 0
    none = peaks(np.arange(0), clicks[:, :0], first[:, :0], clicks[:, :0] * 0j)
    assert len(none.area) == 0
