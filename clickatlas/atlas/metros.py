"""Metros outside the US: the nearest large city within reach.

A city of 300,000 or more is the middle of a metro unless a larger one of the same country has it within
its reach. Reach grows with the logarithm of the population: 25 km at 300,000, 60 km at 10 million and more.
A place belongs to the nearest middle, of its own country, that reaches it. In the US a metro is the CBSA of
the ZIP.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from clickatlas.atlas.gazetteer import ZIP_COUNTRIES, City
from clickatlas.atlas.words import Words

F64 = npt.NDArray[np.float64]

EARTH_KM = 6371.0088
SMALLEST = 300_000  # people
NEAR, FAR = 25.0, 60.0  # km: the reach of a city of 300,000, and of one of 10 million
CANDIDATES = 12  # middles looked at per place: reaches overlap in the Ruhr, but not more than this


class Metros(NamedTuple):
    """The middles, largest first."""

    ids: list[str]  # geoname ids
    cities: list[City]
    reach: F64  # km


def unit_vectors(lat: F64, lon: F64) -> F64:
    """Degrees to points on the unit sphere, (n, 3): chords compare as distances do, without a date line."""
    la, lo = np.radians(lat), np.radians(lon)
    return np.column_stack([np.cos(la) * np.cos(lo), np.cos(la) * np.sin(lo), np.sin(la)])


def find_metros(cities: dict[str, City]) -> Metros:
    """Choose the middles among `cities` (by geoname id)."""
    large = sorted(
        ((i, c) for i, c in cities.items() if c.population >= SMALLEST and c.country not in ZIP_COUNTRIES),
        key=lambda item: (-item[1].population, item[0]),
    )
    growth = np.log([c.population / SMALLEST for _, c in large]) / np.log(10_000_000 / SMALLEST)
    reach = NEAR + (FAR - NEAR) * np.minimum(growth, 1.0)
    point = unit_vectors(np.array([c.lat for _, c in large]), np.array([c.lon for _, c in large]))
    within = cKDTree(point).query_ball_point(point, _chord(reach))
    middle = np.ones(len(large), bool)
    for i, near in enumerate(within):
        if middle[i]:
            for j in near:
                if j > i and large[j][1].country == large[i][1].country:
                    middle[j] = False
    kept = np.flatnonzero(middle)
    return Metros([large[i][0] for i in kept], [large[i][1] for i in kept], reach[kept])


def metro_of(metros: Metros, country: Words, lat: F64, lon: F64) -> npt.NDArray[np.int32]:
    """Index into `metros` for each place, -1 where no middle reaches it. Places with NaN have none."""
    answer = np.full(lat.size, -1, np.int32)
    known = np.flatnonzero(~np.isnan(lat))
    if not known.size or not metros.ids:
        return answer
    tree = cKDTree(
        unit_vectors(np.array([c.lat for c in metros.cities]), np.array([c.lon for c in metros.cities]))
    )
    # As complex numbers: many times quicker than by rows of a table.
    spots, inverse = np.unique(lat[known] + 1j * lon[known], return_inverse=True)
    distance, index = tree.query(
        unit_vectors(spots.real, spots.imag),
        k=min(CANDIDATES, len(metros.ids)),
        distance_upper_bound=float(_chord(np.array([FAR]))[0]),
    )
    if distance.ndim == 1:
        distance, index = distance[:, None], index[:, None]
    distance, index = distance[inverse], index[inverse]
    number = {code: i for i, code in enumerate(country.words)}
    here = country.of_row[known]
    there = np.array([number.get(c.country, -1) for c in metros.cities] + [-1])  # query pads with len(metros)
    limit = np.append(_chord(metros.reach), 0.0)
    good = (there[index] == here[:, None]) & (distance <= limit[index])
    first = good.argmax(axis=1)
    rows = np.arange(known.size)
    answer[known] = np.where(good[rows, first], index[rows, first], -1)
    return answer


def _chord(km: F64) -> F64:
    """Straight-line distance on the unit sphere for a distance along its surface."""
    return np.asarray(2 * np.sin(km / EARTH_KM / 2), dtype=np.float64)
