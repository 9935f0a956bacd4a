"""The links database: opened, migrated, and told of changes."""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.orm import Session

_COUNTER = struct.Struct("<Q")
NEWEST_MIGRATION = "0003"  # lets an up-to-date start skip Alembic, which costs 0.3 s to import


class ChangeCounter:
    """A number in a memory-mapped file that grows whenever a link changes.

    Every process of the machine reads it in about 0.1 µs, so a redirect can look at each
    request and no process has to poll the database.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.fstat(self._fd).st_size < _COUNTER.size:
            os.ftruncate(self._fd, _COUNTER.size)
        self._map = mmap.mmap(self._fd, _COUNTER.size)

    def read(self) -> int:
        """How many changes there have been."""
        return int(_COUNTER.unpack_from(self._map)[0])

    def bump(self) -> None:
        """Say that something changed; call after the commit."""
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        try:
            _COUNTER.pack_into(self._map, 0, self.read() + 1)
        finally:
            fcntl.flock(self._fd, fcntl.LOCK_UN)


class LinksDatabase:
    """Sessions on ``links.sqlite``. Safe for threads; every process opens its own."""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self.path = data / "links.sqlite"
        self.changes = ChangeCounter(data / "run" / "links.changes")
        self.engine = _engine(f"sqlite:///{self.path}")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session to look things up in."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that commits at the end, and then tells all redirectors."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session
            session.commit()
        self.changes.bump()

    def migrate(self) -> None:
        """Bring the tables up to this program's version. Safe to call from several processes."""
        if self._migration() == NEWEST_MIGRATION:
            return
        from alembic import command
        from alembic.config import Config

        self.path.parent.mkdir(parents=True, exist_ok=True)
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        lock = os.open(self.path.with_suffix(".migrating"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with self.engine.begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        finally:
            os.close(lock)

    def _migration(self) -> str | None:
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()

    def close(self) -> None:
        """Let go of the file."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": 15})

    @event.listens_for(engine, "connect")
    def _pragmas(connection: object, _record: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL", "busy_timeout=15000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine
