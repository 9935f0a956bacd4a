"""Local hours, through changes of clocks, against `zoneinfo` one click at a time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.rhythm import QUARTER, alike, clocks, offsets, weekly

# Whole, half and quarter hours; changes of a half hour; over the date line; Ramadan's extra pair of changes.
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Adelaide",
         "Australia/Lord_Howe", "Pacific/Chatham", "America/St_Johns", "Pacific/Kiritimati", "Pacific/Apia",
         "Africa/Casablanca", "Asia/Tehran", "America/Sao_Paulo")  # fmt: skip


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def brute(times: list[int], clicks: list[int], zone: str) -> list[list[int]]:
    grid = [[0] * 24 for _ in range(7)]
    for time, count in zip(times, clicks, strict=True):
        local = datetime.fromtimestamp(time / 1000, UTC).astimezone(ZoneInfo(zone))
        grid[local.weekday()][local.hour] += count
    return grid


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("year", [2011, 2024, 2026])
def test_every_quarter_hour_of_a_year_lies_in_its_local_hour(zone: str, year: int) -> None:
    times = np.arange(ms(datetime(year, 1, 1, tzinfo=UTC)), ms(datetime(year + 1, 1, 1, tzinfo=UTC)), QUARTER)
    clicks = np.random.default_rng(year).integers(0, 9, len(times))
    assert weekly(times, clicks, zone).tolist() == brute(times.tolist(), clicks.tolist(), zone)


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Europe/Berlin", "2026-03-29T01:00Z"),
        ("Europe/Berlin", "2026-10-25T01:00Z"),
        ("America/New_York", "2026-03-08T07:00Z"),
        ("America/New_York", "2026-11-01T06:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T15:00Z"),
        ("Australia/Lord_Howe", "2026-10-03T15:30Z"),
        ("Pacific/Chatham", "2026-04-04T14:00Z"),
        ("Pacific/Chatham", "2026-09-26T14:00Z"),
    ],
)
def test_around_a_change_of_clocks(zone: str, change: str) -> None:
    at = datetime.fromisoformat(change)
    quarters = [ms(at + timedelta(minutes=15 * step)) for step in range(-16, 17)]
    before, after = (
        ZoneInfo(zone).utcoffset((at + step).astimezone(ZoneInfo(zone)))
        for step in (-timedelta(seconds=1), timedelta())
    )
    assert before != after, "there is a change"
    assert offsets(np.array(quarters), zone).tolist() == [
        ms_of(datetime.fromtimestamp(time / 1000, ZoneInfo(zone)).utcoffset()) for time in quarters
    ]
    assert weekly(np.array(quarters), np.ones(33, np.int64), zone).tolist() == brute(quarters, [1] * 33, zone)


def ms_of(delta: timedelta | None) -> int:
    assert delta is not None
    return round(delta.total_seconds() * 1000)


@settings(deadline=None)
@given(st.lists(st.integers(0, 4_000_000_000_000 // QUARTER), max_size=60), st.sampled_from(ZONES))
def test_any_time_since_1970(quarters: list[int], zone: str) -> None:
    times = [quarter * QUARTER for quarter in quarters]
    counts = [1 + step % 5 for step in range(len(times))]
    if zone == "Africa/Casablanca" and any(time > ms(datetime(2086, 1, 1, tzinfo=UTC)) for time in times):
        return  # the table of its changes ends
    grid = weekly(np.array(times, np.int64), np.array(counts, np.int64), zone)
    assert grid.tolist() == brute(times, counts, zone)


def test_the_ends_of_the_calendar_are_not_beyond_it() -> None:
    far = np.array([-62_135_596_800_000, 253_402_300_700_000])
    assert weekly(far, np.ones(2, np.int64), "Asia/Tokyo").sum() == 2


def test_a_country_of_many_zones_tells_no_time(atlas: Atlas) -> None:
    """The United States as a whole lie in the zone of their middle, says the database."""
    places, areas = atlas.places, atlas.areas
    zone = clocks(places)
    vague = np.asarray(places.unplaced) & (np.asarray(places.area[Level.REGION]) < 0)
    for country, told in (
        ("US", False),
        ("RU", False),
        ("BR", False),
        ("DE", True),
        ("JP", True),
        ("IN", True),
    ):
        here = vague & (np.asarray(places.area[Level.COUNTRY]) == areas.number(f"country:{country}"))
        assert here.any()
        assert ((zone[here] >= 0) == told).all(), country
    placed = ~np.asarray(places.unplaced)
    assert np.array_equal(zone[placed], np.asarray(places.zone)[placed])
    assert (zone[:2] == -1).all()


@pytest.mark.parametrize("year", [2011, 2024, 2026])
def test_zones_are_alike_where_their_clocks_say_the_same_all_the_time(year: int) -> None:
    zones = (
        *ZONES,
        "Europe/Paris",
        "Etc/UTC",
        "America/Detroit",
        "Asia/Kolkata",
        "Europe/London",
        "Africa/Lagos",
    )
    first, last = ms(datetime(year, 1, 5, tzinfo=UTC)), ms(datetime(year, 12, 5, tzinfo=UTC))
    times = np.arange(first, last, QUARTER)
    told = [offsets(times, zone).tobytes() for zone in zones]
    assert alike(zones, first, last).tolist() == [told.index(mine) for mine in told]
    winter = alike(zones, first, ms(datetime(year, 1, 20, tzinfo=UTC)))
    assert winter[zones.index("Europe/London")] == winter[zones.index("Etc/UTC")] == zones.index("UTC")
