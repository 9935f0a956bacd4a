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


def number_column(dictionary: Dictionary[int], values: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
    """The number of each of `values`, asking the dictionary once per distinct value."""
    distinct, inverse = np.unique(values, return_inverse=True)
    return dictionary.numbers([int(value) for value in distinct])[inverse]
