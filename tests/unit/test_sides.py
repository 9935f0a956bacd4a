"""Two sides of a difference have names that a sentence can use."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from clickatlas.api.sides import UNNAMED, names, period
from clickatlas.clicks.filter import Filter, moment

YEAR = datetime.now(UTC).year


def dates(start: str, end: str, zone: str = "UTC") -> Filter:
    first = moment(start, zone, field="from") if start else None
    last = moment(end, zone, field="to", is_end=True) if end else None
    return Filter(start=first, end=last, zone=zone)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo", "Pacific/Kiritimati"])
@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        (f"{YEAR}-06-03", f"{YEAR}-06-09", "3–9 Jun"),
        (f"{YEAR}-05-28", f"{YEAR}-06-03", "28 May–3 Jun"),
        (f"{YEAR}-06-03", f"{YEAR}-06-03", "3 Jun"),
        ("2019-12-30", "2020-01-05", "30 Dec 2019–5 Jan 2020"),
        ("2019-11-03", "2019-11-09", "3–9 Nov 2019"),  # clocks are put back within
        (f"{YEAR}-06-03", "", "since 3 Jun"),
        ("", "2019-06-03", "until 3 Jun 2019"),
        ("", "", ""),
    ],
)
def test_periods_by_the_readers_clock(zone: str, start: str, end: str, told: str) -> None:
    assert period(dates(start, end, zone)) == told


def test_sides_are_called_by_what_they_alone_ask_for() -> None:
    email, social = Filter(channels=("email",)), Filter(channels=("social",))
    assert names(email, social) == ("email", "social")
    assert names(email, replace(email, tags=("new",))) == UNNAMED, "one of them has no word for it"
    assert names(email, replace(social, channels=("social", "web"))) == UNNAMED
    june, may = dates(f"{YEAR}-06-01", f"{YEAR}-06-30"), dates(f"{YEAR}-05-01", f"{YEAR}-05-31")
    assert names(june, may) == ("1–30 Jun", "1–31 May")
    assert names(june, june) == UNNAMED
    assert names(replace(june, channels=("email",)), replace(may, channels=("sms",))) == ("email", "sms")
