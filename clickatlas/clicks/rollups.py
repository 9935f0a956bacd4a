"""Rollups: clicks counted in advance, changed in the same transaction as the clicks that they count.

Clicks wait in `incoming`, which questions read as it is, until there are `SETTLE_AT`. Then all of them are
added to the rollups and moved to `settled`, in one transaction: whenever they happened, in whatever order they
came, they are in exactly one of the two. A rollup only grows: what is new is appended as further rows of the
same keys, what is deleted as negative ones, and a piece that has twice its rows is merged, and one to which nothing came of late.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import duckdb
import numpy as np

from clickatlas.clicks.periods import COARSE_LEVELS, DAY_MS, EVERY_LEVEL, QUARTER_MS, Level, first_day

EVERY: Final = -1  # stands for all links together
SETTLE_AT = 1_000_000
BUSY_AT = 200_000  # clicks of a link that make its own rollup worth its while
BUSY_DAY_AT = 400_000  # and of a day
MERGE_FROM = {"place_rollup": 100_000, "time_rollup": 1_000_000}  # rows

AT_ONCE = 2  # resting pieces of a level that are merged in one settling

DEVICE_COLUMNS = ("desktop", "mobile", "tablet", "other")
COUNTS = ", ".join(
    ["count(*)::INTEGER", *(f"(count(*) FILTER (device = {n}))::INTEGER" for n in range(1, 5))]
)
SUMS = ", ".join(f"sum({column})::INTEGER" for column in ("clicks", *DEVICE_COLUMNS))
NEGATED = ", ".join(f"-{column}" for column in ("clicks", *DEVICE_COLUMNS))
COLUMNS = ", ".join(("clicks", *DEVICE_COLUMNS))
NONE_INCOMING = (
    "CREATE OR REPLACE TABLE incoming (time BIGINT NOT NULL, link BIGINT NOT NULL, place INTEGER NOT NULL,"
    " agent INTEGER NOT NULL, referrer INTEGER NOT NULL, kind UTINYINT NOT NULL, flags UTINYINT NOT NULL,"
    " visitor UINTEGER NOT NULL)"
)


def settle(cursor: duckdb.DuckDBPyConnection) -> None:
    """Move all of `incoming` to `settled` and into the rollups. Within the caller's transaction."""
    [(since,)] = cursor.execute("SELECT since FROM kept").fetchall()
    _tell(cursor, "incoming")
    firsts = _calendar(cursor)
    if not firsts:
        return
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE daily AS"
        f" SELECT day, place, kind, {_named(COUNTS)} FROM told GROUP BY day, place, kind"
    )
    _add_every(cursor, COLUMNS, since)
    _add_busy(cursor)
    _add_days_of_links(cursor, since)
    _insert(
        cursor,
        "time_rollup",
        f"SELECT {Level.QUARTER}, {EVERY}, quarter, kind, {COUNTS} FROM told"
        " GROUP BY quarter, kind ORDER BY quarter, kind",
    )
    _insert(
        cursor,
        "time_rollup",
        f"SELECT {Level.DAY}, link, day, kind, {COUNTS} FROM told"
        " GROUP BY link, day, kind ORDER BY link, day, kind",
    )
    _see(cursor)
    # Neighbours of the same link and time compress best, and a question about a link reads few pages. Where clicks
    # of years come at once, a question about a month must not have to read them all.
    months = len({first_day(Level.MONTH, day) for day in firsts})
    order = "link, time" if months == 1 else "month, link, time"
    if firsts[-1] * DAY_MS >= since:
        cursor.execute(
            f"INSERT INTO settled SELECT incoming.* FROM incoming JOIN calendar ON day = (time // {DAY_MS})::INTEGER"
            f" WHERE time >= {since} ORDER BY {order}"
        )
    cursor.execute(NONE_INCOMING)
    _promote(cursor)
    _promote_days(cursor, since)
    _merge(cursor, firsts)


