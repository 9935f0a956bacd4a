"""A backup of a data folder, consistent although a server goes on writing to it.

The order is what makes it so. While the click store keeps still, how far it has read the spool stands still,
too: what it has not read is in the spool's segments, which are copied next. So every click answered before is in
one of the two, and once restored each is counted once. The links are copied last: no click is of a link that is
not there yet, and a link deleted meanwhile is deleted from the restored store, too.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from clickatlas import __version__
from clickatlas.atlas import files as atlases
from clickatlas.backup.copies import copy, need, settle
from clickatlas.backup.manifest import PREFIX, Manifest, backups, checksum, contents, remember
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.duckdb_file import VERSION
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.segments import NewerSegment, Segment, has_writer, segments
from clickatlas.clicks.store import Position
from clickatlas.clicks.turns import still
from clickatlas.errors import Problem
from clickatlas.imports.landing import FOLDER as IMPORTS
from clickatlas.progress import Progress
from clickatlas.settings import FILE_NAME, Settings

UNFINISHED = ".partial"
STORE = "clicks.duckdb"
METRICS = "metrics.token"


def take(
    settings: Settings, folder: Path, *, keep: int, with_atlas: bool, progress: Progress
) -> tuple[Path, Manifest]:
    """Copy `settings.data` into a new folder below `folder`; returns it and what is in it.

    With `keep`, older backups there are removed but for the newest so many. Raises `Problem` (404, 409, 507).
    """
    data = settings.data
    if not (data / (STORE if settings.database_url else "links.sqlite")).is_file():
        raise Problem(
            404, "Backup", f"There is nothing in {data} to back up.", remedy="Choose another --data."
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for left in folder.glob(f"{PREFIX}*{UNFINISHED}"):
            shutil.rmtree(left)  # of a backup that was killed
        now = datetime.now(UTC)
        final = folder / f"{PREFIX}{now:%Y%m%dT%H%M%SZ}"
        if final.exists():
            raise Problem(409, "Backup", f"{final} is there already.", remedy="Try again in a second.")
        earlier = backups(folder)
        partial = final.with_name(final.name + UNFINISHED)
        try:
            manifest = _take(settings, partial, now, earlier[-1] if earlier and with_atlas else None,
                             with_atlas, progress)  # fmt: skip
            partial.rename(final)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        os.fsync(lock)
        remember(data, final, manifest)
        for old in backups(folder)[:-keep] if keep else []:
            shutil.rmtree(old)
    except BlockingIOError:
        raise Problem(
            409, "Backup", f"Another backup to {folder} is being made.", remedy="Wait until it is done."
        ) from None
    finally:
        os.close(lock)
    return final, manifest


def _take(
    settings: Settings, to: Path, now: datetime, earlier: Path | None, with_atlas: bool, progress: Progress
) -> Manifest:
    data = settings.data
    atlas = atlases.current(data / "atlas")
    _check_room(data, to, atlas if with_atlas else None)
    to.mkdir(mode=0o700)
    progress.step("waiting for the click store")
    with still(data / STORE):
        progress.step("copying clicks")
        for file in _store(data):
            copy(file, to / file.name)
        _copy_receipts(data / IMPORTS, to / IMPORTS)
        growing = _copy_spool(data / "spool", to / "spool")
    links, links_version = 0, None
    if not settings.database_url:  # else a dump that is taken after this has them
        progress.step("copying links")
        links, links_version = _copy_links(data / "links.sqlite", to / "links.sqlite")
    for file in (data / FILE_NAME, data / METRICS, *(data / "spool-aside").glob("*")):
        if file.is_file():
            copy(file, to / file.relative_to(data))
    if atlas and with_atlas:
        progress.step("copying the atlas")
        _copy_atlas(atlas, to / "atlas", earlier)
    progress.step("reading the copy")
    counted, waiting = _read_back(to, settings.store_memory, growing)
    manifest = Manifest(
        taken=f"{now:%Y-%m-%dT%H:%M:%SZ}", version=__version__, links_version=links_version, store_version=VERSION,
        links=links, counted=counted, waiting=waiting, atlas=atlas.name if atlas else None,
        atlas_built=str(atlases.about(atlas)["built"]) if atlas else None, has_atlas=bool(atlas and with_atlas),
    )  # fmt: skip
    manifest.files = {name: (checksum(path), path.stat().st_size) for name, path in contents(to).items()}
    manifest.write(to)
    settle(to)
    progress.done()
    return manifest


def _store(data: Path) -> list[Path]:
    """The click store's file, if there is one, and its log of transactions."""
    return [path for path in (data / STORE, *data.glob(f"{STORE}.wal*")) if path.is_file()]


