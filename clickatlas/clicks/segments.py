"""The reading side of the spool: segments back into arrays.

A damaged stretch costs the clicks of its own frames: reading goes on at the next whole frame, which its
checksum tells. Terms carry their numbers, so clicks behind the damage keep their words.
"""

from __future__ import annotations

import fcntl
import json
import os
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clickatlas.redirect.record import RECORD, Flags
from clickatlas.redirect.spool import FRAME, HEADER, HEADER_CHECKED, MAGIC, VERSION

MAX_FRAME = 64 << 20
KINDS = (ord("R"), ord("T"))


class NewerSegment(Exception):
    """A segment of a format that this program doesn't know yet; the message says which."""


class Segment:
    """One segment being read.

    `offset` is how far, `terms` are the words seen so far ("" for those that damage took), `damaged` is how
    many bytes were passed over between whole frames, and `exhausted` says that the last read saw the end
    of the file with no whole frame left before it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = int(path.stem)
        self.terms: list[str] = []
        self.offset = 0
        self.damaged = 0
        self.exhausted = False

    def read(self, limit: int = 16 << 20, until: int | None = None) -> npt.NDArray[np.void]:
        """The next records (dtype `RECORD`), about `limit` bytes, or all before `until`; empty where no whole frame waits.

        Raises `NewerSegment`, and OSError where the disk does not give the file.
        """
        with self.path.open("rb") as file:
            if self.offset == 0:
                if not self._read_header(file.read(HEADER.size)):
                    self.exhausted = True
                    return np.empty(0, RECORD)
                self.offset = HEADER.size
            file.seek(self.offset)
            if until is not None:
                limit = max(0, until - self.offset)
            data = file.read(limit)
            records, used = self._frames(data, to_end=len(data) < limit or until is not None)
            self.exhausted = len(data) < limit
            if until is None and used == 0 and not self.exhausted:
                # A frame larger than the limit (imports write big ones), or damage up to the limit.
                file.seek(self.offset)
                data = file.read(MAX_FRAME + FRAME.size)
                records, used = self._frames(data, to_end=True)
                self.exhausted = used == 0
        self.offset += used
        return np.frombuffer(b"".join(records), RECORD)

    def skip_to(self, offset: int) -> None:
        """Go to `offset`, where a frame starts, collecting the terms before it.

        What is before it is in the store: damage there, or a file that a power cut left shorter, takes nothing.
        """
        with self.path.open("rb") as file:
            if offset < HEADER.size or not self._read_header(file.read(HEADER.size)):
                return
            self._frames(file.read(offset - HEADER.size), to_end=True)
        self.offset = offset

    def _read_header(self, data: bytes) -> bool:
        """Whether there is a header. A damaged one takes nothing: each frame has a checksum of its own."""
        if len(data) < HEADER.size:
            return False
        magic, version, size, checksum = HEADER.unpack(data)
        if magic != MAGIC or checksum != (zlib.crc32(data[:HEADER_CHECKED]) if version > 1 else 0):
            self.damaged += HEADER.size
        elif version > VERSION or size != RECORD.itemsize:
            raise NewerSegment(f"{self.path} is of spool format {version}, this clickatlas reads {VERSION}")
        return True

    def _frames(self, data: bytes, *, to_end: bool) -> tuple[list[bytes], int]:
        """Whole frames of `data`: (record payloads, bytes used). `to_end`: no more of the file follows."""
        records: list[bytes] = []
        at, end = 0, len(data)
        while at + FRAME.size <= end:
            length, checksum = FRAME.unpack_from(data, at)
            stop = at + FRAME.size + length
            if 0 < length <= MAX_FRAME and stop > end and not to_end:
                break
            payload = data[at + FRAME.size : stop]
            if len(payload) != length or not length or zlib.crc32(payload) != checksum:
                # At the end of what a living writer wrote it may be on its way still: nothing whole follows.
                if (found := _whole_frame(data, at + 1)) is None:
                    break
                self.damaged += found - at
                at = found
                continue
            if payload[0:1] == b"R":
                records.append(payload[1:])
            else:
                self._learn(json.loads(payload[1:]))
            at = stop
        return records, at

    def _learn(self, terms: list[str | int]) -> None:
        """Terms of a frame; the first member is the first one's number (format 1 had none)."""
        first = terms[0] if terms else 0
        if isinstance(first, int):
            self.terms.extend([""] * (first - len(self.terms)))
            self.terms[first:] = map(str, terms[1:])
        elif not self.damaged:
            self.terms.extend(map(str, terms))

    def unread(self) -> int:
        """Bytes that are on the disk and not read yet."""
        return max(0, self.path.stat().st_size - self.offset)


def _whole_frame(data: bytes, start: int) -> int | None:
    """Where the first whole frame at or behind `start` begins; None where there is none."""
    kinds = np.frombuffer(data, np.uint8)[start + FRAME.size :]
    for at in (np.flatnonzero(np.isin(kinds, KINDS)) + start).tolist():
        length, checksum = FRAME.unpack_from(data, at)
        stop = at + FRAME.size + length
        if not 1 < length <= MAX_FRAME or stop > len(data):
            continue
        if data[at + FRAME.size] == KINDS[0] and (length - 1) % RECORD.itemsize:
            continue
        if zlib.crc32(data[at + FRAME.size : stop]) == checksum:
            return int(at)
    return None


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


def first_time(path: Path, offset: int) -> int | None:
    """When the first click at or behind `offset`, where a frame starts, happened (ms UTC).

    None where none is whole yet, or it was brought in from elsewhere and says nothing of how long it waits.
    """
    at = max(offset, HEADER.size)
    with path.open("rb") as file:
        for _ in range(2):  # a frame of terms may come first
            file.seek(at)
            start = file.read(FRAME.size + 1 + RECORD.itemsize)
            if len(start) < FRAME.size + 1:
                return None
            if start[FRAME.size :][:1] == b"R":
                if len(start) < FRAME.size + 1 + RECORD.itemsize:
                    return None
                record = np.frombuffer(start, RECORD, count=1, offset=FRAME.size + 1)[0]
                elsewhere = int(record["flags"]) & (Flags.IMPORTED | Flags.SAMPLE)
                return None if elsewhere else int(record["time"])
            at += FRAME.size + FRAME.unpack_from(start)[0]
    return None


def segments(stream: Path) -> list[Path]:
    """A stream's segments, oldest first; none where ingest has just removed its folder."""
    try:
        found = list(stream.iterdir())
    except FileNotFoundError:
        return []
    return sorted(path for path in found if path.suffix == ".spool" and path.stem.isdecimal())
