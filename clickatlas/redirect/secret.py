"""The visitors' key: random, for one UTC day, in memory that the workers of one `serve` share, and nowhere else.

The supervisor makes the memory and all street workers inherit it, those that are started in the place of
others, too, so they count one visitor as one. The first click of a day replaces the key: nothing is derived
from the key before, so neither yesterday's nor tomorrow's can be worked out from today's. It is on no
disk: a restart of `serve` makes a new one, and a visitor who comes again after it counts twice that day.
(`reload` is no restart: the memory stays.)
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


def anonymous_memory() -> int:
    """A descriptor of memory that is in no folder and on no disk; -1 on systems that have no such thing."""
    if not hasattr(os, "memfd_create"):
        return -1
    memory = os.memfd_create("visitors")
    os.ftruncate(memory, mmap.PAGESIZE)
    return memory


class SharedSecret:
    """One key for all processes that have the descriptor `memory`, of anonymous memory; for one, where there is none.

    `lock` is an empty file that says whose turn it is to write.
    """

    def __init__(self, lock: Path | None = None, memory: int = -1) -> None:
        self._lock = lock
        self._map = mmap.mmap(memory, mmap.PAGESIZE)
        if hasattr(mmap, "MADV_DONTDUMP"):
            self._map.madvise(mmap.MADV_DONTDUMP)

    def of(self, day: int) -> bytes:
        """The key of `day`: made where the one that is there is older.

        Around midnight a worker may be late by a moment: the newer key serves it, too. A clock that
        was put back by more than a day gets a new key.
        """
        with self._turn():
            known, key = _KEY.unpack_from(self._map)
            if known not in (day, day + 1):  # 0 in new memory
                key = secrets.token_bytes(32)
                _KEY.pack_into(self._map, 0, day, key)
            return bytes(key)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._lock is None:
            yield
            return
        # Opened each time, a few times a day: forks that shared a descriptor would share its lock.
        try:
            # For reading: a disk may have become read-only since the file was made.
            fd = os.open(self._lock, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except (
            OSError
        ):  # a short link is answered all the same; two workers may make a key each, and one stays
            yield
            return
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)  # given up when its holder dies, however it dies
            yield
        finally:
            os.close(fd)


class DaySecrets:
    """A random key for each day that is asked for, in memory until the import ends: its days may come in any order."""

    def __init__(self) -> None:
        self._keys: dict[int, bytes] = {}

    def of(self, day: int) -> bytes:
        """The key of `day`."""
        return self._keys.setdefault(day, secrets.token_bytes(32))
