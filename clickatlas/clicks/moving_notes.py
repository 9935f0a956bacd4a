"""What a ClickHouse store notes of a copy that is on its way into it, and who may not count into it until then.

Notes are marks, which only grow: ``moving NAME`` how many pieces of the copy are in, ``moved NAME`` that it is whole.
A name is the fingerprint of the file that is copied, and a number of its own for each beginning: tokens of a copy that
was given up must not stand in the way of the next one's.
"""

from __future__ import annotations

import secrets
from contextlib import closing
from pathlib import Path

import pyarrow as pa

from clickatlas.clicks.clickhouse_server import Server
from clickatlas.clicks.duckdb_file import open_file
from clickatlas.errors import Problem

MOVING, MOVED = "moving ", "moved "


class MoveNotes:
    """The notes in one store."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def unfinished(self) -> dict[str, int]:
        """Copies that are not whole, and how many of their pieces are in."""
        found, database = {}, self._server.address.database
        rows = self._server.ask(
            f"SELECT name, max(value) AS value FROM {database}.marks GROUP BY name ORDER BY name"
        )
        for name, value in zip(rows["name"].tolist(), rows["value"].tolist(), strict=True):
            if name.startswith(MOVING):
                found[name.removeprefix(MOVING)] = int(value)
        return {name: pieces for name, pieces in found.items() if MOVED + name not in rows["name"].tolist()}

    def is_finished(self, fingerprint: str) -> bool:
        """Whether the file of this fingerprint is in as a whole."""
        sql = f"SELECT name FROM {self._server.address.database}.marks WHERE startsWith(name, '{MOVED}{fingerprint} ') LIMIT 1"
        return bool(len(self._server.ask(sql)["name"]))

    def is_new(self) -> bool:
        """Whether nothing was ever counted into the store, nor copied."""
        database = self._server.address.database
        sql = " UNION ALL ".join(
            f"SELECT count() AS rows FROM {database}.{table}"
            for table in ("seen", "spool_positions", f"marks WHERE startsWith(name, '{MOVED}')")
        )
        return not self._server.ask(sql)["rows"].any()

    def begin(self, fingerprint: str) -> str:
        """Note that a copy begins; its name."""
        name = f"{fingerprint} {secrets.token_hex(4)}"
        self.advance(name, 0)
        return name

    def advance(self, name: str, pieces: int) -> None:
        """Note that so many pieces are in."""
        self.mark(MOVING + name, pieces)

    def finish(self, name: str) -> None:
        """Note that all is there: the store is open to everybody."""
        self.mark(MOVED + name, 1)

    def mark(self, name: str, value: int) -> None:
        """Note a number that only grows."""
        self._server.insert("marks", pa.table({"name": [name], "value": pa.array([value], pa.int64())}))


def refuse_unfinished(server: Server) -> None:
    """Raise `Problem` (503) while a copy is not whole: what is counted now could not be told from it."""
    if MoveNotes(server).unfinished():
        raise Problem(
            503,
            "Clicks are being copied",
            f"Clicks of a DuckDB file are being copied to {server.address.shown}, and not all of them are there.",
            remedy="Let 'clickatlas migrate-store' end, or run it again: it goes on where it was. Counting begins by itself "
            "then; the spool keeps all clicks meanwhile.",
        )


def refuse_new(server: Server, path: Path) -> None:
    """Raise `Problem` (503) where a store is new, and the clicks of the file at `path` were not copied to it.

    Once the first click is counted they can't be any more: the spool would be read from its beginning, and not from where
    the file was.
    """
    if path.is_file() and MoveNotes(server).is_new() and _has_clicks(path):
        raise Problem(
            503,
            "Clicks are left behind",
            f"{path} has clicks, and {server.address.shown} has none yet.",
            remedy="Stop clickatlas, run 'clickatlas migrate-store', which copies them, and start. To begin without them: "
            f"mv {path} {path}.before. Counting goes on by itself then; the spool keeps all clicks meanwhile.",
        )


def _has_clicks(path: Path) -> bool:
    """Whether there are any; also where it can't be read."""
    try:
        file = open_file(path, memory="64MB", read_only=True)
    except Problem:
        return True
    with closing(file):
        [(some,)] = file.execute(
            "SELECT EXISTS (FROM seen WHERE clicks > 0) OR EXISTS (FROM incoming) OR EXISTS (FROM removed_links)"
        ).fetchall()
    return bool(some)
