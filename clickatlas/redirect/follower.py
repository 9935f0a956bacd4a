"""Keeps a machine's copy of the links as PostgreSQL has them: told by NOTIFY, told again each second by asking.

One process of a machine does it, whichever gets the lock; when it ends, another. It reads the journal on from where the copy
is, so a notice that was missed while a connection was cut costs nothing: the journal has it.
"""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clickatlas.links.database import CHANNEL
from clickatlas.links.engine import parameters
from clickatlas.links.postgres import problem, where
from clickatlas.links.ways import link_of
from clickatlas.redirect.replica import LINKS, Place, Replica, Row, differs

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger("clickatlas.redirect")
BEAT_S = 1.0  # asked at least so often: a connection that hangs is noticed, and says nothing by itself
AGAIN_S = 0.5
STOP_S = 0.1
HANG_S = 10.0  # a connection that answers nothing for so long is given up
MOST = 1000  # entries of the journal, or links, in one transaction of the copy
_COLUMNS = ", ".join(column.name for column in LINKS.columns)
_JOURNAL = "SELECT id, link_id, code, at FROM link_changes WHERE id > %s ORDER BY id LIMIT %s"
_ENTRY = "SELECT id, code, at FROM link_changes WHERE id = %s"
_LAST = "SELECT id, code, at FROM link_changes ORDER BY id DESC LIMIT 1"
_THESE = f"SELECT {_COLUMNS} FROM links WHERE id = ANY(%s)"
_PART = f"SELECT {_COLUMNS} FROM links WHERE id > %s ORDER BY id LIMIT %s"
_HELD = "SELECT name, workspace_id, verified_at FROM domains WHERE verified_at IS NOT NULL"


class Follower(threading.Thread):
    """Follows PostgreSQL at `url` for the data folder `data`, as long as no other process of the machine does."""

    def __init__(self, data: Path, url: str, *, after: float = 0) -> None:
        super().__init__(name="links follower", daemon=True)
        self._after = after  # seconds that others get to be the one
        self._url = url
        self._data = data
        self.replica = Replica(data, where(url))
        self._stopping = threading.Event()
        self._said = ""
        self._alive = 0.0  # when the connection was last seen to be, by the monotonic clock
        self._descriptor = -1  # its socket's

    def run(self) -> None:
        """Until `stop`."""
        lock = os.open(self._data / "run" / "follower.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._stopping.wait(self._after)
            while not self._stopping.is_set():
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    self._stopping.wait(AGAIN_S)
                    continue
                with self._watched():
                    self._try()
                self._stopping.wait(AGAIN_S)
        finally:
            os.close(lock)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """A server may take what it is told and never answer: no timeout of its own or of TCP's would end that."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(min(1.0, HANG_S / 2)):
                if self._descriptor >= 0 and time.monotonic() - self._alive > HANG_S:
                    with suppress(OSError), socket.socket(fileno=os.dup(self._descriptor)) as hung:
                        hung.shutdown(socket.SHUT_RDWR)

        watcher = threading.Thread(target=watch, name="links watcher", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()

    def stop(self) -> None:
        """End within about a second."""
        self._stopping.set()
        if self.is_alive():
            self.join(BEAT_S + 5)

    def _try(self) -> None:
        import psycopg

        try:
            with self._connect() as connection:
                self._alive, self._descriptor = time.monotonic(), connection.fileno()
                connection.execute(f"LISTEN {CHANNEL}")
                self.catch_up(connection)
                if self._said:
                    log.warning("%s answers again", where(self._url))
                    self._said = ""
                while not self._stopping.is_set():
                    self._wait(connection)
                    self._read(connection)
                self._descriptor = -1
        except Exception as error:
            self._descriptor = -1  # closed by now, and perhaps another's soon
            if self._stopping.is_set():
                return
            self.replica.nearby.heard(now=False)
            said = problem(self._url, error).detail if isinstance(error, psycopg.Error) else f"{error}"
            if said != self._said:
                log.error("links are answered as they were, and others with 503: %s", said)
                self._said = said

    def _wait(self, connection: psycopg.Connection[Row]) -> None:
        """For a notice, for `BEAT_S`, or for `stop`."""
        until = time.monotonic() + BEAT_S
        while time.monotonic() < until and not self._stopping.is_set():
            for _ in connection.notifies(timeout=STOP_S, stop_after=1):
                return

    def once(self) -> None:
        """Copy what there is, now; raises `Problem` (503)."""
        import psycopg

        try:
            with self._connect() as connection:
                self.catch_up(connection)
        except psycopg.Error as error:
            raise problem(self._url, error) from error

    def _connect(self) -> psycopg.Connection[Row]:
        import psycopg
        from psycopg.rows import dict_row

        options: dict[str, Any] = parameters(self._url)
        return psycopg.connect(self._url, autocommit=True, row_factory=dict_row, **options)

    def catch_up(self, connection: psycopg.Connection[Row]) -> None:
        """Read the journal on; where it is not the one that was read (a new copy, a database put back), compare all."""
        at = self.replica.place
        known = at and connection.execute(_ENTRY, [at.number]).fetchone()
        if at is None or known is None or (known["code"], known["at"]) != (at.code, at.at):
            self._compare(connection)
        self._read(connection)

    def _read(self, connection: psycopg.Connection[Row]) -> None:
        at = self.replica.place
        assert at is not None
        while entries := connection.execute(_JOURNAL, [at.number, MOST]).fetchall():
            gone = sorted({link_of(entry["link_id"]) for entry in entries} - {0})
            rows = connection.execute(_THESE, [gone]).fetchall()
            codes = [entry["code"] for entry in entries]
            held = connection.execute(_HELD).fetchall() if any(c[:1] == "@" for c in codes) else None
            last = entries[-1]
            at = Place(last["id"], last["code"], last["at"])
            self.replica.apply(gone, rows, codes, held, at)
            if len(entries) < MOST:
                break
        self._alive = time.monotonic()
        self.replica.nearby.heard()

    def _compare(self, connection: psycopg.Connection[Row]) -> None:
        """Make the copy as the database is. What changes meanwhile is in the journal, which is read on afterwards."""
        last = connection.execute(_LAST).fetchone()
        at = Place(last["id"], last["code"], last["at"]) if last else Place(0, "", None)
        before, after = self.replica.place or Place(0, "", None), 0
        while True:
            rows = connection.execute(_PART, [after, MOST * 5]).fetchall()
            self._alive = time.monotonic()
            until = rows[-1]["id"] if len(rows) == MOST * 5 else None
            ours = self.replica.part(after, until)
            changed = [row for row in rows if differs(ours.get(row["id"]), row)]
            same = {row["id"] for row in rows} - {row["id"] for row in changed}
            gone = sorted(ours.keys() - same)
            codes = [row["code"] for row in changed]
            if until is None:
                break
            if gone or changed:
                self.replica.apply(gone, changed, codes, None, before)
            after = until
        self.replica.apply(gone, changed, codes, connection.execute(_HELD).fetchall(), at)
        log.info("%d links are here to be answered without %s", self.replica.size(), where(self._url))
