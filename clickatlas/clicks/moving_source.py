"""What a DuckDB click store holds, piece by piece, as the tables of a ClickHouse store have it. The file is only read.

Each piece is a range of time, so that what is inserted of it lies in few months, and has the same rows in the same order
whenever it is read again, for as long as nobody counts into the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from clickatlas.clicks.duckdb_clicks import windows
from clickatlas.clicks.duckdb_file import Older, explained, open_file
from clickatlas.clicks.periods import DAY_MS, QUARTER_MS, Level
from clickatlas.clicks.rollups import DEVICE_COLUMNS
from clickatlas.clicks.store import Integers, Position
from clickatlas.redirect.record import Agent

PIECE = 500_000  # rows of an insert, and clicks of a piece
ROLLED = 200_000  # rows of a rollup in a piece: each may be of several devices
READ = 1 << 17  # rows that come from DuckDB at once
MONTH = "datediff('day', DATE '1970-01-01', date_trunc('month', DATE '1970-01-01' + first)::DATE)::INTEGER"
Rows = dict[str, npt.NDArray[Any]]


class Piece(NamedTuple):
    """Clicks (`begin` and `end` in ms), days or quarters of an hour since 1970 that are only counted, or links."""

    what: str
    begin: int
    end: int
    rows: int  # as far as is known beforehand


class Source:
    """An opened file; one of an older format is brought along first. Raises `Problem` where it can't be read."""

    def __init__(self, path: Path, memory: str) -> None:
        self.path = path
        try:
            self._connection = open_file(path, memory=memory, read_only=True)
        except Older:
            open_file(path, memory=memory, read_only=False).close()
            self._connection = open_file(path, memory=memory, read_only=True)
        self.since = int(self.ask("SELECT since FROM kept")["since"][0])  # none before it is kept one by one
        self.swept = self.since // DAY_MS
        self.removed = self.ask("SELECT DISTINCT link FROM removed_links ORDER BY link")["link"]
        self.journal = int(
            self.ask("SELECT coalesce(max(position), 0) AS position FROM journal")["position"][0]
        )
        rows = self.ask('SELECT stream, segment, "offset" AS place FROM spool_positions ORDER BY stream')
        columns = (rows[name].tolist() for name in ("stream", "segment", "place"))
        self.positions = {stream: Position(*at) for stream, *at in zip(*columns, strict=True)}
        # Removed links that have not left yet: what is left of them is not told any more.
        leaving = len(self.ask("SELECT link FROM leaving LIMIT 1")["link"])
        self.stays = "link NOT IN (SELECT link FROM leaving)" if leaving else "true"
        self.counted = self._rolled(Level.DAY)  # the condition on rollups by day
        self._places = self._keys()
        self._words = self._dictionaries()

    def _keys(self) -> npt.NDArray[np.uint64]:
        found = self.ask("SELECT id, key FROM places")
        keys = np.zeros(int(found["id"].max(initial=0)) + 1, np.uint64)
        keys[found["id"]] = found["key"]
        return keys

    def _dictionaries(self) -> dict[str, tuple[str, pa.Array, Integers]]:
        """Of each word: the column that points to it, the words, and the word's number by what that column has."""
        found = {}
        for name in (*Agent._fields, "referrer"):
            column, table, word = (
                ("referrer", "referrers", "host") if name == "referrer" else ("agent", "agents", name)
            )
            rows = self.ask(f"SELECT id, {word} AS word FROM {table}")
            known, number = np.unique(rows["word"].astype(object), return_inverse=True)
            number_of = np.zeros(int(rows["id"].max(initial=0)) + 1, np.int64)
            number_of[rows["id"]] = number
            found[name] = (column, pa.array(known, pa.string()), number_of)
        return found

    def ask(self, sql: str) -> Rows:
        """The columns of an answer; none may have NULLs."""
        with self._problems():
            found = self._connection.cursor().execute(sql).fetchnumpy()
            return {name: np.asarray(column) for name, column in found.items()}

    def fingerprint(self) -> str:
        """Another one as soon as anything was counted, deleted or let go of."""
        told = [str((self.since, self.journal, len(self.removed), sorted(self.positions.items())))]
        for table in ("settled", "incoming", "place_rollup", "time_rollup", "seen", "leaving"):
            sums = {
                "settled": ", sum(time), sum(link), sum(visitor)",
                "incoming": ", sum(time), sum(link), sum(visitor)",
                "place_rollup": " FILTER (level = 0 AND link >= 0), sum(clicks) FILTER (level = 0 AND link >= 0)",
                "time_rollup": " FILTER (level = 0), sum(clicks) FILTER (level = 0)",
                "seen": ", sum(clicks)",
            }.get(table, "")
            with self._problems():
                told.append(
                    str(self._connection.cursor().execute(f"SELECT count(*){sums} FROM {table}").fetchall())
                )
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]

    def clicks(self) -> tuple[int, int]:
        """How many there are one by one, and of days of which only counts are kept."""
        single = self.ask(f"SELECT count(*) AS clicks FROM clicks WHERE {self.stays}")["clicks"][0]
        rolled = self.ask(
            f"SELECT coalesce(sum(clicks), 0)::BIGINT AS clicks FROM time_rollup WHERE {self.counted}"
        )["clicks"][0]
        return int(single), int(rolled)

    def pieces(self) -> list[Piece]:
        """All of it, in the order in which it is to be copied."""
        found = self.ask(
            f"SELECT time // {QUARTER_MS} AS number, count(*) AS clicks FROM clicks WHERE {self.stays} GROUP BY number ORDER BY number"
        )
        quarters, clicks = found["number"].astype(np.int64), found["clicks"]
        pieces = []
        for begin, end in windows(quarters, clicks, PIECE):
            first, behind = begin // QUARTER_MS, -(-end // QUARTER_MS)
            inside = int(clicks[np.searchsorted(quarters, first) : np.searchsorted(quarters, behind)].sum())
            part = (end - begin) / ((behind - first) * QUARTER_MS)
            pieces.append(Piece("clicks", begin, end, round(inside * part)))
        for what, table, column, level in (
            ("days", "place_rollup", "first", Level.DAY),
            ("quarters", "time_rollup", "first", Level.QUARTER),
            ("seen", "time_rollup", "link", Level.DAY),
        ):
            condition = self._rolled(level)
            found = self.ask(
                f"SELECT {column} AS number, count(*) AS size FROM {table} WHERE {condition} GROUP BY number ORDER BY number"
            )
            pieces += [Piece(what, *run) for run in runs(found["number"], found["size"], ROLLED)]
        return pieces

    def _rolled(self, level: Level) -> str:
        """The condition on a rollup's rows: of links, and of days of which there are no single clicks."""
        until = self.swept * (96 if level is Level.QUARTER else 1)
        return f"level = {int(level)} AND link >= 0 AND first < {until} AND {self.stays}"

    def tables(self, piece: Piece) -> Iterator[tuple[str, pa.Table]]:
        """The rows of a piece, at most so many at once, and the table that each belongs into."""
        found = {"clicks": self._clicks, "days": self._days, "quarters": self._quarters, "seen": self._seen}
        for table, sql in found[piece.what](piece):
            for rows in self._cut(sql):
                yield table, self._in_full(rows)

    def _clicks(self, piece: Piece) -> Iterator[tuple[str, str]]:
        # Whole quarters are never more than one insert; of others it matters which are in which.
        whole = piece.begin % QUARTER_MS == piece.end % QUARTER_MS == 0
        yield (
            "clicks",
            (
                f"SELECT time, link, place, kind, flags, visitor, agent, referrer FROM clicks WHERE time >= {piece.begin}"
                f" AND time < {piece.end} AND {self.stays}{'' if whole else ' ORDER BY ALL'}"
            ),
        )

    def _days(self, piece: Piece) -> Iterator[tuple[str, str]]:
        within = f"place_rollup WHERE {self.counted} AND first >= {piece.begin} AND first < {piece.end}"
        for table, day in (("place_days", "first"), ("place_months", MONTH)):
            yield table, by_device(within, {"link": "link", "day": day, "place": "place", "kind": "kind"})

    def _quarters(self, piece: Piece) -> Iterator[tuple[str, str]]:
        within = f"time_rollup WHERE {self._rolled(Level.QUARTER)} AND first >= {piece.begin} AND first < {piece.end}"
        yield "time_quarters", by_device(within, {"link": "link", "quarter": "first", "kind": "kind"})

    def _seen(self, piece: Piece) -> Iterator[tuple[str, str]]:
        yield (
            "seen",
            (
                "SELECT seen.link AS link, seen.first AS first, seen.last AS last, old.clicks AS clicks FROM seen JOIN"
                f" (SELECT link, sum(clicks)::BIGINT AS clicks FROM time_rollup WHERE {self.counted}"
                f" AND link >= {piece.begin} AND link < {piece.end} GROUP BY link HAVING sum(clicks) <> 0) old"
                " ON old.link = seen.link ORDER BY ALL"
            ),
        )

    def _cut(self, sql: str) -> Iterator[pa.Table]:
        """An answer in tables of `PIECE` rows, and what is left."""
        waiting: list[pa.RecordBatch] = []
        rows = 0
        with self._problems():
            reader = self._connection.cursor().sql(sql).to_arrow_reader(READ)
            batches = iter(partial(next, reader, None), None)
        while True:
            with self._problems():
                batch = next(batches, None)
            if batch is not None:
                waiting.append(batch)
                rows += len(batch)
            while rows >= PIECE or (rows and batch is None):
                table = pa.Table.from_batches(waiting)
                yield table.slice(0, PIECE)
                waiting, rows = table.slice(PIECE).to_batches(), max(0, rows - PIECE)
            if batch is None:
                return

    def _in_full(self, rows: pa.Table) -> pa.Table:
        """Rows with places' keys and words in the place of numbers."""
        columns = dict(zip(rows.column_names, rows.columns, strict=True))
        if "place" in columns:
            columns["place"] = pa.array(self._places[columns["place"].to_numpy()])
        if "agent" in columns:
            numbers = {name: columns.pop(name).to_numpy() for name in ("agent", "referrer")}
            for name, (column, known, number_of) in self._words.items():
                used, at = np.unique(number_of[numbers[column]], return_inverse=True)
                columns[name] = pa.DictionaryArray.from_arrays(
                    at.astype(np.int32), known.take(pa.array(used))
                )
        return pa.table(columns)

    @contextmanager
    def _problems(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise explained(error, self.path) from error
        except (pa.ArrowException, OSError) as error:  # in the middle of an answer it comes through Arrow
            raise explained(duckdb.IOException(str(error)), self.path) from error

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def by_device(within: str, columns: Mapping[str, str]) -> str:
    """A rollup's rows of the same `columns` (expressions by name) added up, a row for each device; "" is none of those named."""
    rest = f"sum(clicks) - {' - '.join(f'sum({device})' for device in DEVICE_COLUMNS)}"
    sums = [*((device, f"sum({device})") for device in DEVICE_COLUMNS), ("", rest)]
    each = ", ".join(f"{{'device': '{device}', 'clicks': ({of})::BIGINT}}" for device, of in sums)
    named = ", ".join(f"{expression} AS {name}" for name, expression in columns.items())
    return (
        f"SELECT {', '.join(columns)}, pair.device AS device, pair.clicks AS clicks FROM"
        f" (SELECT {named}, unnest([{each}]) AS pair FROM {within} GROUP BY {', '.join(columns.values())})"
        " WHERE pair.clicks <> 0 ORDER BY ALL"
    )


def runs(at: npt.NDArray[Any], rows: npt.NDArray[Any], most: int) -> Iterator[tuple[int, int, int]]:
    """Ranges of `at`, ascending, with about `most` rows in each, and how many those are; one of `at` is never cut."""
    begin, together = None, 0
    for number, here in zip(at.tolist(), rows.tolist(), strict=True):
        if begin is not None and together + here > most:
            yield begin, number, together
            begin, together = None, 0
        begin = number if begin is None else begin
        together += here
    if begin is not None:
        yield begin, int(at[-1]) + 1, together


def total(pieces: Sequence[Piece]) -> int:
    """Rows of all of them."""
    return sum(piece.rows for piece in pieces)
