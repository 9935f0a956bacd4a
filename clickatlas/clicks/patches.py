"""Patches: places of one region, one clock and one square of the map, counted together by the hour.

Films and weeks by each place's clock are clicks by place and time, and there are nearly as many places x hours as clicks. Of
patches there are some thousands. What they are is told by whoever knows the map; which one a place belongs to is
remembered with its first click, and stays. A question is read from patches only where each of them lies within one of
its groups, so an answer never depends on how they were cut.
"""

from __future__ import annotations

from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt

from clickatlas.clicks import merges
from clickatlas.clicks.periods import QUARTER_MS, Level
from clickatlas.clicks.store import Patches

EVERY: Final = -1  # as in `rollups`
BEGIN_AT = 10_000_000  # clicks whose reading one by one takes too long: 0.4 s of a processor
BUNDLE_AT = 25_000_000  # and of a bundle: there may be many, and patches take 0.2 bytes a click of each
AT_ONCE = 4_000_000  # clicks counted in one transaction
HOUR: Final = 4  # quarters
Keys = npt.NDArray[np.uint64]


def owned(cursor: duckdb.DuckDBPyConnection) -> bool:
    """Whether anything is counted by patches."""
    return bool(cursor.execute("SELECT 1 FROM patch_owners LIMIT 1").fetchall())


def assign(cursor: duckdb.DuckDBPyConnection, told: Patches | None) -> bool:
    """Give each place that has none its patch; whether there was any."""
    fresh = cursor.execute("SELECT id, key FROM places ANTI JOIN patches ON place = id").fetchnumpy()
    keys = np.asarray(fresh["key"])
    if not len(keys):
        return False
    label, step = np.zeros(len(keys), np.uint64), np.full(len(keys), HOUR, np.int32)
    if told is not None and len(told.keys):
        order = np.argsort(told.keys)
        at = order[np.minimum(np.searchsorted(told.keys, keys, sorter=order), len(order) - 1)]
        there = told.keys[at] == keys
        label[there], step[there] = told.labels[at[there]], told.steps[at[there]]
    known = cursor.execute("SELECT DISTINCT patch, label FROM patches WHERE patch > 0").fetchnumpy()
    number = dict(zip(known["label"].tolist(), known["patch"].tolist(), strict=True))
    behind = max(number.values(), default=0) + 1
    # In the order of their labels, so that neighbours get numbers near each other.
    for new in sorted(set(label.tolist()) - number.keys() - {0}):
        number[new], behind = behind, behind + 1
    number[0] = 0
    patch = np.fromiter((number[each] for each in label.tolist()), np.int32, len(label))
    cursor.register("patched", {"place": fresh["id"], "patch": patch, "label": label, "step": step})
    merges.insert(cursor, "patches", "FROM patched")
    cursor.unregister("patched")
    return True


def add(cursor: duckdb.DuckDBPyConnection, clicks: str, sign: int = 1) -> None:
    """Add (or take away) `clicks`, a table of (owner, quarter, place, kind).

    By patch and then by time: sorted so a row takes 2.2 bytes, the other way around 3.9.
    """
    if not owned(cursor):
        return
    merges.insert(
        cursor,
        "patch_rollup",
        f"SELECT owner, quarter - quarter % step AS slot, patch, kind, ({sign} * count(*))::INTEGER FROM {clicks} c"
        " JOIN patches USING (place) JOIN patch_owners o ON o.link = c.owner AND quarter >= o.first"
        " GROUP BY owner, slot, patch, kind ORDER BY owner, patch, kind, slot",
    )


def drop(cursor: duckdb.DuckDBPyConnection, owner: int) -> None:
    """Count no longer for `owner`."""
    for table in ("patch_rollup", "patch_owners"):
        cursor.execute(f"DELETE FROM {table} WHERE link = {owner}")


def sweep(cursor: duckdb.DuckDBPyConnection, since: int) -> None:
    """Let go of what was before `since` (midnight UTC): what a link had there could not be taken away again."""
    cursor.execute("DELETE FROM patch_rollup WHERE first < ?", [since // QUARTER_MS])
    cursor.execute("UPDATE patch_owners SET first = greatest(first, ?)", [since // QUARTER_MS])


def tend(cursor: duckdb.DuckDBPyConnection, told: Patches | None) -> bool:
    """Count some more of the clicks that were there before their owner was counted by patches; whether any were due."""
    if told is None:
        return False
    rows = cursor.execute(
        "SELECT link, first FROM (SELECT link FROM patch_owners UNION SELECT bundle FROM members JOIN seen USING (link)"
        f" GROUP BY bundle HAVING sum(clicks) >= {BUNDLE_AT} UNION SELECT {EVERY} FROM seen HAVING sum(clicks) >= {BEGIN_AT})"
        " LEFT JOIN patch_owners USING (link) ORDER BY link DESC"
    ).fetchall()
    [(since,)] = cursor.execute("SELECT since FROM kept").fetchall()
    for owner, first in rows:
        if first is None:
            assign(cursor, told)
            [(last,)] = cursor.execute("SELECT max(last) FROM seen").fetchall()
            first = (last // QUARTER_MS // HOUR + 1) * HOUR
            cursor.execute("INSERT INTO patch_owners VALUES (?, ?)", [owner, first])
        if first > since // QUARTER_MS:
            _go_back(cursor, owner, first, since // QUARTER_MS)
            return True
    return False


def _go_back(cursor: duckdb.DuckDBPyConnection, owner: int, first: int, since: int) -> None:
    """Count an owner's clicks before quarter `first`, some settlings' worth of them."""
    rows = cursor.execute(
        "SELECT first, clicks FROM (SELECT first, sum(sum(clicks)) OVER (ORDER BY first DESC) AS clicks FROM time_rollup"
        f" WHERE level = {Level.QUARTER} AND link = {owner} AND first < ? GROUP BY first) WHERE clicks >= {AT_ONCE}"
        " ORDER BY first DESC LIMIT 1",
        [first],
    ).fetchall()
    begin = max(since, rows[0][0] // HOUR * HOUR) if rows else since
    mine = "" if owner == EVERY else f" SEMI JOIN (FROM members WHERE bundle = {owner}) mine USING (link)"
    # Counted as an owner from `begin` on before adding: `add` leaves out what is before.
    cursor.execute("UPDATE patch_owners SET first = ? WHERE link = ?", [begin, owner])
    add(
        cursor,
        f"(SELECT {owner} AS owner, (time // {QUARTER_MS})::INTEGER AS quarter, place, kind FROM settled{mine}"
        f" WHERE time >= {begin * QUARTER_MS} AND time < {first * QUARTER_MS})",
    )
