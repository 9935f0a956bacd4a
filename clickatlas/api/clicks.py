"""When people click: counts per hour, day, week or month in the reader's zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

import numpy as np
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.filters import FilterDep
from clickatlas.api.house import reaches_back
from clickatlas.errors import invalid

router = APIRouter(tags=["analytics"])
MAX_BUCKETS = 20_000


class Bucket(StrEnum):
    """How time is cut."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class TimeRow(BaseModel):
    """One bucket."""

    time: str = Field(description="Its start: a date, or for hours a date-time with offset.")
    clicks: int


class TimeTable(BaseModel):
    """Clicks over time; empty buckets are there with 0."""

    total: int
    bucket: Bucket
    tz: str
    since: datetime | None = Field(
        description="By the hour and in an area, and of browsers, referrers and the like: clicks before this are not in it, single ones are kept no longer "
        "(`keep_clicks_days`)."
    )
    rows: list[TimeRow]


@router.get("/api/analytics/clicks")
def clicks(
    wanted: FilterDep,
    opened: HouseDep,
    who: CallerDep,
    bucket: Annotated[Bucket, Query(description="hour, day, week (from Monday) or month.")] = Bucket.DAY,
) -> TimeTable:
    """Clicks over time. Without `from` and `to`: from the first click to the last."""
    bounds = opened.questions.bounds(who.workspace, wanted)
    if bounds is None:
        return TimeTable(total=0, bucket=bucket, tz=wanted.zone, since=None, rows=[])
    starts = edges(*bounds, bucket, ZoneInfo(wanted.zone))
    moments = np.array([round(at.timestamp() * 1000) for at in starts], np.int64)
    counts = opened.questions.series(who.workspace, wanted, moments).tolist()
    rows = [
        TimeRow(time=named(at, bucket), clicks=count) for at, count in zip(starts[:-1], counts, strict=True)
    ]
    # Everywhere, counts by quarter hours are enough, in areas those by days: both are kept for ever.
    single = wanted.traits or (bucket is Bucket.HOUR and (wanted.areas or wanted.within))
    since = reaches_back(opened, wanted) if single else None
    return TimeTable(total=sum(counts), bucket=bucket, tz=wanted.zone, since=since, rows=rows)


def edges(start: int, end: int, bucket: Bucket, zone: ZoneInfo) -> list[datetime]:
    """The starts of all buckets that meet [start, end) in ms UTC, and the end of the last."""
    first = datetime.fromtimestamp(start / 1000, zone)
    stop = datetime.fromtimestamp(end / 1000, UTC)
    at = first.replace(minute=0, second=0, microsecond=0)
    if bucket is not Bucket.HOUR:
        at = at.replace(hour=0, fold=0)
    if bucket is Bucket.WEEK:
        at -= timedelta(days=at.weekday())
    if bucket is Bucket.MONTH:
        at = at.replace(day=1)
    result = [at]
    while result[-1].astimezone(UTC) < stop:
        if len(result) > MAX_BUCKETS:
            raise invalid(
                f"That makes more than {MAX_BUCKETS} buckets.", remedy="Use a larger bucket.", field="bucket"
            )
        result.append(_next(result[-1], bucket, zone))
    return result


def _next(at: datetime, bucket: Bucket, zone: ZoneInfo) -> datetime:
    match bucket:
        case Bucket.HOUR:  # in UTC, so that the hour that comes twice in autumn is two buckets
            return (at.astimezone(UTC) + timedelta(hours=1)).astimezone(zone)
        case Bucket.DAY:
            return at + timedelta(days=1)
        case Bucket.WEEK:
            return at + timedelta(days=7)
        case Bucket.MONTH:
            return (at + timedelta(days=32)).replace(day=1)


def named(at: datetime, bucket: Bucket) -> str:
    """A bucket by its start, as answers name it."""
    return at.isoformat() if bucket is Bucket.HOUR else at.date().isoformat()
