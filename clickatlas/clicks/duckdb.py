"""The default click store: one DuckDB file, transactional, 20 MB of program."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from clickatlas.clicks import bundles, patches, removal, rollups
from clickatlas.clicks.dimensions import Dictionary, KeyNumbers
from clickatlas.clicks.duckdb_file import Damaged, explained, open_file
from clickatlas.clicks.duckdb_visitors import DuckDBVisitors
from clickatlas.clicks.merges import Ledger
from clickatlas.clicks.periods import DAY_MS
from clickatlas.clicks.quarantine import keep_spool
from clickatlas.clicks.store import Batch, Patches, Position
from clickatlas.clicks.turns import Turns
from clickatlas.clicks.visitors import short
from clickatlas.errors import Problem
from clickatlas.redirect.record import Agent

StoreError = duckdb.Error
REST_S = 60  # after a settling, until pieces of rollups are merged that could have waited
HURRIED = 2  # settlings' worth that is settled at once while clicks wait in the spool: it costs less for each
log = logging.getLogger("clickatlas.store")


class DuckDBStore(DuckDBVisitors):
    """A `ClickStore` in one file. Only one process may have it open for writing.

    With `quarantine` a damaged file is set aside, and a new one begun.
    """

    def __init__(
        self, path: Path, *, memory: str = "1GB", read_only: bool = False, quarantine: bool = False
    ) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._open = partial(open_file, path, memory=memory, read_only=read_only, quarantine=quarantine)
        self._writing: AbstractContextManager[object] = threading.Lock() if read_only else Turns(path)
        self._broken = False  # DuckDB gave the open file up: it has to be opened again
        with self._writing:  # it may be brought along from an older version, or its log written back
            self._load()

    def _load(self) -> None:
        self._connection = self._open()
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
        self._bundles: Mapping[str, npt.NDArray[np.int64]] | None = None  # None: whatever there are
        self._bundling = False  # whether a bundle may be due
        self._patches: Patches | None = None
        self._patched = bool(self._all("SELECT 1 FROM patch_owners LIMIT 1"))
        self._leaving = bool(self._all("SELECT 1 FROM leaving LIMIT 1"))
        self._settled: float | None = time.monotonic()  # when last; None: merged since
        self._slices = 0  # of removed links' clicks, taken away since it was opened
        self._removed = np.array([row[0] for row in self._all("SELECT link FROM removed_links")], np.int64)

    @property
    def version(self) -> int:
        """Grows with every change of content within this process."""
        return self._version

    def append(self, batch: Batch) -> int:
        """Store a batch and its spool positions in one transaction; returns how many clicks were new."""
        records = batch.records
        with self._writer():
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
                "visitor": short(records["visitor"]),
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
            if self._patched:
                patches.assign(cursor, self._patches)
        if found := self._agents.fresh:
            columns = zip(*((number, *agent) for number, agent in found), strict=True)
            names = ("id", *Agent._fields)
            words = {name: np.array(column, object) for name, column in zip(names, columns, strict=True)}
            _insert(cursor, "agents", words | {"id": words["id"].astype(np.int32)})
        if hosts := self._referrers.fresh:
            ids, names = zip(*hosts, strict=True)
            _insert(cursor, "referrers", {"id": np.array(ids, np.int32), "host": np.array(names, object)})

    def tend(self, keep_from: int | None = None, *, hurried: bool = False) -> bool:
        """Do what is due, a piece of it at a time; whether there is more.

        Settles the newest clicks when there are many; takes away clicks of links that were removed; lets go of a
        day's single clicks that are older than `keep_from` (ms UTC); brings bundles of links nearer to what is wanted.
        """
        with self._writer():
            if self._waiting is None:
                self._waiting = int(self._all("SELECT count(*) FROM incoming")[0][0])
            if self._waiting >= rollups.SETTLE_AT * (HURRIED if hurried else 1):
                with self._transaction() as cursor:
                    rollups.settle(cursor)
                self._waiting = 0
                self._bundling = True
                self._settled = time.monotonic()
                with suppress(duckdb.TransactionException):  # then it is for the next one
                    # Until then the space that those clicks had in `incoming` is not free for others.
                    self._connection.cursor().execute("CHECKPOINT")
                return True
            if self._leaving:
                self._take_away()
                return True
            since = None if keep_from is None else self._next_sweep(keep_from)
            if since is None:
                return self._bundle() or (not hurried and self._rest())
            with self._transaction() as cursor:
                swept = rollups.sweep(cursor, since)
            self._waiting = 0
            self._version += 1
        log.info("let go of %d clicks before %s; their counts remain", swept, _date(since))
        return True

    def _rest(self) -> bool:
        if self._settled is None or time.monotonic() < self._settled + REST_S:
            return False
        with self._transaction() as cursor:
            ledger = Ledger(cursor)
            more = ledger.rest()
            ledger.close()
        if not more:
            self._settled = None
        return more

    def _take_away(self) -> None:
        with self._transaction() as cursor:
            removed, self._leaving = removal.step(cursor)
        self._slices += 1
        self._version += 1
        log.info(
            "deleted %d more clicks of removed links%s", removed, "" if self._leaving else ": that was all"
        )

    def bundle(self, links: Mapping[str, npt.NDArray[np.int64]]) -> None:
        """Link numbers that are asked for together, by name: to be counted together where that is worth it."""
        with self._writing:
            self._bundles, self._bundling = links, True

    def patch(self, patches: Patches) -> None:
        """Places that are often asked for together: counted together where that is worth it."""
        with self._writing:
            self._patches, self._bundling = patches, True

    def _bundle(self) -> bool:
        if not self._bundling:
            return False
        with self._transaction() as cursor:
            done = [] if self._bundles is None else bundles.tend(cursor, self._bundles)
            more = bool(done) or rollups.tend(cursor) or patches.tend(cursor, self._patches)
            patched = patches.owned(cursor)
        self._bundling, self._patched = more, patched
        for what in done:
            log.debug("bundles: %s", what)
        return self._bundling

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
    def _writer(self) -> Iterator[None]:
        """The only writer, on a file that works; what DuckDB says becomes a `Problem`."""
        with self._writing:
            try:
                if self._broken:
                    self._connection.close()
                    self._load()
                    self._broken = False
                    log.warning("%s is open again", self.path)
                yield
            except StoreError as error:
                raise self.problem(error) from error

    def problem(self, error: Exception) -> Problem:
        """What `error`, one of `StoreError`, means for the reader."""
        assert isinstance(error, StoreError)
        # After a checkpoint that failed, for one, on a full disk. Nothing committed is lost by it.
        self._broken = self._broken or isinstance(error, duckdb.FatalException)
        found = explained(error, self.path)
        if isinstance(found, Damaged):
            with suppress(OSError):
                keep_spool(self.path.parent)
        return found

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
        with self._writer():
            rows = self._all('SELECT stream, segment, "offset" FROM spool_positions')
        return {stream: Position(segment, offset) for stream, segment, offset in rows}

    def begun(self) -> dict[str, Position]:
        """No batch is ever stored in part."""
        return {}

    def forget_streams(self, streams: Sequence[str]) -> None:
        """Drop the positions of streams that are gone from the disk."""
        with self._writer():
            self._connection.cursor().execute(
                "DELETE FROM spool_positions WHERE list_contains(?::VARCHAR[], stream)", [list(streams)]
            )

    def remove_links(self, links: Sequence[int], journal: int) -> int:
        """Delete clicks of `links`, refuse later ones, and remember the link journal's position; returns how many.

        Many at a time, not to hold everything up: what is left of them goes with `tend`, also after a kill.
        """
        leaving = False
        with self._writer():
            with self._transaction() as cursor:
                removed = 0
                if links:
                    removed = removal.begin(cursor, links)
                    more, leaving = removal.step(cursor)
                    removed += more
                    cursor.execute("INSERT INTO removed_links SELECT unnest(?::BIGINT[])", [list(links)])
                cursor.execute("DELETE FROM journal")
                cursor.execute("INSERT INTO journal VALUES (?)", [journal])
            self._removed = np.append(self._removed, np.array(list(links), np.int64))
            self._leaving = leaving or (self._leaving and not links)
            self._waiting = None
            self._bundling = True
            self._version += 1
        return removed

    @property
    def removals(self) -> int:
        """How many links were removed, and slices of their clicks since: grows when what was counted may be told no longer."""
        return len(self._removed) + self._slices

    def journal(self) -> int:
        """The link journal's position that `remove_links` remembered last; 0 at first."""
        with self._writer():
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
