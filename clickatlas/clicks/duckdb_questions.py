"""What a DuckDB click store is asked, as SQL: counts for a selection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from clickatlas.clicks.filter import Selection
from clickatlas.clicks.store import ClickRow, GroupTimes, Integers, PlaceCounts, PlaceGroups, Word

EXPORT_ROWS = 10_000
WINDOW = 4_000_000  # clicks read at once: about 150 MB while they are counted
QUARTER = 900_000  # ms; every zone in use today is whole quarter hours away from UTC
WORDS: dict[
    Word, tuple[str, str, str]
] = {  # the column of `clicks`, the table that it points into, the word there
    "device": ("agent", "agents", "device"),
    "browser": ("agent", "agents", "browser"),
    "system": ("agent", "agents", "system"),
    "language": ("agent", "agents", "language"),
    "referrer": ("referrer", "referrers", "host"),
}


class DuckDBQuestions:
    """The reading half of a `ClickStore`; `DuckDBStore` opens the file and writes."""

    _connection: duckdb.DuckDBPyConnection

    def _all(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        return self._connection.cursor().execute(sql, parameters).fetchall()

    def _arrays(self, sql: str, parameters: Sequence[Any]) -> dict[str, npt.NDArray[Any]]:
        return self._connection.cursor().execute(sql, parameters).fetchnumpy()

    def place_counts(self, selection: Selection) -> PlaceCounts:
        """Clicks per place and network kind. 10 million clicks of one link: about 0.2 s on 2 cores."""
        where, parameters = _where(selection)
        cursor = self._connection.cursor()
        if selection.links is None:
            # Place and kind together have 22 bits. Counted in a flat table in place of a hash table, 10 million
            # clicks take half the time; a few clicks would take 20 ms more. The cursor's own setting.
            cursor.execute("SET perfect_ht_threshold = 22")
        columns = cursor.execute(
            f"WITH counted AS (SELECT place, kind, count(*) AS clicks FROM clicks{where} GROUP BY ALL)"
            " SELECT key, kind, clicks FROM counted JOIN places ON places.id = counted.place",
            parameters,
        ).fetchnumpy()
        return PlaceCounts(
            columns["key"].astype(np.uint64, copy=False),
            columns["kind"].astype(np.uint8, copy=False),
            columns["clicks"].astype(np.int64, copy=False),
        )

    def time_counts(
        self,
        selection: Selection,
        edges: Integers,
        kinds: Sequence[int],
        places: npt.NDArray[np.uint64] | None = None,
    ) -> Integers:
        """Clicks between each two of `edges` (ms UTC, ascending), of these network kinds and place keys."""
        where, parameters = _where(selection, edges=edges, kinds=kinds)
        cursor = self._connection.cursor()
        where += _only(cursor, places)
        # Quarter hours first, then the reader's buckets: every zone is whole quarters away from UTC.
        sql = f"SELECT time // {QUARTER} AS quarter, count(*) AS clicks FROM clicks{where} GROUP BY quarter"
        columns = cursor.execute(sql, parameters).fetchnumpy()
        return _into_buckets(np.asarray(columns["quarter"], np.int64) * QUARTER, columns["clicks"], edges)

    def group_times(
        self, selection: Selection, edges: Integers, kinds: Sequence[int], places: PlaceGroups
    ) -> GroupTimes:
        """Clicks per group and bucket, in the order of buckets and then groups.

        Read as two small numbers a click and counted in arrays, a third of what a join and a hash table of
        millions of groups take: 10 million clicks into 1.4 million rows cost 0.4 s on 2 cores. Read in
        windows of time, of about `WINDOW` clicks, so that memory does not grow with them.
        """
        where, parameters = _where(selection, edges=edges, kinds=kinds)
        cursor = self._connection.cursor()
        counted = cursor.execute(f"SELECT count(*), min(time), max(time) FROM clicks{where}", parameters)
        [(clicks, first, last)] = counted.fetchall()
        group_of, other = _group_of(cursor, places)
        step, bucket_of = _steps(edges)
        width = other + 1
        found: list[tuple[Integers, Integers]] = []
        windows = -(-clicks // WINDOW)
        for begin, end in pairwise(int(at) for at in np.linspace(first or 0, (last or 0) + 1, windows + 1)):
            columns = cursor.execute(
                f"SELECT ((time - {int(edges[0])}) // {step})::INTEGER AS step, place FROM clicks{where}"
                f" AND time >= {begin} AND time < {end}",
                parameters,
            ).fetchnumpy()
            group, at = group_of[columns["place"]], columns["step"]
            if group.min(initial=0) < 0:
                at, group = at[group >= 0], group[group >= 0]
            bucket = at.astype(np.int64) if bucket_of is None else bucket_of[at]
            found.append(_tallied(bucket * width + group))
        cell = np.concatenate([cells for cells, _ in found] or [np.zeros(0, np.int64)])
        tally = np.concatenate([tallies for _, tallies in found] or [np.zeros(0, np.int64)])
        if len(found) > 1:  # a bucket may lie in two windows
            cell, index = np.unique(cell, return_inverse=True)
            tally = np.bincount(index, weights=tally, minlength=len(cell)).astype(np.int64)
        group = (cell % width).astype(np.int32)
        if places.elsewhere is not None:
            group[group == other] = places.elsewhere
        return GroupTimes(group, (cell // width).astype(np.int32), tally)

    def word_counts(
        self,
        selection: Selection,
        word: Word,
        kinds: Sequence[int],
        places: npt.NDArray[np.uint64] | None = None,
    ) -> dict[str, int]:
        """Clicks per device, browser, system, language or referring host; "" where that is not known."""
        number, table, column = WORDS[word]
        where, parameters = _where(selection, kinds=kinds)
        cursor = self._connection.cursor()
        where += _only(cursor, places)
        rows = cursor.execute(
            f"SELECT {column}, sum(clicks)::BIGINT FROM"
            f" (SELECT {number}, count(*) AS clicks FROM clicks{where} GROUP BY {number}) c"
            f" JOIN {table} ON {table}.id = c.{number} GROUP BY {column}",
            parameters,
        ).fetchall()
        return dict(rows)

    def link_counts(
        self,
        selection: Selection,
        kinds: Sequence[int],
        places: npt.NDArray[np.uint64] | None = None,
    ) -> dict[int, int]:
        """Clicks per link number; links without clicks are left out."""
        where, parameters = _where(selection, kinds=kinds)
        cursor = self._connection.cursor()
        where += _only(cursor, places)
        rows = cursor.execute(f"SELECT link, count(*) FROM clicks{where} GROUP BY link", parameters)
        return dict(rows.fetchall())

    def link_series(self, links: Sequence[int], edges: Integers, kinds: Sequence[int]) -> dict[int, Integers]:
        """Clicks per link between each two of `edges` (ms UTC)."""
        where, parameters = _where(Selection(links=tuple(links)), edges=edges, kinds=kinds)
        columns = self._arrays(
            f"SELECT link, time // {QUARTER} AS quarter, count(*) AS clicks FROM clicks{where} GROUP BY ALL",
            parameters,
        )
        series: dict[int, Integers] = {}
        for link in np.unique(columns["link"]):
            mine = columns["link"] == link
            times = np.asarray(columns["quarter"][mine], np.int64) * QUARTER
            series[int(link)] = _into_buckets(times, columns["clicks"][mine], edges)
        return series

    def span(self, selection: Selection) -> tuple[int, int, int] | None:
        """(first, last, clicks): times in ms UTC; None where there are no clicks."""
        where, parameters = _where(selection)
        row = self._all(f"SELECT min(time), max(time), count(*) FROM clicks{where}", parameters)[0]
        return (int(row[0]), int(row[1]), int(row[2])) if row[2] else None

    def rows(self, selection: Selection) -> Iterator[list[ClickRow]]:
        """The clicks themselves in time order, streamed in lists of 10,000."""
        where, parameters = _where(selection)
        cursor = self._connection.cursor()
        cursor.execute(
            "SELECT time, link, places.key, kind, device, browser, system, language, host, flags"
            f" FROM (SELECT * FROM clicks{where}) c JOIN places ON places.id = c.place"
            " JOIN agents ON agents.id = c.agent JOIN referrers ON referrers.id = c.referrer ORDER BY time",
            parameters,
        )
        while chunk := cursor.fetchmany(EXPORT_ROWS):
            yield [ClickRow(*row) for row in chunk]


def _where(
    selection: Selection, *, edges: Integers | None = None, kinds: Sequence[int] | None = None
) -> tuple[str, list[Any]]:
    conditions: list[str] = []
    parameters: list[Any] = []
    if selection.links is not None:
        if len(selection.links) == 1:
            conditions.append("link = ?")  # lets DuckDB skip row groups by their smallest and largest link
            parameters.append(selection.links[0])
        else:
            conditions.append("link IN (SELECT unnest(?::BIGINT[]))")
            parameters.append(list(selection.links))
    start, end = selection.start, selection.end
    if edges is not None:
        start = int(edges[0]) if start is None else max(start, int(edges[0]))
        end = int(edges[-1]) if end is None else min(end, int(edges[-1]))
    if start is not None:
        conditions.append("time >= ?")
        parameters.append(start)
    if end is not None:
        conditions.append("time < ?")
        parameters.append(end)
    if kinds is not None:
        conditions.append("list_contains(?::INTEGER[], kind::INTEGER)")
        parameters.append([int(kind) for kind in kinds])
    if selection.devices:
        conditions.append("agent IN (SELECT id FROM agents WHERE list_contains(?::VARCHAR[], device))")
        parameters.append(list(selection.devices))
    return (" WHERE " + " AND ".join(conditions) if conditions else " WHERE true"), parameters


def _only(cursor: duckdb.DuckDBPyConnection, places: npt.NDArray[np.uint64] | None) -> str:
    """A condition that lets only clicks of these place keys through."""
    if places is None:
        return ""
    cursor.register("wanted", {"key": places})
    return " AND place IN (SELECT id FROM places WHERE key IN (SELECT key FROM wanted))"


def _group_of(cursor: duckdb.DuckDBPyConnection, places: PlaceGroups) -> tuple[npt.NDArray[np.int32], int]:
    """The group of each of the store's place numbers, -1 to leave out; and the number that stands for elsewhere."""
    known = cursor.execute("SELECT id, key FROM places").fetchnumpy()
    order = np.argsort(places.keys)
    keys, groups = places.keys[order], places.groups[order]
    other = int(groups.max(initial=-1)) + 1
    if places.elsewhere is not None:
        groups = np.where(groups == places.elsewhere, other, groups)
    at = np.searchsorted(keys, known["key"])
    named = at < len(keys)
    named[named] = keys[at[named]] == known["key"][named]
    result = np.full(int(known["id"].max(initial=0)) + 1, -1 if places.elsewhere is None else other, np.int32)
    result[known["id"][named]] = groups[at[named]]
    return result, other


