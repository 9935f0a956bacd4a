"""Patches of an atlas, told to the store: places of one region, one clock and one square of the map."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from zoneinfo import ZoneInfo

import numpy as np

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.mercator import mercator
from clickatlas.clicks.store import Patches
from clickatlas.insight.heat import morton
from clickatlas.insight.rhythm import clocks

DEPTH = 7  # squares of 2^-7 of the world: 300 km at the equator
QUARTER_HOUR = timedelta(minutes=15)
FIRST_YEAR, LAST_YEAR = 2010, 2039  # in which clocks are looked up


def patches(atlas: Atlas) -> Patches:
    """Patches of all places; takes a third of a second."""
    places, areas = atlas.places, atlas.areas
    zone = clocks(places).astype(np.int64)
    placed = ~np.asarray(places.unplaced)
    square = np.full(len(places), -1, np.int64)
    square[placed] = morton(*mercator(places.lat[placed], places.lon[placed]), DEPTH)
    region, country = (np.asarray(places.area[level], np.int64) for level in (Level.REGION, Level.COUNTRY))
    area = np.where(region >= 0, region, country)
    width, height = len(places.zones) + 1, 1 << (2 * DEPTH) | 1
    rows, index = np.unique(((area + 1) * width + zone + 1) * height + square + 1, return_inverse=True)
    labels = np.empty(len(rows), np.uint64)
    for number, row in enumerate(rows.tolist()):
        within, at = divmod(row, height)
        of, clock = divmod(within, width)
        text = f"{areas.id(of - 1) if of else ''}|{places.zones[clock - 1] if clock else ''}|{at}"
        labels[number] = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") or 1
    of_zone = np.array([*steps(tuple(places.zones)), 4], np.int32)  # the last: of places without a zone
    return Patches(np.asarray(places.key), labels[index], of_zone[zone])


@lru_cache(maxsize=4)
def steps(zones: tuple[str, ...]) -> tuple[int, ...]:
    """How many quarters of an hour lie at least between two moments when clocks of a zone may strike the hour: 4, 2, 1.

    Clocks are looked at on the first of each month.
    """
    months = range(1, 13)
    days = [
        datetime(year, month, 1, tzinfo=UTC) for year in range(FIRST_YEAR, LAST_YEAR + 1) for month in months
    ]
    found = []
    for name in zones:
        clock = ZoneInfo(name)
        ahead = {day.astimezone(clock).utcoffset() or timedelta() for day in days}
        whole = (each for each in (4, 2, 1) if not any(one % (each * QUARTER_HOUR) for one in ahead))
        found.append(next(whole, 1))
    return tuple(found)
