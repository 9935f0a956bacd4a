"""Periods of whole UTC days: a range of days as few blocks of days, parts of months, months and years.

A day is its number since 1970-01-01. A part is a quarter of a month: from the 1st, 9th, 17th and 25th.
Every part lies in one month and every month in one year, so blocks can also be taken away again: all of
March but the 30th is a month less a day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from enum import IntEnum
from typing import NamedTuple

DAY_MS = 86_400_000
SHORTEST_DAY_MS = 20 * 3_600_000  # when clocks are put forward
QUARTER_MS = 900_000  # every zone in use today is whole quarter hours away from UTC
_EPOCH = date(1970, 1, 1)
_PARTS = (1, 9, 17, 25)


class Level(IntEnum):
    """How long a rollup's period is."""

    DAY = 0
    PART = 1
    MONTH = 2
    YEAR = 3
    QUARTER = 4  # a quarter of an hour, numbered since 1970


class Block(NamedTuple):
    """Periods of one level that begin at `begin` and later, before `end`; added (1) or taken away (-1)."""

    sign: int
    level: Level
    begin: int
    end: int


Blocks = list[Block]
Cost = Callable[[Level, int], float]
EVERY_LEVEL = (Level.DAY, Level.PART, Level.MONTH, Level.YEAR)
COARSE_LEVELS = (Level.DAY, Level.MONTH, Level.YEAR)


def first_day(level: Level, day: int) -> int:
    """The first day of the period that `day` lies in."""
    at = _EPOCH + timedelta(days=day)
    match level:
        case Level.PART:
            at = at.replace(day=_PARTS[min((at.day - 1) // 8, 3)])
        case Level.MONTH:
            at = at.replace(day=1)
        case Level.YEAR:
            at = at.replace(month=1, day=1)
    return (at - _EPOCH).days


def next_day(level: Level, first: int) -> int:
    """The first day behind the period that begins on `first`."""
    longest = {Level.DAY: 1, Level.PART: 8, Level.MONTH: 31, Level.YEAR: 366}[level]
    behind = first_day(level, first + longest)
    # The last part of a month has 4 to 7 days: 8 days on is inside the next one.
    return behind if behind > first else first + longest


def _each(_level: Level, _first: int) -> float:
    return 1.0


def cover(begin: int, end: int, levels: tuple[Level, ...] = EVERY_LEVEL, cost: Cost = _each) -> Blocks:
    """The days from `begin` to before `end`, as blocks of `levels` that cost least: as few as there can be by default.

    `cost` says what it takes to read the period of a level that begins on a day.
    """
    found: list[tuple[int, Level, int]] = []
    at = first_day(levels[-1], begin)
    while at < end:
        behind = next_day(levels[-1], at)
        found += _inside(len(levels) - 1, at, max(begin, at), min(end, behind), levels, cost)
        at = behind
    return _joined(found)


def _inside(
    depth: int, first: int, begin: int, end: int, levels: tuple[Level, ...], cost: Cost
) -> list[tuple[int, Level, int]]:
    """Periods for [begin, end) within the period of level number `depth` that begins on `first`."""
    level, behind = levels[depth], next_day(levels[depth], first)
    if begin >= end:
        return []
    if begin == first and end == behind:
        return [(1, level, first)]
    added = _children(depth, first, begin, end, levels, cost)
    taken = [
        *_children(depth, first, first, begin, levels, cost),
        *_children(depth, first, end, behind, levels, cost),
    ]
    less = cost(level, first) + sum(cost(finer, at) for _, finer, at in taken)
    if less < sum(cost(finer, at) for _, finer, at in added):
        return [(1, level, first), *((-sign, finer, at) for sign, finer, at in taken)]
    return added


def _children(
    depth: int, first: int, begin: int, end: int, levels: tuple[Level, ...], cost: Cost
) -> list[tuple[int, Level, int]]:
    found: list[tuple[int, Level, int]] = []
    at = first_day(levels[depth - 1], begin)
    while at < end:
        behind = next_day(levels[depth - 1], at)
        found += _inside(depth - 1, at, max(begin, at), min(end, behind), levels, cost)
        at = behind
    return found


def _joined(periods: list[tuple[int, Level, int]]) -> Blocks:
    blocks: Blocks = []
    for sign, level, first in sorted(periods):
        behind = next_day(level, first)
        if blocks and blocks[-1][:2] == (sign, level) and blocks[-1].end == first:
            blocks[-1] = Block(sign, level, blocks[-1].begin, behind)
        else:
            blocks.append(Block(sign, level, first, behind))
    return blocks


def netted(ranges: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """(times, begin, end) added up: nothing overlaps, what is both added and taken away is left out."""
    steps: dict[int, int] = {}
    for sign, start, stop in ranges:
        if start < stop:
            steps[start] = steps.get(start, 0) + sign
            steps[stop] = steps.get(stop, 0) - sign
    joined: list[tuple[int, int, int]] = []
    times, begin = 0, 0
    for at in sorted(at for at, step in steps.items() if step):
        if times:
            joined.append((times, begin, at))
        times, begin = times + steps[at], at
    return joined
