"""Clicks counted per place and network kind, in flat arrays: a tenth of what a hash table costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt

from clickatlas.clicks.periods import Level, first_day

KINDS: Final = 8  # a cell is a place's number times this, and the network kind
COUNTED: Final = ("clicks", "desktop", "mobile", "tablet", "other")
SPARSE = 64  # cells to a click from which on clicks are sorted instead
Integers = npt.NDArray[np.int64]


class Tally(NamedTuple):
    """Cells, ascending, each once, and a row of counts (`COUNTED`) for each."""

    cell: npt.NDArray[np.integer[Any]]
    counts: npt.NDArray[Any]

    def __neg__(self) -> Tally:
        return Tally(self.cell, -self.counts)


class Clicks(NamedTuple):
    """Clicks by day, ascending; `device` is 1 to 4 as in `COUNTED`, 0 another."""

    day: npt.NDArray[np.int32]
    link: Integers
    cell: npt.NDArray[np.int32]
    device: npt.NDArray[np.uint8]

    def of(self, links: Integers) -> Clicks:
        """Those of `links`."""
        mine = np.isin(self.link, links)
        return Clicks(self.day[mine], self.link[mine], self.cell[mine], self.device[mine])

    def tally(self, at: slice) -> Tally:
        """Some of them, counted."""
        cell, number = _cells(self.cell[at])
        counts = np.bincount(number * len(COUNTED) + self.device[at], minlength=len(cell) * len(COUNTED))
        counts = counts.reshape(-1, len(COUNTED))
        counts[:, 0] = counts.sum(axis=1)
        return Tally(cell, counts)


class Days(NamedTuple):
    """Clicks that are kept by day only: rows of a rollup by day, ascending; their cells may be in any order."""

    day: npt.NDArray[np.int32]
    link: Integers
    cell: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]

    def of(self, links: Integers) -> Days:
        """Those of `links`."""
        mine = np.isin(self.link, links)
        return Days(self.day[mine], self.link[mine], self.cell[mine], self.counts[mine])

    def tally(self, at: slice) -> Tally:
        """Some of them, added up."""
        return together([Tally(self.cell[at], self.counts[at])])


def told(cursor: duckdb.DuckDBPyConnection) -> Clicks:
    """The clicks in the table `told`."""
    found = cursor.execute(
        f"SELECT day, link, place * {KINDS} + kind AS cell, device::UTINYINT AS device FROM told"
    ).fetchnumpy()
    order = _by_day(found["day"])
    return Clicks(*(np.asarray(column)[order] for column in found.values()))


def days(cursor: duckdb.DuckDBPyConnection, within: str) -> Days:
    """Rows of the place rollup that are `within`, a condition, and each of a day and a link."""
    found = cursor.execute(
        f"SELECT first, link, place * {KINDS} + kind AS cell, {', '.join(COUNTED)} FROM place_rollup WHERE {within}"
    ).fetchnumpy()
    order = _by_day(found["first"])
    counts = np.stack([found[name] for name in COUNTED], axis=1)
    return Days(found["first"][order], found["link"][order], found["cell"][order], counts[order])


def _by_day(day: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    since = day - day.min(initial=1 << 30)
    short = (
        since.astype(np.uint16) if since.max(initial=0) < 1 << 16 else since
    )  # of 16 bits: sorted by counting
    return np.argsort(short, kind="stable")


def together(tallies: Sequence[Tally]) -> Tally:
    """Tallies added up, without what comes to nothing; their cells may be in any order, and repeated."""
    cell, at = _cells(np.concatenate([tally.cell for tally in tallies]))
    counts = np.concatenate([tally.counts for tally in tallies])
    added = np.empty((len(cell), len(COUNTED)), np.int64)
    for column in range(len(COUNTED)):
        added[:, column] = np.bincount(at, counts[:, column], len(cell))
    there = added[:, 0] != 0
    return Tally(cell[there], added[there])


def _cells(cell: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Distinct cells, ascending, and where among them each of `cell` is."""
    size = int(cell.max(initial=-1)) + 1
    if size > SPARSE * len(cell):
        return np.unique(cell, return_inverse=True)
    there = np.zeros(size, np.bool_)
    there[cell] = True
    number = np.cumsum(there, dtype=np.int32)
    return np.flatnonzero(there), number[cell] - np.int32(1)


def by_magnitude(tally: Tally) -> Tally:
    """Those of 1 click first, then of 2 to 3, 4 to 7 and so on.

    On disk numbers have as many bits as the largest near them: so a row takes 2.8 bytes, by place alone 5.5.
    """
    bits = np.frexp(tally.counts[:, 0].astype(np.float32))[1].astype(np.int8)  # of 8 bits: sorted by counting
    order = np.argsort(bits, kind="stable")
    return Tally(tally.cell[order], tally.counts[order])


def by_period(days: npt.NDArray[Any], level: Level) -> Iterator[tuple[int, slice]]:
    """First days of periods and where they lie in `days`, ascending."""
    begin = 0
    starts = np.flatnonzero(np.diff(days, prepend=-1))
    firsts = [first_day(level, day) for day in days[starts].tolist()]
    for n, first in enumerate(firsts):
        if n + 1 == len(firsts) or firsts[n + 1] != first:
            end = len(days) if n + 1 == len(firsts) else int(starts[n + 1])
            yield first, slice(begin, end)
            begin = end


def rows(cursor: duckdb.DuckDBPyConnection, select: str, keys: Sequence[str]) -> dict[tuple[int, ...], Tally]:
    """A SELECT of `keys` and of a rollup's columns from `place` on: tallies by key, ascending; cells may repeat."""
    found = cursor.execute(select).fetchnumpy()
    if not len(found["place"]):
        return {}
    key = [np.asarray(found[name], np.int64) for name in keys]
    cell = np.asarray(found["place"]) * np.int32(KINDS) + found["kind"]
    counts = np.stack([found[name] for name in COUNTED], axis=1)
    order = np.lexsort(key[::-1])
    changes = np.any([np.diff(column[order]) != 0 for column in key], axis=0)
    edges = [0, *(np.flatnonzero(changes) + 1).tolist(), len(order)]
    parts = (order[begin:end] for begin, end in pairwise(edges))
    return {tuple(int(column[part[0]]) for column in key): Tally(cell[part], counts[part]) for part in parts}


def columns(pieces: Mapping[tuple[int, int], Tally]) -> dict[str, npt.NDArray[Any]]:
    """Tallies by (link, first day) as columns of a rollup."""
    ordered = [by_magnitude(tally) for tally in pieces.values()]
    lengths = [len(tally.cell) for tally in ordered]
    cell = np.concatenate([tally.cell for tally in ordered])
    counts = np.concatenate([tally.counts for tally in ordered]).astype(np.int32)
    found: dict[str, npt.NDArray[Any]] = {
        "link": np.repeat(np.array([link for link, _ in pieces], np.int64), lengths),
        "first": np.repeat(np.array([first for _, first in pieces], np.int32), lengths),
        "place": (cell // KINDS).astype(np.int32),
        "kind": (cell % KINDS).astype(np.uint8),
    }
    return found | {name: np.ascontiguousarray(counts[:, at]) for at, name in enumerate(COUNTED)}
