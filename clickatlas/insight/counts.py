"""Counts: clicks per place for one filter, the vector that every map, table and insight comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.kinds import NetworkKind
from clickatlas.atlas.places import NOWHERE, PRIVATE, Places
from clickatlas.insight.held import Held

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Counts:
    """Clicks per place number, and what the vector does not show.

    `clicks` has one entry per place of the atlas. `left_out` are the clicks of network kinds
    that the filter does not let through, for each such kind, 0 where there are none. `unplaced`
    are those known to a country or region at best (they are in `clicks`, at their unplaced
    place); `unknown`, among them, are those whose address the database does not know at all.
    """

    clicks: Integers
    left_out: dict[str, int]
    unplaced: int
    unknown: int
    within: npt.NDArray[np.bool_] | None = None
    held: Held | None = None

    @property
    def drawn(self) -> Integers:
        """What may be drawn on the map, one entry per place; the unplaced are in it and never drawn."""
        return self.clicks if self.held is None else np.where(self.held.drawn, self.clicks, 0)

    @property
    def withheld(self) -> int:
        """Clicks that would be drawn and may not be."""
        if self.held is None:
            return 0
        return self.total - self.unplaced - int(self.drawn.sum())

    @property
    def total(self) -> int:
        """What the filter lets through."""
        return int(self.clicks.sum())


def count(
    places: Places,
    number: npt.NDArray[np.int32],
    kind: npt.NDArray[np.uint8],
    clicks: Integers,
    *,
    networks: Iterable[NetworkKind],
    within: npt.NDArray[np.bool_] | None = None,
    held: Held | None = None,
) -> Counts:
    """Counts from parallel arrays: place number (-1: not in this atlas), network kind, clicks.

    `within` masks the places (one entry per place number) that an area filter lets through; where `held`,
    clicks are first put where the plan counts them.
    """
    number = np.where(number < 0, NOWHERE, number)
    if held is not None:
        number = held.place[number]
    if within is not None:
        inside = within[number]
        number, kind, clicks = number[inside], kind[inside], clicks[inside]
    let_through = {int(network) for network in networks}
    wanted = np.isin(kind, list(let_through))
    vector = _sum(number[wanted], clicks[wanted], len(places.key))
    by_kind = _sum(kind[~wanted], clicks[~wanted], len(NetworkKind))
    left_out = {kind.name.lower(): int(by_kind[kind]) for kind in NetworkKind if kind not in let_through}
    if held is not None:  # the plan is none for these: nothing by area, and no few
        left_out = {name: n for name, n in left_out.items() if within is None and (n >= held.least or not n)}
    return Counts(
        clicks=vector,
        left_out=left_out,
        unplaced=int(vector[places.unplaced].sum()),
        unknown=int(vector[NOWHERE] + vector[PRIVATE]),
        within=within,
        held=held,
    )


def _sum(index: npt.NDArray[np.integer], weights: Integers, size: int) -> Integers:
    # bincount adds in float64: exact up to 2^53 clicks.
    return np.bincount(index, weights=weights, minlength=size).astype(np.int64)
