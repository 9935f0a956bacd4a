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


class _Shown:
    """What is shown, and `around` each atom by the first 0, 1, ... levels: equal numbers, equal shown areas."""

    def __init__(self, atoms: _Atoms, visible: list[Flags]) -> None:
        self._atoms, self.visible, self.around = atoms, visible, [atoms.mark.copy()]
        for column, shown in zip(atoms.columns, visible, strict=True):
            self.around.append(self.around[-1] + np.where(shown[column], atoms.word[column], np.uint64(0)))

    def hide(self, chosen: Sequence[Flags]) -> None:
        """Hide areas, by level a flag per area number, and whatever finer shares clicks with them."""
        atoms, covered = self._atoms, np.zeros(self._atoms.clicks.size, np.bool_)
        for level, (column, shown) in enumerate(zip(atoms.columns, self.visible, strict=True)):
            within = column[covered]
            gone = chosen[level] & shown
            gone[within] |= shown[within]
            if not gone.any():
                continue
            shown &= ~gone
            hit = np.flatnonzero(gone[column])
            for around in self.around[level + 1 :]:
                around[hit] -= atoms.word[column[hit]]
            if level not in atoms.crossing:
                covered[hit] = True


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
    lie across others, as metros do. For six levels over 300,000 places: 0.1 to 0.5 s.
    """
    size = 1 + max((int(column.max(initial=-1)) for column in columns), default=-1)
    atoms = _atoms(columns, clicks, least, marks, crossing, size)
    sums = [_sums(column, atoms.clicks, size) for column in atoms.columns]
    if 0 < int(atoms.clicks.sum()) < least:
        return None
    everything = np.arange(size + 1) < size  # the last is where -1 leads
    shown = _Shown(atoms, [everything.copy() for _ in sums])
    shown.hide([total < least for total in sums])
    # Hiding puts classes together, so that an area once safe stays so: only others are looked at again.
    unsure = [everything & (total > 0) & (total < least) for total in sums]
    while exposed := _exposed(atoms, shown, unsure):
        chosen = _beside(atoms, shown, sums, *exposed)
        if chosen is None:
            return None
        shown.hide(chosen)
    return [flags[:-1] for flags in shown.visible]


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


def _among(groups: U64, around: U64) -> tuple[I64, I64]:
    """Which atoms have a number of `groups` (ascending, none twice) around them, and its position there."""
    low = np.zeros(1 << 16, np.bool_)  # by its last bits most that have none are passed by
    low[(groups & np.uint64(0xFFFF)).astype(np.int64)] = True
    near = np.flatnonzero(low[(around & np.uint64(0xFFFF)).astype(np.int64)])
    at = np.minimum(np.searchsorted(groups, around[near]), max(groups.size - 1, 0))
    same = groups[at] == around[near]
    return near[same], at[same]


def _exposed(atoms: _Atoms, shown: _Shown, unsure: list[Flags]) -> tuple[int, I64] | None:
    """The widest level that has small areas whose clicks could be told, and these; None where there is none.

    Those that are safe are taken out of `unsure`.
    """
    around = shown.around[-1]
    for level, (column, few) in enumerate(zip(atoms.columns, unsure, strict=True)):
        if not few.any():
            continue
        hidden = np.flatnonzero(few[column])
        groups, of_group = np.unique(around[hidden], return_inverse=True)
        near, at = _among(groups, around)
        size = np.bincount(at, weights=atoms.clicks[near], minlength=groups.size)
        pairs, of_pair = np.unique(of_group.astype(np.int64) * few.size + column[hidden], return_inverse=True)
        part = np.bincount(of_pair, weights=atoms.clicks[hidden], minlength=pairs.size)
        whole, area = size[pairs // few.size], pairs % few.size
        few[area[(part < whole) & (whole >= atoms.least)]] = False
        exposed = np.flatnonzero(few)
        if exposed.size:
            return level, exposed
    return None


def _beside(
    atoms: _Atoms, shown: _Shown, sums: Sequence[I64], level: int, exposed: I64
) -> list[Flags] | None:
    """One more area to hide for each exposed one, by level; None where there is none that would help.

    That is the smallest beside it in the same wider areas. Where all beside it are hidden already, it is the
    smallest of those that set its clicks apart: a wider area that holds them, or one beside them.
    """
    column, flags = atoms.columns[level], np.zeros(sums[level].size, np.bool_)
    flags[exposed] = True
    own = np.flatnonzero(flags[column])
    own = own[np.argsort(column[own], kind="stable")]
    who = np.searchsorted(exposed, column[own])
    askers = exposed.size
    clicks, area = _smallest(atoms, shown, sums[level], level, own, who, askers)
    at_level = np.full(exposed.size, level)
    rest = np.flatnonzero((area < 0)[who])
    for wider in range(level if rest.size else 0):
        least, other = _smallest(
            atoms, shown, sums[wider], wider, own[rest], who[rest], askers, held_only=wider in atoms.crossing
        )
        better = (other >= 0) & (least < clicks)
        clicks[better], area[better], at_level[better] = least[better], other[better], wider
    if (area < 0).any():
        return None
    chosen = [np.zeros(each.size, np.bool_) for each in sums]
    for each in range(level + 1):
        chosen[each][area[at_level == each]] = True
    return chosen


def _smallest(
    atoms: _Atoms,
    shown: _Shown,
    sums: I64,
    level: int,
    own: I64,
    who: I64,
    askers: int,
    *,
    held_only: bool = False,
) -> tuple[I64, I64]:
    """Of each asker the smallest shown area of a level that holds any of its atoms, or lies beside them in the same wider areas.

    `own` are atoms and `who` their askers, ascending. The areas' clicks and numbers, by asker; number -1 where there is none.
    """
    column, visible = atoms.columns[level], shown.visible[level]
    held = visible[column[own]]
    found = np.where(held, column[own], -1).astype(np.int64)
    apart = np.flatnonzero(~held)
    if apart.size and not held_only:
        around = shown.around[level]
        groups, of_group = np.unique(around[own[apart]], return_inverse=True)
        near, at = _among(groups, around)
        there = visible[column[near]]
        near, at = near[there], at[there]
        order = np.lexsort((sums[column[near]], at))
        group, first = np.unique(at[order], return_index=True)
        least = np.full(groups.size, -1, np.int64)
        least[group] = column[near[order[first]]]
        found[apart] = least[of_group]
    size = np.where(found >= 0, sums[found], np.iinfo(np.int64).max)
    order = np.lexsort((~held, size, who))
    asker, first = np.unique(who[order], return_index=True)
    clicks, area = np.full(askers, np.iinfo(np.int64).max), np.full(askers, -1, np.int64)
    clicks[asker], area[asker] = size[order[first]], found[order[first]]
    return clicks, area
