"""Which rollups add up to the links that are asked for: of every link together, of bundles, of busy links."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from clickatlas.clicks.periods import DAY_MS, Cost, Level
from clickatlas.clicks.rollups import EVERY

OWNERS_AT_MOST = 12  # that an answer is put together of
OWNER_COST = 500_000  # single clicks that reading an owner's rollup is about as dear as
BUSY_LINK = 500_000  # and a busy link's
SINGLE = 2.0  # rows of a rollup that a click read by itself is about as dear as
PERIOD = 5_000  # and a further period
Links = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Group:
    """Links that are read in the same way; `links` as a condition in SQL, "" for any click."""

    sign: int
    rolled: str
    clicks: str
    levels: tuple[Level, ...]  # of their place rollup; days of single links are for swept days only
    total: int  # clicks, of all times
    owner: int = 0  # of days of its own: every link, or a bundle

    @property
    def busy(self) -> bool:
        """Whether rollups have all of their settled clicks."""
        return bool(self.levels)


def weights(clicks: Links, busy: npt.NDArray[np.bool_]) -> Links:
    """What reading links without a bundle costs, in single clicks."""
    return np.where(busy, np.minimum(clicks, BUSY_LINK), clicks)


def owners(
    link: Links, rest: Links, cost: Links, members: Mapping[str, npt.NDArray[Any]]
) -> Iterator[tuple[int, bool, Links]]:
    """The owners of rollups that spare most single clicks, the best of them first.

    Each with whether it has parts of months, and where its links stand in `link`. They are taken out of `rest`, which
    says of each link how many times it is still due. `members` are pairs of `bundle` and `link`, and `parts`.
    """
    if (cost * rest).sum() <= OWNER_COST:
        return
    order = np.argsort(link)
    of, large = np.asarray(members["bundle"]), np.asarray(members["parts"], np.bool_)
    stands = order[np.searchsorted(link, np.asarray(members["link"]), sorter=order)]
    with_parts = {EVERY, *of[large].tolist()}
    at = np.concatenate([np.arange(len(link)), stands])
    names, which = np.unique(np.concatenate([np.full(len(link), EVERY), of]), return_inverse=True)
    for _ in range(OWNERS_AT_MOST):
        spared = np.bincount(which, (cost * (np.abs(rest) - np.abs(rest - 1)))[at])
        best = int(np.argmax(spared))
        if spared[best] <= OWNER_COST:
            return
        inside = at[which == best]
        rest[inside] -= 1
        yield int(names[best]), int(names[best]) in with_parts, inside


def costs(
    cursor: duckdb.DuckDBPyConnection,
    group: Group,
    seen: Mapping[str, npt.NDArray[Any]],
    days: Mapping[int, Collection[int]],
) -> Cost:
    """What it takes to read a period of a group's rollup, or a day without one, in rows of a rollup.

    Clicks are thought to come evenly from the first to the last. `seen` has a row for each link; `days` are those that
    have a rollup of their own, by owner.
    """
    rows = {
        (level, first): float(many)
        for level, first, many in cursor.execute(
            "SELECT level, first, rows FROM runs WHERE rollup = 'place_rollup' AND owner = ?", [group.owner]
        ).fetchall()
    }
    share = 1.0
    if not group.owner:  # of all busy links' rows
        share = group.total / max(1, int(seen["clicks"][seen["busy"]].sum()))
    begin, end = int(seen["first"].min()) // DAY_MS, int(seen["last"].max()) // DAY_MS + 1
    daily = SINGLE * group.total / (end - begin)
    own = days.get(group.owner, ())

    def cost(level: Level, first: int) -> float:
        if level is Level.DAY and first not in own:
            return PERIOD + (daily if begin <= first < end else 0.0)
        return PERIOD + share * rows.get((level, first), 0.0)

    return cost
