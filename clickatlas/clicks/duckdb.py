"""The default click store: one DuckDB file, transactional, 20 MB of program."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from clickatlas.clicks.dimensions import Dictionary, KeyNumbers
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.store import Batch, ClickRow, Integers, PlaceCounts, Position
from clickatlas.errors import Problem
from clickatlas.redirect.record import Agent

EXPORT_ROWS = 10_000


class DuckDBStore:
    """A `ClickStore` in one file. Only one process may have it open for writing."""

    def __init__(self, path: Path, *, memory: str = "1GB", read_only: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        try:
            self._connection = duckdb.connect(
                str(path),
                read_only=read_only,
                config={"memory_limit": memory, "allocator_background_threads": True},
            )
        except duckdb.IOException as error:
            raise _unusable(path, error) from error
        self._writing = threading.Lock()
        # Starts at the clock, so that a tile cached before a restart is never taken for a newer one.
        self._version = time.time_ns() // 1_000_000
        if not read_only:
            self._connection.execute(
                resources.files("clickatlas.clicks").joinpath("sql/schema.sql").read_text("utf-8")
            )
        places = self._arrays("SELECT id, key FROM places", ())
        self._places = KeyNumbers(np.asarray(places["id"]), np.asarray(places["key"]))
        self._agents = Dictionary[Agent](
            (row[0], Agent(*row[1:]))
            for row in self._all("SELECT id, device, browser, system, language FROM agents")
        )
        self._referrers = Dictionary[str](self._all("SELECT id, host FROM referrers"))
        self._removed = np.array([row[0] for row in self._all("SELECT link FROM removed_links")], np.int64)

    @property
    def version(self) -> int:
        """Grows with every change of content within this process."""
        return self._version

    def _all(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        return self._connection.cursor().execute(sql, parameters).fetchall()

    def append(self, batch: Batch) -> int:
        """Store a batch and its spool positions in one transaction; returns how many clicks were new."""
        records = batch.records
        with self._writing:
            if len(self._removed):
                records = records[~np.isin(records["link"], self._removed)]
            agents = self._agents.numbers(batch.agents)
            referrers = self._referrers.numbers(batch.referrers)
            columns = {
                "time": np.ascontiguousarray(records["time"]),
                "link": np.ascontiguousarray(records["link"]),
                "place": self._places.numbers(np.ascontiguousarray(records["place"])),
                "agent": agents[records["agent"]] if len(records) else np.empty(0, np.int32),
                "referrer": referrers[records["referrer"]] if len(records) else np.empty(0, np.int32),
                "kind": np.ascontiguousarray(records["kind"]),
                "flags": np.ascontiguousarray(records["flags"]),
                "visitor": np.ascontiguousarray(records["visitor"]),
            }
            dictionaries = (self._places, self._agents, self._referrers)
            cursor = self._connection.cursor()
            try:
                cursor.begin()
                self._insert_words(cursor)
                if len(records):
                    cursor.register("incoming", columns)
                    cursor.execute("INSERT INTO clicks SELECT * FROM incoming")
                    cursor.unregister("incoming")
                for stream, position in batch.positions.items():
                    cursor.execute("DELETE FROM spool_positions WHERE stream = ?", [stream])
                    cursor.execute("INSERT INTO spool_positions VALUES (?, ?, ?)", [stream, *position])
                cursor.commit()
            except BaseException:
                for dictionary in dictionaries:
                    dictionary.undo()
                with suppress(duckdb.Error):
                    cursor.rollback()
                raise
            for dictionary in dictionaries:
                dictionary.settle()
            if len(records):
                self._version += 1
        return len(records)

    def _insert_words(self, cursor: duckdb.DuckDBPyConnection) -> None:
        numbers, keys = self._places.fresh
        if len(numbers):
            _insert(cursor, "places", {"id": numbers, "key": keys})
        if found := self._agents.fresh:
            columns = zip(*((number, *agent) for number, agent in found), strict=True)
            names = ("id", *Agent._fields)
            words = {name: np.array(column, object) for name, column in zip(names, columns, strict=True)}
            _insert(cursor, "agents", words | {"id": words["id"].astype(np.int32)})
        if hosts := self._referrers.fresh:
            ids, names = zip(*hosts, strict=True)
            _insert(cursor, "referrers", {"id": np.array(ids, np.int32), "host": np.array(names, object)})

    def positions(self) -> dict[str, Position]:
        """How far each spool stream has been read."""
        rows = self._all('SELECT stream, segment, "offset" FROM spool_positions')
        return {stream: Position(segment, offset) for stream, segment, offset in rows}

    def forget_streams(self, streams: Sequence[str]) -> None:
        """Drop the positions of streams that are gone from the disk."""
        with self._writing:
            self._connection.cursor().execute(
                "DELETE FROM spool_positions WHERE list_contains(?::VARCHAR[], stream)", [list(streams)]
            )

    def remove_links(self, links: Sequence[int], journal: int) -> int:
        """Delete all clicks of `links`, refuse later ones, and remember the link journal's position."""
        with self._writing:
            cursor = self._connection.cursor()
            cursor.begin()
            try:
                removed = 0
                if links:
                    [row] = cursor.execute(
                        "DELETE FROM clicks WHERE link IN (SELECT unnest(?::BIGINT[]))", [list(links)]
                    ).fetchall()
                    removed = int(row[0])
                    cursor.execute("INSERT INTO removed_links SELECT unnest(?::BIGINT[])", [list(links)])
                cursor.execute("DELETE FROM journal")
                cursor.execute("INSERT INTO journal VALUES (?)", [journal])
                cursor.commit()
            except BaseException:
                with suppress(duckdb.Error):
                    cursor.rollback()
                raise
            self._removed = np.append(self._removed, np.array(list(links), np.int64))
            self._version += 1
        return removed

    def journal(self) -> int:
        """The link journal's position that `remove_links` remembered last; 0 at first."""
        rows = self._all("SELECT max(position) FROM journal")
        return int(rows[0][0] or 0)

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
        if places is not None:
            cursor.register("wanted", {"key": places})
            where += " AND place IN (SELECT id FROM places WHERE key IN (SELECT key FROM wanted))"
        # Quarter hours first, then the reader's buckets: every zone is whole quarters away from UTC.
        sql = f"SELECT time // 900000 AS quarter, count(*) AS clicks FROM clicks{where} GROUP BY quarter"
        columns = cursor.execute(sql, parameters).fetchnumpy()
        return _into_buckets(np.asarray(columns["quarter"], np.int64) * 900_000, columns["clicks"], edges)

    def link_counts(self, links: Sequence[int], kinds: Sequence[int]) -> dict[int, int]:
        """Clicks per link."""
        where, parameters = _where(Selection(links=tuple(links)), kinds=kinds)
        rows = self._all(f"SELECT link, count(*) FROM clicks{where} GROUP BY link", parameters)
        return dict(rows)

    def link_series(self, links: Sequence[int], edges: Integers, kinds: Sequence[int]) -> dict[int, Integers]:
        """Clicks per link between each two of `edges` (ms UTC)."""
        where, parameters = _where(Selection(links=tuple(links)), edges=edges, kinds=kinds)
        columns = self._arrays(
            f"SELECT link, time // 900000 AS quarter, count(*) AS clicks FROM clicks{where} GROUP BY ALL",
            parameters,
        )
        series: dict[int, Integers] = {}
        for link in np.unique(columns["link"]):
            mine = columns["link"] == link
            times = np.asarray(columns["quarter"][mine], np.int64) * 900_000
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

    def close(self) -> None:
        """Write everything into the one file and let go of it."""
        with self._writing:
            self._connection.close()

    def _arrays(self, sql: str, parameters: Sequence[Any]) -> dict[str, npt.NDArray[Any]]:
        return self._connection.cursor().execute(sql, parameters).fetchnumpy()


def _insert(cursor: duckdb.DuckDBPyConnection, table: str, columns: dict[str, npt.NDArray[Any]]) -> None:
    # 1 µs a row, where executemany takes 230: a storm of made-up referrers must not hold up counting.
    cursor.register("fresh", columns)
    cursor.execute(f"INSERT INTO {table} SELECT * FROM fresh")
    cursor.unregister("fresh")


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


def _into_buckets(times: Integers, clicks: npt.NDArray[Any], edges: Integers) -> Integers:
    bucket = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(bucket, weights=np.asarray(clicks, np.float64), minlength=len(edges) - 1)
    return counts.astype(np.int64)


def _unusable(path: Path, error: Exception) -> Problem:
    if "lock" in str(error).lower():
        return Problem(
            503,
            "The click store is in use",
            f"{path} is open in another process.",
            remedy="Is another clickatlas running on this data folder? Stop it, or use another --data.",
        )
    return Problem(
        503, "The click store can't be opened", str(error), remedy=f"Is {path} whole and readable?"
    )
