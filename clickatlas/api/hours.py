"""At which hours of the week people click."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.filters import FilterDep
from clickatlas.api.house import House, reaches_back
from clickatlas.api.patches import FIRST_YEAR, LAST_YEAR, steps
from clickatlas.api.questions import Asked
from clickatlas.atlas.atlas import Atlas
from clickatlas.clicks.store import Integers, PlaceGroups
from clickatlas.insight.rhythm import DAY, blurred, clocks, quarter_hours, weekly

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

    By each place's clock, a click known to a country with several zones only is `unknown`; with `min_cell` all are.
    """
    span = opened.questions.span(who.workspace, wanted)
    if span is None:
        return Hours(
            clock=clock, tz=wanted.zone, total=0, unknown=0, since=None, rows=[[0] * 24 for _ in range(7)]
        )
    edges = quarter_hours(*span[:2])

    def make(asked: Asked) -> tuple[Integers, int]:
        if clock is Clock.READER:
            counts = opened.store.time_counts(asked.selection, edges, asked.kinds, asked.keys)
            if wanted.holds:
                counts = blurred(counts, wanted.least)
            some = np.flatnonzero(counts)
            return weekly(edges[some], counts[some], wanted.zone), 0
        if wanted.holds:  # a place's clock tells where it is
            return np.zeros((7, 24), np.int64), int(
                opened.store.time_counts(asked.selection, edges[[0, -1]], asked.kinds, asked.keys).sum()
            )
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
    found = opened.store.group_times(
        asked.selection, edges, asked.kinds, by_clock(asked.atlas, zone, edges, asked.mask)
    )
    grid = np.zeros((7, 24), np.int64)
    if not len(found.groups):  # of nothing, `np.split` would make one piece
        return grid, 0
    order = np.argsort(found.groups, kind="stable")
    there, begin = np.unique(found.groups[order], return_index=True)
    unknown = 0
    for number, mine in zip(there.tolist(), np.split(order, begin[1:]), strict=True):
        if number == NOBODYS:
            unknown = int(found.clicks[mine].sum())
        else:
            grid += weekly(edges[found.buckets[mine]], found.clicks[mine], places.zones[number])
    return grid, unknown


def by_clock(
    atlas: Atlas, zone: npt.NDArray[np.int32], edges: Integers, mask: npt.NDArray[np.bool_] | None = None
) -> PlaceGroups:
    """Places by their `zone`; without a `mask`, all others' clicks are nobody's. Hours are enough, where clocks strike
    on them."""
    keys, step = np.asarray(atlas.places.key), steps_of(atlas, zone, edges)
    if mask is None:
        return PlaceGroups(keys, zone, elsewhere=NOBODYS, steps=step)
    return PlaceGroups(keys[mask], zone[mask], steps=step[mask])


def steps_of(atlas: Atlas, zone: npt.NDArray[np.int32], edges: Integers) -> npt.NDArray[np.int32]:
    """`PlaceGroups.steps` of places by their `zone`."""
    years = (edges[[0, -1]] // DAY / 365.2425 + 1970).astype(int)
    known = years[0] > FIRST_YEAR and years[1] < LAST_YEAR
    zones = tuple(atlas.places.zones)
    of_zone = np.array([*(steps(zones) if known else [1] * len(zones)), 4], np.int32)
    return np.asarray(of_zone[zone])
