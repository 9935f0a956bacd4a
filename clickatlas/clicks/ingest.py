"""Clicks move from the spool to the store, each exactly once.

One batch is whole frames of any number of streams; it is stored in the same transaction as
the positions up to which it was read. A crash before the commit reads the same frames again,
a crash after it goes on behind them. A segment is removed only when it has no writer any more
and all of it is committed; where the store was found damaged it is kept, for a backup to read again.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clickatlas.clicks.quarantine import KEPT
from clickatlas.clicks.segments import NewerSegment, Segment, first_time, has_writer, segments
from clickatlas.clicks.store import Batch, ClickStore, Position
from clickatlas.errors import Problem
from clickatlas.links.database import LinksDatabase
from clickatlas.redirect.record import RECORD, Agent
from clickatlas.redirect.spool import FRAME, HEADER

log = logging.getLogger("clickatlas.ingest")
ASIDE = "spool-aside"  # beside the spool
BATCH_BYTES = 32 << 20
SWEEP_S = 60
BUNDLE_S = 60  # between two looks at which links belong together
LINKS_AGAIN_S = 5  # between two looks for a PostgreSQL that is away
Records = npt.NDArray[np.void]


@dataclass(frozen=True)
class Lag:
    """How far the store is behind the spool; `seconds` is the age of the oldest click that waits."""

    clicks: int
    seconds: float


@dataclass(frozen=True)
class Moved:
    """What this process has moved from the spool to the store."""

    clicks: int = 0
    batch_clicks: int = 0  # the last batch that had any
    batch_seconds: float = 0.0  # how long it took, from the first byte read to the commit


class Ingest:
    """Reads all streams of a spool folder into a store.

    `behind` says that the last step was not enough: more was waiting than fits a batch; `trouble` is what of
    the spool could not be read, "" where all could. With `keep_days`, the store lets go of single clicks
    older than that and keeps their counts.
    """

    def __init__(
        self, spool: Path, store: ClickStore, links: LinksDatabase | None = None, *, keep_days: int = 0
    ) -> None:
        self._keep_ms = keep_days * 86_400_000
        self._swept = self._bundled = self._links_away = -math.inf
        self._bundled_changes = -1
        self._spool = spool
        self._store = store
        self._links = links
        self._positions, self._begun = store.positions(), store.begun()
        self._met = set[str]()  # streams that were on this disk
        self._kept = spool.with_name(KEPT)
        self._open: dict[str, Segment] = {}
        self._changes = -1
        self._caught_up = time.monotonic()
        self._journal = store.journal()
        self.behind = False
        self.trouble = ""
        self._unsure = False
        self.moved = Moved()
        self.on_counted: Callable[[Batch], None] | None = None  # told of each batch that is committed

    def step(self) -> bool:
        """Move what waits, one batch at most; whether it moved anything."""
        try:
            return self._step()
        except BaseException:
            self._open.clear()  # read on from what is committed, not from what was seen
            self._unsure = True  # a store that failed may have committed all the same: it is asked
            raise

    def _step(self) -> bool:
        if self._unsure:
            self._positions, self._journal = self._store.positions(), self._store.journal()
            self._begun = self._store.begun()
            self._unsure = False
        self._ask_links(self._remove_deleted)
        started = time.monotonic()
        batch, finished = self._read_begun() or self._read()
        if batch.positions and (clicks := self._store.append(batch)):
            self.moved = Moved(self.moved.clicks + clicks, clicks, time.monotonic() - started)
            if self.on_counted is not None:
                self.on_counted(batch)
        self._positions.update(batch.positions)
        for stream in batch.positions:
            self._begun.pop(stream, None)
        self._remove(finished)
        self._tend()
        if not self.behind:
            self._caught_up = started
        return bool(batch.positions)

    def _tend(self) -> None:
        """Let the store do what is due; once a minute, also with clicks that are not kept any longer."""
        self._ask_links(self._tell_bundles)
        keep_from = None
        if self._keep_ms and time.monotonic() >= self._swept + SWEEP_S:
            keep_from = round(time.time() * 1000) - self._keep_ms
        if not self._store.tend(keep_from, hurried=self.behind) and keep_from is not None:
            self._swept = time.monotonic()

    def _ask_links(self, work: Callable[[], None]) -> None:
        """Do what needs the links, later where PostgreSQL is away: counting does without."""
        if self._links is None or time.monotonic() < self._links_away + LINKS_AGAIN_S:
            return
        try:
            work()
        except Exception as error:
            if not self._links.is_away(error):
                raise
            self._links_away, self._bundled = time.monotonic(), -math.inf

    def _tell_bundles(self) -> None:
        """Tell the store which links are asked for together, when links have changed; once a minute at most."""
        now = time.monotonic()
        if self._links is None or now < self._bundled + BUNDLE_S:
            return
        self._bundled = now
        if (changes := self._links.changes.read()) != self._bundled_changes:
            from clickatlas.links.together import together

            with self._links.reading() as session:
                self._store.bundle(together(session))
            self._bundled_changes = changes

    def _read_begun(self) -> tuple[Batch, list[Segment]] | None:
        """The batch that was cut short, just as it was; None where there is none of this spool."""
        begun = {stream: at for stream, at in self._begun.items() if (self._spool / stream).is_dir()}
        if not begun:
            return None
        log.warning(
            "the last batch was cut short; it is stored again, and what of it is there is not counted twice"
        )
        parts: list[Records] = []
        agents, referrers = dict[str, int](), dict[str, int]()
        for stream, ends in sorted(begun.items()):
            for path in segments(self._spool / stream):
                if int(path.stem) > ends.segment:
                    break
                segment = self._segment(stream, path)
                until = ends.offset if segment.number == ends.segment else path.stat().st_size
                if len(records := segment.read(until=until)):
                    parts.append(_renumbered(records, segment.terms, agents, referrers))
        self._open.clear()  # the next batch is read from what is committed
        self.behind = True
        return _batch(parts, agents, referrers, begun), []

    def _read(self) -> tuple[Batch, list[Segment]]:
        parts: list[Records] = []
        agents, referrers = dict[str, int](), dict[str, int]()
        positions: dict[str, Position] = {}
        finished: list[Segment] = []
        room = BATCH_BYTES
        self.behind = False
        troubles: list[str] = []
        streams = sorted(path.name for path in self._spool.glob("*") if path.is_dir())
        self._met.update(streams)
        for stream in streams:
            for path in segments(self._spool / stream):
                if room <= 0:
                    self.behind = True
                    break
                try:
                    # Asked before reading: what a writer that is gone has written is all there is.
                    written_to = has_writer(path)
                    segment = self._segment(stream, path)
                    records = segment.read()
                except (NewerSegment, OSError) as error:
                    # The other streams go on; this one is looked at again with the next step.
                    self._open.pop(stream, None)
                    troubles.append(str(error))
                    break
                room -= records.nbytes
                if len(records):
                    parts.append(_renumbered(records, segment.terms, agents, referrers))
                positions[stream] = Position(segment.number, segment.offset)
                self.behind |= not segment.exhausted
                if written_to or not segment.exhausted:
                    break
                finished.append(segment)
        self._trouble(troubles)
        moved = {stream: at for stream, at in positions.items() if self._positions.get(stream) != at}
        return _batch(parts, agents, referrers, moved), finished

    def _trouble(self, found: list[str]) -> None:
        what = f"part of the spool can't be read, and is kept: {'; '.join(found)}" if found else ""
        if what != self.trouble:
            log.error("%s", what) if what else log.warning("all of the spool can be read again")
            self.trouble = what

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
            bad, kept = segment.damaged + segment.unread(), self._kept.is_dir()
            if bad:
                self._set_aside(segment, bad, keep=kept)
            if kept:
                (self._kept / stream.name).mkdir(exist_ok=True)
                segment.path.rename(self._kept / stream.name / segment.path.name)
            elif not bad:
                segment.path.unlink(missing_ok=True)
            # Only ever an empty folder: its writer may be about to put the next segment there.
            with suppress(OSError):
                stream.rmdir()
                gone.append(stream.name)
        if gone:
            # Not those of streams that are kept: one that comes back to the spool is read on from there. Nor those that
            # never were on this disk: another machine's.
            gone = [n for n in self._met if not ((self._spool / n).exists() or (self._kept / n).exists())]
            self._met.difference_update(gone)
            self._store.forget_streams(gone)
            for name in gone:
                self._positions.pop(name, None)

    def _set_aside(self, segment: Segment, bad: int, *, keep: bool) -> None:
        """Nothing is thrown away unread: what was damaged goes to ``spool-aside``, its whole clicks counted."""
        path = segment.path
        aside = self._spool.with_name(ASIDE) / f"{path.parent.name}-{path.name}"
        aside.parent.mkdir(exist_ok=True)
        where = f", {segment.damaged} of them before whole ones" if segment.damaged else ""
        log.error(
            "%s: %d bytes are torn or damaged%s; its whole clicks are counted, it is kept as %s",
            path, bad, where, aside,
        )  # fmt: skip
        # One of the same name is this very one, which came back from where it was kept.
        aside.unlink(missing_ok=True)
        if keep:
            os.link(path, aside)
        else:
            path.rename(aside)

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
            log.info("deleted %d links, and %d of their clicks for a beginning", len(deleted), removed)
        self._journal, self._changes = newest, changes

    def lag(self) -> Lag:
        """How many clicks wait in the spool (estimated from bytes), and for how long at most."""
        waiting, oldest = 0, None
        for stream in self._spool.glob("*"):
            position = self._positions.get(stream.name, Position(0, 0))
            for path in segments(stream):
                number = int(path.stem)
                if number >= position.segment:
                    read = position.offset if number == position.segment else HEADER.size
                    with suppress(FileNotFoundError):  # just read to its end and removed
                        unread = max(0, path.stat().st_size - read)
                        if unread and (first := first_time(path, read)) is not None:
                            oldest = first if oldest is None else min(oldest, first)
                        waiting += unread
        clicks = -(-waiting // (RECORD.itemsize + FRAME.size + 1))
        if oldest is None:  # imported, whenever they happened: they wait since the last time nothing did
            return Lag(clicks, time.monotonic() - self._caught_up if clicks else 0.0)
        return Lag(clicks, max(0.0, time.time() - oldest / 1000))


def _batch(
    parts: list[Records], agents: dict[str, int], referrers: dict[str, int], positions: dict[str, Position]
) -> Batch:
    records = np.concatenate(parts) if parts else np.empty(0, RECORD)
    return Batch(records, [_agent(term) for term in agents], list(referrers), positions)


def _renumbered(
    records: Records, terms: list[str], agents: dict[str, int], referrers: dict[str, int]
) -> Records:
    """`records` with their segment's term numbers turned into numbers of the batch's own lists."""
    copy = records.copy()
    # No system's clock can be before 1970 and no import takes such a time; the store has no day for it.
    np.maximum(copy["time"], 0, out=copy["time"])
    for column, words in (("agent", agents), ("referrer", referrers)):
        # By a table of all terms: a tenth of what sorting the column for its distinct values costs.
        known = np.minimum(records[column], len(terms))  # the last is for terms that damage took
        number = np.zeros(len(terms) + 1, np.uint32)
        for term in np.flatnonzero(np.bincount(known)).tolist():
            text = terms[term] if term < len(terms) else ""
            number[term] = words.setdefault(text, len(words))
        copy[column] = number[known]
    return copy


def _agent(term: str) -> Agent:
    parts = term.split("\x1f")
    return Agent(*parts) if len(parts) == len(Agent._fields) else Agent("", "", "", "")


class IngestThread(threading.Thread):
    """Steps an `Ingest` for as long as the app lives; a failing step is logged and tried again."""

    def __init__(self, ingest: Ingest, *, interval_ms: int) -> None:
        super().__init__(name="ingest", daemon=True)
        self.ingest = ingest
        self.error: str | None = None
        self._failing = False
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
                if self._failing:
                    log.warning("ingest goes on")
                self._failing, self.error = False, self.ingest.trouble or None
            except Exception as error:
                self._failed(error)
                self._stopping.wait(1.0)
            if not self.ingest.behind:
                self._stopping.wait(self._interval_s)

    def _failed(self, error: Exception) -> None:
        what = f"{error} {error.remedy}" if isinstance(error, Problem) else str(error)
        if not self._failing or what != self.error:
            log.error(
                "ingest failed; the spool keeps all clicks and it is tried again: %s", what,
                exc_info=not isinstance(error, Problem),
            )  # fmt: skip
        self._failing, self.error = True, what

    def stop(self) -> None:
        """Finish the step at hand and end."""
        self._stopping.set()
        self.join(timeout=30)
