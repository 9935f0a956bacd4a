"""Rollups kept short: rows of the same key, appended one settling after another, are put together now and then.

A piece is the rows of one period of one owner: every link together, a bundle of links, or all single links. It is
merged when it would have `GROWN` times the rows that it had when it was merged last, when nothing came to it of late, and
when the store has rested for a while.
What a transaction appends it never deletes again: DuckDB would write all of its rows twice, one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import duckdb
import numpy as np

from clickatlas.clicks import tallies
from clickatlas.clicks.periods import EVERY_LEVEL, Level, first_day
from clickatlas.clicks.tallies import COUNTED, Tally

MERGE_FROM = {"place_rollup": 100_000, "time_rollup": 250_000}  # rows
GROWN = 2
RESTING = 1.2  # times its rows, when nothing comes to it any more
AT_ONCE = 2  # resting pieces of a level that are merged in one settling
ROWS_AT_ONCE = 2_000_000
COLUMNS: Final = ", ".join(COUNTED)
summed = [f"sum({column})::INTEGER" for column in COUNTED]
OWNER: Final = "least(link, 0)"


def insert(
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


def named(counts: str) -> str:
    """`counts`, a list of expressions, under the names of a rollup's columns."""
    return ", ".join(f"{part} AS {name}" for part, name in zip(counts.split(", "), COUNTED, strict=True))


def owned(owner: int) -> str:
    """The condition on a rollup's rows of one owner, 0 for single links."""
    return f"link = {owner}" if owner else "link >= 0"


def owners(cursor: duckdb.DuckDBPyConnection, within: str) -> list[int]:
    """The owners of place rollup rows."""
    rows = cursor.execute(f"SELECT DISTINCT {OWNER} FROM place_rollup WHERE {within} ORDER BY ALL").fetchall()
    return [owner for (owner,) in rows]