def remove(cursor: duckdb.DuckDBPyConnection, links: Sequence[int]) -> int:
    """Delete the clicks of `links`, from the rollups too; returns how many single clicks were deleted."""
    [(since,)] = cursor.execute("SELECT since FROM kept").fetchall()
    cursor.register("leaving", {"link": np.array(links, np.int64)})
    _tell(cursor, "settled SEMI JOIN leaving USING (link)")
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE daily AS"
        f" SELECT day, place, kind, {_named(COUNTS)} FROM told GROUP BY day, place, kind"
        f" UNION ALL SELECT first, place, kind, {COLUMNS} FROM place_rollup SEMI JOIN leaving USING (link)"
        f" WHERE level = {Level.DAY}"
    )
    firsts = _calendar(cursor, "daily")
    _add_every(cursor, NEGATED, since)
    _insert(
        cursor,
        "time_rollup",
        f"SELECT {Level.QUARTER}, {EVERY}, quarter, kind, {NEGATED} FROM"
        f" (SELECT quarter, kind, {_named(COUNTS)} FROM told GROUP BY quarter, kind)",
    )
    _insert(
        cursor,
        "time_rollup",
        f"SELECT level, {EVERY}, first, kind, {NEGATED} FROM time_rollup"
        f" SEMI JOIN leaving USING (link) WHERE level = {Level.QUARTER} AND first < ?",
        [since // QUARTER_MS],
    )
    removed = 0
    for table in ("settled", "incoming", "place_rollup", "time_rollup", "seen", "busy_links"):
        deleted = cursor.execute(f"DELETE FROM {table} WHERE link IN (SELECT link FROM leaving)").fetchall()
        removed += deleted[0][0] if table in ("settled", "incoming") else 0
    _merge(cursor, firsts)
    cursor.unregister("leaving")
    return removed


def sweep(cursor: duckdb.DuckDBPyConnection, since: int) -> int:
    """Let go of the single clicks before `since` (midnight UTC), keeping their rollups; returns how many."""
    settle(cursor)
    _tell(cursor, "(SELECT * FROM settled WHERE time < $since)", {"since": since})
    _add_days_of_links(cursor, since)
    _add_days(cursor, "told WHERE day NOT IN (FROM busy_days)")
    [(deleted,)] = cursor.execute("DELETE FROM settled WHERE time < ?", [since]).fetchall()
    cursor.execute("UPDATE kept SET since = greatest(since, ?)", [since])
    return int(deleted)


def _insert(
    cursor: duckdb.DuckDBPyConnection, table: str, select: str, given: Sequence[int] | None = None
) -> int:
    """Append an answer to a table, never an empty one; returns its rows.

    In DuckDB 2.0 an INSERT of nothing, the first of its transaction, makes filters blind to what the transaction
    inserts next, until the file is opened again. A test watches whether it still does.
    """
    [(rows,)] = cursor.execute(f"CREATE OR REPLACE TEMP TABLE adding AS {select}", given).fetchall()
    if rows:
        cursor.execute(f"INSERT INTO {table} FROM adding")
    return int(rows)


def _tell(cursor: duckdb.DuckDBPyConnection, table: str, given: dict[str, int] | None = None) -> None:
    """`told`: clicks with their day, quarter of an hour and device (1 to 4; 0: another)."""
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE told AS SELECT time, link, place, kind, (time // {DAY_MS})::INTEGER AS day,"
        f" (time // {QUARTER_MS})::INTEGER AS quarter, known.device FROM {table} JOIN"
        f" (SELECT id, coalesce(list_position({list(DEVICE_COLUMNS)}, device), 0) AS device FROM agents) known"
        " ON known.id = agent",
        given,
    )


def _calendar(cursor: duckdb.DuckDBPyConnection, table: str = "told") -> list[int]:
    """`calendar`: the days in `table`, and the periods that they lie in."""
    days = [day for (day,) in cursor.execute(f"SELECT DISTINCT day FROM {table} ORDER BY day").fetchall()]
    columns = {
        level.name.lower(): np.array([first_day(level, day) for day in days], np.int32)
        for level in EVERY_LEVEL
    }
    cursor.register("calendar", columns)
    return days


def _named(counts: str) -> str:
    parts = counts.split(", ")
    return ", ".join(f"{part} AS {name}" for part, name in zip(parts, COLUMNS.split(", "), strict=True))


def _add_every(cursor: duckdb.DuckDBPyConnection, columns: str, since: int) -> None:
    """Add (or take away, negated) `daily` to every link's rollup: day, part, month and year."""
    for level in EVERY_LEVEL:
        rolled = ""
        if level is Level.DAY:
            rolled = f" WHERE day IN (FROM busy_days) OR day < {since // DAY_MS}"
        _insert(
            cursor,
            "place_rollup",
            f"SELECT {level}, {EVERY}, {level.name.lower()} AS first, place, kind, {columns}"
            f" FROM (SELECT calendar.{level.name.lower()}, place, kind, {_named(SUMS)} FROM daily"
            f" JOIN calendar USING (day){rolled} GROUP BY ALL) ORDER BY first, place, kind",
        )


def _add_busy(cursor: duckdb.DuckDBPyConnection, of: str = "busy_links") -> None:
    """Add `told` to the rollups of the links in `of`."""
    for level in COARSE_LEVELS[1:]:
        _insert(
            cursor,
            "place_rollup",
            f"SELECT {level}, link, {level.name.lower()} AS first, place, kind, {COUNTS}"
            f" FROM told JOIN calendar USING (day) SEMI JOIN {of} USING (link) GROUP BY ALL"
            " ORDER BY link, first, place, kind",
        )
    _insert(
        cursor,
        "time_rollup",
        f"SELECT {Level.QUARTER}, link, quarter, kind, {COUNTS} FROM told"
        f" SEMI JOIN {of} USING (link) GROUP BY ALL ORDER BY link, quarter, kind",
    )


def _add_days_of_links(cursor: duckdb.DuckDBPyConnection, since: int) -> None:
    """Of the clicks in `told` before `since`, which are not kept one by one: days and quarters of each link."""
    _insert(
        cursor,
        "place_rollup",
        f"SELECT {Level.DAY}, link, day, place, kind, {COUNTS} FROM told WHERE time < ?"
        " GROUP BY ALL ORDER BY link, day, place, kind",
        [since],
    )
    _insert(
        cursor,
        "time_rollup",
        f"SELECT {Level.QUARTER}, link, quarter, kind, {COUNTS} FROM told"
        " ANTI JOIN busy_links USING (link) WHERE time < ? GROUP BY ALL ORDER BY link, quarter, kind",
        [since],
    )


def _see(cursor: duckdb.DuckDBPyConnection) -> None:
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE known AS SELECT link, min(first) AS first, max(last) AS last,"
        " sum(clicks)::BIGINT AS clicks FROM (SELECT link, min(time) AS first, max(time) AS last,"
        " count(*) AS clicks FROM told GROUP BY link UNION ALL FROM seen) GROUP BY link"
    )
    cursor.execute("DELETE FROM seen")
    _insert(cursor, "seen", "FROM known")


