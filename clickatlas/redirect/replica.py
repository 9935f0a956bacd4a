"""A machine's own copy of what its redirects need of PostgreSQL: `redirects.sqlite` in the data folder.

Redirectors read it as they read ``links.sqlite`` where that is the database, so none of them ever waits for PostgreSQL, and
known links are answered while it is away, also after a start. One process of the machine keeps it up to date (`follower`).

In it is what an answer needs and no more: no titles, notes, campaigns or people, and of a link's password the key of its
tickets, from which the password can't be tried. SQLite's transactions keep it whole; it may be deleted, and is made anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from clickatlas.links import engine
from clickatlas.links.changes import ChangeCounter, Nearby
from clickatlas.links.columns import Document, Moment
from clickatlas.links.lock import kept_key

NAME = "redirects.sqlite"
FORMAT = 1
_META = MetaData()
LINKS = Table(
    "links", _META,
    Column("id", Integer, primary_key=True), Column("code", Text, nullable=False), Column("url", Text, nullable=False),
    Column("pass_query", Boolean, nullable=False), Column("expires_at", Moment), Column("status", Integer, nullable=False),
    Column("starts_at", Moment), Column("spent_at", Moment), Column("password", Text), Column("ways", Document),
    Column("workspace_id", Integer, nullable=False),
)  # fmt: skip
DOMAINS = Table(
    "domains", _META,
    Column("name", Text, primary_key=True), Column("workspace_id", Integer), Column("verified_at", Moment),
)  # fmt: skip
CHANGES = Table(
    "link_changes", _META,
    Column("id", Integer, primary_key=True), Column("code", Text, nullable=False), sqlite_autoincrement=True,
)  # fmt: skip
PLACE = Table(
    "place", _META,
    Column("whose", Text), Column("number", Integer), Column("code", Text), Column("at", Moment),
)  # fmt: skip
Row = dict[str, Any]


class Place(NamedTuple):
    """How far PostgreSQL's journal is in here: its last entry that was read."""

    number: int
    code: str
    at: Any  # datetime | None


class Replica:
    """The copy of the database that `whose` names. Every process opens its own; one of them writes."""

    def __init__(self, data: Path, whose: str) -> None:
        self.path = data / NAME
        self.changes = ChangeCounter(data / "run" / "links.changes")
        self.nearby = Nearby(data)
        self._whose = whose
        try:
            self._open()
        except DatabaseError:  # damaged, which costs nothing but to be made again
            self._engine.dispose()
            for name in (NAME, f"{NAME}-wal", f"{NAME}-shm"):
                (data / name).unlink(missing_ok=True)
            self._open()

    def _open(self) -> None:
        os.close(
            os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        )  # its log gets the same mode
        self._engine = engine.of_sqlite(self.path)
        with (
            self._engine.connect() as connection
        ):  # most often nothing has to be written, and a disk may be full
            if self._is_ours(connection):
                return
        with self._writing() as connection:
            if not self._is_ours(connection):
                _META.drop_all(connection)
            _META.create_all(connection)
            for line in ("links_code ON links (code)", "links_lower ON links (lower(code))"):
                connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {line}")
            connection.exec_driver_sql(f"PRAGMA user_version = {FORMAT}")

    def _is_ours(self, connection: Connection) -> bool:
        if connection.exec_driver_sql("PRAGMA user_version").scalar() != FORMAT:
            return False
        return connection.scalar(select(PLACE.c.whose)) in (self._whose, None)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._engine.execution_options(**{engine.BEGINS: engine.WRITER}).begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session to look things up in, by the models of links, domains and the journal."""
        with Session(self._engine, expire_on_commit=False) as session:
            yield session

    @property
    def place(self) -> Place | None:
        """How far it is; None: nothing was copied yet."""
        with self._engine.connect() as connection:
            row = connection.execute(select(PLACE.c.number, PLACE.c.code, PLACE.c.at)).first()
        return Place(*row) if row else None

    def apply(
        self,
        gone: Sequence[int],
        rows: Sequence[Row],
        codes: Sequence[str],
        domains: Sequence[Row] | None,
        at: Place,
    ) -> None:
        """Put `rows` in place of the links `gone`, and tell redirectors of `codes`; all of it or nothing."""
        with self._writing() as connection:
            named = set(codes)
            for start in range(0, len(gone), 500):
                some = gone[start : start + 500]
                named |= set(connection.scalars(select(LINKS.c.code).where(LINKS.c.id.in_(some))))
                connection.execute(delete(LINKS).where(LINKS.c.id.in_(some)))
            if rows:
                connection.execute(insert(LINKS), [_kept(row) for row in rows])
            if domains is not None and _domains(connection) != {
                row["name"]: row["workspace_id"] for row in domains
            }:
                connection.execute(delete(DOMAINS))
                if domains:
                    connection.execute(insert(DOMAINS), list(domains))
                named.add("@")
            if named:
                connection.execute(insert(CHANGES), [{"code": code} for code in sorted(named)])
            self._put(connection, at)
        self.changes.bump()
        self.nearby.has_read(at.number)

    def part(self, after: int, until: int | None) -> dict[int, Row]:
        """Its links with numbers above `after` up to `until`, as they are kept."""
        query = select(LINKS).where(LINKS.c.id > after)
        if until is not None:
            query = query.where(LINKS.c.id <= until)
        with self._engine.connect() as connection:
            return {row.id: dict(row._mapping) for row in connection.execute(query)}

    def size(self) -> int:
        """How many links are in it."""
        with self._engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(LINKS)) or 0

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def _put(self, connection: Connection, at: Place) -> None:
        connection.execute(delete(PLACE))
        connection.execute(insert(PLACE), {"whose": self._whose, **at._asdict()})


def differs(ours: Row | None, theirs: Row) -> bool:
    """Whether a link in here is not as PostgreSQL has it."""
    return ours is None or ours != _kept(theirs)


def _kept(row: Row) -> Row:
    return row | {"password": kept_key(row["password"]) if row["password"] else None}


def _domains(connection: Connection) -> dict[str, int]:
    return {row.name: row.workspace_id for row in connection.execute(select(DOMAINS))}
