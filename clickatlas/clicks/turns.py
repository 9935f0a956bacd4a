"""A store's writer and whoever copies its file take turns, also across processes."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def _open(store: Path) -> int:
    return os.open(store.with_suffix(".turns"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


class Turns:
    """A lock for the one process that writes `store`: held for each transaction, 2 µs of it.

    DuckDB's file and its log are whole between two transactions, and only then may they be copied. The kernel
    gives a turn back when its process dies.
    """

    def __init__(self, store: Path) -> None:
        self._threads = threading.Lock()
        self._fd = _open(store)

    def __enter__(self) -> None:
        self._threads.acquire()
        try:
            fcntl.flock(self._fd, fcntl.LOCK_SH)
        except BaseException:
            self._threads.release()
            raise

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_UN)
        self._threads.release()

    def __del__(self) -> None:
        os.close(self._fd)


@contextmanager
def still(store: Path) -> Iterator[None]:
    """While this lasts, nobody writes `store`; its writer waits, and clicks wait in the spool."""
    fd = _open(store)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