def _promote(cursor: duckdb.DuckDBPyConnection) -> None:
    """Links that have become busy get a rollup of all their clicks."""
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE risen AS SELECT link FROM seen ANTI JOIN busy_links USING (link) WHERE clicks >= ?",
        [BUSY_AT],
    )
    if not cursor.execute("SELECT 1 FROM risen LIMIT 1").fetchall():
        return
    _tell(cursor, "settled SEMI JOIN risen USING (link)")
    swept = (
        f"(SELECT first AS day, * FROM place_rollup SEMI JOIN risen USING (link) WHERE level = {Level.DAY})"
    )
    _calendar(cursor, f"(SELECT day FROM told UNION ALL SELECT day FROM {swept})")
    _add_busy(cursor, "risen")
    for level in COARSE_LEVELS[1:]:
        _insert(
            cursor,
            "place_rollup",
            f"SELECT {level}, link, calendar.{level.name.lower()}, place, kind, {SUMS}"
            f" FROM {swept} JOIN calendar USING (day) GROUP BY ALL",
        )
    cursor.execute("INSERT INTO busy_links FROM risen")


def _promote_days(cursor: duckdb.DuckDBPyConnection, since: int) -> None:
    """Days of the calendar that have become busy get a rollup of all their clicks."""
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE risen AS SELECT first // 96 AS day FROM time_rollup"
        f" WHERE level = {Level.QUARTER} AND link = {EVERY} GROUP BY day HAVING sum(clicks) >= {BUSY_DAY_AT}"
        f" AND day >= {since // DAY_MS} AND day NOT IN (FROM busy_days)"
    )
    days = [day for (day,) in cursor.execute("FROM risen").fetchall()]
    if days:
        within = f"time >= {min(days) * DAY_MS} AND time < {(max(days) + 1) * DAY_MS}"
        _tell(cursor, f"(SELECT * FROM settled WHERE {within})")
        _add_days(cursor, "told SEMI JOIN risen USING (day)")
        cursor.execute("INSERT INTO busy_days FROM risen")


