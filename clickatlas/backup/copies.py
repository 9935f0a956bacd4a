"""Files copied, cloned where the disk can, and made to last."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from clickatlas.errors import Problem

SPARE_BYTES = 64 << 20
_NO_CLONE = {errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF}


def copy(source: Path, target: Path) -> None:
    """`source`, as long as it is now, as `target`; only the owner may read it."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with source.open("rb") as data, open(target, "xb", opener=_private) as out:
        left = os.fstat(data.fileno()).st_size
        try:
            while left > 0 and hasattr(os, "copy_file_range"):
                done = os.copy_file_range(data.fileno(), out.fileno(), min(left, 1 << 30))
                if not done:
                    break
                left -= done
        except OSError as error:
            if error.errno not in _NO_CLONE:
                raise
        data.seek(out.seek(0, os.SEEK_END))
        while left > 0 and (piece := data.read(min(left, 1 << 20))):
            out.write(piece)
            left -= len(piece)
    shutil.copystat(source, target)
    target.chmod(0o600)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def need(room: int, folder: Path) -> None:
    """Raise `Problem` (507) where the disk of `folder` has less than `room` bytes and some to spare."""
    existing = next(place for place in (folder, *folder.parents) if place.is_dir())
    free = shutil.disk_usage(existing).free
    if free < room + SPARE_BYTES:
        raise Problem(
            507,
            "Disk full",
            f"{folder} needs {(room + SPARE_BYTES) / 1e6:,.0f} MB and its disk has {free / 1e6:,.0f} MB free.",
            remedy="Make room there, or choose another folder.",
        )


def settle(folder: Path) -> None:
    """Flush every file and folder below `folder` to the disk itself."""
    for path in (*folder.rglob("*"), folder):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
