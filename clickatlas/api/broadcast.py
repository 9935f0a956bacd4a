"""Clicks told on as they are counted: to whoever listens, a sample of them, and how many there were."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clickatlas.clicks.store import Batch
from clickatlas.errors import Problem
from clickatlas.redirect.record import Flags

SAMPLE = 50  # clicks of one batch that a listener is told of singly; twice a second, as a rule
WAITING = 8  # batches that wait for a slow listener; then the oldest become a number only
MOST = 100  # listeners; each holds a connection of the street and of the app
MADE_UP = int(Flags.SAMPLE | Flags.IMPORTED)
Which = Callable[[Batch], npt.NDArray[np.intp]]  # positions of a batch's records that a listener wants


@dataclass(frozen=True)
class Told:
    """What a listener is told of one batch: how many clicks were theirs, and some of them."""

    clicks: int
    sample: Batch | None


class Listener:
    """One who listens; `next` is for its event loop, the rest for the thread that tells."""

    def __init__(self, which: Which) -> None:
        self.which = which
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Told] = deque()
        self._lock = threading.Lock()
        self._come = asyncio.Event()

    def tell(self, told: Told) -> None:
        """From any thread. One who is slow is told of fewer clicks, and never of a wrong number."""
        with self._lock:
            self._waiting.append(told)
            if len(self._waiting) > WAITING:
                first, second = self._waiting.popleft(), self._waiting.popleft()
                self._waiting.appendleft(Told(first.clicks + second.clicks, second.sample))
        self._loop.call_soon_threadsafe(self._come.set)

    def wake(self) -> None:
        """Have `next` answer, though nothing came."""
        self._loop.call_soon_threadsafe(self._come.set)

    async def next(self, timeout: float) -> Told | None:
        """What came, or None after `timeout` seconds of nothing."""
        try:
            await asyncio.wait_for(self._come.wait(), timeout)
        except TimeoutError:
            return None
        with self._lock:
            told = self._waiting.popleft() if self._waiting else None
            if not self._waiting:
                self._come.clear()
        return told


class Broadcast:
    """Tells of batches that were committed. Costs nothing while nobody listens."""

    def __init__(self) -> None:
        self._listeners: dict[Listener, int] = {}
        self._lock = threading.Lock()
        self._random = np.random.default_rng()
        self.ended = False

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def end(self) -> None:
        """The app is about to stop: no listener is to keep it."""
        self.ended = True
        with self._lock:
            for listener in self._listeners:
                listener.wake()

    def join(self, listener: Listener, workspace: int) -> None:
        """Tell `listener` from now on. Raises `Problem` (429) where too many listen."""
        with self._lock:
            mine = sum(1 for of in self._listeners.values() if of == workspace)
            if len(self._listeners) >= MOST or mine >= MOST // 4:
                raise Problem(
                    429,
                    "Too many listeners",
                    f"{mine} of your workspace listen already.",
                    remedy="Close some of the pages that show clicks live.",
                    extra={"retry_after": 60},
                )
            self._listeners[listener] = workspace

    def leave(self, listener: Listener) -> None:
        """Tell `listener` no more."""
        with self._lock:
            self._listeners.pop(listener, None)

    def tell(self, batch: Batch) -> None:
        """`batch` is in the store. For the thread that ingests; a listener's fault is not its own."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            found = listener.which(batch)
            if len(found):
                listener.tell(Told(len(found), self._sample(batch, found)))

    def _sample(self, batch: Batch, found: npt.NDArray[np.intp]) -> Batch:
        if len(found) > SAMPLE:
            found = np.sort(self._random.choice(found, SAMPLE, replace=False))
        return Batch(batch.records[found], batch.agents, batch.referrers, {})


def happened(batch: Batch) -> npt.NDArray[np.bool_]:
    """Which records are clicks of just now, and not brought in or made up."""
    kept: npt.NDArray[np.bool_] = (batch.records["flags"] & MADE_UP) == 0
    return kept


def describe(told: Told, row: Callable[[Batch, int], dict[str, Any]]) -> dict[str, Any]:
    """As it is sent: the number of clicks, and a dictionary of each that is told singly."""
    sample = told.sample
    shown = [] if sample is None else [row(sample, at) for at in range(len(sample.records))]
    return {"count": told.clicks, "clicks": shown}