def _steps(edges: Integers) -> tuple[int, Integers | None]:
    """The longest step (ms) that cuts all buckets, quarter hours at the finest; and the bucket of each step.

    None where all buckets are one step long.
    """
    lengths = np.diff(edges)
    step = int(np.gcd.reduce(lengths))
    if step == lengths[0]:
        return step, None
    step = max(step, QUARTER)
    begin = np.arange(int(edges[0]), int(edges[-1]), step, dtype=np.int64)
    return step, np.searchsorted(edges, begin, side="right") - 1


def _tallied(cells: Integers) -> tuple[Integers, Integers]:
    """The different cells, ascending, and how often each occurs."""
    if not len(cells):
        return cells, cells
    least = int(cells.min())
    width = int(cells.max()) - least + 1
    if width > 4 * len(cells) + (1 << 22):  # too thin for a flat table
        distinct, tally = np.unique(cells, return_counts=True)
        return distinct, tally.astype(np.int64)
    tally = np.bincount(cells - least)
    distinct = np.flatnonzero(tally)
    return distinct + least, tally[distinct].astype(np.int64)


def _into_buckets(times: Integers, clicks: npt.NDArray[Any], edges: Integers) -> Integers:
    bucket = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(bucket, weights=np.asarray(clicks, np.float64), minlength=len(edges) - 1)
    return counts.astype(np.int64)
