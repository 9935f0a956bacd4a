"""How long API requests take, by route and class of status. Routes by their template: nobody can make up new ones."""

from __future__ import annotations

import logging
import threading
import time
from bisect import bisect_left
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
OTHER = "other"  # static files, the page, and what is not there
log = logging.getLogger("clickatlas.request")


class Asked(NamedTuple):
    """What a request counts as."""

    method: str
    route: str
    status: str  # 2xx, 3xx, 4xx, 5xx; 0xx: broken off before there was one


class Taken:
    """Requests of one kind: how many took up to each of `BOUNDS` (not cumulative), and how long all took."""

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0


class Latencies:
    """Counts of one app process. Safe for threads."""

    def __init__(self) -> None:
        self._taken: dict[Asked, Taken] = {}
        self._lock = threading.Lock()

    def add(self, asked: Asked, seconds: float) -> None:
        """One more request."""
        with self._lock:
            taken = self._taken.setdefault(asked, Taken())
            taken.buckets[bisect_left(BOUNDS, seconds)] += 1
            taken.seconds += seconds

    def all(self) -> list[tuple[Asked, list[int], float]]:
        """What was counted, as it is now."""
        with self._lock:
            return [(asked, list(taken.buckets), taken.seconds) for asked, taken in self._taken.items()]


class Measured:
    """ASGI middleware that counts every request, to the last byte of its answer."""

    def __init__(self, app: ASGIApp, latencies: Latencies) -> None:
        self._app = app
        self._latencies = latencies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            seconds = time.perf_counter() - started
            method = scope["method"] if scope["method"] in METHODS else OTHER
            asked = Asked(method, getattr(scope.get("route"), "path", OTHER), f"{status // 100}xx")
            self._latencies.add(asked, seconds)
            # The template, never the path: a path has codes in it, and a query secrets.
            log.debug(
                "answered",
                extra={
                    "method": method,
                    "route": asked.route,
                    "status": status,
                    "seconds": round(seconds, 6),
                },
            )
