"""The lookout: looks in the background, hourly, whether a workspace's insights hold one that wasn't there before.

Only where somebody wants to hear of it. One workspace at a time, at a lower priority than answers, and then idle for longer
than it took; what it finds is what `GET /api/insights` answers, and is remembered with it.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from clickatlas.api.findings import Asked
from clickatlas.api.house import House, is_away
from clickatlas.api.insights import cards_document
from clickatlas.clicks.filter import Filter
from clickatlas.errors import Problem
from clickatlas.insight.identity import mark, where
from clickatlas.links import plans, sightings
from clickatlas.links.models import Workspace, now
from clickatlas.links.models_told import Digest
from clickatlas.links.sightings import Sighting
from clickatlas.webhooks import outbox

log = logging.getLogger("clickatlas.insights")
EVERY_S = 60.0
RESTS = timedelta(hours=1)  # a workspace, between two looks
IDLE = 5  # times what a look took, until the next workspace's
NICENESS = 10


def _wanted(session: Session) -> list[int]:
    """Workspaces where somebody hears of new insights: by a webhook, or in a digest."""
    hooks = outbox.listening(session, outbox.INSIGHT) + outbox.listening(session, outbox.DIGEST)
    read = session.scalars(select(Digest.workspace_id).where(Digest.person_id.is_not(None)))
    return sorted({hook.workspace_id for hook in hooks} | set(read))


def whole(opened: House, workspace: int) -> Asked:
    """All of a workspace's clicks that its plan shows, no area with fewer than the operator's `min_cell`."""
    with opened.links.reading() as session:
        plan = plans.of(session.get_one(Workspace, workspace).plan, opened.settings.default_plan)
    start = None
    if plan.history_days is not None:
        day = now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=plan.history_days)
        start = round(day.timestamp() * 1000)
    return Asked(opened, workspace, Filter(start=start, least=opened.settings.min_cell))


class Lookout(threading.Thread):
    """Tells webhooks of new insights, until `stop`."""

    def __init__(self, house: House) -> None:
        super().__init__(name="lookout", daemon=True)
        self._house = house
        self._stopping = threading.Event()
        self._seen: dict[int, int] = {}  # workspace -> the store's version at its last look
        self._wanted: list[int] | None = None

    def run(self) -> None:
        """Until `stop`."""
        with suppress(OSError, AttributeError):  # of this thread alone, and of those it begins (Linux)
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        while not self._stopping.wait(EVERY_S):
            try:
                self.round()
            except Exception as error:  # a busy database or store: it is looked at again
                if not (self._stopping.is_set() or is_away(self._house, error)):
                    log.exception("new insights could not be looked for")

    def stop(self) -> None:
        """End; a look that is under way is given up with the process."""
        self._stopping.set()
        if self.is_alive():
            self.join(2)

    def round(self) -> int:
        """Look at the workspaces whose time has come; how many new insights there were."""
        house, found = self._house, 0
        with house.links.reading() as session:
            wanted = _wanted(session)
            last = {workspace: sightings.looked_at(session, workspace) for workspace in wanted}
        if wanted != self._wanted:
            with house.links.noting() as session:
                sightings.forget_unwanted(session, wanted)
            self._wanted = wanted
        for workspace in wanted:
            before = last[workspace]
            if self._stopping.is_set():
                break
            if before is not None and now() - before < RESTS:
                continue
            if before is not None and self._seen.get(workspace) == house.store.version:
                continue
            self._seen[workspace] = house.store.version
            begun = time.monotonic()
            try:
                found += self.look(workspace)
            except Exception as error:  # the others' are looked at all the same
                if not (self._stopping.is_set() or is_away(self._house, error)):
                    log.exception("insights of workspace %d could not be looked at", workspace)
            self._stopping.wait(IDLE * (time.monotonic() - begun))
        return found

    def look(self, workspace: int) -> int:
        """Look at one workspace's insights, and tell those that are new: with that they are remembered, or neither."""
        opened = self._house
        try:
            cards = cards_document(whole(opened, workspace)).cards
        except Problem as problem:  # too few for the operator's min_cell: nothing may be told
            log.info("insights of workspace %d are not looked at: %s", workspace, problem.detail)
            cards = []
        seen = [
            Sighting(
                mark(card.kind, card.of, card.numbers, card.filter),
                where(card.kind, (area.id for area in card.areas)),
                card.sentence,
            )
            for card in cards
        ]
        with opened.links.noting() as session:
            news = sightings.note(session, workspace, seen, now())
            for position in news:
                outbox.announce(session, workspace, outbox.INSIGHT, cards[position].model_dump(mode="json"))
        return len(news)
