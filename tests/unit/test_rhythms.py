"""Peaks of the week: against plain counting, and how often chance makes one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.rhythm import QUARTER
from clickatlas.insight.rhythm_cards import cards, coast_cards, coasts
from clickatlas.insight.rhythms import CELLS, Rhythm, apart, by_week, dispersion, rhythm

WEEKS = 12


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def week_by_week(
    random: np.random.Generator, mean: float, shape: np.ndarray | float = 1.0, clumps: float = 0.5
) -> np.ndarray:
    """(weeks, 168) clicks of sessions of 1 / clumps on average, weeks of different size."""
    sessions = random.poisson(mean * clumps * np.ones(CELLS) * shape * random.gamma(5, 0.2, (WEEKS, 1)))
    return (sessions + random.negative_binomial(np.maximum(sessions, 1e-9), clumps)).astype(np.int64)


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"]
)
def test_weeks_are_local_weeks_through_changes_of_clocks(zone: str) -> None:
    first, last = ms(datetime(2026, 2, 2, tzinfo=UTC)), ms(datetime(2026, 4, 27, tzinfo=UTC)) - 1
    times = np.arange(first, last, QUARTER, dtype=np.int64)
    clicks = np.random.default_rng(1).integers(0, 9, len(times))
    expected: dict[object, np.ndarray] = {}
    for time, count in zip(times.tolist(), clicks.tolist(), strict=True):
        local = datetime.fromtimestamp(time / 1000, ZoneInfo(zone))
        monday = local.date() - timedelta(days=local.weekday())
        expected.setdefault(monday, np.zeros(CELLS, np.int64))[local.weekday() * 24 + local.hour] += count
    found = by_week([(times, clicks, zone)], first, last)
    whole = [expected[day] for day in sorted(expected) if expected[day].sum() > 0.8 * clicks.sum() / 12]
    assert len(found) == 12
    assert found.tolist() == [week.tolist() for week in whole]


def test_parts_of_weeks_are_left_out_but_where_there_is_nothing_else() -> None:
    first = ms(datetime(2026, 9, 9, tzinfo=UTC))
    times = first + np.arange(0, 40 * 96, dtype=np.int64) * QUARTER
    ones = np.ones(len(times), np.int64)
    assert by_week([(times, ones, "UTC")], first, int(times[-1])).tolist() == [[4] * CELLS] * 5
    few = times[:96]
    assert by_week([(few, ones[:96], "UTC")], first, int(few[-1])).sum() == 96
    assert not by_week([], first, first + 1).size


def test_dispersion_of_clumps_is_found() -> None:
    random = np.random.default_rng(2)
    poisson = np.mean([dispersion(week_by_week(random, 5, clumps=1 - 1e-9)) for _ in range(30)])
    clumped = np.mean([dispersion(week_by_week(random, 5)) for _ in range(30)])
    assert poisson == pytest.approx(1, abs=0.05)
    assert clumped == pytest.approx(3, rel=0.1), "geometric of 2 on average: E k² / E k"


@pytest.mark.parametrize("mean", [0.3, 3, 40])
def test_chance_makes_no_peak(mean: float) -> None:
    random = np.random.default_rng(3)
    found = [rhythm(week_by_week(random, mean)) for _ in range(200)]
    assert sum(bool(cards(one)) for one in found) <= 10 + 6, "5 % and what 200 draws allow"


def daily() -> np.ndarray:
    """A day as people live it, the same on all weekdays."""
    hour = np.arange(24)
    return np.tile(1 + 0.6 * np.cos((hour - 20) / 24 * 2 * np.pi), 7)


def test_a_planted_peak_is_named() -> None:
    random, right = np.random.default_rng(4), 0
    shape = daily()
    shape[24 + 19] *= 2
    for _ in range(40):
        peak = rhythm(week_by_week(random, 20_000 / CELLS / WEEKS, shape)).peak
        right += peak is not None and (peak.weekday, peak.hour) == (1, 19)
    assert right >= 38


def test_an_even_week_has_an_hour_and_no_weekday() -> None:
    random, named, wrong = np.random.default_rng(5), 0, 0
    for _ in range(100):
        found = rhythm(week_by_week(random, 10, daily()))
        named += found.hour is not None and found.hour.hour in (18, 19, 20, 21, 22)
        wrong += found.peak is not None or found.weekday is not None
    assert named >= 95
    assert wrong <= 6


def test_a_burst_on_launch_day_is_no_rhythm() -> None:
    random = np.random.default_rng(6)
    for _ in range(40):
        weeks = week_by_week(random, 5)
        weeks[0, 30] += 3000
        found = rhythm(weeks)
        assert found.peak is None
        assert found.hour is None


def test_intervals_hold_all_cells_at_once() -> None:
    random, held = np.random.default_rng(7), 0
    shape = daily()
    truth = (shape / shape.mean()).reshape(7, 24)
    for _ in range(200):
        found = rhythm(week_by_week(random, 20, shape))
        held += bool(((found.low <= truth) & (truth <= found.high)).all())
    assert held >= 184


def test_sentences() -> None:
    weeks = np.full((12, CELLS), 20, np.int64)
    weeks[:, 24 + 19] = 60
    [card] = cards(rhythm(weeks))
    assert card.sentence == "Clicks peak on Tuesdays at 19:00 local time (3.0 times the average hour)."
    assert card.interval is not None
    assert card.interval[0] > 1
    assert "Europe/Berlin time" in cards(rhythm(weeks), local=False, zone="Europe/Berlin")[0].sentence
    weeks[:] = 20
    weeks.reshape(12, 7, 24)[:, 5] = 30
    assert cards(rhythm(weeks))[0].sentence == "Most clicks come on Saturdays (1.4 times the average day)."
    assert cards(rhythm(weeks[:2])) == [], "nothing recurs yet"
    none = rhythm(np.zeros((0, CELLS), np.int64))
    assert isinstance(none, Rhythm)
    assert cards(none) == []


def test_two_groups_shift(atlas: Atlas) -> None:
    random, covered, false, held = np.random.default_rng(8), 0, 0, 0
    hours = np.tile(np.arange(24), 7)
    later, earlier = (np.exp(np.cos((hours - at) / 24 * 2 * np.pi)) for at in (20.0, 18.5))
    for _ in range(200):
        a, b = week_by_week(random, 4, later), week_by_week(random, 4, earlier)
        found = apart(a, b)
        covered += found.shift_low <= 1.5 <= found.shift_high
        same = apart(a, week_by_week(random, 4, later))
        false += (same.q <= 0.05).any()
        held += int(((same.low <= 1) & (same.high >= 1)).sum())
        assert (same.shift_p < 0.05) == (not same.shift_low <= 0 <= same.shift_high)
    assert 182 <= covered <= 199
    assert false <= 16
    assert 0.93 <= held / 200 / 24 <= 0.97
    [card] = coast_cards(found, atlas)
    assert card.sentence.startswith("The US East clicks 1.")
    assert card.p is not None
    assert card.p < 1e-6
    assert {atlas.areas.id(n) for n in card.areas} >= {"region:US-NY", "region:US-CA"}
    assert coast_cards(same, atlas) == []
    nothing = apart(np.zeros((3, CELLS), np.int64), np.zeros((0, CELLS), np.int64))
    assert coast_cards(nothing, atlas) == []


def test_coasts(atlas: Atlas) -> None:
    side = coasts(atlas)
    assert len(side) == len(atlas.places)
    lon = np.asarray(atlas.places.lon)
    assert np.mean(lon[side == 1] < -102) > 0.999, "but for a base overseas"
    assert np.mean(lon[side == 0] > -88) > 0.999
    assert side[0] == -1
