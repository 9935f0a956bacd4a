"""What a street worker tells the others: counters in a small memory-mapped file, `street-<slot>.pulse`.

One writer each, who pays 0.5 µs per event-loop turn; anybody may read at any time, without a lock. All of it
are aligned 64-bit numbers, each stored and loaded at once, and what two of them would have to agree
on is kept once: the redirects are the sum of the buckets. So a reader is wrong by one turn at most. A worker
that takes another's place counts on from its numbers.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import re
import sys
import time
from bisect import bisect_left
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

BOUNDS = (
    50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
BEAT_S = 1.0  # how often a worker says that it lives
SIZE = 4096
_MAGIC = (
    0x434C4B50554C0001  # "CLKPUL", version 1; in this machine's byte order: another's file is a foreign one
)
_MARK = _MAGIC.to_bytes(8, sys.byteorder)
_NAME = re.compile(r"street-(\d{1,4})(?:-(\d{1,4}))?\.pulse")
_MARK_AT, _PID, _STARTED, _BEAT, _WORKERS, _CONNECTIONS, _NANOS, _LOST, _LOST_AT = range(9)
_ANSWERS, _BUCKETS = 16, 64  # room for more of each; a change of meaning needs another _MAGIC


class Answer(IntEnum):
    """What a worker answered that is no redirect."""

    UNKNOWN = 0  # no such link
    EXPIRED = 1
    PREVIEW = 2
    APP = 3  # handed to the app process
    AWAY = 4  # the app process did not answer
    METHOD = 5  # neither GET nor HEAD
    UNREADABLE = 6  # no HTTP, or too much of it
    SLOW = 7  # a connection closed because its request did not come to its end
    EARLY = 8  # a link that has not started
    LOCKED = 9  # a link that has a password, asked for without it
    UNSURE = 10  # not known here, and PostgreSQL can't be asked


class Pulse:
    """The writer: one per worker, used from its event loop only."""

    def __init__(self, room: mmap.mmap, lock: int) -> None:
        self._room = room
        self._lock = lock
        self._cells = memoryview(room).cast("Q")

    @classmethod
    def open(cls, folder: Path, slot: int) -> Pulse:
        """The pulse of worker number `slot`, in `folder` (made where it isn't there).

        Where the worker before still finishes in that slot, this one counts beside it. Never raises for the
        disk: where it is full or read-only, the pulse beats in memory only, and short links go on.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            room, lock = _take(folder, slot)
        except OSError:
            room, lock = mmap.mmap(-1, SIZE), -1
        pulse = cls(room, lock)
        cells = pulse._cells
        cells[_PID], cells[_STARTED], cells[_CONNECTIONS] = os.getpid(), time.time_ns(), 0
        cells[_WORKERS] += 1
        pulse.beat()
        return pulse

    @property
    def is_seen(self) -> bool:
        """Whether others can read it; not where the disk refused the file."""
        return self._lock >= 0

    def turn(self, count: int, seconds: float, lost: int = 0) -> None:
        """`count` redirects were answered, all within `seconds`; the disk refused `lost` of them."""
        cells = self._cells
        cells[_BUCKETS + bisect_left(BOUNDS, seconds)] += count
        if seconds > 0:
            cells[_NANOS] += int(seconds * count * 1e9)
        if lost:
            cells[_LOST] += lost
            cells[_LOST_AT] = time.time_ns()

    def answered(self, kind: Answer) -> None:
        """Something else than a redirect was answered."""
        self._cells[_ANSWERS + kind] += 1

    def connections(self, number: int) -> None:
        """So many connections are open now."""
        self._cells[_CONNECTIONS] = number

    def beat(self) -> None:
        """The event loop turns: say so every `BEAT_S`."""
        self._cells[_BEAT] = time.time_ns()

    def close(self) -> None:
        """Let go of the slot; the numbers stay for whoever takes it next."""
        self._cells[_CONNECTIONS] = 0
        self._cells[_PID] = 0
        self._cells.release()
        self._room.close()
        if self._lock >= 0:
            os.close(self._lock)


def _take(folder: Path, slot: int) -> tuple[mmap.mmap, int]:
    """The first file of `slot` that no other worker has, mapped, and the descriptor that keeps it."""
    turn = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)  # one worker at a time opens: it takes 0.1 ms
        spare = 0
        while True:
            path = folder / (f"street-{slot}-{spare}.pulse" if spare else f"street-{slot}.pulse")
            fd = _opened(path)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(fd)
                spare += 1
                continue
            except OSError:
                os.close(fd)
                raise
            return mmap.mmap(fd, SIZE), fd
    finally:
        os.close(turn)


def _opened(path: Path) -> int:
    """A descriptor of the file at `path`: as it is where it is a pulse, else a new one put in its place."""
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    with suppress(OSError):
        fd = os.open(path, flags)
        if os.fstat(fd).st_size == SIZE and os.pread(fd, 8, 0) == _MARK:
            return fd
        os.close(fd)
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    fd = os.open(new, flags | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        # Written in full: a hole would have to be filled when a counter is, and kill the worker on a full disk.
        if os.pwrite(fd, _MARK.ljust(SIZE, b"\0"), 0) != SIZE:
            raise OSError("the disk is full")
        new.rename(path)
    except OSError:
        os.close(fd)
        new.unlink(missing_ok=True)
        raise
    return fd


@dataclass(frozen=True)
class Vitals:
    """One worker's numbers. They count on when another takes its place; times are Unix seconds, 0: never."""

    slot: int
    pid: int  # 0: it ended in order
    started: float
    beat: float  # when its event loop last turned
    workers: int  # how many have had this slot
    connections: int
    buckets: tuple[int, ...]  # redirects by latency: up to each of `BOUNDS`, and above all; not cumulative
    seconds: float  # all redirects' latencies together
    lost: int  # redirects whose click the disk refused
    lost_at: float
    answers: dict[Answer, int]

    @property
    def redirects(self) -> int:
        """Redirects answered, the lost ones among them."""
        return sum(self.buckets)

    def beats(self, now: float) -> bool:
        """Whether it is alive at `now`: a worker that is stuck is not."""
        return self.pid > 0 and now - self.beat < 5 * BEAT_S


def read_all(folder: Path) -> list[Vitals]:
    """The numbers of all workers that ever were in `folder`, by slot. What is no pulse is passed over."""
    found = []
    for path in folder.glob("street-*.pulse"):
        name = _NAME.fullmatch(path.name)
        if name is not None and (vitals := _read(path, int(name[1]))):
            found.append((vitals.slot, int(name[2] or 0), vitals))
    return [vitals for _, _, vitals in sorted(found, key=lambda one: one[:2])]


def _read(path: Path, slot: int) -> Vitals | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        if os.fstat(fd).st_size != SIZE:
            return None
        with mmap.mmap(fd, SIZE, access=mmap.ACCESS_READ) as room, memoryview(room).cast("Q") as cells:
            if cells[_MARK_AT] != _MAGIC:
                return None
            return Vitals(
                slot=slot,
                pid=cells[_PID],
                started=cells[_STARTED] / 1e9,
                beat=cells[_BEAT] / 1e9,
                workers=cells[_WORKERS],
                connections=cells[_CONNECTIONS],
                buckets=tuple(cells[_BUCKETS + at] for at in range(len(BOUNDS) + 1)),
                seconds=cells[_NANOS] / 1e9,
                lost=cells[_LOST],
                lost_at=cells[_LOST_AT] / 1e9,
                answers={kind: cells[_ANSWERS + kind] for kind in Answer},
            )
    except (OSError, ValueError):
        return None
    finally:
        os.close(fd)
