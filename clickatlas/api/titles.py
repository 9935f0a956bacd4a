"""Titles of links that were made without one: fetched in the background, one after the other."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading

from clickatlas import __version__
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Link
from clickatlas.links.schemes import WEB_SCHEMES, scheme_of
from clickatlas.outside.fetch import Outside, OutsideError
from clickatlas.outside.title import title_of
from clickatlas.settings import Settings

log = logging.getLogger("clickatlas.titles")
MOST_WAITING = 1000
AT_ONCE = 4


class Titles:
    """Gives links the titles of their destinations, where the setting `fetch_titles` says so."""

    def __init__(self, settings: Settings, links: LinksDatabase) -> None:
        self._wanted = settings.fetch_titles
        self._links = links
        self._outside = Outside(
            allowed=settings.fetch_networks,
            ports=settings.fetch_ports,
            agent=f"clickatlas/{__version__} (titles of shortened links)",
        )
        self._waiting: queue.Queue[tuple[int, str]] = queue.Queue(MOST_WAITING)
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def want(self, link: Link) -> None:
        """Fetch the title of `link` soon, where it has none; where too many wait, it stays without."""
        if not self._wanted or link.title or link.sample or scheme_of(link.url) not in WEB_SCHEMES:
            return
        try:
            self._waiting.put_nowait((link.id, link.url))
        except queue.Full:
            return
        with self._lock:
            if (
                len(self._threads) < AT_ONCE
            ):  # threads are made when they are needed, and end with the process
                thread = threading.Thread(target=self._work, name="titles", daemon=True)
                self._threads.append(thread)
                thread.start()

    def _work(self) -> None:
        while True:
            number, url = self._waiting.get()
            try:
                if title := asyncio.run(title_of(self._outside, url)):
                    self._give(number, url, title)
            except OutsideError as error:
                log.info("no title for link %d: %r", number, str(error))
            except Exception:
                log.exception("no title for link %d", number)

    def _give(self, number: int, url: str, title: str) -> None:
        with self._links.writing() as session:
            link = session.get(Link, number)
            if link is not None and not link.title and link.url == url:  # nobody was quicker
                link.title = title
