"""A target: where a link or a campaign is meant to be clicked, as areas, circles and drawn shapes together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import LEVELS, Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight import drawn

F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
EARTH_KM = 6371.0088  # mean radius, IUGG
Ring = tuple[float, ...]  # lng,lat,lng,lat,… without the last position, which is the first again


@dataclass(frozen=True)
class Circle:
    """All that is within `km` of a point."""

    lat: float
    lon: float
    km: float


@dataclass(frozen=True)
class Target:
    """What is in any of its parts is in the target. Hashable: answers about it can be kept.

    `polygons` are rings, the first its outside and the others holes (GeoJSON, RFC 7946, 3.1.6).
    """

    areas: tuple[str, ...] = ()
    circles: tuple[Circle, ...] = ()
    polygons: tuple[tuple[Ring, ...], ...] = ()

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Target:
        """From a document that the API has let through: `areas`, `circles`, and `shape`, a GeoJSON geometry."""
        shape = document.get("shape") or {"type": "MultiPolygon", "coordinates": []}
        polygons = [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]
        return cls(
            tuple(document.get("areas") or ()),
            tuple(Circle(each["lat"], each["lon"], each["km"]) for each in document.get("circles") or ()),
            tuple(tuple(_ring(ring) for ring in polygon) for polygon in polygons),
        )

    def numbers(self, atlas: Atlas) -> npt.NDArray[np.int64]:
        """Its areas' numbers; ids that this atlas lacks are left out."""
        found = (atlas.areas.number(area) for area in self.areas)
        return np.array([number for number in found if number is not None], np.int64)

    def members(self, atlas: Atlas, levels: Sequence[Level] = LEVELS) -> Flags:
        """Which places belong to its areas of `levels`: one entry per place number; 5 ms."""
        wanted = np.zeros(len(atlas.areas) + 1, np.bool_)
        wanted[self.numbers(atlas)] = True
        result = np.zeros(len(atlas.places), np.bool_)
        for level in levels:
            result |= wanted[np.asarray(atlas.places.area[level])]  # -1 is the last entry: never wanted
        return result

    def covers(self, lat: F64, lon: F64) -> Flags:
        """Which spots lie in its circles or polygons; those without coordinates in none."""
        lat, lon = np.asarray(lat, np.float64), np.asarray(lon, np.float64)
        result = np.zeros(len(lat), np.bool_)
        for circle in self.circles:
            result |= away(lat, lon, circle.lat, circle.lon) <= circle.km
        for rings in self.polygons:
            filled = np.zeros(len(lat), np.bool_)
            for ring in rings:  # even-odd: a hole takes away
                filled ^= drawn.inside(lat, lon, [ring])
            result |= filled
        return result


def away(lat: F64, lon: F64, from_lat: float, from_lon: float) -> F64:
    """Great-circle distance in km (haversine); NaN without coordinates."""
    phi, other = np.radians(lat), np.radians(from_lat)
    across = np.sin(np.radians(lon - from_lon) / 2) ** 2
    chord = np.sin((phi - other) / 2) ** 2 + np.cos(phi) * np.cos(other) * across
    return np.asarray(2 * EARTH_KM * np.arcsin(np.sqrt(np.minimum(chord, 1.0))))


def _ring(positions: Sequence[Sequence[float]]) -> Ring:
    return tuple(float(degrees) for position in positions[:-1] for degrees in position[:2])
