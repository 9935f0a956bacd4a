"""At which hours of the week people click."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.filters import FilterDep
from clickatlas.api.house import House, reaches_back
from clickatlas.api.questions import Asked
from clickatlas.clicks.store import Integers, PlaceGroups
from clickatlas.insight.rhythm import QUARTER, clocks, weekly

router = APIRouter(tags=["analytics"])
NOBODYS = -1  # the group of places whose zone is not known


class Clock(StrEnum):
    """By whose clock."""

    READER = "reader"
    PLACE = "place"


class Hours(BaseModel):
    """Clicks by weekday and hour."""

    clock: Clock
    tz: str = Field(description="The reader's zone; with the clock of each place it plays no part.")
    total: int = Field(description="Clicks that the filter lets through.")
    unknown: int = Field(description="Of them, in no row: it can't be told what time it was at their place.")
    since: datetime | None = Field(
        description="Clicks before this are not in it: single ones are kept no longer (`keep_clicks_days`)."
    )
    rows: list[list[int]] = Field(description="Seven weekdays from Monday on, of 24 hours each.")


@router.get("/api/analytics/hours")
def hours(
    wanted: FilterDep,
    opened: HouseDep,
    who: CallerDep,
    clock: Annotated[
        Clock, Query(description="reader: the zone `tz`; place: each click in its own place's zone.")
    ] = Clock.READER,
) -> Hours:
    """A grid of local weekday and hour, through all changes of clocks.

    By each place's clock, a click known to a country with several zones only is `unknown`.
    """
    span = opened.questions.span(who.workspace, wanted)
    if span is None:
        return Hours(
            clock=clock, tz=wanted.zone, total=0, unknown=0, since=None, rows=[[0] * 24 for _ in range(7)]
        )
    first = span[0] // QUARTER * QUARTER
    # Up to the next whole day, so that the question stays the same while clicks come in.
    edges = np.arange(first, span[1] + 96 * QUARTER, QUARTER, dtype=np.int64)

    def make(asked: Asked) -> tuple[Integers, int]:
        if clock is Clock.READER:
            counts = opened.store.time_counts(asked.selection, edges, asked.kinds, asked.keys)
            some = np.flatnonzero(counts)
            return weekly(edges[some], counts[some], wanted.zone), 0
        return _by_place(opened, asked, edges)

    name = ("hours", clock, wanted.zone)
    grid, unknown = opened.questions.kept(name, who.workspace, wanted, make).value
    total = int(grid.sum()) + unknown
    # By the reader's clock and everywhere, counts by quarter hours are enough, and those are kept for ever.
    single = clock is Clock.PLACE or wanted.areas or wanted.within
    since = reaches_back(opened, wanted) if single else None
    return Hours(clock=clock, tz=wanted.zone, total=total, unknown=unknown, since=since, rows=grid.tolist())


def _by_place(opened: House, asked: Asked, edges: Integers) -> tuple[Integers, int]:
    places = asked.atlas.places
    zone = clocks(places)
    keys = np.asarray(places.key)
    groups = (
        PlaceGroups(keys, zone, elsewhere=NOBODYS)
        if asked.mask is None
        else PlaceGroups(keys[asked.mask], zone[asked.mask])
    )
    found = opened.store.group_times(asked.selection, edges, asked.kinds, groups)
    grid = np.zeros((7, 24), np.int64)
    order = np.argsort(found.groups, kind="stable")
    there, begin = np.unique(found.groups[order], return_index=True)
    end = [*begin[1:].tolist(), len(order)]
    unknown = 0
    for number, first, last in zip(there.tolist(), begin.tolist(), end[: len(there)], strict=True):
        mine = order[first:last]
        if number == NOBODYS:
            unknown = int(found.clicks[mine].sum())
        else:
            grid += weekly(edges[found.buckets[mine]], found.clicks[mine], places.zones[number])
    return grid, unknown
