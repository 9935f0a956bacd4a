"""What the two sides of a difference are called in sentences: by what they alone ask for, else A and B."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from clickatlas.clicks.filter import Filter

UNNAMED = ("A", "B")
WORDS = ("links", "campaigns", "channels", "tags", "devices")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def names(first: Filter, second: Filter) -> tuple[str, str]:
    """One word each, or a period each where nothing but dates differs; A and B where that doesn't tell them apart."""
    told = _word(first, second), _word(second, first)
    if not any(getattr(first, name) != getattr(second, name) for name in WORDS):
        told = period(first), period(second)
    return told if told[0] and told[1] and told[0] != told[1] else UNNAMED


def _word(mine: Filter, other: Filter) -> str:
    """The one thing that a side asks for and the other doesn't; empty where that isn't one word."""
    for name in WORDS:
        if getattr(mine, name) != getattr(other, name):
            values = getattr(mine, name)
            return str(values[0]) if len(values) == 1 else ""
    return ""


def period(wanted: Filter) -> str:
    """A filter's dates by its own clock, such as 3–9 Nov, 28 Oct–3 Nov 2026 or since 1 Nov; "" without dates.

    Moments within a day are told by their day. The year stands where it isn't the one of today there.
    """
    zone = ZoneInfo(wanted.zone)
    this = datetime.now(zone).year
    first = None if wanted.start is None else datetime.fromtimestamp(wanted.start / 1000, zone)
    last = None
    if wanted.end is not None:
        last = datetime.fromtimestamp(wanted.end / 1000, zone) - timedelta(milliseconds=1)

    def told(day: datetime, *, month: bool = True, year: bool = True) -> str:
        shown = f"{day.day} {MONTHS[day.month - 1]}" if month else str(day.day)
        return f"{shown} {day.year}" if month and year and day.year != this else shown

    if first is None or last is None:
        return f"since {told(first)}" if first else f"until {told(last)}" if last else ""
    if first.date() == last.date():
        return told(last)
    same_year = first.year == last.year
    same_month = same_year and first.month == last.month
    return f"{told(first, month=not same_month, year=not same_year)}–{told(last)}"
