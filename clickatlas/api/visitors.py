"""How many people click: as far as it may be known of people whom nobody follows."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

import numpy as np
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.clicks import Bucket, edges, named
from clickatlas.api.filters import FilterDep
from clickatlas.api.house import reaches_back
from clickatlas.api.questions import Asked
from clickatlas.clicks.store import VisitorCounts
from clickatlas.errors import invalid

router = APIRouter(tags=["analytics"])
MOST = 2_000  # buckets


class Short(StrEnum):
    """Hours or days: a visitor hash lives no longer."""

    HOUR = "hour"
    DAY = "day"


class VisitorRow(BaseModel):
    """One bucket: at least `least` and at most `most` visitors clicked."""

    time: str = Field(description="Its start: a date, or for hours a date-time with offset.")
    clicks: int = Field(description="Clicks that tell of a visitor.")
    least: int
    most: int
    unknown: int = Field(
        description="Clicks without a visitor hash: who asked not to be tracked, imported clicks."
    )


class VisitorTable(BaseModel):
    """Visitors over time. They are not added up over days: nobody is known again the next day."""

    bucket: Short
    tz: str
    clicks: int = Field(description="Clicks that tell of a visitor.")
    unknown: int = Field(description="Clicks that don't.")
    a_day: float | None = Field(
        description="Visitors on an average day that had clicks, counted as `most`; null by the hour, and without any."
    )
    since: datetime | None = Field(
        description="Clicks before this are not in it: single ones are kept no longer (`keep_clicks_days`)."
    )
    withheld: bool = Field(
        description="Nothing is told: `min_cell` is set, and visitors are fewer than clicks."
    )
    rows: list[VisitorRow]


@router.get("/api/analytics/visitors")
def visitors(
    wanted: FilterDep,
    opened: HouseDep,
    who: CallerDep,
    bucket: Annotated[Short, Query(description="hour or day.")] = Short.DAY,
) -> VisitorTable:
    """Visitors by the hour or day of the reader's zone, as far as hashes tell that are renewed every UTC day.

    A person on one link is one visitor a UTC day. A day elsewhere lies in two of these, and a campaign has several
    links: so `most` counts all of them as different people, and `least` as the same as far as it can.
    """
    empty = VisitorTable(
        bucket=bucket, tz=wanted.zone, clicks=0, unknown=0, a_day=None, since=None, withheld=False, rows=[]
    )
    bounds = opened.questions.bounds(who.workspace, wanted)
    if wanted.holds or bounds is None:
        return empty.model_copy(update={"withheld": wanted.holds})
    if bounds[1] - bounds[0] > MOST * (3_600_000 if bucket is Short.HOUR else 86_400_000):
        raise invalid(
            f"That makes more than {MOST} buckets.", remedy="Use days, or a shorter time.", field="bucket"
        )
    starts = edges(*bounds, Bucket(bucket.value), ZoneInfo(wanted.zone))
    moments = np.array([round(at.timestamp() * 1000) for at in starts], np.int64)

    def make(asked: Asked) -> VisitorCounts:
        return opened.store.visitor_counts(asked.selection, moments, asked.kinds, asked.keys)

    found = opened.questions.kept(("visitors", moments.tobytes()), who.workspace, wanted, make).value
    rows = [
        VisitorRow(
            time=named(at, Bucket(bucket.value)), clicks=clicks, least=least, most=most, unknown=unknown
        )
        for at, least, most, clicks, unknown in zip(
            starts[:-1], *(column.tolist() for column in found), strict=True
        )
    ]
    days = found.most[found.most > 0]
    return VisitorTable(
        bucket=bucket,
        tz=wanted.zone,
        clicks=int(found.clicks.sum()),
        unknown=int(found.unknown.sum()),
        a_day=float(days.mean()) if bucket is Short.DAY and len(days) else None,
        since=reaches_back(opened, wanted),
        withheld=False,
        rows=rows,
    )
