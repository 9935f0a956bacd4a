"""Bundles: links that are asked for together and therefore counted together, as every link is.

Campaigns, channels, tags and workspaces are bundles where their links have so many clicks that reading these one by
one would take too long. A link joins and leaves a bundle together with its clicks, some links at a time; until all of
them are there, an answer is the bundle's and what it lacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt

from clickatlas.clicks import patches, rollups
from clickatlas.clicks.groups import weights
from clickatlas.clicks.periods import DAY_MS

BUNDLE_AT = 3_000_000  # clicks whose reading one by one is worth sparing
PARTS_AT = 6_000_000  # clicks for which months are too long
AT_ONCE = 4  # settlings' worth of clicks that join or leave
Links = npt.NDArray[np.int64]


class Bundle(NamedTuple):
    """One that the store keeps."""

    number: int
    parts: bool
    members: Links


def tend(cursor: duckdb.DuckDBPyConnection, wanted: Mapping[str, Links]) -> list[str]:
    """Bring the bundles a step nearer to `wanted`, links by name; what was done, nothing where nothing is due."""
    seen = cursor.execute(
        "SELECT link, clicks, link IN (FROM busy_links) AS busy FROM seen ORDER BY link"
    ).fetchnumpy()
    link, clicks = np.asarray(seen["link"]), np.asarray(seen["clicks"])
    cost = weights(clicks, np.asarray(seen["busy"]))
    kept = _kept(cursor)
    taken = set[bytes]()
    for name, links in wanted.items():
        links = np.unique(links)
        there = np.isin(link, links)
        bundle = kept.get(name)
        enough = BUNDLE_AT // 2 if bundle else BUNDLE_AT
        # Where most clicks are its own, every link less the others is nearly as quick.
        spared = min(cost[there].sum(), cost[~there].sum())
        worth = spared >= enough and there.tobytes() not in taken
        outgrown = bundle and not bundle.parts and clicks[there].sum() >= 2 * PARTS_AT
        if bundle and (not worth or outgrown):
            _drop(cursor, bundle.number)
            return [f"{name} is counted link by link"]
        if not worth:
            continue
        taken.add(there.tobytes())
        if bundle is None:
            number = min((each.number for each in kept.values()), default=rollups.EVERY) - 1
            parts = bool(clicks[there].sum() >= PARTS_AT)
            cursor.execute("INSERT INTO bundles VALUES (?, ?, ?)", [number, name, parts])
            bundle = Bundle(number, parts, np.zeros(0, np.int64))
        if _bring_near(cursor, bundle, links, link, clicks):
            return [name]
    for name in kept.keys() - wanted.keys():
        _drop(cursor, kept[name].number)
        return [f"{name} is gone"]
    return []


def _kept(cursor: duckdb.DuckDBPyConnection) -> dict[str, Bundle]:
    members = cursor.execute("SELECT bundle, link FROM members").fetchnumpy()
    of, link = np.asarray(members["bundle"]), np.asarray(members["link"])
    return {
        name: Bundle(number, parts, link[of == number])
        for number, name, parts in cursor.execute("SELECT link, name, parts FROM bundles").fetchall()
    }


def _bring_near(
    cursor: duckdb.DuckDBPyConnection, bundle: Bundle, wanted: Links, link: Links, clicks: Links
) -> bool:
    """Let links join or leave, some settlings' worth of clicks; whether there was anything to do."""
    for joins, due in (
        (False, np.setdiff1d(bundle.members, wanted)),
        (True, np.setdiff1d(wanted, bundle.members)),
    ):
        if not len(due):
            continue
        at = np.minimum(np.searchsorted(link, due), max(0, len(link) - 1))
        has = np.where(link[at] == due, clicks[at], 0) if len(link) else np.zeros(len(due), np.int64)
        now = due[np.cumsum(has) - has < AT_ONCE * rollups.SETTLE_AT]
        cursor.register("due", {"link": now})
        rollups.tell(cursor, "(SELECT * FROM settled WHERE link IN (FROM due))")
        [(since,)] = cursor.execute("SELECT since FROM kept").fetchall()
        rollups.shift(cursor, {bundle.number: now}, 1 if joins else -1, since // DAY_MS)
        if joins:
            cursor.execute(f"INSERT INTO members SELECT {bundle.number}, link FROM due")
        else:
            cursor.execute(f"DELETE FROM members WHERE bundle = {bundle.number} AND link IN (FROM due)")
        cursor.unregister("due")
        return True
    return False


def _drop(cursor: duckdb.DuckDBPyConnection, number: int) -> None:
    for table in ("place_rollup", "time_rollup", "busy_days", "bundles"):
        cursor.execute(f"DELETE FROM {table} WHERE link = {number}")
    patches.drop(cursor, number)
    cursor.execute(f"DELETE FROM members WHERE bundle = {number}")
    cursor.execute(f"DELETE FROM runs WHERE owner = {number}")
