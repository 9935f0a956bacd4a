"""The map through time: all frames in one answer, for a page that plays them."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, Query, Request, Response

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.clicks import Bucket, edges, named
from clickatlas.api.filters import FilterDep
from clickatlas.api.house import House, reaches_back
from clickatlas.api.questions import Asked
from clickatlas.atlas.mercator import mercator
from clickatlas.clicks.store import GroupTimes, Integers, PlaceGroups
from clickatlas.errors import invalid
from clickatlas.insight.frames import DEPTH, depth_for, packed, points
from clickatlas.insight.heat import morton
from clickatlas.insight.rhythm import blurred

router = APIRouter(prefix="/api/heat", tags=["map"])
MAX_FRAMES = 5000
OCTETS = "application/octet-stream"


@router.get(
    "/frames",
    response_class=Response,
    responses={200: {"content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}}}},
)
def frames(
    request: Request,
    wanted: FilterDep,
    opened: HouseDep,
    who: CallerDep,
    bucket: Annotated[Bucket, Query(description="hour, day, week (from Monday) or month.")] = Bucket.DAY,
) -> Response:
    """Placed clicks by place and time, as arrays of a few bytes a point; at most 400,000 points.

    All numbers are little-endian. First a uint32: the length H of the header. Then H bytes of JSON, padded
    with spaces: {"frames": [{"time", "clicks"}], "points": N, "depth": d, "bucket", "tz", "largest": clicks of
    the fullest point, "since"}; by the hour, clicks before `since` are not in it where it is not null: single ones are
    kept no longer (`keep_clicks_days`). Then x as uint16[N], y as uint16[N], the frame's number as uint16[N], zeros up to a multiple
    of 4, and clicks as uint32[N]. x and y are cells of the mercator square, 2^d wide and high, counted from
    its north-west corner. Points are in the order of their frames. Without `from` and `to`: from the first
    click to the last.
    """
    bounds = opened.questions.bounds(who.workspace, wanted)
    starts = edges(*bounds, bucket, ZoneInfo(wanted.zone)) if bounds else []
    if len(starts) - 1 > MAX_FRAMES:
        raise invalid(
            f"That makes more than {MAX_FRAMES:,} frames.", remedy="Use a larger bucket.", field="bucket"
        )
    moments = np.array([round(at.timestamp() * 1000) for at in starts], np.int64)
    times = [named(at, bucket) for at in starts[:-1]]

    since = reaches_back(opened, wanted) if bucket is Bucket.HOUR else None

    def make(asked: Asked) -> bytes:
        about: dict[str, object] = {
            "bucket": bucket.value,
            "tz": wanted.zone,
            "since": since and since.isoformat(),
        }
        return _frames(opened, asked, moments, times, about)

    name = ("frames", bucket, wanted.zone, *moments[[0, -1]].tolist()) if bounds else "no frames"
    answer = opened.questions.kept(name, who.workspace, wanted, make, large=True)
    return Response(answer.value, media_type=OCTETS, headers={"cache-control": "private, no-cache"})


def _frames(
    opened: House, asked: Asked, moments: Integers, times: list[str], about: dict[str, object]
) -> bytes:
    places = asked.atlas.places
    drawn, spot = ~np.asarray(places.unplaced), np.arange(len(places), dtype=np.int32)
    if asked.held is not None:
        spot = asked.held.place
        drawn &= asked.held.drawn[spot]
    if asked.mask is not None:
        drawn &= asked.mask
    spot = spot[drawn]
    code = morton(*mercator(places.lat[spot], places.lon[spot]), DEPTH)
    keys = np.asarray(places.key)[drawn]
    if times:
        depth = _depth(opened, asked, keys, code, len(times))
        cells, group = np.unique(code >> (2 * (DEPTH - depth)), return_inverse=True)
        groups = PlaceGroups(keys, group.astype(np.int32))
        found = opened.store.group_times(asked.selection, moments, asked.kinds, groups)
        if asked.held is not None:
            found = _blurred(found, asked.held.least, len(times))
        cell, frame, clicks = cells[found.groups], found.buckets.astype(np.int64), found.clicks
    else:
        depth, cell = DEPTH, np.zeros(0, np.int64)
        frame = clicks = cell
    sums = np.bincount(frame, weights=clicks, minlength=len(times)).astype(np.int64).tolist()
    named_sums = [{"time": time, "clicks": n} for time, n in zip(times, sums, strict=True)]
    return packed(points(cell, frame, clicks, depth), {"frames": named_sums, **about})


def _blurred(found: GroupTimes, least: int, frames: int) -> GroupTimes:
    """Of each spot, no frame told closer than with `least` clicks."""
    order = np.argsort(found.groups, kind="stable")
    groups, first = np.unique(found.groups[order], return_index=True)
    parts = []
    for group, mine in zip(groups, np.split(order, first[1:]), strict=True):
        clicks = blurred(np.bincount(found.buckets[mine], found.clicks[mine], frames).astype(np.int64), least)
        buckets = np.flatnonzero(clicks)
        parts.append((np.full(len(buckets), group), buckets, clicks[buckets]))
    if not parts:
        return found
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    group, bucket, clicks = columns
    order = np.argsort(bucket, kind="stable")
    return GroupTimes(group[order].astype(np.int32), bucket[order].astype(np.int32), clicks[order])


def _depth(opened: House, asked: Asked, keys: npt.NDArray[np.uint64], code: Integers, frames: int) -> int:
    """How fine cells may be without asking the store for too much."""
    found = opened.questions.places(asked.selection).value
    wanted = np.isin(found.kinds, asked.kinds)
    return depth_for(code[np.isin(keys, found.keys[wanted])], frames, int(found.clicks[wanted].sum()))
