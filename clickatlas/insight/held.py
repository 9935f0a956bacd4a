"""Counts held to a smallest number of clicks per area: one plan per filter, and all that is shown comes from it.

`suppress` says which areas may be shown. What remains of a click is then the combination of shown areas that it
lies in, its *class*: a reader may know how many clicks a class has, and nothing of where in it they are. So all clicks
of a class are moved to one place that stands for it. Tables, tiles, the surface, frames and comparisons made from
counts moved like that hold nothing that the classes' sizes don't: no further care is needed, whatever is made of them.

Which place that is, and what it is called, depends on the atlas and on what is shown, not on where the clicks were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import LEVELS, Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.places import NOWHERE, PRIVATE
from clickatlas.insight.suppress import classes, suppress

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
FINE = (Level.METRO, Level.COUNTY, Level.CITY, Level.POSTAL)  # small enough to be drawn as a spot


@dataclass(frozen=True)
class Held:
    """A plan: `shown` has a flag per area number for each level; the others an entry per place number."""

    atlas: Atlas
    least: int
    shown: Mapping[Level, Flags]
    group: I32  # the class of each place
    place: I32  # where the clicks of each place are counted: the place that stands for its class
    drawn: Flags  # whether clicks counted there may be drawn on the map

    @cached_property
    def visible(self) -> Flags:
        """A flag per area number, whatever its level."""
        result = np.zeros(len(self.atlas.areas), np.bool_)
        for flags in self.shown.values():
            result[: flags.size] |= flags[: result.size]
        return result

    def shows(self, area: int) -> bool:
        """Whether the area number may be shown."""
        return bool(self.visible[area])

    def nearest_shown(self, area: int) -> int:
        """The finest area that may be shown of `area` and those that hold it; -1 where there is none."""
        if area < 0 or self.visible[area]:
            return area
        above = [number for number in self.atlas.areas.ancestors(area) if self.visible[number]]
        return above[-1] if above else -1

    def beside(self, other: Held) -> Held:
        """What may be shown where two filters' counts stand side by side: what each of them shows."""
        shown = {level: flags & other.shown[level] for level, flags in self.shown.items()}
        return Held(
            self.atlas, max(self.least, other.least), shown, self.group, self.place, self.drawn | other.drawn
        )


def hold(atlas: Atlas, clicks: I64, least: int) -> Held | None:
    """The plan for `clicks` (one number per place); None where nothing may be shown, not even their sum.

    0.1 to 0.7 s, most of it in `suppress`.
    """
    places = atlas.places
    columns = [np.asarray(places.area[level]) for level in LEVELS]
    unplaced = np.asarray(places.unplaced)
    # Unplaced and unknown clicks are told in any answer: who subtracts them must learn nothing, either.
    marks = unplaced.astype(np.int32)
    marks[[NOWHERE, PRIVATE]] = 2
    visible = suppress(columns, clicks, least, marks, crossing=(LEVELS.index(Level.METRO),))
    if visible is None:
        return None
    group = classes(columns, visible, marks)
    size = np.bincount(group, weights=clicks)
    finest, fine = _finest(columns, visible)
    spot = _standing_for(atlas, group, finest, size > 0)
    drawn = np.zeros(group.size, np.bool_)
    # A class of fewer clicks is part of a shown area's number, and too little for a spot of its own.
    drawn[spot[size >= least]] = True
    drawn &= fine & ~unplaced
    place = spot[group]
    # Nobody clicked there: they stay where they are, and count nothing.
    place = np.where(place < 0, np.arange(group.size), place).astype(np.int32)
    return Held(atlas, least, dict(zip(LEVELS, visible, strict=True)), group, place, drawn)


def _finest(columns: list[I32], visible: list[Flags]) -> tuple[I32, Flags]:
    """Per place: the finest shown area (-1 for none), and whether it is small enough for a spot."""
    finest = np.full(columns[0].size, -1, np.int32)
    fine = np.zeros(columns[0].size, np.bool_)
    for level, column, flags in zip(LEVELS, columns, visible, strict=True):
        shown = (column >= 0) & flags[column]
        finest[shown] = column[shown]
        fine[shown] = level in FINE
    return finest, fine


def _standing_for(atlas: Atlas, group: I32, finest: I32, used: Flags) -> I32:
    """Per class in use: the place nearest to the middle of its finest shown area; -1 of other classes."""
    result = np.full(used.size, -1, np.int32)
    some = np.flatnonzero(used[group])
    areas, places, area = atlas.areas, atlas.places, finest[some]
    named = np.unique(area)
    middle = np.array(
        [(areas.lat(n), areas.lon(n)) if n >= 0 else (np.nan, np.nan) for n in named.tolist()], np.float64
    ).reshape(-1, 2)[np.searchsorted(named, area)]
    north = np.asarray(places.lat)[some] - middle[:, 0]
    east = (np.asarray(places.lon)[some] - middle[:, 1] + 180) % 360 - 180
    away = np.nan_to_num(north**2 + (east * np.cos(np.radians(middle[:, 0]))) ** 2, nan=np.inf)
    order = np.lexsort((some, away, group[some]))
    there, first = np.unique(group[some][order], return_index=True)
    result[there] = some[order][first]
    return result
