"""The click store at scale: ClickHouse, one server or a cluster of shards and replicas.

Exactly once without a transaction over two tables: `docs/clickhouse.md` says how. Before a batch is inserted, a note says up
to where it goes (`begun`); its parts carry a token made from the spool positions that it goes from and to; then a note says
that they are in. A batch that was cut short is appended again just so, and what of it is there already is told by its tokens.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from clickatlas.clicks.clickhouse_address import address
from clickatlas.clicks.clickhouse_arrivals import ClickHouseArrivals
from clickatlas.clicks.clickhouse_even import Evenness
from clickatlas.clicks.clickhouse_lost import put_back
from clickatlas.clicks.clickhouse_pieces import PIECE, pieces
from clickatlas.clicks.clickhouse_schema import CLICKS, OF_LINKS, bring_along, local, on_cluster, retention
from clickatlas.clicks.clickhouse_scope import among
from clickatlas.clicks.clickhouse_server import ClickHouseFault, Server, explained
from clickatlas.clicks.clickhouse_words import ClickHouseWords
from clickatlas.clicks.moving_notes import refuse_new, refuse_unfinished
from clickatlas.clicks.periods import DAY_MS
from clickatlas.clicks.store import Batch, Integers, Patches, Position
from clickatlas.errors import Problem

LOOK_S = 1.0  # between two looks at what others have stored
# A server that is away must not hold the others up: it does what it missed when it is back.
DELETING = {
    "lightweight_deletes_sync": 0,
    "distributed_ddl_output_mode": "null_status_on_timeout_only_active",
}
START = Position(0, 0)
log = logging.getLogger("clickatlas.store")


class Note(NamedTuple):
    """Of a stream: what is before `done` is in the store, what is up to `ends` may be, under `token`."""

    done: Position
    ends: Position
    token: str


class ClickHouseStore(ClickHouseWords):
    """A `ClickStore` on ClickHouse. Any number of processes may write it, each the streams of its own spool.

    While clicks of a file are `arriving` only who copies them may open it; a new one waits for those of the `file`.
    """

    def __init__(
        self, url: str, *, keep_days: int = 0, arriving: bool = False, file: Path | None = None
    ) -> None:
        self.address = address(url)
        self._server = Server(self.address)
        self._even = Evenness(self._server)
        self._writing = threading.Lock()
        self._keep_days = keep_days
        # Starts at the clock, so that a tile cached before a restart is never taken for a newer one.
        self._version = time.time_ns() // 1_000_000
        self._looked, self._total = time.monotonic(), 0
        self._slices = 0
        with self._problems():
            bring_along(self._server)
            if not arriving:
                refuse_unfinished(self._server)
            if file is not None:
                refuse_new(self._server, file)
            self._keep()
            self._load()

    def _load(self) -> None:
        self._removed = self._ask("SELECT DISTINCT link FROM {}.removed_links")["link"].astype(np.int64)
        self._positions: dict[str, Position] | None = None  # not known: asked for first
        self._begun: dict[str, Note] = {}
        self._noted = 0
        self._since = self._mark("kept_since")
        self._leaving = self._removed  # until it is known that nothing of them is left

    def _keep(self) -> None:
        """Have ClickHouse let go by itself of what is not to be kept."""
        name = local(CLICKS, self.address.cluster)
        [made] = self._server.ask(
            f"SELECT create_table_query AS made FROM system.tables WHERE database = '{self.address.database}' AND name = '{name}'"
        )["made"].tolist()
        wanted = f"toIntervalDay({self._keep_days + 2})" if self._keep_days else ""
        if wanted not in made or (not wanted and " TTL " in made):
            # Written to the table alone: parts are looked at as they are merged.
            self._server.do(retention(self.address, self._keep_days), {"materialize_ttl_after_modify": 0})

    def _ask(self, sql: str) -> dict[str, npt.NDArray[Any]]:
        return self._server.ask(sql.format(self.address.database))

    def _mark(self, name: str) -> int:
        return int(self._ask(f"SELECT max(value) AS value FROM {{}}.marks WHERE name = '{name}'")["value"][0])

    def _set_mark(self, name: str, value: int) -> None:
        self._server.do(f"INSERT INTO {self.address.database}.marks (name, value) VALUES ('{name}', {value})")

    @property
    def version(self) -> int:
        """Grows with every change of content, by others within a second or two."""
        return self._version

    @property
    def kept_since(self) -> int | None:
        """Before this (midnight UTC, ms) clicks are counted by day and place only; None: all are kept."""
        by_clock = 0
        if self._keep_days:  # ClickHouse lets go by the clock, whether or not anybody tends
            by_clock = (time.time_ns() // 1_000_000 - self._keep_days * DAY_MS) // DAY_MS * DAY_MS
        return max(self._since, by_clock) or None

    def append(self, batch: Batch) -> int:
        """Store a batch and its spool positions, each click once whatever happens; returns how many clicks were new."""
        with self._writing, self._problems():
            known, positions = self._where(), batch.positions
            finishing = self._finishing(positions)
            token = finishing or _token(known, positions)
            wanted = ~np.isin(batch.records["link"], self._removed)
            if clicks := int(wanted.sum()):
                if positions and token not in (note.token for note in self._begun.values()):
                    self._note(
                        {
                            stream: Note(known.get(stream, START), at, token)
                            for stream, at in positions.items()
                        }
                    )
                self._insert(batch, wanted, token, again=bool(finishing))
                self._version += 1
            if positions:
                self._note({stream: Note(at, at, "") for stream, at in positions.items()})
        return clicks

    def _finishing(self, positions: Mapping[str, Position]) -> str:
        """The token of the batch that was begun and is to be finished; "" where none is."""
        tokens = {self._begun[stream].token for stream in positions if stream in self._begun}
        same = all(
            stream in self._begun and self._begun[stream].ends == at for stream, at in positions.items()
        )
        if tokens and not (len(tokens) == 1 and same):
            raise Problem(
                503,
                "A batch that was begun is not finished",
                "Other clicks of its spool streams would be counted before it is known what of it is there.",
                remedy="Stop and start clickatlas: it reads the spool again from where it was.",
            )
        return next(iter(tokens), "")

    def _insert(
        self, batch: Batch, wanted: npt.NDArray[np.bool_], token: str, *, again: bool = False
    ) -> None:
        """The wanted clicks; `again`: it was begun before, so a killed server may have noted it and lost it."""
        for number, some in pieces(batch, wanted, PIECE):
            name = f"{token}-{number}" if token else ""
            self._server.insert("clicks", some, name)
            if again and not self.address.cluster:
                put_back(self._server, some, name, self.kept_since or 0)

    def _note(self, notes: Mapping[str, Note], *, forgotten: bool = False) -> None:
        """Write down where streams are, all of them at once, and remember it."""
        known, rows = self._where(), list(notes.values())
        self._noted = max(
            self._noted + 1, time.time_ns()
        )  # the last one holds, also when a clock is put back
        columns: dict[str, Any] = {"stream": list(notes), "token": [note.token for note in rows]}
        for name in ("done", "ends"):
            ends = np.array([getattr(note, name) for note in rows], np.int64)
            columns |= {f"{name}_segment": ends[:, 0], f"{name}_offset": ends[:, 1]}
        columns["noted"] = np.full(len(rows), self._noted, np.uint64)
        columns["forgotten"] = np.full(len(rows), forgotten, np.uint8)
        self._server.insert("spool_positions", pa.table(columns))
        for stream, note in notes.items():
            self._begun.pop(stream, None)
            if forgotten:
                known.pop(stream, None)
                continue
            if note.done != START:
                known[stream] = note.done
            if note.done != note.ends:
                self._begun[stream] = note

    def _where(self) -> dict[str, Position]:
        """Positions as ClickHouse has them, asked for once, and again when it is not sure whether it took a note."""
        if self._positions is None:
            if self.address.cluster:  # another replica may have taken the last notes
                sync = f"SYSTEM SYNC REPLICA {self.address.database}.spool_positions LIGHTWEIGHT"
                self._server.do(sync, patience=0)
            rows = self._ask("SELECT * FROM {}.spool_positions FINAL")
            names = (
                "stream",
                "done_segment",
                "done_offset",
                "ends_segment",
                "ends_offset",
                "token",
                "forgotten",
            )
            found = zip(*(rows[name].tolist() for name in names), strict=True)
            notes = {
                stream: Note(Position(a, b), Position(c, d), token)
                for stream, a, b, c, d, token, gone in found
                if not gone
            }
            self._positions = {stream: note.done for stream, note in notes.items() if note.done != START}
            self._begun = {stream: note for stream, note in notes.items() if note.done != note.ends}
            self._noted = int(rows["noted"].max(initial=0))
        return self._positions

    def positions(self) -> dict[str, Position]:
        """How far each spool stream has been read, those of other machines among them."""
        with self._writing, self._problems():
            return dict(self._where())

    def take_positions(self, positions: Mapping[str, Position]) -> None:
        """Note streams whose clicks came here another way than from the spool; never one further back than it is."""
        with self._writing, self._problems():
            known = self._where()
            further = {stream: max(at, known.get(stream, START)) for stream, at in positions.items()}
            if further:
                self._note({stream: Note(at, at, "") for stream, at in further.items()})

    def begun(self) -> dict[str, Position]:
        """Where batches end that were cut short: they are appended again just so before any other."""
        with self._writing, self._problems():
            self._where()
            return {stream: note.ends for stream, note in self._begun.items()}

    def forget_streams(self, streams: Sequence[str]) -> None:
        """Drop the positions of streams that are gone from the disk."""
        with self._writing, self._problems():
            known = self._where()
            if gone := {
                stream: Note(known[stream], known[stream], "") for stream in streams if stream in known
            }:
                self._note(gone, forgotten=True)

    def tend(self, keep_from: int | None = None, *, hurried: bool = False) -> bool:
        """Look whether others have stored clicks, and note what is kept no longer; merging is ClickHouse's own matter."""
        with self._writing, self._problems():
            now = time.monotonic()
            if now >= self._looked + LOOK_S:
                self._looked = now
                self._let_leave()
                # Of a cluster each server has a time of its own.
                since_when = "0" if self.address.cluster else "toUnixTimestamp(now()) - uptime()"
                found = self._ask(f"SELECT sum(clicks) AS total, {since_when} AS started FROM {{}}.seen")
                total, started = int(found["total"][0]), int(found["started"][0])
                if not (hurried or self.address.cluster) and self._even.tend(started, self.kept_since or 0):
                    self._version += 1
                if total != self._total:
                    self._total, self._version = total, self._version + 1
            since = 0 if keep_from is None else keep_from // DAY_MS * DAY_MS
            if since > self._since and len(
                self._ask(f"SELECT 1 AS some FROM {{}}.clicks WHERE time < {since} LIMIT 1")["some"]
            ):
                self._set_mark("kept_since", since)
                self._since = since
                self._version += 1
                self._drop_months(since)
        return False

    def _drop_months(self, since: int) -> None:
        """Months that are over before `since` go at once; the days of its own month with ClickHouse's TTL."""
        month = int(np.datetime64(since, "ms").astype("datetime64[M]").astype(object).strftime("%Y%m"))
        name = f"{self.address.database}.{local(CLICKS, self.address.cluster)}"
        table = (
            f"clusterAllReplicas({self.address.cluster}, system.parts)"
            if self.address.cluster
            else "system.parts"
        )
        found = self._ask(
            f"SELECT DISTINCT partition FROM {table} WHERE database = '{{}}' AND active"
            f" AND table = '{local(CLICKS, self.address.cluster)}'"
        )
        for partition in sorted(found["partition"].tolist()):
            if int(partition) < month:
                self._server.do(
                    f"ALTER TABLE {name}{on_cluster(self.address.cluster)} DROP PARTITION {partition}"
                )

    def bundle(self, links: Mapping[str, Integers]) -> None:
        """Nothing: counts are kept of each link, and added up."""

    def patch(self, patches: Patches) -> None:
        """Nothing: clicks by place and time are read one by one."""

    def remove_links(self, links: Sequence[int], journal: int) -> int:
        """Delete clicks of `links`, refuse later ones, and remember the link journal's position; returns how many."""
        removed = 0
        with self._writing, self._problems():
            if links:
                numbers = np.unique(np.array(list(links), np.int64))
                self._server.insert("removed_links", pa.table({"link": numbers}))
                self._removed, self._leaving = (
                    np.union1d(of, numbers) for of in (self._removed, self._leaving)
                )
                mine = among("link", numbers)
                removed = int(
                    self._ask(f"SELECT count() AS clicks FROM {{}}.clicks WHERE {mine}")["clicks"][0]
                )
                self._delete(numbers)
            self._set_mark("journal", journal)
            self._slices += 1
            self._version += 1
        return removed

    def _let_leave(self) -> None:
        """See whether links that were removed are gone; what other processes stored of them meanwhile is deleted, too."""
        if not len(self._leaving):
            return
        table = "system.mutations"
        if cluster := self.address.cluster:
            table = f"clusterAllReplicas({cluster}, {table})"
        due = f"SELECT 1 AS some FROM {table} WHERE database = '{{}}' AND NOT is_done LIMIT 1"
        if len(self._ask(due)["some"]):
            return
        left = self._ask(f"SELECT DISTINCT link FROM {{}}.clicks WHERE {among('link', self._leaving)}")[
            "link"
        ]
        if len(left):
            self._delete(left)
        else:
            self._leaving = left
            self._slices, self._version = self._slices + 1, self._version + 1

    def _delete(self, links: Integers) -> None:
        """Have ClickHouse delete what it has of some links; questions leave them out until it has."""
        where, cluster = on_cluster(self.address.cluster), self.address.cluster
        for table in OF_LINKS:
            name = f"{self.address.database}.{local(table, cluster)}"
            self._server.do(f"DELETE FROM {name}{where} WHERE {among('link', links)}", DELETING)

    def arrivals(self) -> ClickHouseArrivals:
        """What anybody stores from now on. Raises `StoreFault`."""
        return ClickHouseArrivals(self._server, lambda: self._removed)

    @property
    def removals(self) -> int:
        """Grows when what was counted may be told no longer: when clicks of links were removed."""
        return len(self._removed) + self._slices

    def journal(self) -> int:
        """The link journal's position that `remove_links` remembered last; 0 at first."""
        with self._problems():
            return self._mark("journal")

    def problem(self, error: Exception) -> Problem:
        """What `error`, one of the store's own, means for the reader."""
        assert isinstance(error, ClickHouseFault)
        return explained(error, self.address)

    @contextmanager
    def _problems(self) -> Iterator[None]:
        try:
            yield
        except ClickHouseFault as fault:
            self._positions = None  # a note may have been taken all the same: it is asked
            raise self.problem(fault) from None

    def close(self) -> None:
        """Let go of the connection."""
        with self._writing:
            self._server.close()


def _token(known: Mapping[str, Position], positions: Mapping[str, Position]) -> str:
    """From where to where in which streams a batch was read, in few letters; "" where it is of no stream."""
    if not positions:
        return ""
    told = [f"{stream} {known.get(stream, START)} {at}" for stream, at in sorted(positions.items())]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]
