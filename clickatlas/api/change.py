"""A period against the one before it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, Field

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.clicks import Bucket, edges
from clickatlas.api.filters import FilterDep
from clickatlas.api.house import reaches_back
from clickatlas.clicks.filter import Filter
from clickatlas.clicks.store import Integers
from clickatlas.errors import invalid
from clickatlas.insight.change import change

router = APIRouter(tags=["analytics"])
DAY_MS = 86_400_000
HOURLY = 8  # days up to which periods are held against each other by the hour
LONGEST = 5 * 366


class Period(BaseModel):
    """A stretch of time and its clicks."""

    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to", description="Exclusive.")
    clicks: int


class ChangeOut(BaseModel):
    """Now against before. `interval` is that of `ratio`, 95 %, widened by how much clicks come in bursts."""

    now: Period
    before: Period
    ratio: float | None = Field(
        description="Clicks now for each before; null where there were none before, or the time before began later."
    )
    interval: tuple[float, float | None] | None = Field(
        description="Of the ratio; an end of null is without bound."
    )
    beyond_chance: bool = Field(description="Whether the interval leaves out 1: more than chance makes.")
    spread: float = Field(
        description="How many times more the pieces of both periods vary than independent clicks would."
    )
    whole: bool = Field(
        description="Whether clicks were counted all through the period before; else nothing is compared."
    )


@router.get("/api/analytics/change")
def change_since(wanted: FilterDep, opened: HouseDep, who: CallerDep) -> ChangeOut:
    """Clicks against the period before: as long, up to the same hour, by the reader's calendar.

    A period that is not over is held against as much of the one before. Needs `from`.
    """
    if wanted.start is None:
        raise invalid(
            "All time has no time before it.", remedy="Give 'from', and 'to' if you like.", field="from"
        )
    now_ms = (time.time_ns() // 60_000_000_000 + 1) * 60_000  # the minute that runs is in it
    end = min(wanted.end if wanted.end is not None else now_ms, now_ms)
    if end <= wanted.start:
        raise invalid("That is still to come.", remedy="Use a 'from' before now.", field="from")
    if end - wanted.start > LONGEST * DAY_MS:
        raise invalid("That is too long.", remedy="Compare up to five years.", field="from")
    zone = ZoneInfo(wanted.zone)
    full = wanted.end if wanted.end is not None else end
    bucket = Bucket.HOUR if end - wanted.start <= HOURLY * DAY_MS else Bucket.DAY
    cuts = _cuts(wanted.start, end, bucket, zone)
    back = _back(cuts, wanted.start, full, zone)
    sums = []
    for one in (cuts, back):
        period = replace(wanted, start=int(one[0]), end=int(one[-1]))
        sums.append(opened.questions.series(who.workspace, period, one))
    found = change(*sums)
    whole = _whole(opened.questions.span(who.workspace, _ever(wanted)), int(back[0]))
    if wanted.traits or wanted.areas or wanted.within:
        whole = whole and reaches_back(opened, replace(wanted, start=int(back[0]))) is None
    none = found.ratio is None or not whole
    low, high = (found.low, found.high) if not none else (None, None)
    return ChangeOut(
        now=_period(cuts, found.now),
        before=_period(back, found.before),
        ratio=None if none else found.ratio,
        interval=None if low is None or high is None else (low, high if np.isfinite(high) else None),
        beyond_chance=whole and found.beyond_chance != 0,
        spread=found.spread,
        whole=whole,
    )


def _ever(wanted: Filter) -> Filter:
    return Filter(links=wanted.links, campaigns=wanted.campaigns, channels=wanted.channels, tags=wanted.tags)


def _whole(span: tuple[int, int, int] | None, begin: int) -> bool:
    """Whether there were clicks by the first day of the period before: a link made since can't have had any."""
    return span is not None and span[0] < begin + DAY_MS


def _cuts(start: int, end: int, bucket: Bucket, zone: ZoneInfo) -> Integers:
    inside = [round(at.timestamp() * 1000) for at in edges(start, end, bucket, zone)]
    return np.array([start, *(at for at in inside if start < at < end), end], np.int64)


def _back(cuts: Integers, start: int, end: int, zone: ZoneInfo) -> Integers:
    """The same cuts, whole days of the calendar earlier where the period is whole days long, else its length."""
    first, behind = (datetime.fromtimestamp(at / 1000, UTC).astimezone(zone) for at in (start, end))
    wall = behind.replace(tzinfo=None) - first.replace(tzinfo=None)
    days = -(-wall // timedelta(days=1)) if wall > timedelta(hours=23) else 0
    if not days:
        return cuts - (end - start)
    moved = []
    for at in cuts.tolist():
        local = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone)
        moved.append(round((local - timedelta(days=days)).timestamp() * 1000))
    # The hour that a clock leaves out is no piece: its end is not before its start.
    moved = [moved[0], *(max(a, b) for a, b in pairwise(moved))]
    return np.maximum.accumulate(np.array(moved, np.int64))


def _period(cuts: Integers, clicks: int) -> Period:
    first, behind = (datetime.fromtimestamp(int(at) / 1000, UTC) for at in (cuts[0], cuts[-1]))
    return Period.model_validate({"from": first, "to": behind, "clicks": clicks})
