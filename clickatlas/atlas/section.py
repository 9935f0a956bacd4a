"""The data section of a MaxMind DB file, read in numpy: one field of hundreds of thousands of maps at a time.

Format: https://maxmind.github.io/MaxMind-DB/ (2.0), "Data Section". The C reader makes a dict of every record with
every name in eight languages, 12 µs apiece, and Python takes as long again to pick out what is wanted; following
only the wanted fields, for all records side by side, takes a third of that. Nothing but what City databases use is
understood: whatever else turns up is `Unusual`, and the caller asks the C reader instead.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from maxminddb.reader import Metadata

At = npt.NDArray[np.int64]  # offsets into the section; -1 for "not there"
F64 = npt.NDArray[np.float64]

POINTER, STRING, DOUBLE, UINT16, UINT32, MAP = 1, 2, 3, 5, 6, 7
BOOLEAN, ARRAY = 14, 11
SIMPLE = (STRING, DOUBLE, 4, UINT16, UINT32)  # their size says how many bytes follow
POINTER_BASE = np.array([0, 2048, 526336, 0], np.int64)
WIDEST = 8  # bytes read ahead at an offset


class Unusual(Exception):
    """Something that this reader leaves to the C reader."""


class Section:
    """The bytes of a data section, and the numbers by which the search tree knows its records."""

    def __init__(self, data: npt.NDArray[np.uint8], first: int) -> None:
        self._data = np.concatenate([data, np.zeros(WIDEST, np.uint8)])
        self._first = first

    @classmethod
    def of(cls, file: Path, meta: Metadata) -> "Section":
        """The data section of `file`: after the tree and 16 zeros. No pointer leads to the metadata behind it."""
        tree = meta.node_count * meta.record_size // 4
        return cls(np.fromfile(file, np.uint8, offset=tree + 16), meta.node_count + 16)

    def records(self, numbers: At) -> At:
        """Offsets of records by their numbers in the search tree."""
        return numbers - self._first

    def fields(self, maps: At, names: Sequence[str]) -> dict[str, At]:
        """Where the values of `names` are in each of `maps`, pointers followed; -1 where a map lacks the name.

        Offsets of -1 in `maps` have nothing.
        """
        found = {name: np.full(maps.size, -1, np.int64) for name in names}
        here = np.flatnonzero(maps >= 0)
        at = self._follow(maps[here])
        control = self._data[at]
        left = control & 31
        if (control >> 5 != MAP).any() or (left > 28).any():
            raise Unusual
        at = at + 1
        while (going := np.flatnonzero(left > 0)).size:
            here, at, left = here[going], at[going], left[going] - 1
            key, at = self._follow(at), self._after(at)
            value = self._follow(at)
            keys = self._distinct(key)
            for number, name in zip(keys.tolist(), self.texts(keys), strict=True):
                if name in found:
                    mine = key == number
                    found[name][here[mine]] = value[mine]
            more = np.flatnonzero(left > 0)  # what comes after the last field is nobody's business
            here, at, left = here[more], self._after(at[more]), left[more]
        return found

    def first(self, arrays: At) -> At:
        """Where the first element of each array is; -1 for an empty one and for -1."""
        answer = np.full(arrays.size, -1, np.int64)
        here = np.flatnonzero(arrays >= 0)
        at = arrays[here]
        control = self._data[at]
        if (control >> 5 != 0).any() or (self._data[at + 1] != ARRAY - 7).any() or (control & 31 > 28).any():
            raise Unusual
        some = control & 31 > 0
        answer[here[some]] = self._follow(at[some] + 2)
        return answer

    def texts(self, strings: At) -> list[str]:
        """The strings at offsets (one by one: give distinct ones); '' for -1."""
        data, answer = self._data, []
        for at in strings.tolist():
            if at < 0:
                answer.append("")
                continue
            control = int(data[at])
            if control >> 5 != STRING or control & 31 > 29:
                raise Unusual
            size, start = control & 31, at + 1
            if size == 29:
                size, start = 29 + int(data[start]), start + 1
            answer.append(data[start : start + size].tobytes().decode())
        return answer

    def doubles(self, numbers: At, missing: float) -> F64:
        """The 64-bit floats at offsets."""
        answer = np.full(numbers.size, missing)
        here = np.flatnonzero(numbers >= 0)
        at = numbers[here]
        if (self._data[at] != (DOUBLE << 5 | 8)).any():
            raise Unusual
        packed = self._data[at[:, None] + np.arange(1, 9)]
        answer[here] = packed.view(">f8").ravel()
        return answer

    def unsigned(self, numbers: At) -> At:
        """The unsigned 16- and 32-bit integers at offsets; 0 for -1."""
        answer = np.zeros(numbers.size, np.int64)
        here = np.flatnonzero(numbers >= 0)
        at = numbers[here]
        kind, size = self._data[at] >> 5, self._data[at] & 31
        if (~np.isin(kind, (UINT16, UINT32)) | (size > 4)).any():
            raise Unusual
        total = np.zeros(here.size, np.int64)
        for place in range(4):
            total = np.where(size > place, total << 8 | self._data[at + 1 + place], total)
        answer[here] = total
        return answer

    def _distinct(self, at: At) -> At:
        """The distinct ones of many offsets, which are few: a mark for each is quicker than sorting them."""
        if at.size * 64 < self._data.size:
            return np.unique(at)
        marks = np.zeros(self._data.size, np.bool_)
        marks[at] = True
        return np.flatnonzero(marks)

    def _follow(self, at: At) -> At:
        """Offsets with pointers replaced by what they point at."""
        data = self._data
        control = data[at]
        if not (pointers := np.flatnonzero(control >> 5 == POINTER)).size:
            return at
        source, control = at[pointers], control[pointers]
        size, value = (control >> 3) & 3, (control & 7).astype(np.int64)
        target = np.where(size == 3, 0, value)
        for place in range(4):
            target = np.where(size >= place, target << 8 | data[source + 1 + place], target)
        answer = at.copy()
        answer[pointers] = target + POINTER_BASE[size]
        if (answer >= data.size - WIDEST).any():
            raise Unusual
        return answer

    def _after(self, at: At) -> At:
        """Where the value at each offset ends as it stands there: a pointer after itself, a map after its all."""
        at, left = at.copy(), np.ones(at.size, np.int64)  # values still to be passed
        while (going := np.flatnonzero(left > 0)).size:
            here = at[going]
            control, second = self._data[here], self._data[here + 1]
            kind, size = control >> 5, (control & 31).astype(np.int64)
            pointer, table = kind == POINTER, kind == MAP
            array, boolean = (kind == 0) & (second == ARRAY - 7), (kind == 0) & (second == BOOLEAN - 7)
            simple = np.isin(kind, SIMPLE)
            if not (pointer | boolean | (simple & (size <= 29)) | ((table | array) & (size <= 28))).all():
                raise Unusual
            step = np.where(size == 29, 31 + second.astype(np.int64), 1 + size)
            step[pointer] = 2 + (control[pointer] >> 3 & 3)
            step[table] = 1
            step[array | boolean] = 2
            at[going] = here + step
            left[going] += np.where(table, 2 * size, np.where(array, size, 0)) - 1
            if (at[going] > self._data.size - WIDEST).any():
                raise Unusual
        return at
