"""Clicks at moments into buckets of time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from clickatlas.clicks.filter import Selection
from clickatlas.clicks.periods import QUARTER_MS
from clickatlas.clicks.store import Integers


def cut(selection: Selection, edges: Integers) -> Selection:
    """The selection's clicks between the first and the last of `edges` (ms UTC)."""
    begin, end = int(edges[0]), int(edges[-1])
    return replace(
        selection,
        start=begin if selection.start is None else max(selection.start, begin),
        end=end if selection.end is None else min(selection.end, end),
    )


def into_buckets(times: Integers, clicks: npt.NDArray[Any], edges: Integers) -> Integers:
    """Clicks at `times` between each two of `edges`; what lies outside belongs to the first or last."""
    bucket = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(bucket, weights=np.asarray(clicks, np.float64), minlength=len(edges) - 1)
    return counts.astype(np.int64)


def by_link(
    links: Integers, times: Integers, clicks: npt.NDArray[Any], edges: Integers
) -> dict[int, Integers]:
    """`into_buckets` for each of `links`; all but `edges` of one length."""
    series = {}
    for link in np.unique(links):
        mine = links == link
        series[int(link)] = into_buckets(times[mine], clicks[mine], edges)
    return series


def steps(edges: Integers) -> tuple[int, Integers | None]:
    """The longest step (ms) that cuts all buckets, quarter hours at the finest; and the bucket of each step.

    None where all buckets are one step long.
    """
    lengths = np.diff(edges)
    step = int(np.gcd.reduce(lengths))
    if step == lengths[0]:
        return step, None
    step = max(step, QUARTER_MS)
    begin = np.arange(int(edges[0]), int(edges[-1]), step, dtype=np.int64)
    return step, np.searchsorted(edges, begin, side="right") - 1
