"""Which areas may be shown when none may have fewer than so many clicks.

Primary suppression hides the small ones. Complementary suppression hides a few more, so that what is
hidden can't be had back by subtracting the rows that are shown from the totals of the areas around them,
in one table or between the tables of all levels. After Cox (1980), "Suppression methodology and
statistical disclosure control", but with a sufficient condition that is quick to check and holds for levels that don't nest:

Two clicks that lie in exactly the same shown areas could change places, and no number shown would differ. So
whatever is shown tells at most the size of each such *class*. A hidden area is safe if one of the classes that
it has clicks of also has clicks outside it, and is no smaller than the minimum: then anything from none
of that class to all of it may lie in the area.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Atoms:
    """Clicks that no area of any level tells apart: one entry per combination of areas and mark."""

    columns: list[I32]  # per level, widest first: area numbers, -1 for none
    clicks: I64
    mark: U64  # a random number per mark
    word: U64  # a random number per area number; the last entry stands for none
    least: int
    crossing: Sequence[int]

    def signature(self, visible: Sequence[Flags], levels: int) -> U64:
        """What is shown around each atom, by the first `levels`: equal numbers, equal areas."""
        found = self.mark.copy()
        for column, shown in zip(self.columns[:levels], visible, strict=False):
            found += np.where(shown[column], self.word[column], np.uint64(0))
        return found


def suppress(
    columns: Sequence[I32],
    clicks: I64,
    least: int,
    marks: I32 | None = None,
    crossing: Sequence[int] = (),
) -> list[Flags] | None:
    """Which areas may be shown, for each level a flag per area number; None where nothing may, not even a total.

    `columns` are the area numbers of each place, a column per level from the widest to the finest, -1 where
    a place has none. `marks` are numbers (0 to 255) of parts whose totals are shown in any case. An area is
    hidden with all finer areas that it shares clicks with, unless its level is one of `crossing`: these
    lie across others, as metros do. For six levels over 300,000 places: 0.1 to 8 s.
    """
    size = 1 + max((int(column.max(initial=-1)) for column in columns), default=-1)
    atoms = _atoms(columns, clicks, least, marks, crossing, size)
    sums = [_sums(column, atoms.clicks, size) for column in atoms.columns]
    visible = [total >= least for total in sums]
    small = [(total > 0) & (total < least) for total in sums]
    for shown in visible:
        shown[-1] = False  # where -1 leads
    if 0 < int(atoms.clicks.sum()) < least:
        return None
    while True:
        _hide_within(atoms, visible)
        exposed = _exposed(atoms, visible, small)
        if exposed is None:
            return [shown[:-1] for shown in visible]
        if not _hide_beside(atoms, visible, sums, *exposed):
            return None


def classes(columns: Sequence[I32], visible: Sequence[Flags], marks: I32) -> I32:
    """Per place, the number of its class: places of one mark that lie in exactly the same shown areas.

    Arguments as in `suppress`, `visible` as it comes from there.
    """
    words, mark_words = _words(max((flags.size for flags in visible), default=0))
    found = mark_words[marks].copy()
    for column, flags in zip(columns, visible, strict=True):
        inside = column >= 0
        shown = inside & flags[np.where(inside, column, 0)] if flags.size else inside & False
        found += np.where(shown, words[column], np.uint64(0))
    return np.unique(found, return_inverse=True)[1].astype(np.int32)


def _words(size: int) -> tuple[U64, U64]:
    """A random number per area number (the last for none), and per mark."""
    random = np.random.default_rng(0)  # sums of 64 random bits: two alike by chance are not to be expected
    return random.integers(1, 2**63, size + 1, np.uint64), random.integers(1, 2**63, 256, np.uint64)


def _atoms(
    columns: Sequence[I32], clicks: I64, least: int, marks: I32 | None, crossing: Sequence[int], size: int
) -> _Atoms:
    words, mark_words = _words(size)
    used = np.flatnonzero(clicks > 0)
    mark = mark_words[marks[used]] if marks is not None else np.zeros(used.size, np.uint64)
    key = mark.copy()
    for level, column in enumerate(columns):
        key += words[column[used]] * np.uint64(2 * level + 1)
    _, first, of_atom = np.unique(key, return_index=True, return_inverse=True)
    merged = np.bincount(of_atom, weights=clicks[used], minlength=first.size).astype(np.int64)
    return _Atoms([column[used][first] for column in columns], merged, mark[first], words, least, crossing)


def _sums(column: I32, clicks: I64, size: int) -> I64:
    return np.bincount(np.where(column < 0, size, column), weights=clicks, minlength=size + 1).astype(
        np.int64
    )


def _hide_within(atoms: _Atoms, visible: list[Flags]) -> None:
    """Whatever shares clicks with a hidden wider area is hidden."""
    covered = np.zeros(atoms.clicks.size, np.bool_)
    for level, (column, shown) in enumerate(zip(atoms.columns, visible, strict=True)):
        shown[column[covered]] = False
        if level not in atoms.crossing:
            covered |= (column >= 0) & ~shown[column]


def _exposed(atoms: _Atoms, visible: list[Flags], small: list[Flags]) -> tuple[int, I64] | None:
    """The widest level that has small areas whose clicks could be told, and these; None where there is none."""
    _, of_class = np.unique(atoms.signature(visible, len(visible)), return_inverse=True)
    size = np.bincount(of_class, weights=atoms.clicks)
    for level, (column, few) in enumerate(zip(atoms.columns, small, strict=True)):
        hidden = np.flatnonzero((column >= 0) & few[column])
        pairs, of_pair = np.unique(
            of_class[hidden].astype(np.int64) * len(few) + column[hidden], return_inverse=True
        )
        part = np.bincount(of_pair, weights=atoms.clicks[hidden], minlength=pairs.size)
        whole, area = size[pairs // len(few)], pairs % len(few)
        safe = area[(part < whole) & (whole >= atoms.least)]
        exposed = np.setdiff1d(area, safe)
        if exposed.size:
            return level, exposed
    return None


def _hide_beside(atoms: _Atoms, visible: list[Flags], sums: Sequence[I64], level: int, exposed: I64) -> bool:
    """Hide one more area for each exposed one; False where there is none that would help.

    That is the smallest beside it in the same wider areas. Where all beside it are hidden already, it is the
    smallest of those that set its clicks apart: a wider area that holds them, or one beside them.
    """
    before = [shown.copy() for shown in visible]  # what one area hides, the next need not look past
    beside = [_Beside(atoms, before, sums, wider) for wider in range(level + 1)]
    column = atoms.columns[level]
    order = np.argsort(column, kind="stable")
    starts, ends = (np.searchsorted(column[order], exposed, side) for side in ("left", "right"))
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        own = order[start:end]
        found = beside[level].of(own)
        if found is None:
            others = (beside[wider].of(own, held_only=wider in atoms.crossing) for wider in range(level))
            found = min((other for other in others if other), default=None)
        if found is None:
            return False
        visible[found[1]][found[2]] = False
    return True


class _Beside:
    """The smallest shown area of a level in each combination of wider areas."""

    def __init__(self, atoms: _Atoms, visible: list[Flags], sums: Sequence[I64], level: int) -> None:
        self._level, self._sums = level, sums[level]
        self._column, self._shown = atoms.columns[level], visible[level]
        self._around = atoms.signature(visible, level)
        here = np.flatnonzero(self._shown[self._column])
        here = here[np.lexsort((self._sums[self._column[here]], self._around[here]))]
        self._groups, first = np.unique(self._around[here], return_index=True)
        self._smallest = self._column[here[first]]

    def of(self, own: I64, *, held_only: bool = False) -> tuple[int, int, int] | None:
        """(clicks, level, area) of the smallest shown area that holds any of the atoms `own`, or lies beside them."""
        column = self._column[own]
        held = self._shown[column]
        around = self._around[own[~held]]
        at = np.minimum(np.searchsorted(self._groups, around), self._groups.size - 1)
        beside = (
            self._smallest[at[self._groups[at] == around]]
            if self._groups.size and not held_only
            else column[:0]
        )
        found = np.concatenate((column[held], beside))
        if not found.size:
            return None
        area = int(found[np.argmin(self._sums[found])])
        return int(self._sums[area]), self._level, area
