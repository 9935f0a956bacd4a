"""The filter's words: dates, zones, network kinds."""

from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickatlas.api.clicks import Bucket, edges
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.clicks.filter import EVERYTHING, PEOPLE, moment, network_kinds, zone_info
from clickatlas.errors import Problem


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def test_a_date_is_a_whole_day_in_the_readers_zone() -> None:
    assert moment("2026-03-29", "Europe/Berlin", field="from") == at("2026-03-29T00:00+01:00")
    assert moment("2026-03-29", "Europe/Berlin", field="to", is_end=True) == at("2026-03-30T00:00+02:00")


def test_a_date_time_is_taken_as_it_stands() -> None:
    assert moment("2026-03-29T12:00", "America/New_York", field="to", is_end=True) == at(
        "2026-03-29T12:00-04:00"
    )
    assert moment("2026-03-29T12:00Z", "America/New_York", field="to", is_end=True) == at(
        "2026-03-29T12:00+00:00"
    )
    assert moment("2026-03-29T12:00 02:00", "UTC", field="to") == at("2026-03-29T12:00+02:00")


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "2026-02-30", "99999-01-01", "9999-12-31"])
def test_unreadable_moments_say_what_would_do(text: str) -> None:
    if text == "9999-12-31":
        with pytest.raises(Problem):
            moment(text, "UTC", field="to", is_end=True)
        return
    with pytest.raises(Problem) as refused:
        moment(text, "UTC", field="from")
    assert "2026" in refused.value.remedy


@given(st.text(max_size=40))
def test_no_text_breaks_moments_or_zones(text: str) -> None:
    for read in (lambda: moment(text, "UTC", field="from"), lambda: zone_info(text)):
        with suppress(Problem):
            read()


def test_people_only_unless_asked() -> None:
    assert network_kinds([]) == PEOPLE == {NetworkKind.RESIDENTIAL}
    assert network_kinds(["all"]) == EVERYTHING
    assert network_kinds(["hosting,VPN", "tor"]) == {NetworkKind.HOSTING, NetworkKind.VPN, NetworkKind.TOR}
    with pytest.raises(Problem):
        network_kinds(["satellite"])


def test_a_day_of_23_or_25_hours_is_one_bucket() -> None:
    zone = zone_info("Europe/Berlin")
    days = edges(at("2026-03-28T00:00+01:00"), at("2026-03-31T00:00+02:00"), Bucket.DAY, zone)
    lengths = [(b.astimezone(UTC) - a.astimezone(UTC)).total_seconds() / 3600 for a, b in pairwise(days)]
    assert lengths == [24, 23, 24]


def test_the_hour_that_comes_twice_is_two_buckets() -> None:
    zone = zone_info("Europe/Berlin")
    hours = edges(at("2026-10-25T00:00+02:00"), at("2026-10-26T00:00+01:00"), Bucket.HOUR, zone)
    assert len(hours) - 1 == 25


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    zone = zone_info("America/Los_Angeles")
    weeks = edges(at("2026-11-18T12:00-08:00"), at("2026-11-25T00:00-08:00"), Bucket.WEEK, zone)
    assert [day.date().isoformat() for day in weeks] == ["2026-11-16", "2026-11-23", "2026-11-30"]
    months = edges(at("2026-10-31T12:00-07:00"), at("2026-11-02T00:00-08:00"), Bucket.MONTH, zone)
    assert [day.date().isoformat() for day in months] == ["2026-10-01", "2026-11-01", "2026-12-01"]