def _check_room(data: Path, to: Path, atlas: Path | None) -> None:
    sources = [*_store(data), *data.glob("links.sqlite*")]
    sources += [path for stream in data.glob("spool/*") for path in segments(stream)]
    sources += list(atlas.iterdir()) if atlas else []
    room = 0
    for file in sources:
        try:
            room += file.stat().st_size
        except FileNotFoundError:  # just counted and removed
            continue
    need(room, to)


def _copy_spool(spool: Path, to: Path) -> set[Path]:
    """Copy all segments; returns the copies of those that somebody writes."""
    growing = set()
    for stream in sorted(path for path in spool.glob("*") if path.is_dir()):
        for segment in segments(stream):
            target = to / stream.name / segment.name
            try:
                if has_writer(segment):
                    growing.add(target)
                copy(segment, target)
            except FileNotFoundError:  # committed before the store kept still, removed just now
                continue
    return growing


def _copy_receipts(imports: Path, to: Path) -> None:
    """Of the imports whose clicks have landed in the spool by now, and so are copied, too."""
    for note in imports.glob("*.json"):
        if not (imports / json.loads(note.read_text("utf-8"))["stream"]).exists():
            copy(note, to / note.name)


def _copy_links(source: Path, target: Path) -> tuple[int, str | None]:
    """By SQLite's own way, which minds other processes' writing: (links, newest migration)."""
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, timeout=15)) as live,
        closing(sqlite3.connect(target)) as copied,
    ):
        live.backup(copied)
        copied.execute("PRAGMA journal_mode=DELETE")
        [(verdict,)] = copied.execute("PRAGMA integrity_check(1)")
        if verdict != "ok":
            raise Problem(500, "Links damaged", f"{source}: {verdict}", remedy="Restore an earlier backup.")
        [(links,)] = copied.execute("SELECT count(*) FROM links")
        [(version,)] = copied.execute("SELECT max(version_num) FROM alembic_version")
    target.chmod(0o600)
    return links, version


def _copy_atlas(atlas: Path, to: Path, earlier: Path | None) -> None:
    """Atlases never change: what the backup before has of the same one is shared with it."""
    for file in sorted(path for path in atlas.iterdir() if path.is_file()):
        target = to / atlas.name / file.name
        before = earlier / "atlas" / atlas.name / file.name if earlier else target
        ours = file.stat()
        if before.is_file() and (before.stat().st_size, before.stat().st_mtime) == (
            ours.st_size,
            ours.st_mtime,
        ):
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.link(before, target)
        else:
            copy(file, target)
    (to / atlases.CURRENT).write_text(atlas.name + "\n", "utf-8")
    (to / atlases.CURRENT).chmod(0o600)


def _read_back(folder: Path, memory: str, growing: set[Path]) -> tuple[int, int]:
    """Open the copy: (clicks in the store, clicks that wait in the spool).

    Cuts what was half written, and so not answered, when a growing segment was copied.
    """
    positions: dict[str, Position] = {}
    counted = 0
    if (folder / STORE).exists():
        store = DuckDBStore(folder / STORE, memory=memory)
        positions = store.positions()
        counted = int(store.place_counts(Selection()).clicks.sum())
        store.close()
        (folder / STORE).with_suffix(".turns").unlink(missing_ok=True)
    waiting = 0
    for stream in sorted((folder / "spool").glob("*")):
        position = positions.get(stream.name, Position(0, 0))
        for path in segments(stream):
            if int(path.stem) < position.segment:
                path.unlink()  # all of it is in the store
                continue
            segment = Segment(path)
            try:
                if int(path.stem) == position.segment:
                    segment.skip_to(position.offset)
                while not segment.exhausted:
                    waiting += len(segment.read())
            except NewerSegment:
                continue  # it waits for a newer program, as in the folder it comes from
            if path in growing and segment.unread():
                os.truncate(path, segment.offset)
    return counted, waiting
