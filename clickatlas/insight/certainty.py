"""How sure it is that clicks come from inside a target, given how roughly their places are known.

The database gives each place an accuracy radius: 67 % of its visitors are within (MaxMind, "Geolocation accuracy").
So a visitor's true position is taken as a circular normal distribution around the place with that radius as its 67 %
quantile, σ = r / sqrt(-2 ln 0.33), and a place's chance to be inside is the part of that which the target covers, by
`SAMPLES` points of equal weight (a Vogel spiral: Vogel 1979, Mathematical Biosciences 44; 2 % at most from the exact share).

- In circles and drawn shapes area counts: each point lies inside or not.
- Areas have no outline here, but places, and people: a point stands for the residents of the cell around it, and the
  chance is the share of residents that belong to the target (the posterior where the prior is who lives there).
- A country is known from who holds the address, not from the position: inside is inside, whatever the radius.
- An unplaced click is known to a country, perhaps a region: inside where all of that is targeted, outside where none of
  it is, and not told (NaN) otherwise.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import LEVELS, Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.target import EARTH_KM, Target, away

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

QUANTILE = float(np.sqrt(-2 * np.log(0.33)))  # the radius in σ
SAMPLES = 48
_STEP = np.arange(SAMPLES) + 0.5
_FAR = np.sqrt(-2 * np.log(1 - _STEP / SAMPLES)) / QUANTILE  # in radii
_TURN = _STEP * np.pi * (3 - np.sqrt(5))
NORTH, EAST = _FAR * np.cos(_TURN), _FAR * np.sin(_TURN)
REACH = float(_FAR.max())  # radii that the points go out: 2.03
DEGREE_KM = EARTH_KM * np.pi / 180
_BLOCK = np.array([(north, east) for north in (-1, 0, 1) for east in (-1, 0, 1)], np.float64)
WIDTH = 1 << 20  # more than cells around the world
FINEST_KM = 1.0


def certainty(atlas: Atlas, target: Target) -> F32:
    """The chance that a click of each place comes from inside: one entry per place number, NaN where it isn't told.

    It depends on the atlas and the target alone and may be kept; 0.1 s for a state, 0.2 s for a continent drawn by hand.
    """
    places = atlas.places
    unplaced = np.asarray(places.unplaced)
    countries = target.members(atlas, (Level.COUNTRY,))
    result = countries.astype(np.float32)
    partly = target.members(atlas, LEVELS[1:]) & ~countries
    if partly.any():
        result = np.maximum(result, _of_areas(atlas, partly, ~countries & ~unplaced))
    if target.circles or target.polygons:
        open_ = np.flatnonzero(~countries & ~unplaced)
        drawn = _of_shapes(atlas, target, open_)
        result[open_] = np.maximum(result[open_], drawn)
    return _unplaced(atlas, result, partly, countries)


def _of_areas(atlas: Atlas, member: Flags, asked: Flags) -> F32:
    """Of places near places of both sorts the share of residents around; of others what they are themselves."""
    places = atlas.places
    result = (member & asked).astype(np.float32)
    country = np.asarray(places.area[Level.COUNTRY], np.int64)
    there = np.unique(country[member & asked])
    use = np.flatnonzero(asked & np.isin(country, there))
    lat, lon = np.asarray(places.lat)[use], np.asarray(places.lon)[use]
    margin = _beyond(lat, lon, member[use])
    people = np.maximum(np.asarray(places.population, np.float64)[use], 1.0)
    inside, home = member[use], (country[use] + 1) * (WIDTH * WIDTH)
    radius = np.maximum(np.asarray(places.radius, np.float64)[use], FINEST_KM)
    found = result[use]
    for km in np.unique(radius).tolist():
        wide = km * REACH
        mine = np.flatnonzero((radius == km) & (margin <= 2 * wide))
        close = np.flatnonzero(margin <= 4 * wide)
        table = _Residents(home[close] + _cell(lat[close], lon[close], wide), people[close], inside[close])
        around = np.zeros(len(mine)), np.zeros(len(mine))
        for north, east in _BLOCK * wide:
            at = home[mine] + _cell(*_moved(lat[mine], lon[mine], north, east), wide)
            for total, more in zip(around, table.at(at), strict=True):
                total += more
        mixed = mine[(around[0] > 0) & (around[0] < around[1])]
        if not len(mixed):
            continue
        small = max(FINEST_KM, km / 3)
        table = _Residents(home[close] + _cell(lat[close], lon[close], small), people[close], inside[close])
        targeted, everybody = np.zeros(len(mixed)), np.zeros(len(mixed))
        for north, east in zip(NORTH * km, EAST * km, strict=True):
            at = home[mixed] + _cell(*_moved(lat[mixed], lon[mixed], north, east), small)
            some, all_ = table.at(at)
            targeted += some
            everybody += all_
        known = everybody > 0  # nobody lives where the points fell: it stays with its own area
        found[mixed[known]] = targeted[known] / everybody[known]
    result[use] = found
    return result


def _beyond(lat: F64, lon: F64, member: Flags) -> F64:
    """How far (km, at least) each spot lies beyond the box around the members; 0 within."""
    south, north = lat[member].min(), lat[member].max()
    west, east = lon[member].min(), lon[member].max()
    apart = np.maximum(np.maximum(south - lat, lat - north), 0.0) * DEGREE_KM
    aside = np.maximum(np.maximum(west - lon, lon - east), 0.0)
    aside = np.minimum(aside, np.minimum((west - lon) % 360, (lon - east) % 360))  # around the world
    narrowest = np.cos(np.radians(np.clip(np.abs(lat) + apart / DEGREE_KM, 0, 90)))
    return np.asarray(np.maximum(apart, aside * DEGREE_KM * narrowest))


class _Residents:
    """Residents by cell, those of the target and all."""

    def __init__(self, cell: I64, people: F64, inside: Flags) -> None:
        self._cell, index = np.unique(cell, return_inverse=True)
        self._all = np.bincount(index, weights=people)
        self._some = np.where(
            (other := np.bincount(index, weights=people * ~inside)) > 0,
            np.bincount(index, weights=people * inside),
            self._all,
        )
        self._some[other == self._all] = 0.0

    def at(self, cell: I64) -> tuple[F64, F64]:
        """(of the target, all) in each of the cells."""
        index = np.minimum(np.searchsorted(self._cell, cell), len(self._cell) - 1)
        known = self._cell[index] == cell
        return np.where(known, self._some[index], 0.0), np.where(known, self._all[index], 0.0)


def _of_shapes(atlas: Atlas, target: Target, use: I64) -> F32:
    """Share of each place's points that lie in circles or polygons; far from every border, its own spot's."""
    places = atlas.places
    lat, lon = np.asarray(places.lat)[use], np.asarray(places.lon)[use]
    radius = np.maximum(np.asarray(places.radius, np.float64)[use], FINEST_KM)
    result = target.covers(lat, lon).astype(np.float32)
    near = np.zeros(len(use), np.bool_)
    for circle in target.circles:
        near |= np.abs(away(lat, lon, circle.lat, circle.lon) - circle.km) <= radius * REACH
    for km in np.unique(radius).tolist() if target.polygons else ():
        mine = np.flatnonzero((radius == km) & ~near)
        wide = km * REACH
        border = np.unique(_cell(*_border(target, wide), wide))
        found = np.zeros(len(mine), np.bool_)
        for north, east in _BLOCK * wide:
            at = _cell(*_moved(lat[mine], lon[mine], north, east), wide)
            found |= border[np.minimum(np.searchsorted(border, at), len(border) - 1)] == at
        near[mine[found]] = True
    some = np.flatnonzero(near)
    if len(some):
        spots = _moved(
            lat[some, None], lon[some, None], NORTH * radius[some, None], EAST * radius[some, None]
        )
        covered = target.covers(spots[0].ravel(), spots[1].ravel())
        result[some] = covered.reshape(len(some), SAMPLES).mean(axis=1)
    return result


def _border(target: Target, step: float) -> tuple[F64, F64]:
    """Spots along all rings, half a `step` (km) apart or closer."""
    lats, lons = [], []
    for ring in (ring for rings in target.polygons for ring in rings):
        lon, lat = np.array(ring[::2]), np.array(ring[1::2])
        next_lat, next_lon = np.roll(lat, -1), np.roll(lon, -1)
        length = np.hypot(next_lat - lat, next_lon - lon) * DEGREE_KM  # an upper bound
        parts = np.ceil(2 * length / step).astype(np.int64) + 1
        side = np.repeat(np.arange(len(lat)), parts)
        along = (np.arange(len(side)) - np.repeat(np.cumsum(parts) - parts, parts)) / parts[side]
        lats.append(lat[side] + along * (next_lat - lat)[side])
        lons.append(lon[side] + along * (next_lon - lon)[side])
    return np.concatenate(lats), np.concatenate(lons)


def _cell(lat: F64, lon: F64, km: float) -> I64:
    """The cell of a sinusoidal grid (equal areas of km x km) that each spot lies in."""
    row = np.floor((lat + 90) * (DEGREE_KM / km))
    middle = np.radians(np.clip((row + 0.5) * (km / DEGREE_KM) - 90, -90, 90))
    column = np.floor((lon + 180) % 360 * np.cos(middle) * (DEGREE_KM / km))
    return np.asarray(row.astype(np.int64) * WIDTH + column.astype(np.int64))


def _moved(lat: F64, lon: F64, north: float | F64, east: float | F64) -> tuple[F64, F64]:
    """Spots moved by km; over a pole they stay at it."""
    moved = np.clip(lat + north / DEGREE_KM, -90, 90)
    wide = np.maximum(np.cos(np.radians(moved)), 0.01)
    return moved, (lon + east / (DEGREE_KM * wide) + 180) % 360 - 180


def _unplaced(atlas: Atlas, chance: F32, partly: Flags, countries: Flags) -> F32:
    """Clicks known to a country or region at best: told where all or nothing of it is targeted."""
    places = atlas.places
    unplaced = np.asarray(places.unplaced)
    touched = (chance > 0) & ~unplaced
    known = countries.copy()
    for level in (Level.REGION, Level.COUNTRY):
        area = np.asarray(places.area[level])
        some = np.zeros(len(atlas.areas) + 1, np.bool_)
        some[area[touched & (area >= 0)]] = True
        if level is Level.REGION:
            whole = unplaced & partly & (area >= 0)  # its region is in the target
            known |= whole | (unplaced & (area >= 0) & ~some[area])
        else:
            known |= unplaced & (area >= 0) & ~some[area]
    result = chance.copy()
    result[unplaced & partly] = 1.0
    result[unplaced & ~known] = np.nan
    return result
