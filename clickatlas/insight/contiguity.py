"""Which areas lie beside each other.

The atlas has no outlines, only where the people of an area are, so neighbours are those of the Gabriel graph of these spots:
two areas are neighbours if no third lies in the circle that has both on its diameter (Gabriel and Sokal, "A new
statistical approach to geographic variation analysis", Systematic Zoology 18, 1969; Matula and Sokal, Geographical
Analysis 12, 1980). It is found among the edges of the Delaunay triangulation on the sphere, so that the
date line is no border. Edges that are too long for the level are dropped: Hawaii has no neighbour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import ConvexHull, cKDTree

from clickatlas.atlas.areas import LEVELS, Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.measures import Residents

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

EARTH = 6371.0  # km
# km: areas of a level that are farther apart aren't neighbours, whatever lies between
FARTHEST: Mapping[Level, float] = MappingProxyType(
    {
        Level.COUNTRY: 3000.0,
        Level.REGION: 1200.0,
        Level.METRO: 350.0,
        Level.COUNTY: 200.0,
        Level.CITY: 60.0,
        Level.POSTAL: 60.0,
    }
)
FEW = 32  # spots that are compared each with each: Qhull wants four that don't lie in one plane


@dataclass(frozen=True)
class Contiguity:
    """The areas of a level where people live, and which of them are neighbours."""

    area: I32  # area numbers, ascending; everything else goes by position in here
    spot: F64  # (areas, 3): unit vectors
    first: I32  # (edges,): each edge once, first < second
    second: I32

    @classmethod
    def of(cls, atlas: Atlas, level: Level, residents: Residents | None = None) -> Contiguity:
        """Of an atlas; keep it, as it takes 0.05 s for counties and 1 s for postal codes."""
        residents = residents or Residents.of(atlas)
        column = np.asarray(atlas.places.area[level])
        people = np.bincount(column + 1, residents.place, minlength=len(atlas.areas) + 1)[1:]
        known = ~np.isnan(residents.population) if level in (Level.COUNTRY, Level.REGION) else people > 0
        of_level = np.asarray(atlas.areas.levels()) == LEVELS.index(level)
        area = np.flatnonzero(of_level & (known | (people > 0))).astype(np.int32)
        lat, lon = spots(atlas, area)
        told = ~np.isnan(lat)
        return cls.among(area[told], lat[told], lon[told], FARTHEST[level])

    @classmethod
    def among(cls, area: I32, lat: F64, lon: F64, farthest: float = np.inf) -> Contiguity:
        """Of spots in degrees; edges longer than `farthest` km are dropped."""
        spot = vectors(lat, lon)
        first, second = gabriel(spot)
        if np.isfinite(farthest) and first.size:
            near = kilometres(spot[first], spot[second]) <= farthest
            first, second = first[near], second[near]
        return cls(area, spot, first, second)

    def matrix(self, *, itself: bool = False) -> sparse.csr_array:
        """Binary weights, (areas, areas); with `itself` each area is its own neighbour, too."""
        n = self.area.size
        rows, columns = np.concatenate((self.first, self.second)), np.concatenate((self.second, self.first))
        made = sparse.coo_array((np.ones(rows.size), (rows, columns)), shape=(n, n)).tocsr()
        return (made + sparse.eye_array(n, format="csr")).tocsr() if itself else made

    def sets(self, members: Flags) -> I32:
        """By area: the number of the contiguous set of `members` that it belongs to, from 0; -1 for others."""
        both = members[self.first] & members[self.second]
        n = self.area.size
        graph = sparse.coo_array(
            (np.ones(int(both.sum())), (self.first[both], self.second[both])), shape=(n, n)
        )
        _, label = csgraph.connected_components(graph, directed=False)
        result = np.full(n, -1, np.int32)
        result[members] = np.unique(label[members], return_inverse=True)[1]
        return result

    def at(self, area: npt.NDArray[np.integer]) -> npt.NDArray[np.intp]:
        """Positions of area numbers; -1 of those that aren't here."""
        if not self.area.size:
            return np.full(area.shape, -1, np.intp)
        found = np.minimum(np.searchsorted(self.area, area), self.area.size - 1)
        return np.where(self.area[found] == area, found, -1)


def spots(atlas: Atlas, area: npt.NDArray[np.integer]) -> tuple[F64, F64]:
    """Latitudes and longitudes of area numbers, in degrees; NaN where not known."""
    middle = np.array([(atlas.areas.lat(n), atlas.areas.lon(n)) for n in area.tolist()], np.float64)
    middle = middle.reshape(-1, 2)
    return middle[:, 0], middle[:, 1]


def vectors(lat: F64, lon: F64) -> F64:
    """Degrees as unit vectors, (n, 3)."""
    north, east = np.radians(lat), np.radians(lon)
    return np.column_stack((np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)))


def kilometres(one: F64, other: F64) -> F64:
    """Along the surface, between unit vectors."""
    chord = np.sqrt(((one - other) ** 2).sum(axis=-1))
    return np.asarray(2 * EARTH * np.arcsin(np.minimum(chord / 2, 1)))


def gabriel(spot: F64) -> tuple[I32, I32]:
    """Edges of the Gabriel graph of unit vectors, as two positions, the smaller first.

    Spots that are the same (within 10 m) are neighbours of each other in a chain; the first stands for them.
    """
    none = np.zeros(0, np.int32)
    if len(spot) < 2:
        return none, none
    _, leader, group = np.unique(np.round(spot, 6), axis=0, return_index=True, return_inverse=True)
    group = group.ravel()
    order = np.lexsort((np.arange(len(spot)), group))
    chained = group[order][1:] == group[order][:-1]
    one, other = order[:-1][chained], order[1:][chained]
    apart = spot[leader]
    if len(apart) > 1:
        edges = _candidates(apart)
        middle = (apart[edges[:, 0]] + apart[edges[:, 1]]) / 2
        reach = np.sqrt(((apart[edges[:, 0]] - apart[edges[:, 1]]) ** 2).sum(axis=1)) / 2
        nearest, _ = cKDTree(apart).query(middle)
        edges = leader[edges[nearest >= reach * (1 - 1e-9)]]
        one, other = np.concatenate((one, edges[:, 0])), np.concatenate((other, edges[:, 1]))
    return np.minimum(one, other).astype(np.int32), np.maximum(one, other).astype(np.int32)


def _candidates(spot: F64) -> npt.NDArray[np.intp]:
    """Edges that hold those of the Gabriel graph: all, or Delaunay's."""
    if len(spot) <= FEW:
        return np.column_stack(np.triu_indices(len(spot), 1))
    faces = ConvexHull(spot, qhull_options="QJ").simplices  # of points on a sphere: Delaunay's triangles
    edges = np.sort(np.concatenate((faces[:, :2], faces[:, 1:], faces[:, ::2])), axis=1)
    return np.asarray(np.unique(edges, axis=0), np.intp)
