"""A backup put back: into an empty data folder, here or on another machine, or in place of a damaged click store."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from clickatlas.backup import mend
from clickatlas.backup.copies import copy, need, settle
from clickatlas.backup.manifest import NAME, UNFINISHED, Manifest, checksum, read
from clickatlas.clicks.duckdb_file import VERSION
from clickatlas.errors import Problem
from clickatlas.links.database import NEWEST_MIGRATION
from clickatlas.processes import hold
from clickatlas.progress import Progress
from clickatlas.settings import FILE_NAME, Settings

KEPT = {"run", UNFINISHED, FILE_NAME}  # may be in the folder beforehand; an atlas, too


def restore(settings: Settings, folder: Path, progress: Progress) -> Manifest:
    """Put the backup in `folder` into `settings.data`; returns what was in it.

    Where a damaged click store was set aside there, only the backup's clicks are put in its place, and the spool
    that was kept since goes back, to be read from where the backup was. Else the folder has to be empty.
    All checksums are checked before anything takes its place. Killed on its way, it is simply run again:
    nothing that was in the folder is ever removed.
    Raises `Problem`: 409 where the data folder is in use or not empty, 422 where the backup is not whole, 507.
    """
    data = settings.data
    manifest = read(folder)
    if manifest.store_version > VERSION or (manifest.links_version or "") > NEWEST_MIGRATION:
        raise Problem(
            422,
            "Backup",
            f"{folder} was made by a newer clickatlas, {manifest.version}.",
            remedy="Restore it with that version.",
        )
    data.mkdir(parents=True, exist_ok=True)
    locks = [hold(data)]
    try:
        locks.append(hold(data, "redirect"))  # nor may short links be answered from it meanwhile
        begun = data / UNFINISHED
        if (begun / NAME).exists():  # a restore was killed here, with all its files checked
            finished = read(begun)
            _put_in_place(begun, data)
            if finished == manifest:
                return manifest
        shutil.rmtree(begun, ignore_errors=True)
        files = manifest.files
        if mend.is_due(data):
            if manifest.has_links:
                mend.check_same(folder, data)
            files = {name: of for name, of in files.items() if mend.is_part(name)}
        else:
            _check_empty(data)
        need(sum(size for _sum, size in files.values()), data)
        begun.mkdir(mode=0o700)
        progress.step("copying and checking")
        for number, (name, (digest, _size)) in enumerate(files.items()):
            _copy_checked(folder, name, digest, begun)
            progress.advance(number / len(files))
        settle(begun)
        copy(folder / NAME, begun / NAME)
        settle(begun)
        progress.step("putting in place")
        _put_in_place(begun, data)
        progress.done()
    finally:
        for lock in locks:
            os.close(lock)
    return manifest


def _copy_checked(folder: Path, name: str, digest: str, to: Path) -> None:
    target = to / name
    wrong = ""
    try:
        if not target.resolve().is_relative_to(to.resolve()):
            wrong = "leads out of it"
        else:
            copy(folder / name, target)
            wrong = "" if checksum(target) == digest else "is damaged: its checksum is another"
    except FileNotFoundError:
        wrong = "is missing"
    if wrong:
        shutil.rmtree(to)
        raise Problem(422, "Backup", f"{folder / name} {wrong}.", remedy="Restore an earlier backup.")


def _check_empty(data: Path) -> None:
    found = sorted(path.name for path in data.iterdir() if path.name not in KEPT | {"atlas"})
    if found:
        raise Problem(
            409,
            "Not empty",
            f"{data} holds something already: {', '.join(found[:4])}.",
            remedy=f"Move it away (mv {data} {data}.before), or choose another --data.",
        )


def _put_in_place(begun: Path, data: Path) -> None:
    """Each step may be done again, where one was killed."""
    mending = mend.is_due(data)
    if mending:
        mend.add_spool(begun, data)
        mend.make_way(begun, data)
    for path in sorted(begun.iterdir()):
        if path.name != NAME and not (data / path.name).exists():  # settings and an atlas already there stay
            path.rename(data / path.name)
    _sync(data)
    if mending:
        mend.give_back(data)
        _sync(data)
    shutil.rmtree(begun)
    _sync(data)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
