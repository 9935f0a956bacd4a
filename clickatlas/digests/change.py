"""What changed most from one period to the next, beyond what chance makes."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from typing import NamedTuple

BEYOND = (
    3.0  # standard deviations; with a few dozen rows chance alone passes it in about one digest of twenty
)
LEAST = 10  # clicks in both periods together
MEDIAN = 0.455  # of chi-squared with one degree of freedom


class Changed(NamedTuple):
    """One row: what it is, its clicks, and those of the period before."""

    id: str
    clicks: int
    before: int


def changed(
    now: Mapping[str, int], before: Mapping[str, int], days: float = 1.0, most: int = 5, whole: bool = True
) -> list[Changed]:
    """The rows that changed most, surest first.

    `days` is how many days the period has for each of the one before. Without `whole`, a row that one side lacks may be
    hidden there, not empty: it is left out. Clicks come in clumps, so the spread is that of the rows themselves:
    median(z²) / 0.455, at least 1.
    """
    names = set(now) | set(before) if whole else set(now) & set(before)
    rows = [Changed(name, now.get(name, 0), before.get(name, 0)) for name in names]
    rows = [row for row in rows if row.clicks + row.before >= LEAST]
    apart = {row.id: _apart(row, days) for row in rows}
    spread = max(1.0, statistics.median(z * z for z in apart.values()) / MEDIAN) if len(rows) >= 5 else 1.0
    sure = [row for row in rows if abs(apart[row.id]) >= BEYOND * math.sqrt(spread)]
    return sorted(sure, key=lambda row: (-abs(apart[row.id]), row.id))[:most]


def _apart(row: Changed, days: float) -> float:
    expected = row.before * days
    return (row.clicks - expected) / math.sqrt(max(row.clicks + expected * days, 1.0))
