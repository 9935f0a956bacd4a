"""Room kept on the disk of the data folder, to start on when there is no other.

To read its database, SQLite has to make a small file beside it. On a disk without a free byte a server that starts
again, after a stop or a loss of power, could then answer no short link. So a file holds a little room in good times,
and is given up at a start that needs it.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
from pathlib import Path

NAME = "reserve"
SIZE = 1 << 20  # SQLite takes 32 kB of it; the rest is for what else happens before the links are open
SPARE = 8 * SIZE  # it is made only where so much is left
EVERY_S = 10.0
log = logging.getLogger("clickatlas")


def give_up(data: Path) -> None:
    """Free the reserve of folder `data` where nothing else is free."""
    path = data / NAME
    if path.exists() and not _fits(path.with_suffix(".probe")):
        path.unlink(missing_ok=True)
        log.error(
            "the disk of %s is full; %d bytes of reserve are given up for this start. Make room", data, SIZE
        )


def renew(data: Path) -> None:
    """Make the reserve of folder `data`, unless it is there or the disk has better use for the room."""
    path, new = data / NAME, data / f"{NAME}.new"
    try:
        if path.exists() or shutil.disk_usage(data).free < SPARE:
            return
        if _fits(new, keep=True):
            new.rename(path)
    except OSError as error:
        log.debug("no reserve could be made: %s", error)


def _fits(path: Path, *, keep: bool = False) -> bool:
    """Whether `SIZE` more bytes can be written: asked by writing them, since quotas show in no number."""
    fits = True
    try:
        # Bytes that no file system makes smaller, or shares.
        with open(path, "wb", opener=lambda name, flags: os.open(name, flags | os.O_CLOEXEC, 0o600)) as file:
            file.write(os.urandom(SIZE))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        fits = error.errno not in (errno.ENOSPC, errno.EDQUOT)  # another trouble is not mended by room
        keep = False
    if not keep:
        path.unlink(missing_ok=True)
    return fits
