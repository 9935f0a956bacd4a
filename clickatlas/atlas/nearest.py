"""The nearest known place to a position."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from clickatlas.atlas.places import Places

EARTH_KM = 6371.0088  # mean radius, IUGG


class Nearest:
    """A search tree over all placed places; making it costs about 0.2 s."""

    def __init__(self, places: Places) -> None:
        placed = ~np.asarray(places.unplaced) & ~np.asarray(places.retired)
        self._number = np.flatnonzero(placed).astype(np.int32)
        self._tree = cKDTree(
            _unit(np.asarray(places.lat)[self._number], np.asarray(places.lon)[self._number])
        )

    def places(
        self, lat: npt.NDArray[np.float64], lon: npt.NDArray[np.float64], *, within_km: float
    ) -> npt.NDArray[np.int32]:
        """The nearest place number for each position in degrees; -1 where none is within `within_km`."""
        chord = 2 * np.sin(within_km / EARTH_KM / 2)
        distance, index = self._tree.query(_unit(lat, lon), distance_upper_bound=chord)
        found = np.isfinite(distance)
        return np.where(found, self._number[np.where(found, index, 0)], -1).astype(np.int32)


def _unit(lat: npt.NDArray[np.float64], lon: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Degrees as points on the unit sphere, where the shorter chord is the shorter way, poles included."""
    phi, theta = np.radians(lat), np.radians(lon)
    return np.column_stack((np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)))
