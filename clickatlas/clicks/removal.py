"""Clicks of deleted links are taken away a slice at a time, so that counting and questions go on in between.

`begin` is what a deletion is acknowledged with: from then on the links are `leaving`, and refused. Each `step` takes
some of their clicks out of the store and out of every rollup, in one transaction: the numbers are right at any moment,
and a store that was killed goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np

from clickatlas.clicks import rollups
from clickatlas.clicks.merges import Ledger, named
from clickatlas.clicks.periods import QUARTER_MS, Level
from clickatlas.clicks.rollups import COUNTS, EVERY, NEGATED, Kept
from clickatlas.clicks.tallies import Integers

SLICE = 1_000_000  # clicks, or rows of days without single clicks, at a time
LEAVING = "link IN (FROM leaving)"


def begin(cursor: duckdb.DuckDBPyConnection, links: Sequence[int]) -> int:
    """Let `links` leave; returns how many clicks that were in no rollup are gone already.

    Busy ones have rollups of their own no longer: what is left of them is read as single clicks.
    """
    cursor.execute("INSERT INTO leaving SELECT unnest(?::BIGINT[])", [list(links)])
    [(since,)] = cursor.execute("SELECT since FROM kept").fetchall()
    [(removed,)] = cursor.execute(f"DELETE FROM incoming WHERE {LEAVING}").fetchall()
    if cursor.execute(f"SELECT 1 FROM busy_links WHERE {LEAVING} LIMIT 1").fetchall():
        cursor.execute(f"DELETE FROM place_rollup WHERE {LEAVING} AND level <> {Level.DAY}")
        cursor.execute(
            f"DELETE FROM time_rollup WHERE {LEAVING} AND level = {Level.QUARTER} AND first >= {since // QUARTER_MS}"
        )
        cursor.execute(f"DELETE FROM busy_links WHERE {LEAVING}")
    return int(removed)


def due(cursor: duckdb.DuckDBPyConnection) -> bool:
    """Whether there are links that have not left yet."""
    return bool(cursor.execute("SELECT 1 FROM leaving LIMIT 1").fetchall())


def step(cursor: duckdb.DuckDBPyConnection) -> tuple[int, bool]:
    """Take a slice away; returns how many single clicks it had, and whether there is more."""
    [(cut, found)] = cursor.execute(
        f"SELECT max(rowid), count(*) FROM (SELECT rowid FROM settled WHERE {LEAVING} LIMIT {SLICE})"
    ).fetchall()
    kept = Kept(cursor)
    removed = _single(cursor, kept, cut) if found else 0
    if found >= SLICE or _swept(cursor, kept):
        return removed, True
    for table in ("place_rollup", "time_rollup", "seen", "members"):
        cursor.execute(f"DELETE FROM {table} WHERE {LEAVING}")
    cursor.execute("DELETE FROM leaving")
    return removed, False


def _single(cursor: duckdb.DuckDBPyConnection, kept: Kept, cut: int) -> int:
    """Take the single clicks up to a row away."""
    mine = f"rowid <= {cut} AND {LEAVING}"
    rollups.tell(cursor, f"(SELECT * FROM settled WHERE {mine})")
    rollups.shift(cursor, _owners(cursor, kept), -1, 0)
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE less AS SELECT link, day, kind, {named(COUNTS)} FROM told GROUP BY ALL"
    )
    ledger = Ledger(cursor)
    ledger.times(
        Level.DAY, f"SELECT {Level.DAY}, link, day, kind, {NEGATED} FROM less ORDER BY link, day, kind"
    )
    ledger.close()
    _fewer(cursor)
    [(removed,)] = cursor.execute(f"DELETE FROM settled WHERE {mine}").fetchall()
    return int(removed)


def _swept(cursor: duckdb.DuckDBPyConnection, kept: Kept) -> bool:
    """Take the first days away that have no single clicks any more; whether there are others."""
    days = cursor.execute(
        f"SELECT first, count(*) FROM place_rollup WHERE level = {Level.DAY} AND {LEAVING} GROUP BY first ORDER BY first"
    ).fetchall()
    if not days:
        return False
    rows = np.cumsum([count for _, count in days])
    some = max(1, int(np.searchsorted(rows, SLICE, side="right")))
    until = days[some - 1][0] + 1
    rollups.tell(cursor, "(SELECT * FROM settled WHERE false)")
    rollups.shift(cursor, _owners(cursor, kept), -1, until)
    before = f"{LEAVING} AND first <"
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE less AS SELECT link, clicks FROM time_rollup"
        f" WHERE level = {Level.DAY} AND {before} {until}"
    )
    _fewer(cursor)
    cursor.execute(f"DELETE FROM place_rollup WHERE level = {Level.DAY} AND {before} {until}")
    cursor.execute(f"DELETE FROM time_rollup WHERE level = {Level.DAY} AND {before} {until}")
    cursor.execute(f"DELETE FROM time_rollup WHERE level = {Level.QUARTER} AND {before} {until * 96}")
    return some < len(days)


def _owners(cursor: duckdb.DuckDBPyConnection, kept: Kept) -> dict[int, Integers]:
    """Whose rollups have the leaving links' clicks besides."""
    links = np.asarray(cursor.execute("SELECT DISTINCT link FROM leaving").fetchnumpy()["link"])
    of = {owner: np.intersect1d(members, links) for owner, members in kept.members.items()}
    return {EVERY: links} | {owner: members for owner, members in of.items() if len(members)}


def _fewer(cursor: duckdb.DuckDBPyConnection) -> None:
    cursor.execute(
        "UPDATE seen SET clicks = seen.clicks - gone.clicks"
        " FROM (SELECT link, sum(clicks)::BIGINT AS clicks FROM less GROUP BY link) gone WHERE gone.link = seen.link"
    )
