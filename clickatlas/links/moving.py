"""Links and people brought over from SQLite's file to an empty PostgreSQL database, every number as it was."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from clickatlas.errors import Problem
from clickatlas.links import models_told
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Base, Link, Person
from clickatlas.links.postgres import where
from clickatlas.processes import hold
from clickatlas.progress import Progress

AT_ONCE = 1000
assert models_told, "its tables are among the models'"


def move(data: Path, url: str, progress: Progress) -> dict[str, int]:
    """Copy ``links.sqlite`` of `data` into the database of `url`: rows by table. The file stays as it is.

    In one transaction: all of it is there afterwards, or nothing. Raises `Problem`: 404 without a file, 409 where a server runs
    on `data` or the database is not empty, 422 for a row that PostgreSQL won't keep, 503 where it refuses.
    """
    if not (data / "links.sqlite").is_file():
        raise Problem(404, "Links", f"There is no links.sqlite in {data}.", remedy="Choose another --data.")
    lock = hold(data)
    source, target = LinksDatabase(data), LinksDatabase(data, url)
    try:
        source.migrate()
        target.migrate()
        moved: dict[str, int] = {}
        tables = Base.metadata.sorted_tables
        with target.writing() as session, source.engine.connect() as rows:
            connection = session.connection()
            _check_empty(connection, url)
            for number, table in enumerate(tables):
                progress.step(f"copying {table.name}")
                moved[table.name] = _copy(rows, connection, table)
                progress.advance((number + 1) / len(tables))
        progress.done()
    finally:
        source.close()
        target.close()
        os.close(lock)
    return moved


def _check_empty(connection: Connection, url: str) -> None:
    found = [connection.scalar(select(func.count()).select_from(table)) for table in (Person, Link)]
    if any(found):
        raise Problem(
            409,
            "Not empty",
            f"{where(url)} has {found[0]:,} people and {found[1]:,} links already.",
            remedy="Give an empty database: numbers of links are in clicks, and can't be changed.",
        )


def _copy(rows: Connection, to: Connection, table: Table) -> int:
    copied = 0
    found = rows.execution_options(yield_per=AT_ONCE).execute(select(table))
    for part in found.mappings().partitions(AT_ONCE):
        try:
            to.execute(insert(table), [_cleaned(dict(row)) for row in part])
        except DBAPIError as error:
            said = str(error.orig).partition("\n")[0]
            raise Problem(
                422, "Links", f"A row of {table.name} can't be kept by PostgreSQL: {said}.",
                remedy="Mend it in links.sqlite, and try again. Nothing was copied.",
            ) from error  # fmt: skip
        copied += len(part)
    if "id" in table.columns and table.c.id.type.python_type is int:
        _number_on(rows, to, table)
    return copied


def _number_on(rows: Connection, to: Connection, table: Table) -> None:
    """The next row gets a number above all that ever were: those of deleted links are in clicks."""
    last = rows.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name}) or 0
    last = max(last, rows.scalar(select(func.max(table.c.id))) or 0)
    if last:
        to.execute(
            text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)"),
            {"name": table.name, "last": last},
        )


def _cleaned(row: dict[str, Any]) -> dict[str, Any]:
    """PostgreSQL keeps no zero bytes in texts; nobody sees them."""
    return {name: value.replace("\0", "") if isinstance(value, str) else value for name, value in row.items()}
