"""Imports that run in this process: each in a thread of its own, remembered until the process ends.

Nothing of them is kept but numbers and refused rows' reasons, and these in memory: after a restart an import that ran is
begun again, and what it had brought is not brought twice.
"""

from __future__ import annotations

import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from clickatlas.errors import Problem
from clickatlas.imports.report import Report

log = logging.getLogger("clickatlas.imports")
KEPT = 500  # finished imports that a workspace can look back at
WITH_ROWS = 20  # of these the last still know their refused rows one by one
AT_ONCE = 8  # imports of all workspaces; they read side by side, and write one after the other
OF_ONE = 3  # of one workspace
PIECE_S = 60.0  # an upload that stands still for so long is let go of
State = Literal["running", "done", "failed", "stopped"]


class Stopped(Exception):
    """Whoever began the import does not want it any more."""


class Pipe:
    """Bytes from an event loop to a thread that reads them, few at a time: a full pipe slows the sender down."""

    def __init__(self) -> None:
        self._pieces: queue.Queue[bytes | None] = queue.Queue(maxsize=32)
        self._rest = memoryview(b"")
        self._ended = False
        self.broken = False  # the sender went away
        self.closed = False  # the reader did
        self.size = 0

    def offer(self, piece: bytes | None) -> bool:
        """Put a piece in (None: that was all); False while it is full."""
        try:
            self._pieces.put_nowait(piece)
        except queue.Full:
            return False
        return True

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, b"" at the end; raises `Stopped` where the sender went away."""
        while not self._rest and not self._ended:
            try:
                piece = self._pieces.get(timeout=0.5)
            except queue.Empty:
                if self.broken:
                    raise Stopped from None
                continue
            self._ended = piece is None
            self._rest = memoryview(piece or b"")
            self.size += len(self._rest)
        if self.broken:
            raise Stopped
        taken = self._rest[: size if size >= 0 else len(self._rest)]
        self._rest = self._rest[len(taken) :]
        return bytes(taken)


@dataclass
class Job:
    """One import, as its owner can watch it."""

    id: str
    workspace: int
    name: str  # the file's, or the service's
    began: datetime
    report: Report = field(default_factory=Report)
    state: State = "running"
    problem: dict[str, Any] | None = None
    size: int = 0  # bytes to come, 0 where that is not known
    pipe: Pipe | None = None
    wanted: bool = True
    over: threading.Event = field(default_factory=threading.Event)

    def watch(self, report: Report) -> None:
        """Told after each batch; raises `Stopped` where nobody wants it any more."""
        if self.pipe is not None and self.size:
            report.part = min(1.0, self.pipe.size / self.size)
        if not self.wanted:
            raise Stopped


class Jobs:
    """All imports of this process."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def begin(
        self, workspace: int, name: str, size: int, pipe: Pipe | None, work: Callable[[Job], object]
    ) -> Job:
        """Start `work` in a thread. Raises `Problem` (429) where too many run already."""
        with self._lock:
            running = [job for job in self._jobs.values() if job.state == "running"]
            if len(running) >= AT_ONCE or sum(job.workspace == workspace for job in running) >= OF_ONE:
                raise Problem(
                    429,
                    "Busy",
                    "Other imports are running.",
                    remedy="Wait for them to end.",
                    extra={"retry_after": 10},
                )
            job = Job(secrets.token_hex(8), workspace, name[:200], datetime.now(UTC), size=size, pipe=pipe)
            self._jobs[job.id] = job
            self._forget(workspace)
        threading.Thread(target=self._run, args=(job, work), name=f"import-{job.id}", daemon=True).start()
        return job

    def _forget(self, workspace: int) -> None:
        ended = [job for job in self._jobs.values() if job.workspace == workspace and job.state != "running"]
        for job in ended[: max(0, len(ended) - KEPT)]:
            del self._jobs[job.id]
        for job in ended[: max(0, len(ended) - WITH_ROWS)]:
            job.report.refusals.clear()

    def _run(self, job: Job, work: Callable[[Job], object]) -> None:
        began = time.monotonic()
        try:
            work(job)
            job.state = "done"
        except Stopped:
            job.state = "stopped"
        except Problem as problem:
            job.state, job.problem = ("failed" if job.wanted else "stopped"), problem.document()
        except Exception:
            log.exception("import %s failed", job.id)
            job.state = "failed"
            job.problem = Problem(
                500, "The import failed", "Something went wrong here; nothing was imported.",
                remedy="Who runs this clickatlas finds the reason in its log.",
            ).document()  # fmt: skip
        finally:
            if job.pipe is not None:
                job.pipe.closed = True
            job.over.set()
            # Counts only: rows hold what visitors are told apart by.
            log.info(
                "import %s of workspace %d: %s after %.1f s, %d rows, %d clicks, %d refused",
                job.id, job.workspace, job.state, time.monotonic() - began, job.report.rows, job.report.imported, job.report.refused,
            )  # fmt: skip

    def of(self, workspace: int) -> list[Job]:
        """A workspace's imports, the newest first."""
        return [job for job in reversed(list(self._jobs.values())) if job.workspace == workspace]

    def find(self, workspace: int, number: str) -> Job | None:
        """A workspace's import; None where it has no such one."""
        job = self._jobs.get(number)
        return job if job is not None and job.workspace == workspace else None

    def stop(self) -> None:
        """Let all of them end: the process does."""
        for job in list(self._jobs.values()):
            job.wanted = False
            if job.pipe is not None:
                job.pipe.broken = True
        for job in list(self._jobs.values()):
            job.over.wait(5.0)
