"""The links database, SQLite's file or PostgreSQL: opened, migrated, and told of changes."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from clickatlas.backup.manifest import advice
from clickatlas.errors import Problem
from clickatlas.links import engine, postgres
from clickatlas.links.changes import ChangeCounter as ChangeCounter
from clickatlas.links.changes import Nearby
from clickatlas.links.models import Link, LinkChange

NEWEST_MIGRATION = "0020"  # lets an up-to-date start skip Alembic, which costs 0.3 s to import
log = logging.getLogger("clickatlas.links")
SAID_S = 60.0
CHANNEL = "clickatlas_links"  # of PostgreSQL's notices that the journal has grown
REFUSALS = (OperationalError, InternalError, PoolTimeout)  # a disk, a server, a lock: not a mistake of ours


class LinksDatabase:
    """Sessions on the links of a data folder: ``links.sqlite`` in it, or the PostgreSQL database of `url`.

    Safe for threads; every process opens its own. Nothing is connected to before it is asked.
    """

    def __init__(self, data: Path, url: str = "") -> None:
        data.mkdir(parents=True, exist_ok=True)
        self.path = data / "links.sqlite"
        self.url = url
        self._said_at = -SAID_S
        self.changes = ChangeCounter(data / "run" / "links.changes")
        self.engine = engine.of_postgres(url) if url else engine.of_sqlite(self.path)
        self._writers = self.engine.execution_options(**{engine.BEGINS: engine.WRITER})
        self._nearby = Nearby(data) if url else None
        # PostgreSQL: each look by itself, without two more trips for a transaction around it.
        self._readers = self.engine.execution_options(isolation_level="AUTOCOMMIT") if url else self.engine

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session to look things up in."""
        with Session(self._readers, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that commits at the end, and then tells all redirectors. One at a time has the database.

        Raises `Problem` (503) for the disk, the server, and where others write for 15 s.
        """
        newest = 0
        with self._alone() as session:
            yield session
            if self.url:  # with the commit, and to other machines, too
                session.flush()
                newest = session.scalar(select(func.max(LinkChange.id))) or 0
                session.execute(text(f"NOTIFY {CHANNEL}"))
        self.changes.bump()
        if self._nearby is not None:
            self._nearby.wait(newest)

    @contextmanager
    def noting(self) -> Iterator[Session]:
        """As `writing`, for what no redirector need know of; raises SQLAlchemy's errors."""
        with Session(self._writers, expire_on_commit=False) as session:
            yield session
            session.commit()

    @contextmanager
    def _alone(self) -> Iterator[Session]:
        try:
            with self.noting() as session:
                yield session
        except REFUSALS as error:  # a full or read-only disk, or another that writes for 15 s
            raise self.refusal(error) from error

    def refusal(self, error: Exception) -> Problem:
        """Why the database refused: 503."""
        if self.url:
            return postgres.problem(self.url, error)
        said = error.orig if isinstance(error, OperationalError) else error
        return Problem(
            503,
            "Links can't be written",
            f"{self.path}: {said}.",
            remedy="Make room on its disk, or make it writable. Nothing was changed; short links go on.",
        )

    def is_away(self, error: Exception) -> bool:
        """Whether `error` is PostgreSQL's absence, for those who try again every second: it is said once a minute, in a line."""
        if not self.url or not isinstance(error, (*REFUSALS, postgres.Away)):
            return False
        if time.monotonic() > self._said_at + SAID_S:
            self._said_at = time.monotonic()
            log.error("%s", error.detail if isinstance(error, postgres.Away) else self.refusal(error).detail)
        return True

    def migrate(self) -> None:
        """Bring the tables up to this program's version. Safe to call from several processes and machines.

        Raises `Problem` (503) where a newer program has been here, or the database is another's or refuses.
        """
        try:
            found = self._migration()
            if found == NEWEST_MIGRATION:
                return
            if found is not None and found > NEWEST_MIGRATION:
                raise self._newer(found)
            self._upgrade()
        except REFUSALS as error:  # to read, SQLite has to make a small file beside its own
            raise self.refusal(error) from error
        except ProgrammingError as error:  # an option that is none, a right that is not given
            if not self.url:
                raise
            raise self.refusal(error) from error

    def _newer(self, found: str) -> Problem:
        at = postgres.where(self.url) if self.url else str(self.path)
        back = "restore the database from before the upgrade" if self.url else advice(self.path.parent)
        return Problem(
            503,
            "The links are of a newer version",
            f"{at} was written by a newer clickatlas: tables {found}, this one knows {NEWEST_MIGRATION}.",
            remedy=f"Install the newer clickatlas again, or {back}.",
        )

    def _upgrade(self) -> None:
        from alembic import command
        from alembic.config import Config

        self.path.parent.mkdir(parents=True, exist_ok=True)
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        migrators = self.engine.execution_options(**{engine.BEGINS: engine.MIGRATOR})
        lock = os.open(self.path.with_suffix(".migrating"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)  # of this machine; PostgreSQL's own lock is for all of them
            with migrators.begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        finally:
            os.close(lock)

    def _migration(self) -> str | None:
        with self._readers.connect() as connection:
            if self.url:
                postgres.refuse_strange(connection, self.url, _tables())
            return _version(connection)

    def measured(self) -> tuple[int, str]:
        """How many links there are, and the server's version. Raises `Problem` (503) where it refuses or is another's."""
        try:
            self._migration()
            with self._readers.connect() as connection:
                links = connection.scalar(select(func.count()).select_from(Link)) or 0
                version = connection.dialect.server_version_info or ()
        except DBAPIError as error:
            raise self.refusal(error) from error
        return links, ".".join(map(str, version))

    def clear_up(self) -> None:
        """Empty SQLite's write-ahead log, which has pages as they were; what others read stays for the next time."""
        if self.url:
            return
        connection = self.engine.raw_connection()  # outside of any transaction
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()

    def close(self) -> None:
        """Let go of the file, or of the connections."""
        self.engine.dispose()


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _tables() -> frozenset[str]:
    from clickatlas.links import models_told
    from clickatlas.links.models import Base

    assert models_told
    return frozenset(Base.metadata.tables)
