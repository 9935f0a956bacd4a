"""The visitors' key: random, for one UTC day, in memory that the workers of one `serve` share, and nowhere else.

Made before the street workers are forked, so that all of them, and those that are started in
their place, count one visitor as one. The first click of a day replaces the key: nothing is derived
from the key before, so neither yesterday's nor tomorrow's can be worked out from today's. It is on no
disk: a restart of `serve` makes a new one, and a visitor who comes again after it counts twice that day.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import secrets
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_KEY = struct.Struct("<q32s")  # day since 1970 UTC; the key


class SharedSecret:
    """One key for a process and its forks. `lock` is an empty file that says whose turn it is to write."""

    def __init__(self, lock: Path | None = None) -> None:
        self._lock = lock
        self._map = mmap.mmap(-1, mmap.PAGESIZE)  # anonymous and shared with forks
        if hasattr(mmap, "MADV_DONTDUMP"):
            self._map.madvise(mmap.MADV_DONTDUMP)
        _KEY.pack_into(self._map, 0, -1, b"")

    def of(self, day: int) -> bytes:
        """The key of `day`: made where the one that is there is older.

        Around midnight a worker may be late by a moment: the newer key serves it, too. A clock that
        was put back by more than a day gets a new key.
        """
        with self._turn():
            known, key = _KEY.unpack_from(self._map)
            if known not in (day, day + 1):
                key = secrets.token_bytes(32)
                _KEY.pack_into(self._map, 0, day, key)
            return bytes(key)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._lock is None:
            yield
            return
        # Opened each time, a few times a day: forks that shared a descriptor would share its lock.
        fd = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)  # given up when its holder dies, however it dies
            yield
        finally:
            os.close(fd)
