"""The default click store: one DuckDB file, transactional, 20 MB of program."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from clickatlas.clicks.dimensions import Dictionary, KeyNumbers
from clickatlas.clicks.duckdb_questions import DuckDBQuestions
from clickatlas.clicks.store import Batch, Position
from clickatlas.errors import Problem
from clickatlas.redirect.record import Agent


class DuckDBStore(DuckDBQuestions):
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

    def close(self) -> None:
        """Write everything into the one file and let go of it."""
        with self._writing:
            self._connection.close()


def _insert(cursor: duckdb.DuckDBPyConnection, table: str, columns: dict[str, npt.NDArray[Any]]) -> None:
    # 1 µs a row, where executemany takes 230: a storm of made-up referrers must not hold up counting.
    cursor.register("fresh", columns)
    cursor.execute(f"INSERT INTO {table} SELECT * FROM fresh")
    cursor.unregister("fresh")


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
