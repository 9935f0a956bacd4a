"""How the processes of a machine learn that links changed: numbers in memory-mapped files."""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import time
import weakref
from pathlib import Path

QUIET_S = 4.0  # PostgreSQL not heard of for so long: what isn't known here may be there
WAIT_S = 0.25
_COUNTER = struct.Struct("<Q")


class ChangeCounter:
    """A number in a memory-mapped file that grows whenever a link changes.

    Every process of the machine reads it in about 0.1 µs, so a redirect can look at each
    request and no process has to poll the database.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.fstat(self._fd).st_size < _COUNTER.size:
            # Not a hole: on a full disk it could not be filled later, and that kills whoever tries.
            os.pwrite(self._fd, bytes(_COUNTER.size), 0)
        self._map = mmap.mmap(self._fd, _COUNTER.size)
        # With the counter, not before: threads may look until the process ends.
        weakref.finalize(self, os.close, self._fd).atexit = False

    def read(self) -> int:
        """How many changes there have been."""
        return int(_COUNTER.unpack_from(self._map)[0])

    def bump(self) -> None:
        """Say that something changed; call after the commit."""
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        try:
            _COUNTER.pack_into(self._map, 0, self.read() + 1)
        finally:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def put(self, number: int) -> None:
        """Make it this number; for a counter that has one writer."""
        _COUNTER.pack_into(self._map, 0, number)


class Nearby:
    """How far this machine's copy of the links is behind PostgreSQL, which one of its processes follows."""

    def __init__(self, data: Path) -> None:
        self._heard = ChangeCounter(data / "run" / "links.heard")  # when it answered last, in ms
        self._read = ChangeCounter(
            data / "run" / "links.read"
        )  # the newest entry of its journal that is in the copy

    def heard(self, *, now: bool = True) -> None:
        """PostgreSQL answered; or (not `now`) it is known to be away."""
        self._heard.put(round(time.time() * 1000) if now else 0)

    @property
    def is_cut_off(self) -> bool:
        """Whether it was not heard of lately, so that there may be links that are not here."""
        return time.time() * 1000 - self._heard.read() > QUIET_S * 1000

    def has_read(self, number: int) -> None:
        """The copy has the journal up to this number."""
        self._read.put(number)

    def wait(self, number: int) -> None:
        """Until the copy has the journal so far: what was just answered then holds from the next redirect here.

        Some ms; at most a quarter of a second, and nothing where this machine follows nothing.
        """
        until = time.monotonic() + WAIT_S
        while self._read.read() < number and time.monotonic() < until and not self.is_cut_off:
            time.sleep(0.001)
