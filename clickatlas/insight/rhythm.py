"""Rhythm: at which hours of which weekdays people click, by the reader's clock or by that of each place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import Level
from clickatlas.atlas.places import Places

Integers = npt.NDArray[np.int64]
QUARTER, HOUR, DAY = 900_000, 3_600_000, 86_400_000  # ms
SATURDAY = 5  # days after a Monday
MONDAY = 3  # days from 1970-01-01, a Thursday, back to a Monday
MOSTLY = 0.9
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_YEAR, LAST_YEAR = 2, 9998  # a day beyond these a calendar ends


def weekly(times: Integers, clicks: Integers, zone: str) -> Integers:
    """Clicks by local weekday and hour: 7 rows from Monday on, of 24 hours each.

    `times` are ms UTC and `clicks` belong to the quarter hours that begin there: all zones in use today
    are whole quarters away from UTC, so that a quarter hour lies in one local hour.
    """
    local = times + offsets(times, zone)
    cell = (local // DAY + MONDAY) % 7 * 24 + local % DAY // HOUR
    return np.bincount(cell, weights=clicks, minlength=168).astype(np.int64).reshape(7, 24)


def quarter_hours(first: int, last: int) -> Integers:
    """Edges (ms UTC) of whole quarter hours around the clicks from `first` to `last`.

    They go on to the next whole day, so that the question stays the same while clicks come in.
    """
    return np.arange(first // QUARTER * QUARTER, last + 96 * QUARTER, QUARTER, dtype=np.int64)


def spans(clicks: Integers, least: int) -> Integers:
    """Spans of steps with `least` clicks or more in each: rows of (first step, last step, clicks), ascending.

    Steps with clicks are gathered, from the first on, until there are enough (microaggregation). Where there are
    fewer than `least` in all, they are one span.
    """
    some = np.flatnonzero(clicks)
    total = np.cumsum(clicks[some])
    found, begin, before = list[tuple[int, int, int]](), 0, 0
    while begin < len(some):
        end = int(np.searchsorted(total, before + least)) + 1
        if end > len(some) or total[-1] - total[end - 1] < least:  # nor may what is left over be few
            end = len(some)
        found.append((int(some[begin]), int(some[end - 1]), int(total[end - 1]) - before))
        begin, before = end, int(total[end - 1])
    return np.array(found, np.int64).reshape(-1, 3)


def blurred(clicks: Integers, least: int) -> Integers:
    """Clicks per step of time, those of each of `spans` spread evenly over it: no single one is told."""
    result = np.zeros_like(clicks)
    for first, last, number in spans(clicks, least).tolist():
        steps = last - first + 1
        result[first : last + 1] = np.diff(number * np.arange(steps + 1) // steps)
    return result


def offsets(times: Integers, zone: str) -> Integers:
    """How many ms local clocks are ahead of UTC at each of `times` (ms UTC).

    Offsets at midnight UTC are looked up once per zone and year (0.4 ms) and hold for the whole day where
    midnight and the next agree; only on the other days, those of a change of clocks, each time is looked up.
    """
    if not len(times):
        return np.zeros(0, np.int64)
    day = times // DAY
    distinct, index = np.unique(day, return_inverse=True)
    begin, after = _midnights(distinct, zone), _midnights(distinct + 1, zone)
    result = begin[index]
    changing = np.flatnonzero((begin != after)[index])
    if len(changing):
        info = ZoneInfo(zone)
        moments, which = np.unique(times[changing], return_inverse=True)
        result[changing] = np.array([_offset(moment, info) for moment in moments.tolist()], np.int64)[which]
    return result


def alike(zones: Sequence[str], first: int, last: int) -> npt.NDArray[np.int32]:
    """Of each zone the number of the first whose clock says the same from `first` to `last` (ms UTC): most do."""
    return _alike(tuple(zones), first // DAY, last // DAY)


@lru_cache(maxsize=16)
def _alike(zones: tuple[str, ...], first: int, last: int) -> npt.NDArray[np.int32]:
    days = np.arange(first, last + 2, dtype=np.int64)
    known: dict[bytes, int] = {}
    found = np.empty(len(zones), np.int32)
    for number, zone in enumerate(zones):
        ahead = _midnights(days, zone)
        changes = days[:-1][ahead[:-1] != ahead[1:]].tolist()
        told = b"".join([ahead.tobytes(), *(_changing(zone, day).tobytes() for day in changes)])
        found[number] = known.setdefault(told, number)
    return found


def turns(zones: Sequence[str], first: int, last: int) -> Integers:
    """When weekends begin and end by any of these clocks, between `first` and `last` (ms UTC), ascending."""
    found = [of for zone in zones for of in _weekends(zone, first // DAY, last // DAY)]
    moments = np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)
    return np.asarray(moments[(moments > first) & (moments < last)])


@lru_cache(maxsize=4096)
def _weekends(zone: str, first: int, last: int) -> tuple[Integers, Integers]:
    """Beginnings and ends (ms UTC) of the weekends around these days."""
    days = np.arange(first - 8, last + 9, dtype=np.int64)
    saturday = days[(days + MONDAY) % 7 == SATURDAY]
    begin, end = (
        # Looked up twice: the first time may be on the other side of a change of clocks.
        day * DAY - offsets(day * DAY - offsets(day * DAY, zone), zone)
        for day in (saturday, saturday + 2)
    )
    return begin, end


def on_weekend(
    edges: Integers, buckets: npt.NDArray[np.integer], zone: npt.NDArray[np.integer], zones: Sequence[str]
) -> npt.NDArray[np.bool_]:
    """Whether buckets (between `edges`, cut at all `turns`) are of a Saturday or Sunday by these clocks, numbers in `zones`."""
    middle = (edges[:-1] + edges[1:]) // 2
    table = np.zeros((len(zones) + 1, len(middle)), np.bool_)
    for number in np.unique(zone[zone >= 0]).tolist():
        begin, end = _weekends(zones[number], int(edges[0]) // DAY, int(edges[-1]) // DAY)
        table[number] = np.searchsorted(begin, middle, "right") > np.searchsorted(end, middle, "right")
    return np.asarray(table[zone, buckets])


@lru_cache(maxsize=4096)
def _changing(zone: str, day: int) -> Integers:
    """Offsets at the quarter hours of a day on which clocks change."""
    return offsets(day * DAY + np.arange(DAY // QUARTER, dtype=np.int64) * QUARTER, zone)


def _midnights(days: Integers, zone: str) -> Integers:
    """Offsets at the beginning of days since 1970, UTC."""
    first, last = (datetime(year, 1, 1, tzinfo=UTC) for year in (FIRST_YEAR, LAST_YEAR))
    days = np.clip(days, (first - EPOCH).days, (last - EPOCH).days)
    years = days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    result = np.empty(len(days), np.int64)
    for year in np.unique(years).tolist():
        mine = years == year
        table, begin = _year(zone, year)
        result[mine] = table[days[mine] - begin]
    return result


@lru_cache(maxsize=4096)
def _year(zone: str, year: int) -> tuple[Integers, int]:
    """Offsets at all midnights UTC of a year, and the first of these as days since 1970."""
    begin = (datetime(year, 1, 1, tzinfo=UTC) - EPOCH).days
    end = (datetime(year + 1, 1, 1, tzinfo=UTC) - EPOCH).days
    info = ZoneInfo(zone)
    return np.array([_offset(day * DAY, info) for day in range(begin, end)], np.int64), begin


def _offset(moment: int, zone: ZoneInfo) -> int:
    ahead = datetime.fromtimestamp(moment / 1000, zone).utcoffset()
    assert ahead is not None
    return ahead // timedelta(milliseconds=1)


def clocks(places: Places) -> npt.NDArray[np.int32]:
    """The zone by whose clock each place lives: an index into `places.zones`, -1 where it can't be told.

    A click known to a country only has that country's clock where nine in ten of its residents share one:
    for the United States the database names the zone of its middle, which tells nothing of the visitor.
    """
    zone = np.asarray(places.zone, np.int64)
    country = np.asarray(places.area[Level.COUNTRY], np.int64)
    placed = ~np.asarray(places.unplaced) & (country >= 0) & (zone >= 0)
    width = len(places.zones)
    people = np.maximum(np.nan_to_num(places.population), 1.0)
    size = int(country.max(initial=-1)) + 1
    living = np.bincount(country[placed], weights=people[placed], minlength=size)
    pair, index = np.unique(country[placed] * width + zone[placed], return_inverse=True)
    sharing = np.bincount(index, weights=people[placed], minlength=len(pair))
    shared = pair[sharing >= MOSTLY * living[pair // width]]
    vague = np.asarray(places.unplaced) & (np.asarray(places.area[Level.REGION]) < 0)
    told = ~vague | np.isin(country * width + zone, shared)
    # A country without any placed place has only its own answer to go by.
    told |= vague & (country >= 0) & (living[country] == 0)
    return np.where(told, zone, -1).astype(np.int32)
