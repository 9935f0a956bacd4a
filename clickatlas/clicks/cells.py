"""Flat tables that clicks are counted in: additions at scattered places, which cost the memory that they touch."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from clickatlas.clicks.store import Integers

FLAT = 1 << 24  # cells of a table that is mostly empty, at most: 64 MB, or 128
WINDOW = 4_000_000  # clicks of cells that are too many for that: sorted so many at a time
Numbers = npt.NDArray[np.integer[Any]]


class Cells:
    """Counts by number, from 0 on. Four bytes each where no count is beyond `most`: a third of the time of eight."""

    def __init__(self, most: int, size: int = 0) -> None:
        self._type: type[np.signedinteger[Any]] = np.int32 if most < 1 << 31 else np.int64
        self._counts: Numbers = np.zeros(size, self._type)

    def add(self, cell: Numbers, clicks: Numbers | None = None, sign: int = 1) -> None:
        """Add clicks (one each, where they aren't given) to cells, or take them away."""
        if (size := int(cell.max(initial=-1)) + 1) > len(self._counts):
            self._counts = np.concatenate([self._counts, np.zeros(size - len(self._counts), self._type)])
        change = np.add if sign > 0 else np.subtract
        # A conversion within would be slower than the sum.
        change.at(
            self._counts, cell, self._type(1) if clicks is None else clicks.astype(self._type, copy=False)
        )

    def told(self) -> tuple[Integers, Integers]:
        """The cells that have clicks, ascending, and these."""
        there = np.flatnonzero(self._counts != 0)  # a third of the time of numbers
        return there, self._counts[there].astype(np.int64)


class Sums:
    """As `Cells`, of `size` cells, however many these are: of very many only those that are met are kept."""

    def __init__(self, most: int, size: int) -> None:
        self._flat = Cells(most, size) if size <= FLAT else None
        self._thin: list[tuple[Integers, Integers]] = []
        self._rows = 0

    def add(self, cell: Numbers, clicks: Numbers | None = None, sign: int = 1) -> None:
        """Add clicks (one each, where they aren't given) to cells, or take them away."""
        if self._flat is not None:
            self._flat.add(cell, clicks, sign)
            return
        counts = np.full(len(cell), sign, np.int64) if clicks is None else sign * clicks.astype(np.int64)
        self._thin.append((cell.astype(np.int64, copy=False), counts))
        self._rows += len(cell)
        if self._rows > WINDOW:
            self._thin = [self._summed()]
            self._rows = 0

    def told(self) -> tuple[Integers, Integers]:
        """The cells that have clicks, ascending, and these."""
        return self._flat.told() if self._flat is not None else self._summed()

    def _summed(self) -> tuple[Integers, Integers]:
        cell = np.concatenate([cells for cells, _ in self._thin] or [np.zeros(0, np.int64)])
        clicks = np.concatenate([counts for _, counts in self._thin] or [np.zeros(0, np.int64)])
        order = np.argsort(cell, kind="stable")
        cell, clicks = cell[order], clicks[order]
        if not len(cell):
            return cell, clicks
        start = np.flatnonzero(np.concatenate([[True], cell[1:] != cell[:-1]]))
        cell, clicks = cell[start], np.add.reduceat(clicks, start)
        return cell[clicks != 0], clicks[clicks != 0]
