"""Weekends: null campaigns name no area, planted ones are named, intervals hold, and local midnights are exact."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.rhythm import DAY, on_weekend, turns
from clickatlas.insight.weekends import weekend_cards, weekends

I64 = npt.NDArray[np.int64]
USUAL = np.array([60, 100, 3000, 4000, 2000, 3000, 500, 50, 20, 800]) * 2
STATES = ("ME", "MA", "NY", "CA", "TX", "FL", "OH", "VT", "WY", "GA")


def drawn(random: np.random.Generator, weeks: int = 13, factor: float = 1.0) -> tuple[I64, I64]:
    """Visitors with 1.4 clicks, weeks and weekends of other sizes; the sixth area's weekends `factor` times."""
    size, part = random.gamma(5, 0.2, (weeks, 1)), random.beta(28, 72, (weeks, 1))
    change = np.where(np.arange(USUAL.size) == 5, factor, 1.0)
    sides = []
    for rate in (USUAL / weeks * size * (1 - part), USUAL / weeks * size * part * change):
        visitors = random.poisson(rate / 1.4)
        sides.append((visitors + random.negative_binomial(np.maximum(visitors, 1e-9), 0.7)).astype(np.int64))
    return sides[0], sides[1]


def test_nothing_is_named_where_weekends_are_the_same_and_what_differs_is(atlas: Atlas) -> None:
    random = np.random.default_rng(9)
    area = np.array([atlas.areas.number(f"region:US-{state}") for state in STATES], np.int64)
    false = sum(bool(weekend_cards(weekends(area, *drawn(random)), atlas)) for _ in range(400))
    assert false <= 12
    for _ in range(50):
        found = weekends(area, *drawn(random, factor=1.5))
        [card] = weekend_cards(found, atlas)
        assert card.sentence.startswith("Florida leans to weekends: ")
        assert card.interval is not None
        assert card.interval[0] > 1


def test_intervals_hold_the_truth(atlas: Atlas) -> None:
    random = np.random.default_rng(4)
    area = np.array([atlas.areas.number(f"region:US-{state}") for state in STATES], np.int64)
    held = []
    for _ in range(400):
        found = weekends(area, *drawn(random))
        held += ((found.low <= 1) & (found.high >= 1)).tolist()
    assert 0.93 <= np.mean(held) <= 0.98


def test_few_weeks_say_nothing_and_one_loud_weekend_is_no_finding(atlas: Atlas) -> None:
    random = np.random.default_rng(5)
    area = np.array([atlas.areas.number(f"region:US-{state}") for state in STATES], np.int64)
    assert not len(weekends(area, *drawn(random, weeks=5, factor=3)).area)
    assert not len(weekends(area[:0], np.zeros((9, 0), np.int64), np.zeros((9, 0), np.int64)).area)
    weekday, weekend = drawn(random)
    weekend[3, 5] += 2000
    assert not weekend_cards(weekends(area, weekday, weekend), atlas)


def test_weekends_begin_and_end_at_local_midnight_through_changes_of_clocks() -> None:
    zones = ["America/New_York", "Asia/Kathmandu", "Pacific/Auckland", "Africa/Cairo", "America/Santiago"]
    first, last = 1_700_000_000_000 // DAY * DAY, 1_735_000_000_000 // DAY * DAY
    edges = np.concatenate(([first], turns(zones, first, last), [last]))
    random = np.random.default_rng(6)
    for number, zone in enumerate(zones):
        info = ZoneInfo(zone)
        moments = random.integers(first, last, 4000)
        bucket = np.searchsorted(edges, moments, side="right") - 1
        found = on_weekend(edges, bucket, np.full(moments.size, number), zones)
        local = [datetime.fromtimestamp(moment / 1000, UTC).astimezone(info) for moment in moments.tolist()]
        assert found.tolist() == [moment.weekday() >= 5 for moment in local]
