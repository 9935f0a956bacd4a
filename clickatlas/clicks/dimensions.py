"""Words and places as small numbers: the store's dictionaries, kept in memory while ingesting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T")


class Dictionary(Generic[T]):
    """Values and their numbers 1, 2, 3, …; `fresh` are those given out since the last `settle`."""

    def __init__(self, known: Iterable[tuple[int, T]] = ()) -> None:
        self._numbers = {value: number for number, value in known}
        self._next = max(self._numbers.values(), default=0) + 1
        self.fresh: list[tuple[int, T]] = []

    def numbers(self, values: Sequence[T]) -> npt.NDArray[np.int32]:
        """The number of each value; a value never seen gets the next one."""
        return np.fromiter((self._number(value) for value in values), np.int32, count=len(values))

    def _number(self, value: T) -> int:
        number = self._numbers.get(value)
        if number is None:
            number = self._numbers[value] = self._next
            self._next += 1
            self.fresh.append((number, value))
        return number

    def settle(self) -> None:
        """The fresh ones are stored now."""
        self.fresh.clear()

    def undo(self) -> None:
        """The fresh ones could not be stored: forget them."""
        for _, value in self.fresh:
            del self._numbers[value]
        self._next -= len(self.fresh)
        self.fresh.clear()


class KeyNumbers:
    """As `Dictionary`, for 64-bit keys that come a million at a time: sorted arrays in place of a dict.

    A batch of a million costs about 0.1 s, a third of what a look into a dict per distinct key does.
    """

    def __init__(self, ids: npt.NDArray[np.int32], keys: npt.NDArray[np.uint64]) -> None:
        order = np.argsort(keys)
        self._keys, self._ids = keys[order], ids[order]
        self._next = self._settled = int(ids.max(initial=0)) + 1

    @property
    def fresh(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint64]]:
        """Numbers and keys given out since the last `settle`."""
        fresh = self._ids >= self._settled
        return self._ids[fresh], self._keys[fresh]

    def numbers(self, values: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        """The number of each of `values`; a key never seen gets the next one."""
        answer = np.zeros(len(values), np.int32)  # 0: not known
        if len(self._keys):
            at = np.minimum(np.searchsorted(self._keys, values), len(self._keys) - 1)
            answer = np.where(self._keys[at] == values, self._ids[at], answer)
        missing = np.flatnonzero(answer == 0)
        if len(missing):
            unknown, inverse = np.unique(values[missing], return_inverse=True)
            answer[missing] = self._add(unknown)[inverse]
        return answer

    def _add(self, unknown: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        ids = np.arange(self._next, self._next + len(unknown), dtype=np.int32)
        self._next += len(unknown)
        where = np.searchsorted(self._keys, unknown)
        self._keys, self._ids = np.insert(self._keys, where, unknown), np.insert(self._ids, where, ids)
        return ids

    def settle(self) -> None:
        """The fresh ones are stored now."""
        self._settled = self._next

    def undo(self) -> None:
        """The fresh ones could not be stored: forget them."""
        known = self._ids < self._settled
        self._keys, self._ids, self._next = self._keys[known], self._ids[known], self._settled
