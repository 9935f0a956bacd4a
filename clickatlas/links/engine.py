"""The way to the links database: SQLite's file, or PostgreSQL. What is said at the beginning of a transaction is here.

Who writes has the database for itself from the first look on, on both: a look before a change (is there room for one more,
is this letter unused, is somebody else an owner) then holds until the change is there, and the journal's numbers come in the
order in which they can be read (docs/decisions/0014-postgresql.md).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

BEGINS = "clickatlas_begins"  # an execution option: what a transaction begins with
WRITER, MIGRATOR = "writer", "migrator"
ONE_WRITER = 0x636C69636B61746C  # the number of PostgreSQL's advisory lock: "clickatl"
LOCK_S = 15  # that a writer waits for another
IDLE_S = 60  # in a transaction: who hangs, or was cut off, must not keep all others waiting
CONNECT_S = 5
_LOCK = f"SELECT pg_advisory_xact_lock({ONE_WRITER})"
_Words = dict[str | None, tuple[str, ...]]
_SQLITE: _Words = {None: ("BEGIN",), WRITER: ("BEGIN IMMEDIATE",), MIGRATOR: ("BEGIN IMMEDIATE",)}
_POSTGRES: _Words = {None: (), WRITER: (_LOCK,), MIGRATOR: ("SET LOCAL lock_timeout = 0", _LOCK)}


def of_sqlite(path: Path) -> Engine:
    """An engine on SQLite's file at `path`."""
    # Without an isolation level sqlite3 begins nothing by itself: it would do so at the first change only, after the looks
    # that the change rests on, and take a savepoint's end for the transaction's.
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": LOCK_S, "isolation_level": None})
    event.listen(engine, "connect", _pragmas)
    event.listen(engine, "begin", _beginner(_SQLITE))
    return engine


def of_postgres(url: str) -> Engine:
    """An engine on the PostgreSQL database of `url`; nothing is connected to yet."""
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        connect_args=parameters(url),
        pool_pre_ping=True,  # a server that was started again is met with a new connection, and no error
        pool_size=5,
        max_overflow=15,
        pool_timeout=LOCK_S,
        hide_parameters=True,  # of people and their links, in errors and so in logs
    )
    event.listen(engine, "begin", _beginner(_POSTGRES))
    return engine


def parameters(url: str) -> dict[str, Any]:
    """What a connection to PostgreSQL is made with, beside the URL: libpq's words, as far as the URL doesn't say them."""
    given = make_url(url).query
    said = f"-c timezone=UTC -c lock_timeout={LOCK_S}s -c idle_in_transaction_session_timeout={IDLE_S}s"
    ours: dict[str, Any] = {
        "application_name": "clickatlas",
        "connect_timeout": CONNECT_S,
        "keepalives_idle": 10,  # a server that vanished without a word is noticed within half a minute
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
    }
    ours = {name: value for name, value in ours.items() if name not in given}
    ours["options"] = f"{said} {given.get('options', '')}".strip()
    ours["prepare_threshold"] = None  # tables may change under us as a newer version migrates them
    return ours


def _beginner(words: _Words) -> Any:
    def begin(connection: Connection) -> None:
        for line in words[connection.get_execution_options().get(BEGINS)]:
            connection.exec_driver_sql(line)

    return begin


def _pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "foreign_keys=ON",
        "synchronous=NORMAL",
        f"busy_timeout={LOCK_S * 1000}",
        "secure_delete=ON",  # what is deleted is overwritten
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
