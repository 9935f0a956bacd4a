"""The store's file: opened, made, or brought along from an older version."""

from __future__ import annotations

import logging
from importlib import resources
from pathlib import Path

import duckdb

from clickatlas.clicks import rollups
from clickatlas.errors import Problem

VERSION = 2
# 32 bits tell apart the visitors of one link on one day: of 1,000,000 some 120 are taken for another.
LOWER_HALF = "visitor & 4294967295"
SHORT_VISITOR = f"CASE WHEN visitor <> 0 AND {LOWER_HALF} = 0 THEN 1 ELSE {LOWER_HALF} END"
log = logging.getLogger("clickatlas.store")


def open_file(path: Path, *, memory: str, read_only: bool) -> duckdb.DuckDBPyConnection:
    """A connection to a file of today's version. Raises `Problem` (503)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = duckdb.connect(
            str(path),
            read_only=read_only,
            config={"memory_limit": memory, "allocator_background_threads": True},
        )
    except duckdb.IOException as error:
        raise _unusable(path, error) from error
    try:
        _bring_along(connection, path, read_only=read_only)
    except BaseException:
        connection.close()
        raise
    return connection


def _bring_along(connection: duckdb.DuckDBPyConnection, path: Path, *, read_only: bool) -> None:
    version = _version(connection)
    if version == VERSION:
        return
    if version > VERSION:
        raise Problem(
            503,
            "The click store is of a newer version",
            f"{path} was written by a newer clickatlas: format {version}, this one reads up to {VERSION}.",
            remedy="Install the newer clickatlas again, or restore a backup made before the upgrade.",
        )
    if read_only:
        raise Problem(
            503,
            "The click store is of an older version",
            f"{path} has format {version}, this clickatlas reads {VERSION}.",
            remedy="Run 'clickatlas serve' once: it brings the file along.",
        )
    # All of it or nothing: killed on its way, the file is what it was.
    cursor = connection.cursor()
    cursor.begin()
    if version:
        cursor.execute("ALTER TABLE clicks RENAME TO older")
    cursor.execute(resources.files("clickatlas.clicks").joinpath("sql/schema.sql").read_text("utf-8"))
    if version:
        _settle_older(cursor, path)
    cursor.commit()


def _version(connection: duckdb.DuckDBPyConnection) -> int:
    """The file's format; 0 where it is new. The first format had no number."""
    tables = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if "format" in tables:
        [(version,)] = connection.execute("SELECT max(version) FROM format").fetchall()
        return int(version)
    return 1 if "clicks" in tables else 0


def _settle_older(cursor: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Clicks of the first format: a visitor's hash had 64 bits, and there were no rollups."""
    [(clicks,)] = cursor.execute("SELECT count(*) FROM older").fetchall()
    log.warning("%s: bringing %d clicks along into a new format; this is done once", path, clicks)
    [(last,)] = cursor.execute("SELECT max(rowid) FROM older").fetchall()
    for begin in range(0, (last or 0) + 1, rollups.SETTLE_AT):
        within = f"FROM older WHERE rowid >= {begin} AND rowid < {begin + rollups.SETTLE_AT}"
        if not cursor.execute(f"SELECT 1 {within} LIMIT 1").fetchall():  # see `rollups._insert`
            continue
        cursor.execute(
            "INSERT INTO incoming SELECT time, link, place, agent, referrer, kind, flags,"
            f" {SHORT_VISITOR} {within}"
        )
        if clicks >= rollups.SETTLE_AT:
            rollups.settle(cursor)
            log.warning("%s: %d of %d clicks", path, min(begin + rollups.SETTLE_AT, clicks), clicks)
    cursor.execute("DROP TABLE older")


def _unusable(path: Path, error: Exception) -> Problem:
    if "lock" in str(error).lower():
        return Problem(
            503,
            "The click store is in use",
            f"{path} is open in another process.",
            remedy="Is another clickatlas running on this data folder? Stop it, or use another --data.",
        )
    return Problem(
        503, "The click store can't be opened", str(error), remedy=f"Is {path} whole and readable?"
    )
