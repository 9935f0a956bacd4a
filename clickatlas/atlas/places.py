"""Places: the finest spots that the City database tells apart, with the areas that each belongs to."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import LEVELS, Level
from clickatlas.atlas.files import load

NOWHERE = 0  # place number: a public address that the database does not know
PRIVATE = 1  # place number: private, loopback, link-local, carrier-grade NAT, reserved
UNPLACED_RADIUS = 500  # km: from here on an answer is a country's or a region's, whatever else it says


class Places:
    """Arrays with one row per place number, memory-mapped. Numbers are good for one atlas; keys for ever."""

    key: npt.NDArray[np.uint64]  # made from the content: the same in every build that knows the place
    lat: npt.NDArray[np.float64]  # degrees, NaN where not known
    lon: npt.NDArray[np.float64]
    radius: npt.NDArray[np.uint16]  # km, 0 where the database does not say
    unplaced: npt.NDArray[np.bool_]  # counted in its country's or region's table, never drawn as a point
    retired: npt.NDArray[np.bool_]  # known to an atlas before this one only: no address leads here any more
    zone: npt.NDArray[np.int16]  # into `zones`, -1 where not known
    population: npt.NDArray[np.float32]  # people for whom the place stands; see population.py
    addresses: npt.NDArray[np.float64]  # IPv4 addresses plus IPv6 /48s that lead here
    area: Mapping[Level, npt.NDArray[np.int32]]  # area number at each level, -1 where not known

    def __init__(self, folder: Path, zones: list[str]) -> None:
        self.zones = zones  # IANA names
        for name in ("key", "lat", "lon", "radius", "unplaced", "retired", "zone", "population", "addresses"):
            setattr(self, name, load(folder, f"place_{name}"))
        self.area = MappingProxyType({level: load(folder, f"place_{level}") for level in LEVELS})
        self._sorted, self._order = load(folder, "key_sorted"), load(folder, "key_order")

    def __len__(self) -> int:
        return int(self.key.size)

    def number_of(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        """Place numbers of `keys` (any shape), -1 where this atlas has no such place."""
        at = np.minimum(np.searchsorted(self._sorted, keys), self._sorted.size - 1)
        return np.where(self._sorted[at] == keys, self._order[at], np.int32(-1)).astype(np.int32)

    @property
    def by_key(self) -> npt.NDArray[np.int32]:
        """Place numbers in the order of their keys."""
        return self._order

    def areas_of(self, number: int) -> dict[Level, int]:
        """The areas that a place belongs to, the widest first; levels not known are left out."""
        return {level: int(column[number]) for level, column in self.area.items() if column[number] >= 0}


def is_unplaced(
    city: npt.NDArray[Any], postal: npt.NDArray[Any], radius: npt.NDArray[Any], lat: npt.NDArray[Any]
) -> npt.NDArray[np.bool_]:
    """The rule, in one place: which answers are no spot on the map.

    `city` and `postal` say whether these are known. Unplaced is an answer with neither of the two (a
    country's or region's default centroid, the Kansas farm among them), or with a radius of 500 km or more,
    or without coordinates.
    """
    return np.asarray(~(city | postal) | (radius >= UNPLACED_RADIUS) | np.isnan(lat), dtype=bool)
