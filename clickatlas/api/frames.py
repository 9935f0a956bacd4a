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
from clickatlas.api.house import House
from clickatlas.api.questions import Asked
from clickatlas.atlas.mercator import mercator
from clickatlas.clicks.store import Integers, PlaceGroups
from clickatlas.errors import invalid
from clickatlas.insight.frames import DEPTH, depth_for, packed, points
from clickatlas.insight.heat import morton

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
    the fullest point}. Then x as uint16[N], y as uint16[N], the frame's number as uint16[N], zeros up to a multiple
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

    def make(asked: Asked) -> bytes:
        return _frames(opened, asked, moments, times, bucket, wanted.zone)

    name = ("frames", bucket, wanted.zone, *moments[[0, -1]].tolist()) if bounds else "no frames"
    answer = opened.questions.kept(name, who.workspace, wanted, make, large=True)
    return Response(answer.value, media_type=OCTETS, headers={"cache-control": "private, no-cache"})


def _frames(
    opened: House, asked: Asked, moments: Integers, times: list[str], bucket: Bucket, zone: str
) -> bytes:
    places = asked.atlas.places
    drawn = ~np.asarray(places.unplaced)
    if asked.mask is not None:
        drawn &= asked.mask
    code = morton(*mercator(places.lat[drawn], places.lon[drawn]), DEPTH)
    keys = np.asarray(places.key)[drawn]
    if times:
        depth = _depth(opened, asked, keys, code, len(times))
        cells, group = np.unique(code >> (2 * (DEPTH - depth)), return_inverse=True)
        groups = PlaceGroups(keys, group.astype(np.int32))
        found = opened.store.group_times(asked.selection, moments, asked.kinds, groups)
        cell, frame, clicks = cells[found.groups], found.buckets.astype(np.int64), found.clicks
    else:
        depth, cell = DEPTH, np.zeros(0, np.int64)
        frame = clicks = cell
    sums = np.bincount(frame, weights=clicks, minlength=len(times)).astype(np.int64).tolist()
    about = {
        "frames": [{"time": time, "clicks": n} for time, n in zip(times, sums, strict=True)],
        "bucket": bucket.value,
        "tz": zone,
    }
    return packed(points(cell, frame, clicks, depth), about)


def _depth(opened: House, asked: Asked, keys: npt.NDArray[np.uint64], code: Integers, frames: int) -> int:
    """How fine cells may be without asking the store for too much."""
    found = opened.questions.places(asked.selection).value
    wanted = np.isin(found.kinds, asked.kinds)
    return depth_for(code[np.isin(keys, found.keys[wanted])], frames, int(found.clicks[wanted].sum()))
