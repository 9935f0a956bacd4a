"""The default click store: one DuckDB file, transactional, 20 MB of program."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from clickatlas.clicks import rollups
from clickatlas.clicks.dimensions import Dictionary, KeyNumbers
from clickatlas.clicks.duckdb_file import open_file
from clickatlas.clicks.duckdb_questions import DuckDBQuestions
from clickatlas.clicks.periods import DAY_MS
from clickatlas.clicks.store import Batch, Position
from clickatlas.redirect.record import Agent

log = logging.getLogger("clickatlas.store")


class DuckDBStore(DuckDBQuestions):
    """A `ClickStore` in one file. Only one process may have it open for writing."""

    def __init__(self, path: Path, *, memory: str = "1GB", read_only: bool = False) -> None:
        self.path = path
        self._connection = open_file(path, memory=memory, read_only=read_only)
        self._writing = threading.Lock()
        self._waiting: int | None = None  # clicks in `incoming`; None: not counted yet
        # Starts at the clock, so that a tile cached before a restart is never taken for a newer one.
        self._version = time.time_ns() // 1_000_000
        places = self._connection.cursor().execute("SELECT id, key FROM places").fetchnumpy()
        self._place_keys = np.zeros(int(places["id"].max(initial=0)) + 1, np.uint64)
        self._place_keys[places["id"]] = places["key"]
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
                "visitor": _short(records["visitor"]),
            }
            numbers, keys = self._places.fresh
            known = self._place_keys
            if len(numbers):  # before they are committed: nobody may read a number that is not in here
                self._place_keys = np.append(known, np.zeros(int(numbers.max()) + 1 - len(known), np.uint64))
                self._place_keys[numbers] = keys
            dictionaries = (self._places, self._agents, self._referrers)
            try:
                with self._transaction() as cursor:
                    self._insert_words(cursor)
                    if len(records):
                        cursor.register("arriving", columns)
                        cursor.execute("INSERT INTO incoming SELECT * FROM arriving")
                    for stream, position in batch.positions.items():
                        cursor.execute("DELETE FROM spool_positions WHERE stream = ?", [stream])
                        cursor.execute("INSERT INTO spool_positions VALUES (?, ?, ?)", [stream, *position])
            except BaseException:
                for dictionary in dictionaries:
                    dictionary.undo()
                self._place_keys = known
                raise
            for dictionary in dictionaries:
                dictionary.settle()
            if len(records):
                self._version += 1
            self._waiting = None if self._waiting is None else self._waiting + len(records)
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

    def tend(self, keep_from: int | None = None) -> bool:
        """Do what is due, a piece of it at a time; whether there is more.

        Settles the newest clicks when there are many; lets go of a day's single clicks that are older than
        `keep_from` (ms UTC).
        """
        with self._writing:
            if self._waiting is None:
                self._waiting = int(self._all("SELECT count(*) FROM incoming")[0][0])
            if self._waiting >= rollups.SETTLE_AT:
                with self._transaction() as cursor:
                    rollups.settle(cursor)
                self._waiting = 0
                return True
            since = None if keep_from is None else self._next_sweep(keep_from)
            if since is None:
                return False
            with self._transaction() as cursor:
                swept = rollups.sweep(cursor, since)
            self._waiting = 0
            self._version += 1
        log.info("let go of %d clicks before %s; their counts remain", swept, _date(since))
        return True

    def _next_sweep(self, keep_from: int) -> int | None:
        """The midnight up to which clicks are let go of next: about a settling's worth; None where none are due."""
        limit = keep_from // DAY_MS * DAY_MS
        [(since, first)] = self._all("SELECT (SELECT since FROM kept), (SELECT min(time) FROM clicks)")
        if first is None or limit <= max(first, since):
            return None
        # Some day between: an old store whose clicks are to be kept no longer is swept in several pieces.
        some = self._all(
            "SELECT time FROM clicks WHERE time < ? ORDER BY time LIMIT 1 OFFSET ?",
            [limit, rollups.SETTLE_AT],
        )
        return min(limit, (some[0][0] // DAY_MS + 1) * DAY_MS) if some else limit

    @contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        cursor = self._connection.cursor()
        cursor.begin()
        try:
            yield cursor
            cursor.commit()
        except BaseException:
            with suppress(duckdb.Error):
                cursor.rollback()
            raise
        finally:
            cursor.close()

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
            with self._transaction() as cursor:
                removed = rollups.remove(cursor, links) if links else 0
                if links:
                    cursor.execute("INSERT INTO removed_links SELECT unnest(?::BIGINT[])", [list(links)])
                cursor.execute("DELETE FROM journal")
                cursor.execute("INSERT INTO journal VALUES (?)", [journal])
            self._removed = np.append(self._removed, np.array(list(links), np.int64))
            self._waiting = None
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


def _date(time_ms: int) -> date:
    return datetime.fromtimestamp(time_ms / 1000, UTC).date()


def _short(visitor: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint32]:
    """As `rollups.SHORT_VISITOR`."""
    short = visitor.astype(np.uint32)  # the lower half
    short[(short == 0) & (visitor != 0)] = 1
    return short
