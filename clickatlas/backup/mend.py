"""A backup's click store put in place of a damaged one, and the spool that was kept since given back to it.

How far a store has read the spool stands in the store itself. So the backup's reads on where it was when the backup
was taken: what both have is passed over, what came since is read, each click once. Links are newer than the backup
and whole: they stay.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from clickatlas.backup.copies import settle
from clickatlas.backup.manifest import read
from clickatlas.clicks.quarantine import KEPT
from clickatlas.errors import Problem
from clickatlas.imports.landing import FOLDER as IMPORTS

STORE = "clicks.duckdb"
SPOOL = "spool"


def is_due(data: Path) -> bool:
    """Whether a damaged store was set aside in folder `data`, or found there by a question."""
    return (data / KEPT).is_dir()


def is_part(name: str) -> bool:
    """Whether a file of a backup belongs to its clicks."""
    return name.startswith((STORE, f"{SPOOL}/", f"{IMPORTS}/"))


def check_same(backup: Path, data: Path) -> None:
    """Raise `Problem` (422) where the backup is of another installation: its clicks would be of other links."""
    ours, theirs = _links(data), _links(backup)
    if any(ours[number] != made for number, made in theirs.items() if number in ours):
        raise Problem(
            422,
            "Backup",
            f"{backup} is of another installation: its links are others.",
            remedy=f"Choose a backup of {data}, or restore this one into an empty folder.",
        )


def _links(folder: Path) -> dict[int, str]:
    path = folder / "links.sqlite"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as links:
            return dict(links.execute("SELECT id, created_at FROM links"))
    except sqlite3.Error as error:
        raise Problem(
            422,
            "Links",
            f"{path} can't be read: {error}.",
            remedy="Restore all of the backup into an empty folder.",
        ) from None


def add_spool(begun: Path, data: Path) -> None:
    """Of the backup's segments, take those that were read and removed since; what is here has grown since.

    Files whose clicks are then nowhere may be imported again.
    """
    for segment in sorted((begun / SPOOL).glob("*/*.spool")):
        name = segment.relative_to(begun / SPOOL)
        if not (data / SPOOL / name).exists() and not (data / KEPT / name).exists():
            (data / SPOOL / name).parent.mkdir(parents=True, exist_ok=True)
            segment.rename(data / SPOOL / name)
    for note in (data / IMPORTS).glob("*.json"):
        stream = json.loads(note.read_text("utf-8"))["stream"]
        folders = (data / SPOOL, data / KEPT, data / IMPORTS)
        if not (begun / IMPORTS / note.name).exists() and not any((f / stream).exists() for f in folders):
            note.unlink()
    shutil.rmtree(begun / IMPORTS, ignore_errors=True)
    shutil.rmtree(begun / SPOOL, ignore_errors=True)


def make_way(begun: Path, data: Path) -> None:
    """Move the store that is in `data` out of the way of the one in `begun`."""
    if STORE in read(begun).files and not (begun / STORE).exists():  # it is in place already
        return
    before = data / f"{STORE}.before-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    # First what was written last: left alone, it would be taken for the other's.
    for name in (f"{STORE}.wal", STORE):
        with suppress(FileNotFoundError):
            (data / name).rename(f"{before}{name.removeprefix(STORE)}")


def give_back(data: Path) -> None:
    """Move all that was kept of the spool into it again; from then on it is removed as it is read."""
    for segment in sorted((data / KEPT).glob("*/*.spool")):
        there = data / SPOOL / segment.relative_to(data / KEPT)
        there.parent.mkdir(parents=True, exist_ok=True)
        if not there.exists() or there.stat().st_size < segment.stat().st_size:  # put there by hand
            segment.replace(there)
    if (data / SPOOL).exists():
        settle(data / SPOOL)
    shutil.rmtree(data / KEPT)
