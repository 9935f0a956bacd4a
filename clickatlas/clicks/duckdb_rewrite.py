"""The store's file written anew, so that nothing of what was deleted is left in it.

A deleted row's bytes stay in the file's free blocks until something else is written there: neither a checkpoint nor
VACUUM clears them (seen in DuckDB 2). A copy holds only what is there.
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from clickatlas.clicks import removal
from clickatlas.clicks.duckdb_file import BLOCK, open_file
from clickatlas.errors import Problem

UNUSED = (
    "DELETE FROM referrers WHERE id NOT IN (SELECT DISTINCT referrer FROM clicks)",
    "DELETE FROM agents WHERE id NOT IN (SELECT DISTINCT agent FROM clicks)",
)


def rewrite(path: Path, *, memory: str = "1GB") -> tuple[int, int]:
    """Copy the file's content into a new one that takes its place; returns its size before and after in bytes.

    No process may have it open, and the disk needs room for a second one. Words that no click uses any more go, too.
    Killed on its way, the file is what it was. Raises `Problem` (503).
    """
    connection = open_file(path, memory=memory, read_only=False)
    while removal.due(connection):  # a deletion that was cut short is finished first
        connection.begin()
        removal.step(connection)
        connection.commit()
    for statement in UNUSED:
        connection.execute(statement)
    connection.execute("CHECKPOINT")
    connection.close()
    before, fresh = path.stat().st_size, path.with_suffix(".rewritten")
    fresh.unlink(missing_ok=True)
    try:
        with duckdb.connect(config={"memory_limit": memory}) as copying:
            copying.execute(f"ATTACH '{_quoted(path)}' AS before (READ_ONLY)")
            copying.execute(f"ATTACH '{_quoted(fresh)}' AS fresh (BLOCK_SIZE {BLOCK})")
            copying.execute("COPY FROM DATABASE before TO fresh")
            copying.execute("CHECKPOINT fresh")
            copying.execute("DETACH before")
            copying.execute("DETACH fresh")
        _flush(fresh)
        fresh.replace(path)
        _flush(path.parent)
    except (duckdb.Error, OSError) as error:
        fresh.unlink(missing_ok=True)
        raise Problem(
            503, "The click store can't be rewritten", str(error),
            remedy="It is what it was. Is there room on the disk for a second one?",
        ) from error  # fmt: skip
    return before, path.stat().st_size


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _flush(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