class Ledger:
    """The rows that pieces have: known while a transaction adds to the rollups, and noted at its end."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor
        self._sizes = {
            (rollup, level, owner, first): (merged, rows)
            for rollup, level, owner, first, merged, rows in cursor.execute("FROM runs").fetchall()
        }
        self._changed = set[tuple[str, int, int, int]]()

    def places(self, level: Level, pieces: Mapping[tuple[int, int], Tally]) -> None:
        """Add tallies by (link, first day) to the place rollup: all that there are of a level, at once."""
        by_owner: dict[tuple[int, int], dict[int, Tally]] = {}
        for (link, first), tally in sorted(pieces.items(), key=lambda piece: piece[0]):
            by_owner.setdefault((min(link, 0), first), {})[link] = tally
        appended: dict[tuple[int, int], Tally] = {}
        for (owner, first), each in by_owner.items():
            more = sum(len(tally.cell) for tally in each.values())
            merged, rows = self._sizes.get(("place_rollup", level, owner, first), (more, 0))
            if rows and rows + more > GROWN * max(merged, MERGE_FROM["place_rollup"]):
                self._fold(level, owner, first, each)
            else:
                appended |= {(link, first): tally for link, tally in each.items()}
                self._note(("place_rollup", level, owner, first), merged, rows + more)
        self._write(level, appended)

    def days_of_links(self, select: str) -> None:
        """Add an answer, days of single links, to the place rollup."""
        if insert(self._cursor, "place_rollup", select):
            rows = self._cursor.execute("SELECT first, count(*) FROM adding GROUP BY first").fetchall()
            for first, more in rows:
                merged, before = self._sizes.get(("place_rollup", Level.DAY, 0, first), (more, 0))
                self._note(("place_rollup", Level.DAY, 0, first), merged, before + more)

    def times(self, level: Level, select: str, given: Sequence[int] | None = None) -> None:
        """Add an answer to the time rollup, which is one piece for each level."""
        more = insert(self._cursor, "time_rollup", select, given)
        merged, rows = self._sizes.get(("time_rollup", level, 0, 0), (more, 0))
        self._note(("time_rollup", level, 0, 0), merged, rows + more)

    def merge(self, days: Sequence[int]) -> None:
        """Merge what has grown, or rests, of all that has nothing to do with `days`; before anything is added."""
        for level in EVERY_LEVEL:
            busy = {first_day(level, day) for day in days}
            resting = sorted(
                (first, owner)
                for (rollup, of, owner, first), (merged, rows) in self._sizes.items()
                if rollup == "place_rollup"
                and of == level
                and (
                    rows > GROWN * max(merged, MERGE_FROM[rollup])
                    or (rows > RESTING * merged and first not in busy)
                )
            )
            for first, owner in resting[:AT_ONCE]:
                self._fold(level, owner, first, {})
        for level in (Level.DAY, Level.QUARTER):
            merged, rows = self._sizes.get(("time_rollup", level, 0, 0), (0, 0))
            if rows > 2 * max(merged, MERGE_FROM["time_rollup"]):
                self._merge_times(level)

    def rest(self) -> bool:
        """Merge the piece that has most to lose, where nothing is added for a while; whether there was any."""
        few = MERGE_FROM["place_rollup"] // 4
        excess = {
            key: rows - merged
            for key, (merged, rows) in self._sizes.items()
            if key[0] == "place_rollup" and rows > RESTING * merged and rows - merged > few
        }
        if excess:
            _, level, owner, first = max(excess, key=lambda key: excess[key])
            self._fold(Level(level), owner, first, {})
        return bool(excess)

    def close(self) -> None:
        """Note what has changed."""
        if not self._changed:
            return
        keys = sorted(self._changed)
        self._cursor.register("changed", _table(keys, [self._sizes[key] for key in keys]))
        self._cursor.execute(
            "DELETE FROM runs WHERE EXISTS (FROM changed c WHERE c.rollup = runs.rollup AND c.level = runs.level"
            " AND c.owner = runs.owner AND c.first = runs.first)"
        )
        self._cursor.execute("INSERT INTO runs FROM changed")
        self._cursor.unregister("changed")
        self._changed.clear()

    def _note(self, key: tuple[str, int, int, int], merged: int, rows: int) -> None:
        self._sizes[key] = merged, rows
        self._changed.add(key)

    def _fold(self, level: Level, owner: int, first: int, each: Mapping[int, Tally]) -> None:
        """Put the rows of a piece together, with what is added to it, some of its links at a time."""
        inside, added, written = f"level = {level} AND first = {first}", dict(each), 0
        for low, high in self._ranges(inside, owner):
            mine = f"FROM place_rollup WHERE {inside} AND link >= {low} AND link <= {high}"
            found = tallies.rows(self._cursor, f"SELECT link, place, kind, {COLUMNS} {mine}", ["link"])
            self._cursor.execute(f"DELETE {mine}")
            written += self._write(
                level,
                {
                    (link, first): tallies.together([old, *([added.pop(link)] if link in added else [])])
                    for (link,), old in found.items()
                },
            )
        written += self._write(level, {(link, first): tally for link, tally in added.items()})
        self._note(("place_rollup", level, owner, first), written, written)

    def _ranges(self, inside: str, owner: int) -> Iterator[tuple[int, int]]:
        if owner:
            yield owner, owner
            return
        sizes = self._cursor.execute(
            f"SELECT link, count(*) FROM place_rollup WHERE {inside} AND {owned(owner)} GROUP BY link ORDER BY link"
        ).fetchall()
        low, together = None, 0
        for at, (link, rows) in enumerate(sizes):
            low, together = link if low is None else low, together + rows
            if at + 1 == len(sizes) or together + sizes[at + 1][1] > ROWS_AT_ONCE:
                yield low, link
                low, together = None, 0

    def _write(self, level: Level, pieces: Mapping[tuple[int, int], Tally]) -> int:
        if not (rows := sum(len(tally.cell) for tally in pieces.values())):
            return 0
        self._cursor.register("tallied", tallies.columns(pieces))
        self._cursor.execute(f"INSERT INTO place_rollup SELECT {level}, * FROM tallied")
        self._cursor.unregister("tallied")
        return rows

    def _merge_times(self, level: Level) -> None:
        self._cursor.execute(
            f"CREATE OR REPLACE TEMP TABLE merged AS SELECT level, link, first, kind, {named(', '.join(summed))}"
            f" FROM time_rollup WHERE level = {level} GROUP BY ALL HAVING sum(clicks) <> 0 ORDER BY link, first, kind"
        )
        self._cursor.execute(f"DELETE FROM time_rollup WHERE level = {level}")
        rows = insert(self._cursor, "time_rollup", "FROM merged")
        self._note(("time_rollup", level, 0, 0), rows, rows)


def _table(
    keys: Sequence[tuple[str, int, int, int]], sizes: Sequence[tuple[int, int]]
) -> dict[str, np.ndarray]:
    rollup, level, owner, first = zip(*keys, strict=True)
    merged, rows = zip(*sizes, strict=True)
    return {
        "rollup": np.array(rollup, object),
        "level": np.array(level, np.uint8),
        "owner": np.array(owner, np.int64),
        "first": np.array(first, np.int32),
        "merged": np.array(merged, np.int64),
        "rows": np.array(rows, np.int64),
    }
