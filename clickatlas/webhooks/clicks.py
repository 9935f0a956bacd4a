"""Clicks on their way into the outbox: gathered for a few seconds, then written in batches.

Between a click's count and its row in the outbox lie at most `EVERY_S` seconds, in memory: a crash in them loses these
announcements, never the clicks. Ingest only puts a reference down and goes on.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from clickatlas.clicks.store import Batch
from clickatlas.links.database import LinksDatabase
from clickatlas.webhooks import outbox

log = logging.getLogger("clickatlas.webhooks")
EVERY_S = 3.0
IN_ONE = 500  # clicks of a delivery, some 200 kB
MOST = 5_000  # clicks of one workspace that are told singly every `EVERY_S`; of more it is told how many there were
WAITING = 400  # batches of ingest that wait; older ones are given up
Rows = Callable[[int, Iterable[Batch]], list[dict[str, Any]]]


class ClickGatherer(threading.Thread):
    """Writes counted clicks into the outbox for the webhooks that want them; `rows` tells a workspace's of batches."""

    def __init__(self, links: LinksDatabase, rows: Rows) -> None:
        super().__init__(name="webhook clicks", daemon=True)
        self._links = links
        self._rows = rows
        self._waiting: deque[Batch] = deque(maxlen=WAITING)
        self._wanted = False
        self._looked_at: int | None = None  # the links database's count of changes
        self._stopping = threading.Event()

    def tell(self, batch: Batch) -> None:
        """`batch` is in the store. For the thread that ingests: takes no time."""
        # A webhook may have been made since the last look: then the next look decides.
        if self._wanted or self._links.changes.read() != self._looked_at:
            self._waiting.append(batch)

    def run(self) -> None:
        """Until `stop`."""
        while True:
            over = self._stopping.wait(EVERY_S)
            try:
                self.gather()
            except Exception as error:  # a busy database: these are given up, the next are not
                if not self._links.is_away(error):
                    log.exception("clicks could not be put into the outbox of webhooks")
            if over:
                return

    def stop(self) -> None:
        """End, after what was gathered is written."""
        self._stopping.set()
        if self.is_alive():
            self.join(10)

    def gather(self) -> int:
        """Write what came since the last time; how many deliveries."""
        changes = self._links.changes.read()  # before the look: what comes in between is looked at again
        with self._links.reading() as session:
            hooks = outbox.listening(session, outbox.CLICK)
        self._wanted, self._looked_at = bool(hooks), changes
        batches = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not hooks or not batches:
            return 0
        made = 0
        told = {
            workspace: self._rows(workspace, batches) for workspace in {hook.workspace_id for hook in hooks}
        }
        with self._links.noting() as session:
            for hook in hooks:
                rows = told[hook.workspace_id]
                for start in range(0, min(len(rows), MOST), IN_ONE):
                    part = rows[start : start + IN_ONE]
                    left = max(0, len(rows) - MOST) if start == 0 else 0
                    outbox.put(session, hook, outbox.CLICK, {"clicks": part, "left_out": left})
                    made += 1
        return made
