"""Periods of whole UTC days: a range of days as few blocks of days, parts of months, months and years.

A day is its number since 1970-01-01. A part is a quarter of a month: from the 1st, 9th, 17th and 25th.
Every part lies in one month and every month in one year, so blocks can also be taken away again: all of
March but the 30th is a month less a day.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import IntEnum
from typing import NamedTuple

DAY_MS = 86_400_000
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


def cover(begin: int, end: int, levels: tuple[Level, ...] = EVERY_LEVEL) -> Blocks:
    """The days from `begin` to before `end`, as blocks of as few periods of `levels` as there can be."""
    found: list[tuple[int, Level, int]] = []
    at = first_day(levels[-1], begin)
    while at < end:
        behind = next_day(levels[-1], at)
        found += _inside(len(levels) - 1, at, max(begin, at), min(end, behind), levels)
        at = behind
    return _joined(found)


def _inside(
    depth: int, first: int, begin: int, end: int, levels: tuple[Level, ...]
) -> list[tuple[int, Level, int]]:
    """Periods for [begin, end) within the period of level number `depth` that begins on `first`."""
    level, behind = levels[depth], next_day(levels[depth], first)
    if begin >= end:
        return []
    if begin == first and end == behind:
        return [(1, level, first)]
    added = _children(depth, first, begin, end, levels)
    taken = [*_children(depth, first, first, begin, levels), *_children(depth, first, end, behind, levels)]
    if len(taken) + 1 < len(added):
        return [(1, level, first), *((-sign, finer, at) for sign, finer, at in taken)]
    return added


def _children(
    depth: int, first: int, begin: int, end: int, levels: tuple[Level, ...]
) -> list[tuple[int, Level, int]]:
    found: list[tuple[int, Level, int]] = []
    at = first_day(levels[depth - 1], begin)
    while at < end:
        behind = next_day(levels[depth - 1], at)
        found += _inside(depth - 1, at, max(begin, at), min(end, behind), levels)
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
