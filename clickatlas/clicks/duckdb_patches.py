"""Place x time read from patches of places, where each of them lies within one group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clickatlas.clicks.cells import Sums
from clickatlas.clicks.groups import Group
from clickatlas.clicks.periods import DAY_MS, QUARTER_MS
from clickatlas.clicks.sources import Sources
from clickatlas.clicks.store import Integers

SPLIT = 10  # one place in so many may be of a patch that lies in several groups
CUT = 8  # and one hour in so many may be cut by the edges: those clicks are read one by one
MIXED = -(1 << 30)


@dataclass(frozen=True)
class Plan:
    """From `begin` on (ms) the clicks of `owners` are counted by patches."""

    begin: int
    end: int
    owners: frozenset[int]
    group_of: npt.NDArray[np.int32]  # by patch; -1 to leave out, `MIXED` where its places are read one by one
    step: int  # quarters of an hour, the longest of any patch
    cut: Integers  # steps (numbered since 1970) that an edge, or an end, lies within
    mixed: npt.NDArray[np.int32]  # place numbers

    def slots(self) -> tuple[int, int]:
        """The quarters from the first step to behind the last; both may be cut."""
        length = self.step * QUARTER_MS
        return self.begin // length * self.step, -(-self.end // length) * self.step


def owners(sources: Sources) -> dict[int, int]:
    """Of the owners that the answer is put together of those counted by patches, and from which quarter of an hour on."""
    if sources.selection.devices or sources.single or not (known := dict(sources.patch_owners())):
        return {}
    return {owner: known[owner] for owner in sources.owners() if owner in known}


def plan(
    sources: Sources,
    group_of: npt.NDArray[np.int32],
    edges: Integers,
    loose: npt.NDArray[np.int32] | None = None,
) -> Plan | None:
    """How to read clicks between `edges` by patches; None where that isn't possible, or no quicker.

    `group_of` says by place number which group its clicks belong to, `loose` as of which of `PlaceGroups.steps`.
    """
    counted = owners(sources)
    if not counted:
        return None
    begin, end = sources.bounds(DAY_MS)
    begin = max(begin, sources.since, *(first * QUARTER_MS for first in counted.values()))
    begin, end = max(begin, int(edges[0])), min(end, int(edges[-1]))
    if begin >= end:
        return None
    patches = sources.ask("SELECT place, patch, step FROM patches ORDER BY patch")
    place, patch = np.asarray(patches["place"]), np.asarray(patches["patch"])
    group = group_of[place]
    start = np.flatnonzero(np.concatenate([[True], patch[1:] != patch[:-1]]))
    least, most = np.minimum.reduceat(group, start), np.maximum.reduceat(group, start)
    of = np.full(int(patch.max()) + 1, -1, np.int32)
    of[patch[start]] = np.where(least == most, least, MIXED)
    mixed = place[(of[patch] == MIXED) & (group >= 0)]
    if len(mixed) * SPLIT > len(place):
        return None
    steps = np.asarray(patches["step"])
    whole = of[patch] >= 0
    step = int(steps[whole].max(initial=1))
    length = step * QUARTER_MS
    inner = np.array([begin, end], np.int64)
    if loose is None or (loose[place[whole]] < steps[whole]).any():
        inner = np.concatenate([inner, edges[(edges > begin) & (edges < end)]])
    cut = np.unique(inner[inner % length != 0] // length)
    if len(cut) * CUT > (end - begin) // length:
        return None
    return Plan(begin, end, frozenset(counted), of, step, cut, mixed.astype(np.int32))


def add_rolled(
    sums: Sums, sources: Sources, group: Group, planned: Plan, edges: Integers, width: int
) -> None:
    """An owner's clicks in steps that aren't cut: of each cell, bucket x `width` + group, the clicks."""
    first, behind = planned.slots()
    begin = np.arange(first, behind, dtype=np.int64) * QUARTER_MS
    bucket_of = np.searchsorted(edges, begin, side="right") - 1
    for step in range(planned.step):
        at = planned.cut * planned.step + step - first
        bucket_of[at] = -1
    groups = planned.group_of
    wanted = np.flatnonzero(groups >= 0)
    among = sources.listed("patch", wanted) if 2 * len(wanted) < len(groups) else ""
    columns = f"SELECT first - {first} AS at, patch, clicks FROM patch_rollup"
    between = f"first >= {first} AND first < {behind}"
    for rows in sources.pieces(sources.where(columns, group.rolled, between, among)):
        bucket, mine, clicks = bucket_of[rows["at"]], groups[rows["patch"]], rows["clicks"]
        if mine.min(initial=0) < 0 or bucket.min(initial=0) < 0:
            kept = (mine >= 0) & (bucket >= 0)
            bucket, mine, clicks = bucket[kept], mine[kept], clicks[kept]
        sums.add(bucket * width + mine, clicks, group.sign)


def singles(sources: Sources, group: Group, planned: Plan) -> Iterator[str]:
    """SELECTs of (time, place) of the settled clicks that have to be read one by one, without their SELECT."""
    between = (f"time >= {planned.begin}", f"time < {planned.end}")
    if group.owner not in planned.owners:
        yield sources.where("time, place FROM settled", group.clicks, *between)
        return
    length = planned.step * QUARTER_MS
    if len(planned.cut) > 2:
        within = sources.listed(f"(time // {length})", planned.cut)
        yield sources.where("time, place FROM settled", group.clicks, *between, within)
    else:
        for at in planned.cut.tolist():
            within = f"time >= {at * length} AND time < {(at + 1) * length}"
            yield sources.where("time, place FROM settled", group.clicks, *between, within)
    if len(planned.mixed):
        among = sources.listed("place", planned.mixed)
        whole = f"NOT ({sources.listed(f'(time // {length})', planned.cut)})" if len(planned.cut) else ""
        yield sources.where("time, place FROM settled", group.clicks, *between, among, whole)