def _add_days(cursor: duckdb.DuckDBPyConnection, told: str) -> None:
    _insert(
        cursor,
        "place_rollup",
        f"SELECT {Level.DAY}, {EVERY}, day, place, kind, {COUNTS} FROM {told}"
        " GROUP BY day, place, kind ORDER BY day, place, kind",
    )


def _merge(cursor: duckdb.DuckDBPyConnection, days: Sequence[int]) -> None:
    """Merge the pieces of rollups around `days` that have grown to twice their size, and some that rest."""
    for level in EVERY_LEVEL:
        firsts = sorted({first_day(level, day) for day in days})
        _merge_grown(cursor, "place_rollup", level, "link < 0", "first", "link, first, place, kind", firsts)
    for level in (Level.DAY, Level.QUARTER):
        _merge_grown(cursor, "time_rollup", level, "false", "0", "link, first, kind", None)


def _merge_grown(
    cursor: duckdb.DuckDBPyConnection,
    rollup: str,
    level: Level,
    every: str,
    piece: str,
    keys: str,
    firsts: list[int] | None,
) -> None:
    among = "true" if firsts is None else f"first IN ({', '.join(map(str, firsts))})"
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE pieces AS SELECT {every} AS every, {piece} AS first, count(*) AS rows"
        f" FROM {rollup} WHERE level = {level} AND {among} GROUP BY ALL"
    )
    mine = f"runs.rollup = '{rollup}' AND runs.level = {level}"
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE sizes AS SELECT '{rollup}' AS rollup, {level} AS level, every, first,"
        f" coalesce(merged, rows) AS merged, rows FROM (SELECT every, first, pieces.rows, merged FROM pieces"
        f" LEFT JOIN (FROM runs WHERE {mine}) known USING (every, first))"
    )
    resting = cursor.execute(
        f"SELECT every, first FROM runs ANTI JOIN pieces USING (every, first) WHERE {mine}"
        f" AND rows > 1.2 * merged ORDER BY first LIMIT {AT_ONCE}"
    ).fetchall()
    cursor.execute(
        f"DELETE FROM runs WHERE {mine} AND EXISTS (FROM pieces p WHERE p.every = runs.every AND p.first = runs.first)"
    )
    _insert(cursor, "runs", "FROM sizes")
    grown = cursor.execute(
        "SELECT every, first FROM sizes WHERE rows > 2 * greatest(merged, ?)", [MERGE_FROM[rollup]]
    ).fetchall()
    for each, first in [*grown, *resting]:
        inside = f"level = {level} AND ({every}) = {each} AND {piece} = {first}"
        cursor.execute(
            f"CREATE OR REPLACE TEMP TABLE merged AS SELECT level, {keys}, {_named(SUMS)} FROM {rollup}"
            f" WHERE {inside} GROUP BY ALL HAVING sum(clicks) <> 0 ORDER BY {keys}"
        )
        cursor.execute(f"DELETE FROM {rollup} WHERE {inside}")
        rows = _insert(cursor, rollup, "FROM merged")
        cursor.execute(
            f"UPDATE runs SET merged = ?, rows = ? WHERE {mine} AND every = ? AND first = ?",
            [rows, rows, each, first],
        )
