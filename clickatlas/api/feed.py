"""What any machine counts, told to those who listen here: for a click store that several write.

While nobody listens it sleeps, and the store is asked nothing.
"""

from __future__ import annotations

import logging
import math
import threading
import time

from clickatlas.api.broadcast import Broadcast
from clickatlas.clicks.store import Arrivals, Shared, StoreFault

log = logging.getLogger("clickatlas.live")
EVERY_S = 1.0
BEGINS_S = 5.0  # that a listener waits for a store that may be away
LINGERS_S = 5.0  # after the last has left: a page connects again within a second or two


class Feed(threading.Thread):
    """Asks `store` once a second what has come, for as long as `broadcast` has listeners, and tells it on."""

    def __init__(self, store: Shared, broadcast: Broadcast) -> None:
        super().__init__(name="live feed", daemon=True)
        self._store, self._broadcast = store, broadcast
        self._arrivals: Arrivals | None = None
        self._changed = threading.Condition()  # of what follows, and of whether there are `_arrivals`
        self._called = self._stopping = self._failing = False

    def ready(self) -> None:
        """Return when a listener who has joined will be told of every click from now on; after a few seconds at the latest."""
        with self._changed:
            if self._arrivals is None:
                self._called = True
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._arrivals is not None or self._stopping, BEGINS_S)

    def run(self) -> None:
        """Until `stop`."""
        left = -math.inf
        while not self._stopping:
            with self._changed:
                self._called = False
                if self._broadcast.is_heard:
                    left = time.monotonic()
                elif time.monotonic() >= left + LINGERS_S:
                    self._arrivals = None
                    self._changed.wait_for(lambda: self._called or self._stopping)
                    continue
            if self._step():
                continue
            with self._changed:
                self._changed.wait_for(lambda: self._called or self._stopping, EVERY_S)

    def _step(self) -> bool:
        """Tell what has come; whether there is more. A store that is away is asked again, and tells all of it then."""
        try:
            if self._arrivals is None:
                arrivals = self._store.arrivals()
                with self._changed:
                    self._arrivals = arrivals
                    self._changed.notify_all()
                return False
            batch = self._arrivals.new()
            if len(batch.records):
                self._broadcast.tell(batch)
            self._failing = False
            return self._arrivals.behind
        except StoreFault:  # the log has it from ingest, once, with what to do
            return False
        except Exception:
            if not self._failing:
                log.exception("what other machines count can't be told live; it is tried again")
            self._failing = True
            return False

    def stop(self) -> None:
        """End; a question that is under way is given up with the process."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self.is_alive():
            self.join(2)
