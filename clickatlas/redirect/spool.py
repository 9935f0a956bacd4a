"""The spool: an append-only log in which an answered click already stands.

A stream is one writer's folder of numbered segments. A segment is a 16-byte header and
frames; a frame is its payload's length and CRC-32, then the payload: ``T`` and a JSON list
of new terms, or ``R`` and records. All clicks of one event-loop turn go down in one
``write`` (a frame each of terms and records), so a torn tail loses only what was never
answered. The writer holds an ``flock`` on its segment; a segment that can be locked has
no writer any more.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import secrets
import struct
import time
import zlib
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clickatlas.redirect.record import RECORD

MAGIC = b"CLKSPOOL"
VERSION = 1
HEADER = struct.Struct("<8sHHI")
FRAME = struct.Struct("<II")
MAX_TERMS = 50_000  # a segment ends here, so that made-up referrers can't grow memory without end
MAX_AGE_S = 3600.0

log = logging.getLogger("clickatlas.spool")


def frame(payload: bytes) -> bytes:
    """A payload as it stands in a segment: length, CRC-32, payload."""
    return FRAME.pack(len(payload), zlib.crc32(payload)) + payload


class Spool:
    """One stream's writer. Not for more than one thread or process.

    `fsync_ms` is how long a click may rest in the page cache: what the *program* loses by
    dying is nothing in any case. `lost` counts answered clicks that the disk refused.
    """

    def __init__(self, folder: Path, *, segment_bytes: int = 64 << 20, fsync_ms: int = 100) -> None:
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}-{secrets.token_hex(3)}"
        self.stream = folder / name
        self.lost = 0
        self._segment_bytes = segment_bytes
        self._fsync_s = fsync_ms / 1000
        self._terms: dict[str, int] = {}
        self._new_terms: list[str] = []
        self._buffer: list[bytes] = []
        self._turn: asyncio.Future[None] | None = None
        self._syncing: asyncio.Task[None] | None = None
        self._fd = -1
        self._number = 0
        self._size = 0
        self._opened = 0.0

    def term(self, text: str) -> int:
        """The number of `text` in the current segment's list of terms."""
        number = self._terms.get(text)
        if number is None:
            number = self._terms[text] = len(self._terms)
            self._new_terms.append(text)
        return number

    def rotate_if_due(self) -> None:
        """Close a segment that is large, old or full of terms. Call before `term`, never after."""
        if self._fd >= 0 and not self._buffer and self._due():
            self._close_segment()

    def _due(self) -> bool:
        return (
            self._size >= self._segment_bytes
            or len(self._terms) >= MAX_TERMS
            or time.monotonic() - self._opened > MAX_AGE_S
        )

    def put(self, record: bytes) -> asyncio.Future[None]:
        """Queue one packed record for this event-loop turn's write; await the answer before replying."""
        self._buffer.append(record)
        if self._turn is None:
            loop = asyncio.get_running_loop()
            self._turn = loop.create_future()
            loop.call_soon(self._flush)
        return self._turn

    def _flush(self) -> None:
        turn, self._turn = self._turn, None
        count, payload = len(self._buffer), b"R" + b"".join(self._buffer)
        self._buffer.clear()
        self._write(payload, count)
        if turn is None:
            return
        if self._fsync_s == 0:
            self._syncing = asyncio.ensure_future(self._sync_then(turn))
            return
        turn.set_result(None)
        if self._syncing is None or self._syncing.done():
            self._syncing = asyncio.ensure_future(self._sync_later())

    async def _sync_then(self, turn: asyncio.Future[None]) -> None:
        try:
            await asyncio.to_thread(self.sync)
        except OSError as error:
            log.error("spool: the disk refused a flush: %s", error)
        turn.set_result(None)

    async def _sync_later(self) -> None:
        await asyncio.sleep(self._fsync_s)
        await asyncio.to_thread(self.sync)

    def write(self, records: npt.NDArray[np.void]) -> None:
        """Append records (dtype `RECORD`) at once, for imports; raises OSError when the disk refuses."""
        if not self._write(b"R" + records.astype(RECORD, copy=False).tobytes(), len(records)):
            raise OSError(f"{self.stream}: the disk refused {len(records)} clicks")

    def _write(self, payload: bytes, count: int) -> bool:
        terms = frame(b"T" + json.dumps(self._new_terms).encode()) if self._new_terms else b""
        data = terms + frame(payload)
        try:
            if self._fd < 0:
                self._open_segment()
            written = os.write(self._fd, data)
            if written != len(data):
                os.ftruncate(self._fd, self._size)
                raise OSError(f"only {written} of {len(data)} bytes fitted")
        except OSError as error:
            # The answer goes out all the same: a visitor never waits for our disk.
            self.lost += count
            log.error("spool: %d clicks could not be written (%d so far): %s", count, self.lost, error)
            return False
        self._size += len(data)
        self._new_terms.clear()
        return True

    def _open_segment(self) -> None:
        # Locked and given its header under another name: a reader never meets a segment
        # that has a writer but does not show it yet, which it would take for finished.
        path = self.stream / f"{self._number + 1:08d}.spool"
        unnamed = path.with_suffix(".new")
        fd = self._create(unnamed)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(fd, HEADER.pack(MAGIC, VERSION, RECORD.itemsize, 0))
            unnamed.rename(path)
        except OSError:
            os.close(fd)
            unnamed.unlink(missing_ok=True)
            raise
        self._fd, self._number, self._size, self._opened = fd, self._number + 1, HEADER.size, time.monotonic()

    def _create(self, path: Path) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self.stream.mkdir(parents=True, exist_ok=True)
        try:
            return os.open(path, flags, 0o600)
        except FileNotFoundError:  # the reader has just removed the folder, because it was empty
            self.stream.mkdir(parents=True, exist_ok=True)
            return os.open(path, flags, 0o600)

    def _close_segment(self) -> None:
        self.sync()
        os.close(self._fd)
        self._fd = -1
        self._terms.clear()
        self._new_terms.clear()

    def sync(self) -> None:
        """Flush what was written to the disk itself."""
        if self._fd < 0:
            return
        copy = os.dup(self._fd)  # the segment may be closed while the disk is busy
        try:
            os.fdatasync(copy)
        finally:
            os.close(copy)

    def close(self) -> None:
        """Write what waits and let go of the segment."""
        if self._buffer:
            self._flush()
        if self._fd >= 0:
            self._close_segment()
