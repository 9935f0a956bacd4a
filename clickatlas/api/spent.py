"""Links that may be followed so many times: closed once the clicks are counted."""

from __future__ import annotations

import logging
import threading

from sqlalchemy import select

from clickatlas.clicks.filter import PEOPLE, Selection
from clickatlas.clicks.store import ClickStore, StoreFault
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Link, LinkChange, now
from clickatlas.links.ways import by_link, click_numbers

log = logging.getLogger("clickatlas.spent")
EVERY_S = 0.5


class Spent(threading.Thread):
    """Looks twice a second, where clicks or links changed, whether a link has had its last click.

    Redirectors answer from what they know; so a link ends when its clicks are in the store, about a second
    after the last one, and those who come in that second get through.
    """

    def __init__(self, links: LinksDatabase, store: ClickStore) -> None:
        super().__init__(name="spent", daemon=True)
        self._links = links
        self._store = store
        self._stopping = threading.Event()
        self._seen: tuple[int, int] | None = None

    def run(self) -> None:
        """Until `stop`."""
        while not self._stopping.wait(EVERY_S):
            try:
                self.look()
            except Exception as error:  # a busy database or store: it is looked at again
                if not (isinstance(error, StoreFault) or self._links.is_away(error)):
                    log.exception("links with a limit could not be looked at")

    def stop(self) -> None:
        """End, after the look that is under way."""
        self._stopping.set()
        if self.is_alive():
            self.join(10)

    def look(self) -> int:
        """Close the links that were clicked often enough; how many."""
        seen = self._store.version, self._links.changes.read()
        if seen == self._seen:
            return 0
        limited = select(Link.id, Link.max_clicks, Link.ways_made).where(
            Link.max_clicks.is_not(None), Link.spent_at.is_(None)
        )
        with self._links.reading() as session:
            wanted = {link: (most, made) for link, most, made in session.execute(limited)}
        done: list[int] = []
        if wanted:
            numbers = [n for link, (_, made) in wanted.items() for n in click_numbers(link, made)]
            people = [int(kind) for kind in PEOPLE]
            clicks = by_link(self._store.link_counts(Selection(links=tuple(sorted(numbers))), people))
            done = [link for link, (most, _) in wanted.items() if clicks.get(link, 0) >= (most or 0)]
        if done:
            with self._links.writing() as session:
                for link in session.scalars(select(Link).where(Link.id.in_(done))).unique():
                    link.spent_at = now()
                    session.add(LinkChange(link_id=link.id, code=link.code))
        self._seen = seen
        return len(done)
