"""The reading side of the spool: segments back into arrays."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clickatlas.redirect.record import RECORD
from clickatlas.redirect.spool import FRAME, HEADER, MAGIC, VERSION

log = logging.getLogger("clickatlas.ingest")
MAX_FRAME = 64 << 20


class SpoolFormatError(Exception):
    """A segment that this program can't read; the message says which and why."""


class Segment:
    """One segment being read.

    `offset` is how far, `terms` are the words seen so far, and `exhausted` says that the last
    read saw the end of the file with no whole frame left before it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = int(path.stem)
        self.terms: list[str] = []
        self.offset = 0
        self.exhausted = False

    def read(self, limit: int = 16 << 20) -> npt.NDArray[np.void]:
        """The next records (dtype `RECORD`), about `limit` bytes; empty where no whole frame waits."""
        with self.path.open("rb") as file:
            if self.offset == 0:
                if not self._read_header(file.read(HEADER.size)):
                    self.exhausted = True
                    return np.empty(0, RECORD)
                self.offset = HEADER.size
            file.seek(self.offset)
            data = file.read(limit)
            records, used = self._frames(data)
            if used == 0 and len(data) == limit:
                # A frame larger than the limit: imports write big ones.
                limit = MAX_FRAME + FRAME.size
                file.seek(self.offset)
                data = file.read(limit)
                records, used = self._frames(data)
                self.exhausted = used == 0
            else:
                self.exhausted = len(data) < limit
        self.offset += used
        return np.frombuffer(b"".join(records), RECORD)

    def skip_to(self, offset: int) -> None:
        """Go to `offset`, where a frame starts, collecting the terms before it."""
        with self.path.open("rb") as file:
            if offset < HEADER.size or not self._read_header(file.read(HEADER.size)):
                return
            before = file.read(offset - HEADER.size)
        _records, used = self._frames(before)
        if used != offset - HEADER.size:
            raise SpoolFormatError(f"{self.path}: damaged before byte {offset}")
        self.offset = offset

    def _read_header(self, data: bytes) -> bool:
        if len(data) < HEADER.size:
            return False
        magic, version, size, _ = HEADER.unpack(data)
        if magic != MAGIC or version != VERSION or size != RECORD.itemsize:
            raise SpoolFormatError(f"{self.path}: not a spool segment of format {VERSION}")
        return True

    def _frames(self, data: bytes) -> tuple[list[bytes], int]:
        """Whole, intact frames at the start of `data`: (record payloads, bytes used)."""
        records: list[bytes] = []
        at, end = 0, len(data)
        while at + FRAME.size <= end:
            length, checksum = FRAME.unpack_from(data, at)
            stop = at + FRAME.size + length
            if stop > end or not 0 < length <= MAX_FRAME:
                break
            payload = data[at + FRAME.size : stop]
            if zlib.crc32(payload) != checksum:
                break
            if payload[0:1] == b"R":
                records.append(payload[1:])
            else:
                self.terms.extend(json.loads(payload[1:]))
            at = stop
        return records, at

    def unread(self) -> int:
        """Bytes that are on the disk and not read yet."""
        return max(0, self.path.stat().st_size - self.offset)


def has_writer(path: Path) -> bool:
    """Whether some living process still writes this segment."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(fd)


def segments(stream: Path) -> list[Path]:
    """A stream's segments, oldest first."""
    return sorted(stream.glob("*.spool"))
