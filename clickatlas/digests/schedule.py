"""When a digest is due, and which period it is about: by the calendar and clock of its reader."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

LATE = timedelta(days=2)  # a digest that could not go out so long (a server that was off) is left out


class Every(StrEnum):
    """How often."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Schedule:
    """When somebody wants a digest: of weeks on `weekday` (Monday is 0), of months on the first."""

    every: Every = Every.WEEK
    weekday: int = 0
    hour: int = 8
    zone: str = "UTC"


@dataclass(frozen=True)
class Period:
    """Whole days in a zone: `first` to `last`, and as long before it, or the month before."""

    first: date
    last: date
    before: date
    zone: str

    @property
    def name(self) -> str:
        """What it is remembered by: no other of this schedule has it."""
        return f"{self.first}/{self.last}"

    @property
    def edges(self) -> tuple[int, int, int]:
        """Where the one before begins, where it begins, where it ends: ms UTC."""
        zone = ZoneInfo(self.zone)
        days = (self.before, self.first, self.last + timedelta(days=1))
        began, start, end = (round(datetime.combine(day, time(), zone).timestamp() * 1000) for day in days)
        return began, start, end


def period(every: Every, day: date, zone: str) -> Period:
    """The period that ended before `day` began: yesterday, the seven days before, the month before."""
    last = day - timedelta(days=1)
    if every is Every.MONTH:
        first = last.replace(day=1)
        return Period(first, last, (first - timedelta(days=1)).replace(day=1), zone)
    days = timedelta(days=1 if every is Every.DAY else 7)
    return Period(day - days, last, day - 2 * days, zone)


def due(schedule: Schedule, at: datetime) -> Period | None:
    """The period whose digest is to be out by the moment `at`; None where its time is more than `LATE` ago."""
    zone = ZoneInfo(schedule.zone)
    today = at.astimezone(zone).date()
    for back in range(32):
        day = today - timedelta(days=back)
        if schedule.every is Every.WEEK and day.weekday() != schedule.weekday:
            continue
        if schedule.every is Every.MONTH and day.day != 1:
            continue
        # An hour that a clock leaves out is the one after.
        moment = datetime.combine(day, time(schedule.hour), zone).astimezone(UTC)
        if moment <= at:
            return period(schedule.every, day, schedule.zone) if at - moment <= LATE else None
    return None
