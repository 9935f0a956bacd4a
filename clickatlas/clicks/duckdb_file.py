"""The store's file: opened, made, or brought along from an older version."""

from __future__ import annotations

import logging
import time
from importlib import resources
from pathlib import Path

import duckdb

from clickatlas.backup.manifest import advice
from clickatlas.clicks import quarantine as quarantined
from clickatlas.clicks import rollups
from clickatlas.clicks.quarantine import set_aside
from clickatlas.errors import Problem

VERSION = 5
# 32 bits tell apart the visitors of one link on one day: of 1,000,000 some 120 are taken for another.
LOWER_HALF = "visitor & 4294967295"
SHORT_VISITOR = f"CASE WHEN visitor <> 0 AND {LOWER_HALF} = 0 THEN 1 ELSE {LOWER_HALF} END"
# How DuckDB 2.0 says that a file, or its log, is not what it wrote; `tests/unit/test_store_damage.py` damages some.
DAMAGE = (
    "not a valid duckdb database file", "corrupt database file", "could not read enough bytes", "replaying wal",
    "serialization error", "internal error", "failed to deserialize",
)  # fmt: skip
log = logging.getLogger("clickatlas.store")


BLOCK = 1 << 16  # bytes, of a new file: a fortieth less is left empty than with 256 kB


class Damaged(Problem):
    """The file is not what was written into it."""


class Older(Problem):
    """The file is of an older format, and was opened for reading only."""


def open_file(
    path: Path, *, memory: str, read_only: bool, quarantine: bool = False
) -> duckdb.DuckDBPyConnection:
    """A connection to a file of today's version. Raises `Problem` (503).

    With `quarantine` a damaged file is set aside, and a new one is begun.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        try:
            return _open(path, memory, read_only)
        except Damaged:
            if not quarantine or read_only:
                raise
            time.sleep(0.5)
            return _open(path, memory, read_only)  # so rare and so grave that it is looked at twice
    except Damaged as damage:
        if not quarantine or read_only:
            raise
        set_aside(path, damage.detail)
        return _open(path, memory, read_only)


def _open(path: Path, memory: str, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(
            str(path),
            read_only=read_only,
            config={
                "memory_limit": memory,
                "allocator_background_threads": True,
                "default_block_size": BLOCK,
            },
        )
        try:
            _bring_along(connection, path, read_only=read_only)
        except BaseException:
            connection.close()
            raise
    except duckdb.Error as error:
        raise explained(error, path) from error
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
            remedy=f"Install the newer clickatlas again, or {advice(path.parent)}.",
        )
    if read_only:
        raise Older(
            503,
            "The click store is of an older version",
            f"{path} has format {version}, this clickatlas reads {VERSION}.",
            remedy="Run 'clickatlas serve' once: it brings the file along.",
        )
    # All of it or nothing: killed on its way, the file is what it was.
    cursor = connection.cursor()
    cursor.begin()
    if version in (2, 3, 4):
        for step in range(version, VERSION):
            cursor.execute(_sql(f"from_{step}.sql"))
    else:
        if version:
            cursor.execute("ALTER TABLE clicks RENAME TO older")
        cursor.execute(_sql("schema.sql"))
        if version:
            _settle_older(cursor, path)
    cursor.commit()


def _sql(name: str) -> str:
    return resources.files("clickatlas.clicks").joinpath("sql", name).read_text("utf-8")


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


def explained(error: duckdb.Error, path: Path) -> Problem:
    """What `error` of the file at `path` means, and what to do: `Damaged`, or another `Problem` (503)."""
    text = str(error).partition("\n")[0]
    seen = text.lower()
    if "lock on file" in seen:
        return Problem(
            503,
            "The click store is in use",
            f"{path} is open in another process.",
            remedy="Is another clickatlas running on this data folder, or another program on this file? Stop it. "
            "Counting goes on by itself then; short links go on meanwhile, and the spool keeps their clicks.",
        )
    if "no space left" in seen or "disk quota" in seen:
        return Problem(
            503,
            "The disk is full",
            f"The disk of {path} is full.",
            remedy="Make room: counting goes on by itself then. The spool keeps all clicks that it has.",
        )
    if "read-only file system" in seen or "permission denied" in seen or "input/output error" in seen:
        return Problem(
            503,
            "The disk refuses",
            f"{path}: {text}",
            remedy=f"Make the disk of {path.parent} writable for clickatlas: counting goes on by itself then.",
        )
    if any(word in seen for word in DAMAGE):
        return Damaged(
            503, "The click store is damaged", f"{path}: {text}", remedy=quarantined.remedy(path.parent)
        )
    return Problem(
        503,
        "The click store does not answer",
        f"{path}: {text}",
        remedy=f"See the server's log. Is {path} whole and readable?",
    )
