"""Clicks move from the spool to the store, each exactly once.

One batch is whole frames of any number of streams; it is stored in the same transaction as
the positions up to which it was read. A crash before the commit reads the same frames again,
a crash after it goes on behind them. A segment is removed only when it has no writer any more
and all of it is committed.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clickatlas.clicks.segments import Segment, SpoolFormatError, has_writer, segments
from clickatlas.clicks.store import Batch, ClickStore, Position
from clickatlas.links.database import LinksDatabase
from clickatlas.redirect.record import RECORD, Agent
from clickatlas.redirect.spool import FRAME, HEADER

log = logging.getLogger("clickatlas.ingest")
BATCH_BYTES = 32 << 20
SWEEP_S = 60
Records = npt.NDArray[np.void]


@dataclass(frozen=True)
class Lag:
    """How far the store is behind the spool."""

    clicks: int
    seconds: float


class Ingest:
    """Reads all streams of a spool folder into a store.

    `behind` says that the last step was not enough: more was waiting than fits a batch. With `keep_days`,
    the store lets go of single clicks older than that and keeps their counts.
    """

    def __init__(
        self, spool: Path, store: ClickStore, links: LinksDatabase | None = None, *, keep_days: int = 0
    ) -> None:
        self._keep_ms = keep_days * 86_400_000
        self._swept = -math.inf
        self._spool = spool
        self._store = store
        self._links = links
        self._positions = store.positions()
        self._open: dict[str, Segment] = {}
        self._changes = -1
        self._caught_up = time.monotonic()
        self._journal = store.journal()
        self.behind = False

    def step(self) -> bool:
        """Move what waits, one batch at most; whether it moved anything."""
        self._remove_deleted()
        started = time.monotonic()
        try:
            batch, finished = self._read()
            if batch.positions:
                self._store.append(batch)
        except BaseException:
            self._open.clear()  # read on from what is committed, not from what was seen
            raise
        self._positions.update(batch.positions)
        self._remove(finished)
        self._tend()
        if not self.behind:
            self._caught_up = started
        return bool(batch.positions)

    def _tend(self) -> None:
        """Let the store do what is due; once a minute, also with clicks that are not kept any longer."""
        keep_from = None
        if self._keep_ms and time.monotonic() >= self._swept + SWEEP_S:
            keep_from = round(time.time() * 1000) - self._keep_ms
        if not self._store.tend(keep_from) and keep_from is not None:
            self._swept = time.monotonic()

    def _read(self) -> tuple[Batch, list[Segment]]:
        parts: list[Records] = []
        agents, referrers = dict[str, int](), dict[str, int]()
        positions: dict[str, Position] = {}
        finished: list[Segment] = []
        room = BATCH_BYTES
        self.behind = False
        for stream in sorted(path.name for path in self._spool.glob("*") if path.is_dir()):
            for path in segments(self._spool / stream):
                if room <= 0:
                    self.behind = True
                    break
                # Asked before reading: what a writer that is gone has written is all there is.
                written_to = has_writer(path)
                try:
                    segment = self._segment(stream, path)
                    records = segment.read()
                except SpoolFormatError as error:
                    self._set_aside(path, f"{error}; kept as")
                    continue
                room -= records.nbytes
                if len(records):
                    parts.append(_renumbered(records, segment.terms, agents, referrers))
                positions[stream] = Position(segment.number, segment.offset)
                self.behind |= not segment.exhausted
                if written_to or not segment.exhausted:
                    break
                finished.append(segment)
        batch = Batch(
            np.concatenate(parts) if parts else np.empty(0, RECORD),
            [Agent(*term.split("\x1f")) for term in agents],
            list(referrers),
            {stream: at for stream, at in positions.items() if self._positions.get(stream) != at},
        )
        return batch, finished

    def _segment(self, stream: str, path: Path) -> Segment:
        segment = self._open.get(stream)
        number = int(path.stem)
        if segment is None or segment.number != number:
            segment = Segment(path)
            position = self._positions.get(stream)
            if position is not None and position.segment == number:
                segment.skip_to(position.offset)
            elif position is not None and position.segment > number:
                segment.offset = path.stat().st_size  # committed in full; only its removal was cut short
            self._open[stream] = segment
        return segment

    def _remove(self, finished: list[Segment]) -> None:
        gone = []
        for segment in finished:
            stream = segment.path.parent
            self._open.pop(stream.name, None)
            if torn := segment.unread():
                self._set_aside(segment.path, f"{segment.path}: the last {torn} bytes are torn; kept as")
            segment.path.unlink(missing_ok=True)
            # Only ever an empty folder: its writer may be about to put the next segment there.
            with suppress(OSError):
                stream.rmdir()
                gone.append(stream.name)
        if gone:
            self._store.forget_streams(gone)
            for name in gone:
                self._positions.pop(name, None)

    def _set_aside(self, path: Path, why: str) -> None:
        """Nothing is thrown away unread: what can't be read goes to ``spool-aside``."""
        aside = self._spool.with_name("spool-aside") / f"{path.parent.name}-{path.name}"
        aside.parent.mkdir(exist_ok=True)
        log.error("%s %s", why, aside)
        path.rename(aside)
        self._open.pop(path.parent.name, None)

    def _remove_deleted(self) -> None:
        """Delete the clicks of links that were deleted since the last time."""
        if self._links is None or (changes := self._links.changes.read()) == self._changes:
            return
        from sqlalchemy import select

        from clickatlas.links.models import LinkChange

        with self._links.reading() as session:
            rows = session.execute(
                select(LinkChange.id, LinkChange.link_id, LinkChange.deleted).where(
                    LinkChange.id > self._journal
                )
            ).all()
        newest = max((row.id for row in rows), default=self._journal)
        deleted = [row.link_id for row in rows if row.deleted]
        if deleted:
            removed = self._store.remove_links(deleted, newest)
            log.info("deleted %d clicks of %d links", removed, len(deleted))
        self._journal, self._changes = newest, changes

    def lag(self) -> Lag:
        """How many clicks wait in the spool (estimated from bytes), and for how long at most."""
        waiting = 0
        for stream in self._spool.glob("*"):
            position = self._positions.get(stream.name, Position(0, 0))
            for path in segments(stream):
                number = int(path.stem)
                if number >= position.segment:
                    read = position.offset if number == position.segment else HEADER.size
                    with suppress(FileNotFoundError):  # just read to its end and removed
                        waiting += max(0, path.stat().st_size - read)
        clicks = -(-waiting // (RECORD.itemsize + FRAME.size + 1))
        return Lag(clicks, time.monotonic() - self._caught_up if clicks else 0.0)


def _renumbered(
    records: Records, terms: list[str], agents: dict[str, int], referrers: dict[str, int]
) -> Records:
    """`records` with their segment's term numbers turned into numbers of the batch's own lists."""
    copy = records.copy()
    for column, words in (("agent", agents), ("referrer", referrers)):
        # By a table of all terms: a tenth of what sorting the column for its distinct values costs.
        number = np.zeros(len(terms), np.uint32)
        for term in np.flatnonzero(np.bincount(records[column])).tolist():
            number[term] = words.setdefault(terms[term], len(words))
        copy[column] = number[records[column]]
    return copy


class IngestThread(threading.Thread):
    """Steps an `Ingest` for as long as the app lives; a failing step is logged and tried again."""

    def __init__(self, ingest: Ingest, *, interval_ms: int) -> None:
        super().__init__(name="ingest", daemon=True)
        self.ingest = ingest
        self.error: str | None = None
        self._interval_s = interval_ms / 1000
        self._stopping = threading.Event()

    def run(self) -> None:
        """Step until stopped: at once again while behind, else after the interval.

        Under a stream of clicks there is always something new. Taking it at once would make a
        transaction of every few clicks, at 10 ms each, and take the processor from the street.
        """
        while not self._stopping.is_set():
            try:
                self.ingest.step()
                self.error = None
            except Exception as error:
                if self.error is None:
                    log.exception("ingest failed; the spool keeps all clicks and it is tried again")
                self.error = str(error)
                self._stopping.wait(1.0)
            if not self.ingest.behind:
                self._stopping.wait(self._interval_s)

    def stop(self) -> None:
        """Finish the step at hand and end."""
        self._stopping.set()
        self.join(timeout=30)
