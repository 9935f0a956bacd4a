"""Clicks by the hour as angles of the day, summed by area and week: what circular means are made of (Mardia and Jupp, Directional Statistics, 2000, 2.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from clickatlas.insight.rhythm import DAY, offsets

I64 = npt.NDArray[np.int64]
Turns = npt.NDArray[np.complex128]
WEEK = 7 * DAY


def by_week(
    area: I64, clock: I64, moment: I64, clicks: I64, zones: Sequence[str], since: int
) -> tuple[I64, I64, Turns, Turns]:
    """The distinct area numbers, and of each by week (weeks, areas): clicks, Σ exp(i t) and Σ exp(2 i t) of their local times t.

    The first four are parallel: area numbers, numbers among `zones`, ms UTC and how many clicks. Times are angles, a day
    a turn. Weeks are of seven days since `since` (ms UTC).
    """
    local = moment.copy()
    for number in np.unique(clock).tolist():
        mine = clock == number
        local[mine] += offsets(moment[mine], zones[number])
    areas, at = np.unique(area, return_inverse=True)
    week = (moment - since) // WEEK
    shape = int(week.max(initial=0)) + 1, len(areas)
    cell = week * len(areas) + at
    turn = np.exp(2j * np.pi * (local % DAY) / DAY)

    def summed(of: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
        return np.bincount(cell, of, shape[0] * shape[1]).astype(np.float64).reshape(shape)

    first, second = (
        summed((clicks * each).real) + 1j * summed((clicks * each).imag) for each in (turn, turn**2)
    )
    return areas, summed(clicks).astype(np.int64), first, second
