"""The order of a table's areas, and which of them a search keeps: for all rows, not only those that are shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Areas, Level, fold
from clickatlas.insight.areas import AreaCounts, measured
from clickatlas.insight.measures import Expectation


class Sort(StrEnum):
    """What a table can be sorted by."""

    CLICKS = "clicks"
    RATE = "rate"
    INDEX = "index"
    NAME = "name"


@dataclass(frozen=True)
class Arrangement:
    """Which rows, in which order. `ascending` None: names from A, numbers from the largest."""

    sort: Sort = Sort.CLICKS
    ascending: bool | None = None
    search: str = ""


def arranged(table: AreaCounts, expectation: Expectation, how: Arrangement) -> AreaCounts:
    """The table's areas as asked for; a name costs about 2 µs, so all postal codes of the world 0.2 s.

    Equals stand by clicks, most first. What has no rate or index comes last in either order. A search keeps
    areas whose name holds the text, whatever its case and accents; of postal codes also the city's name.
    """
    areas = expectation.atlas.areas
    if wanted := fold(how.search):
        kept = np.array([wanted in _text(areas, n, table.level) for n in table.area.tolist()], np.bool_)
        table = replace(table, area=table.area[kept], clicks=table.clicks[kept])
    if how.sort is Sort.CLICKS and not how.ascending:
        return table
    ascending = how.sort is Sort.NAME if how.ascending is None else how.ascending
    value = _values(table, expectation, how.sort)
    order = np.lexsort((table.area, -table.clicks, value if ascending else -value))
    return replace(table, area=table.area[order], clicks=table.clicks[order])


def _values(table: AreaCounts, expectation: Expectation, sort: Sort) -> npt.NDArray[np.float64]:
    """A number per area that sorts as asked; lexsort puts NaN last, negated or not."""
    if sort is Sort.CLICKS:
        return table.clicks.astype(np.float64)
    if sort is Sort.NAME:
        areas = expectation.atlas.areas
        names = np.array([fold(areas.name(number)) for number in table.area.tolist()], np.str_)
        return np.unique(names, return_inverse=True)[1].astype(np.float64)
    figures = measured(table, expectation)
    return figures.rate if sort is Sort.RATE else figures.index


def _text(areas: Areas, number: int, level: Level) -> str:
    text = fold(areas.name(number))
    if level is Level.POSTAL and (city := areas.above(number, Level.CITY)) >= 0:
        text += f"\n{fold(areas.name(city))}"
    return text
