"""Where areas lie: centre and bounding box of the places of each, weighted by people, deaf to outliers."""

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.areas import LEVELS

F64 = npt.NDArray[np.float64]

# Of an area's people, this share is left out at each side of the box: the United States without the
# Aleutians, Chile without Easter Island. A city's stray places (a wrong coordinate) go the same way.
TRIM = 0.01
# Half of the least height of a box, in degrees, by level: a ZIP that is one point still wants room around it.
LEAST = np.array([0.5, 0.25, 0.15, 0.1, 0.04, 0.015])
MARGIN = 0.04  # of the box, added at each side


def outline(
    area: npt.NDArray[np.int32], count: int, lat: F64, lon: F64, weight: F64, level: int
) -> tuple[F64, F64]:
    """Centres (count, 2) as lat, lon and boxes (count, 4) as west, south, east, north, for one level.

    `area` is the area of each place, -1 for none; `weight` must be 0 where a place has no coordinates. The
    centre is the median of the people along each axis. Longitudes are measured from each area's own mean
    direction, so that Fiji and Chukotka come out whole, with west > east.
    """
    use = np.flatnonzero((area >= 0) & (weight > 0))
    area, lat, lon, weight = area[use], lat[use], lon[use], weight[use]
    turn = np.radians(lon)
    middle = np.degrees(
        np.arctan2(
            np.bincount(area, weight * np.sin(turn), minlength=count),
            np.bincount(area, weight * np.cos(turn), minlength=count),
        )
    )
    shifted = (lon - middle[area] + 180.0) % 360.0 - 180.0
    south, centre_lat, north = _quantiles(area, count, lat, weight)
    west, centre_lon, east = _quantiles(area, count, shifted, weight)
    least = LEAST[level]
    grow_y = np.maximum((north - south) * MARGIN, least - (north - south) / 2)
    wide = least / np.maximum(np.cos(np.radians(centre_lat)), 0.1)
    grow_x = np.maximum((east - west) * MARGIN, wide - (east - west) / 2)
    box = np.column_stack(
        [
            _wrap(west - grow_x + middle),
            np.maximum(south - grow_y, -90.0),
            _wrap(east + grow_x + middle),
            np.minimum(north + grow_y, 90.0),
        ]
    )
    spot = np.column_stack([centre_lat, _wrap(centre_lon + middle)])
    return spot, box


def above(
    place_area: list[npt.NDArray[np.int32]], first: list[int], count: int, weight: F64
) -> npt.NDArray[np.int32]:
    """(count, levels): the area at each wider level that holds most of an area's weight, -1 where none does.

    `place_area[l]` holds area numbers, `first[l]` the first number of level l.
    """
    table = np.full((count, len(LEVELS)), -1, np.int32)
    for fine in range(1, len(LEVELS)):
        for wide in range(fine):
            use = np.flatnonzero((place_area[fine] >= 0) & (place_area[wide] >= 0))
            pair = place_area[fine][use].astype(np.int64) * count + place_area[wide][use]
            pairs, inverse = np.unique(pair, return_inverse=True)
            total = np.bincount(inverse, weight[use], minlength=pairs.size)
            order = np.lexsort((-pairs, total))  # ties go to the first area, whatever the order of places
            table[pairs[order] // count, wide] = pairs[order] % count
    return table


def _quantiles(area: npt.NDArray[np.int32], count: int, value: F64, weight: F64) -> tuple[F64, F64, F64]:
    """Weighted quantiles TRIM, 0.5 and 1 - TRIM of `value` per area; NaN where an area has no place."""
    order = np.lexsort((value, area))
    running = np.cumsum(weight[order])
    total = np.bincount(area, weight, minlength=count)
    start = np.concatenate([[0.0], np.cumsum(total)[:-1]])
    size = np.bincount(area, minlength=count)
    last = np.cumsum(size) - 1
    first = last - size + 1
    known = size > 0
    answers = []
    for share in (TRIM, 0.5, 1 - TRIM):
        at = np.searchsorted(running, start + share * total)
        at = np.clip(at, first, np.maximum(last, first))
        answer = np.full(count, np.nan)
        answer[known] = value[order][at[known]]
        answers.append(answer)
    return answers[0], answers[1], answers[2]


def _wrap(lon: F64) -> F64:
    return np.asarray((lon + 180.0) % 360.0 - 180.0)
