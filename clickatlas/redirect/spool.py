"""The spool: an append-only log in which an answered click already stands.

A stream is one writer's folder of numbered segments. A segment is a 16-byte header (magic,
version, bytes of a record, CRC-32 of those) and frames; a frame is its payload's length and
CRC-32, then the payload: ``T`` and a JSON list of new terms behind the number of the first, or
``R`` and records. All clicks of one event-loop turn go down in one ``write`` (a frame each of
terms and records), so a torn tail loses only what was never answered. The writer holds an
``flock`` on its segment; a segment that can be locked has no writer any more.

Where the disk refuses a write the answer goes out all the same, and the click is counted as lost.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import logging
import os
import secrets
import struct
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clickatlas.errors import refused
from clickatlas.redirect.record import RECORD

MAGIC = b"CLKSPOOL"
VERSION = 2  # 1 had no checksum in the header and no numbers with its terms
HEADER = struct.Struct("<8sHHI")
HEADER_CHECKED = 12  # bytes; the checksum stands behind them, in every version from 2 on
FRAME = struct.Struct("<II")
MAX_TERMS = 50_000  # a segment ends here, so that made-up referrers can't grow memory without end
MAX_AGE_S = 3600.0
AT_ONCE = 200_000  # records in a frame; a reader takes no frame of more than 64 MB for one
SAY_S = 10.0  # a disk that refuses is in the log this often, not with every click
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
Deliver = Callable[[bytes], object]

log = logging.getLogger("clickatlas.spool")


def frame(payload: bytes) -> bytes:
    """A payload as it stands in a segment: length, CRC-32, payload."""
    return FRAME.pack(len(payload), zlib.crc32(payload)) + payload


class Spool:
    """One stream's writer. Not for more than one thread or process.

    `fsync_ms` is how long a click may rest in the page cache: what the *program* loses by
    dying is nothing in any case. `lost` counts answered clicks that the disk refused; `fault`
    is why, for as long as it does.
    """

    def __init__(self, folder: Path, *, segment_bytes: int = 64 << 20, fsync_ms: int = 100) -> None:
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}-{secrets.token_hex(3)}"
        self.stream = folder / name
        self.lost = 0
        self.fault = ""
        self._said = False
        self._silent_until = 0.0
        self._segment_bytes = segment_bytes
        self._fsync_s = fsync_ms / 1000
        self._terms: dict[str, int] = {}
        self._new_terms: list[str] = []
        self._buffer: list[bytes] = []
        self._begun = 0.0
        self._waiting: list[tuple[Deliver, bytes]] = []
        self._written: list[tuple[float, list[tuple[Deliver, bytes]]]] = []  # and not flushed yet
        self.turned: Callable[[int, float], None] | None = None  # told how many were answered, after how long
        self._syncing: asyncio.Task[None] | None = None
        self._fd = -1
        self._number = 0
        self._size = 0
        self._opened = 0.0
        self._doubtful = False  # a flush failed: what the disk has of this segment nobody knows
        self._new_in: tuple[Path, ...] = ()  # folders that got an entry which may not be on the disk yet

    @property
    def answers_at_once(self) -> bool:
        """Whether an answer goes out with its turn's write, and doesn't wait for the disk itself."""
        return self._fsync_s > 0

    def term(self, text: str) -> int:
        """The number of `text` in the current segment's list of terms."""
        number = self._terms.get(text)
        if number is None:
            number = self._terms[text] = len(self._terms)
            self._new_terms.append(text)
        return number

    def rotate_if_due(self) -> None:
        """Close a segment that is large, old, full of terms or in doubt. Call before `term`, never after."""
        if self._fd >= 0 and not self._buffer and self._due():
            self._close_segment()

    def _due(self) -> bool:
        return (
            self._size >= self._segment_bytes
            or len(self._terms) >= MAX_TERMS
            or time.monotonic() - self._opened > (1.0 if self._doubtful else MAX_AGE_S)
        )

    def answer(self, record: bytes, deliver: Deliver, answer: bytes) -> None:
        """Queue one packed record for this event-loop turn's write; `deliver(answer)` is called when it stands there."""
        if not self._buffer:
            self._begun = time.perf_counter()
            asyncio.get_running_loop().call_soon(self.flush)
        self._buffer.append(record)
        self._waiting.append((deliver, answer))

    def put(self, record: bytes) -> asyncio.Future[None]:
        """As `answer`, with a future that is done then."""
        turn = asyncio.get_running_loop().create_future()
        self.answer(record, lambda _: None if turn.done() else turn.set_result(None), b"")
        return turn

    def flush(self) -> None:
        """Write what waits now, and answer it (with `fsync_ms` 0: once it is on the disk itself)."""
        if not self._buffer:
            return
        payload, waiting = b"R" + b"".join(self._buffer), self._waiting
        self._buffer.clear()
        self._waiting = []
        self._write(payload, len(waiting))
        if self._fsync_s:
            self._deliver((self._begun, waiting))
        else:
            self._written.append((self._begun, waiting))
        if self._syncing is None or self._syncing.done():
            self._syncing = asyncio.ensure_future(self._sync_later() if self._fsync_s else self._sync_then())

    def _deliver(self, *turns: tuple[float, list[tuple[Deliver, bytes]]]) -> None:
        for begun, waiting in turns:
            for deliver, answer in waiting:
                deliver(answer)
            if self.turned is not None:
                self.turned(len(waiting), time.perf_counter() - begun)

    async def _sync_then(self) -> None:
        """Answer in the order of asking; what comes while the disk is busy shares the next flush."""
        while self._written:
            written, self._written = self._written, []
            await self._sync()
            self._deliver(*written)

    async def _sync_later(self) -> None:
        """What comes while the disk is busy is flushed an interval later, also where no click comes after it."""
        number, safe = 0, 0
        while (number, safe) < (self._number, self._size):
            await asyncio.sleep(self._fsync_s)
            number, safe = self._number, await self._sync()

    async def _sync(self) -> int:
        """Flush the segment; returns how many of its bytes that took."""
        loop = asyncio.get_running_loop()
        try:
            # Shielded: work that is cancelled before a thread takes it up never closes its descriptor, and so its lock is kept.
            return await asyncio.shield(loop.run_in_executor(None, _flushed, *self._handed_over()))
        except OSError as error:
            self._doubt(error)
            return self._size

    def _handed_over(self) -> tuple[int, tuple[Path, ...]]:
        """A descriptor of the segment that stays open while the disk is busy, and the folders to flush with it."""
        folders, self._new_in = self._new_in, ()
        return (os.dup(self._fd) if self._fd >= 0 else -1), folders

    def _doubt(self, error: OSError) -> None:
        # The kernel forgets what it could not flush, and says so once: flushing again would only seem to
        # help. The clicks are read from where they are; writing goes on in a new segment.
        self._doubtful = True
        self._say(f"the disk refused a flush ({error}): a loss of power now may cost clicks")

    def _say(self, what: str) -> None:
        self.fault = what
        if time.monotonic() >= self._silent_until:
            self._silent_until = time.monotonic() + SAY_S
            self._said = True
            log.error("spool: %s", what)

    def write(self, records: npt.NDArray[np.void]) -> None:
        """Append records (dtype `RECORD`) at once, for imports; raises `Problem` (507) when the disk refuses."""
        for at in range(0, len(records), AT_ONCE):
            some = records[at : at + AT_ONCE].astype(RECORD, copy=False)
            if not self._write(b"R" + some.tobytes(), len(some)):
                raise refused(self.stream.parent, OSError(self.fault))

    def _write(self, payload: bytes, count: int) -> bool:
        terms = b""
        if self._new_terms:
            first = len(self._terms) - len(self._new_terms)
            terms = frame(b"T" + json.dumps([first, *self._new_terms]).encode())
        data = terms + frame(payload)
        try:
            if self._fd < 0:
                self._open_segment()
            written = os.write(self._fd, data)
            if written != len(data):
                # Nothing may follow: a reader may have seen the part, and gone on behind its terms.
                with suppress(OSError):
                    os.ftruncate(self._fd, self._size)
                self._abandon()
                raise OSError(errno.ENOSPC, f"only {written} of {len(data)} bytes fitted")
        except OSError as error:
            # The answer goes out all the same: a visitor never waits for our disk.
            self._refused(count, error)
            return False
        self._size += len(data)
        self._new_terms.clear()
        if self.fault and not self._doubtful:
            self.fault = ""
            if self._said:
                self._said = False
                log.warning(
                    "spool: clicks are written down again; %d could not be since the start", self.lost
                )
        return True

    def _refused(self, count: int, error: OSError) -> None:
        self.lost += count
        # No record that stands anywhere points at them; kept, they would be tried again with every click.
        for text in self._new_terms:
            del self._terms[text]
        self._new_terms.clear()
        if error.errno not in NO_ROOM and self._size > HEADER.size:
            self._abandon()  # perhaps it is only this file
        self._say(f"{self.lost} clicks could not be written down so far: {error}. Short links go on")

    def _abandon(self) -> None:
        """Let go of a segment that can't be written to any more; what is whole in it will be read."""
        if self._fd >= 0:
            with suppress(OSError):
                os.close(self._fd)
        self._fd, self._size, self._doubtful = -1, 0, False
        self._terms.clear()
        self._new_terms.clear()

    def _open_segment(self) -> None:
        # Locked and given its header under another name: a reader never meets a segment
        # that has a writer but does not show it yet, which it would take for finished.
        path = self.stream / f"{self._number + 1:08d}.spool"
        unnamed = path.with_suffix(".new")
        header = HEADER.pack(MAGIC, VERSION, RECORD.itemsize, 0)[:HEADER_CHECKED]
        header += zlib.crc32(header).to_bytes(4, "little")
        fd = self._create(unnamed)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.write(fd, header) != len(header):
                raise OSError(errno.ENOSPC, "not even a header fitted")
            unnamed.rename(path)
        except OSError:
            os.close(fd)
            with suppress(OSError):
                unnamed.unlink()
            raise
        self._fd, self._number, self._size, self._opened = fd, self._number + 1, HEADER.size, time.monotonic()
        self._new_in = (self.stream, self.stream.parent)

    def _create(self, path: Path) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        self.stream.mkdir(parents=True, exist_ok=True)
        try:
            return os.open(path, flags, 0o600)
        except FileNotFoundError:  # the reader has just removed the folder, because it was empty
            self.stream.mkdir(parents=True, exist_ok=True)
            return os.open(path, flags, 0o600)

    def _close_segment(self) -> None:
        self.sync()
        self._abandon()

    def sync(self) -> None:
        """Flush what was written to the disk itself; a disk that refuses is a fault, never an exception."""
        try:
            _flushed(*self._handed_over())
        except OSError as error:
            self._doubt(error)

    def close(self) -> None:
        """Write what waits and let go of the segment."""
        self.flush()
        if self._fd >= 0:
            self._close_segment()


def _flushed(fd: int, folders: tuple[Path, ...]) -> int:
    """Flush a descriptor, and close it; then the entries of `folders`, without which a new file can't be found.

    Returns the bytes that were surely flushed: what is written meanwhile may not be.
    """
    if fd < 0:
        return 0
    try:
        size = os.fstat(fd).st_size
        os.fdatasync(fd)
    finally:
        os.close(fd)
    for folder in folders:
        with suppress(FileNotFoundError):  # read and removed already
            entries = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(entries)
            finally:
                os.close(entries)
    return size
