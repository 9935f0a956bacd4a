"""What the data folder shows, whether a server runs or not."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clickatlas.atlas import files
from clickatlas.backup.manifest import LAST
from clickatlas.clicks.ingest import ASIDE
from clickatlas.clicks.quarantine import KEPT, remedy, set_aside_before
from clickatlas.doctor.finding import Finding, broken, fine, warning
from clickatlas.errors import Problem
from clickatlas.faults import FAULTS, OLD_S, Cause, nearly_full
from clickatlas.links.postgres import where

BACKUP_DAYS = 7


def look(data: Path, url: str = "") -> Iterator[Finding]:
    """Atlas, page, disk, links database (PostgreSQL's `url`, if not in the folder), what was put aside, and the last backup."""
    yield from _atlas(data / "atlas")
    yield from _page()
    yield from _disk(data)
    yield from _postgres(data, url) if url else _links(data / "links.sqlite")
    yield from _aside(data)
    yield from _damaged(data)
    yield from _backup(data)


def _atlas(root: Path) -> Iterator[Finding]:
    try:
        folder = files.current(root)
        built = datetime.fromisoformat(files.about(folder)["built"]) if folder else None
    except Problem as problem:
        yield broken("atlas", problem.detail, problem.remedy or "Run 'clickatlas atlas update'.")
        return
    if built is None:
        yield broken(
            "atlas", "There is no atlas: no address can be located.", "Run 'clickatlas atlas update'."
        )
        return
    age = datetime.now(UTC) - built
    if age.total_seconds() >= OLD_S:
        yield warning(
            Cause.ATLAS,
            f"The City database is {age.days} days old; places drift, and GeoLite2's licence asks for 30.",
            FAULTS[Cause.ATLAS].mend,
        )
    else:
        yield fine("atlas", f"The City database is {age.days} days old.")


def _page() -> Iterator[Finding]:
    if not (Path(__file__).parents[1] / "static" / "index.html").is_file():
        yield broken("page", "The web page is not built.", "Run 'make run', which builds it.")


def _disk(data: Path) -> Iterator[Finding]:
    there = next(folder for folder in (data, *data.parents) if folder.is_dir())
    usage = shutil.disk_usage(there)
    free = f"{usage.free / 1e9:.1f} GB free of {usage.total / 1e9:.0f} GB"
    if not os.access(there, os.W_OK):
        yield broken(
            "disk_read_only",
            f"{there} can't be written to.",
            "Is the disk mounted read-only, or does the folder belong to somebody else? Clicks can't be kept there.",
        )
    if nearly_full(usage.free, usage.total):
        yield warning(Cause.DISK, f"The disk of {data} is nearly full: {free}.", FAULTS[Cause.DISK].mend)
    else:
        yield fine("disk", f"{free} on the disk.")


def _links(path: Path) -> Iterator[Finding]:
    if not path.exists():
        return
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            [(verdict,), *more] = connection.execute("PRAGMA quick_check(1)").fetchall()
            [(links,)] = connection.execute("SELECT count(*) FROM links").fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        verdict, more, links = str(error), [], 0
    if verdict != "ok" or more:
        yield broken(
            Cause.LINKS,
            f"The links database is damaged or can't be read: {verdict}.",
            f"Stop the server and restore {path} from a backup.",
        )
    else:
        yield fine("links", f"{links:,} links.")


def _postgres(data: Path, url: str) -> Iterator[Finding]:
    from clickatlas.links.database import LinksDatabase

    database = LinksDatabase(data, url)
    try:
        links, version = database.measured()
    except Problem as problem:
        yield broken(Cause.LINKS, problem.detail, problem.remedy)
    else:
        yield fine("links", f"{links:,} links in {where(url)} (version {version}).")
    finally:
        database.close()


def _aside(data: Path) -> Iterator[Finding]:
    if aside := sum(1 for _ in (data / ASIDE).glob("*")):
        yield warning(
            Cause.ASIDE,
            f"{aside} spool segments were damaged and put aside; their whole clicks are counted.",
            f"See {data / ASIDE} and the server's log; delete them when you have.",
        )


def _damaged(data: Path) -> Iterator[Finding]:
    if (data / KEPT).is_dir():
        corrupt = ", ".join(path.name for path in set_aside_before(data)) or "by a question"
        what = (
            f"The click store was found damaged ({corrupt}); since then the spool is kept in {data / KEPT}."
        )
        yield broken(Cause.DAMAGED, what, remedy(data))


def _backup(data: Path) -> Iterator[Finding]:
    mend = "Run 'clickatlas backup FOLDER --keep 14' every night; deploy/ has a timer for it."
    now = datetime.now(UTC)
    try:
        taken = datetime.fromisoformat(json.loads((data / LAST).read_text("utf-8"))["taken"])
    except (OSError, ValueError, TypeError, KeyError):
        # Only a hint: there may be backups of another kind, and what is new or a sample is no loss.
        if _in_use_since(data / "links.sqlite", now - timedelta(days=BACKUP_DAYS)):
            yield fine("backup", "No backup was made of this data folder by 'clickatlas backup'.", mend)
        return
    days = (now - taken).days
    if now - taken > timedelta(days=BACKUP_DAYS):
        yield warning("backup_old", f"The last backup is {days} days old.", mend)
    else:
        yield fine("backup", f"The last backup is of {taken:%Y-%m-%d %H:%M} UTC.")


def _in_use_since(path: Path, moment: datetime) -> bool:
    """Whether there are links from before `moment` that are no sample, and a store that counts their clicks."""
    if not path.exists() or not path.with_name("clicks.duckdb").exists():
        return False
    query = "SELECT 1 FROM links WHERE NOT sample AND created_at < ? LIMIT 1"
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        ) as connection:
            return connection.execute(query, [f"{moment:%Y-%m-%d %H:%M:%S}"]).fetchone() is not None
    except sqlite3.Error:
        return False  # said already
