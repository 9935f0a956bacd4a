"""Tables on their way into a file: columns with what they mean, and rows as parallel arrays, a frame at a time.

Most of a row is words that many rows share: all that is known of a place, say. So a frame holds distinct keys and,
per row, which of them it is; a writer turns each key into text once. That, not the rows, is what costs time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Objects = npt.NDArray[np.object_]
Cell = str | int | float | bool | None
REMEMBERED = 50_000  # keys of a lookup that aren't numbers: up to 20 MB


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    FLAG = "true or false"
    TIME = "time"


class Column(NamedTuple):
    """A column: its name in every format, what it holds, and what that means."""

    name: str
    kind: Kind
    says: str


class Lookup:
    """Columns whose cells a key tells: `cells` of it are made once, and remembered as a writer made them of it.

    With `size` keys are numbers below that; else anything that can be hashed, of which only some are remembered.
    """

    def __init__(
        self, columns: tuple[Column, ...], cells: Callable[[Any], tuple[Cell, ...]], size: int = 0
    ) -> None:
        self.columns = columns
        self.cells = cells
        self._store = np.empty(size, object)
        self._stored = np.zeros(size, np.bool_)
        self._known: dict[Any, Any] = {}

    def made(self, keys: Sequence[Any] | Integers, make: Callable[[tuple[Cell, ...]], Any]) -> Objects:
        """What `make` makes of the cells of each of `keys`; one lookup serves one writer."""
        if isinstance(keys, np.ndarray):
            new = keys[~self._stored[keys]]
            for number in new.tolist():
                self._store[number] = make(self.cells(number))
            self._stored[new] = True
            found: Objects = self._store[keys]
            return found
        if len(self._known) + len(keys) > REMEMBERED:
            self._known.clear()
        found = np.empty(len(keys), object)
        for at, key in enumerate(keys):
            one = self._known.get(key)
            if one is None:
                one = self._known[key] = make(self.cells(key))
            found[at] = one
        return found


class Coded(NamedTuple):
    """Columns of a frame by key: row `i` has the cells of `keys[codes[i]]`."""

    lookup: Lookup
    keys: Sequence[Any] | Integers
    codes: Integers

    @property
    def columns(self) -> tuple[Column, ...]:
        """The lookup's."""
        return self.lookup.columns

    @classmethod
    def numbered(cls, lookup: Lookup, numbers: npt.NDArray[Any], size: int) -> Coded:
        """By numbers below `size`: told apart by a flag for each, as sorting them takes ten times as long."""
        used = np.zeros(size, np.bool_)
        used[numbers] = True
        keys = np.flatnonzero(used)
        at = np.empty(size, np.int32)
        at[keys] = np.arange(len(keys), dtype=np.int32)
        return cls(lookup, keys, at[numbers])


class Moments(NamedTuple):
    """A column of times: ms UTC, told by clocks that are `ahead` so many ms; None is UTC. Not known: empty."""

    column: Column
    time: Integers
    ahead: Integers | None = None
    known: npt.NDArray[np.bool_] | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The one column."""
        return (self.column,)


Part = Coded | Moments


class Frame(NamedTuple):
    """Some rows: the parts of their columns, side by side."""

    rows: int
    parts: Sequence[Part]


class Table(NamedTuple):
    """What is written into one file: a name for it, its columns, and frames of them."""

    name: str
    columns: tuple[Column, ...]
    frames: Callable[[int], Iterator[Frame]]  # of about so many rows each
    total: int
    spot: tuple[str, str] = ("lon", "lat")  # the columns of a row's position


def listed(name: str, columns: tuple[Column, ...], rows: Sequence[tuple[Cell, ...]]) -> Table:
    """A table whose rows are at hand."""

    def frames(size: int) -> Iterator[Frame]:
        for begin in range(0, len(rows), size):
            some = rows[begin : begin + size]
            lookup = Lookup(columns, lambda number, some=some: some[number], len(some))  # type: ignore[misc]
            every = np.arange(len(some))
            yield Frame(len(some), [Coded(lookup, every, every)])

    return Table(name, columns, frames, len(rows))


DAY_MS = 86_400_000
MINUTE_MS = 60_000
FIRST, LAST = -62_135_596_800_000 + DAY_MS, 253_402_300_799_999 - DAY_MS  # years of four digits, in any zone
TWO = np.array([list(b"%02d" % n) for n in range(100)], np.uint8)
THREE = np.array([list(b"%03d" % n) for n in range(1000)], np.uint8)
ISO = 29  # characters: 2026-03-01T12:00:00.000+00:00


def iso(time: Integers, ahead: Integers | None = None) -> npt.NDArray[np.uint8]:
    """Times as ISO 8601 with an offset, a row of `ISO` letters each; offsets to the minute, as the format has it."""
    minutes = np.zeros(len(time), np.int64) if ahead is None else np.rint(ahead / MINUTE_MS).astype(np.int64)
    local = np.clip(time, FIRST, LAST) + minutes * MINUTE_MS
    day, rest = np.divmod(local, DAY_MS)
    out = np.empty((len(time), ISO), np.uint8)
    if not len(time):
        return out
    distinct, index = np.unique(day, return_inverse=True)
    dates = np.datetime_as_string(distinct.astype("M8[D]")).astype("S10")
    out[:, :10] = dates.view(np.uint8).reshape(-1, 10)[index]
    seconds, milliseconds = np.divmod(rest, 1000)
    out[:, 11:13] = TWO[seconds // 3600]
    out[:, 14:16] = TWO[seconds // 60 % 60]
    out[:, 17:19] = TWO[seconds % 60]
    out[:, 20:23] = THREE[milliseconds]
    out[:, 23] = np.where(minutes < 0, ord("-"), ord("+"))
    out[:, 24:26] = TWO[np.abs(minutes) // 60]
    out[:, 27:29] = TWO[np.abs(minutes) % 60]
    for at, mark in ((10, b"T"), (13, b":"), (16, b":"), (19, b"."), (26, b":")):
        out[:, at] = mark[0]
    return out
