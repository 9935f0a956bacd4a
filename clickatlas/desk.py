"""The process beside street workers where the app is elsewhere: says how the machine is, and follows PostgreSQL.

`clickatlas ingest` is the same process with the clicks to move. On one data folder each asks the other through
the folder: what the one knows of counting, the other's `/health` and `/metrics` tell, too.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from clickatlas import __version__, local
from clickatlas.api import metrics
from clickatlas.api.caller import Callers
from clickatlas.api.collector import Figures
from clickatlas.api.health import health_of
from clickatlas.api.latency import Latencies
from clickatlas.api.patches import patches
from clickatlas.api.readings import shut_readings
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.files import current
from clickatlas.clicks.ingest import Ingest, IngestThread
from clickatlas.clicks.opening import open_store
from clickatlas.clicks.store import ClickStore
from clickatlas.errors import PROBLEM, Problem
from clickatlas.faults import Readings, faults
from clickatlas.links.changes import Nearby
from clickatlas.links.database import LinksDatabase
from clickatlas.redirect.apart import desk_socket
from clickatlas.redirect.follower import Follower
from clickatlas.roles import THE_INGEST, lacking
from clickatlas.settings import Settings

log = logging.getLogger("clickatlas.ingest")
AGAIN_S = 1.0
COUNTING = "/counting"  # on the socket only: no street worker hands it on
Known = dict[str, Any]


def socket_of(settings: Settings, *, counts: bool) -> Path:
    """Where the process answers: who counts is in the app's place, and both may be on one data folder."""
    return settings.app_socket if counts else desk_socket(settings)


def _open(settings: Settings) -> ClickStore:
    store = open_store(
        settings.clicks_url, settings.data, memory=settings.store_memory, keep_days=settings.keep_clicks_days
    )
    if not settings.clicks_url and (folder := current(settings.data / "atlas")):
        store.patch(patches(Atlas.open(folder)))
    return store


def can_count(settings: Settings) -> None:
    """Raise `Problem` (503) where the click store is a file that another process has open, or a damaged one."""
    if not settings.clicks_url:
        open_store("", settings.data, memory=settings.store_memory).close()


def count_once(settings: Settings) -> int:
    """Move what waits in the spool to the click store; how many clicks. Raises `Problem` (409, 422, 503).

    Of a machine that is no more: its disk, or a copy of its data folder, is as good.
    """
    if missing := lacking(settings, THE_INGEST):
        raise missing
    marks = THE_INGEST.hold(settings.data)
    try:
        links = LinksDatabase(settings.data, settings.database_url)
        with closing(links), closing(_open(settings)) as store:
            try:
                links.migrate()
            except Problem as problem:  # only to take out what was deleted, which others do when it is back
                if not links.is_away(problem):
                    raise
            ingest = Ingest(settings.data / "spool", store, links, keep_days=settings.keep_clicks_days)
            while ingest.step() or ingest.behind:
                pass
            if ingest.trouble:
                raise Problem(
                    503,
                    "Spool",
                    ingest.trouble,
                    remedy="The rest was counted. Look at what it names; run it again.",
                )
            return ingest.moved.clicks
    finally:
        for mark in marks:
            os.close(mark)


class Desk:
    """What the process holds: with `counts` the click store, once it can be opened."""

    def __init__(self, settings: Settings, *, counts: bool) -> None:
        self.settings, self.counts = settings, counts
        self.links: LinksDatabase | None = None
        self.store: ClickStore | None = None
        self.ingest: IngestThread | None = None
        self._said = ""
        self._nearby = Nearby(settings.data) if settings.database_url else None

    async def open(self) -> None:
        """Begin to count as soon as that can be done."""
        while self.counts and self.ingest is None:
            try:
                await asyncio.to_thread(self._open)
            except Exception as error:
                why = f"{error} {error.remedy}" if isinstance(error, Problem) else f"{error!r}"
                if why != self._said:
                    self._said = why
                    log.error(
                        "the click store can't be opened; the spool keeps all clicks; tried again: %s", why
                    )
                await asyncio.sleep(AGAIN_S)

    def _open(self) -> None:
        settings = self.settings
        with ExitStack() as undo:
            store = undo.enter_context(closing(_open(settings)))
            links = undo.enter_context(closing(LinksDatabase(settings.data, settings.database_url)))
            ingest = Ingest(settings.data / "spool", store, links, keep_days=settings.keep_clicks_days)
            undo.pop_all()
        self.links, self.store = links, store
        self.ingest = IngestThread(ingest, interval_ms=settings.ingest_interval_ms)
        self.ingest.start()

    def close(self) -> None:
        """Finish the batch at hand, and let go of the store."""
        if self.ingest is not None and self.store is not None and self.links is not None:
            self.ingest.stop()
            self.store.close()
            self.links.close()

    def counting(self) -> Known | None:
        """What is known of counting here; None where nobody counts."""
        if not self.counts:
            with suppress(OSError, ValueError):
                status, body = local.asked(self.settings, COUNTING)
                if status == 200:
                    known: Known = json.loads(body)
                    return known
            return None
        if self.ingest is None:
            return None
        lag, moved = self.ingest.ingest.lag(), self.ingest.ingest.moved
        said = {"alive": self.ingest.is_alive(), "error": self.ingest.error}
        return said | {"lag_clicks": lag.clicks, "lag_seconds": lag.seconds, "moved": asdict(moved)}

    def readings(self, counting: Known | None) -> Readings:
        """The machine's numbers now."""
        seen = replace(
            shut_readings(self.settings),
            is_open=not self.counts or self.ingest is not None,
            links_readable=self._nearby is None or not self._nearby.is_cut_off,
        )
        if self.counts:  # street workers are another command's, which says itself how they are
            seen = replace(seen, workers=0)
        if counting is None:
            return seen
        return replace(
            seen,
            ingest_alive=counting["alive"],
            ingest_error=counting["error"],
            lag_clicks=counting["lag_clicks"],
            lag_seconds=counting["lag_seconds"],
        )

    @property
    def is_ready(self) -> bool:
        """Whether it does its work: known links are answered, also while PostgreSQL is away; or clicks are counted."""
        if self.counts:
            return self.ingest is not None
        return any(street.beats(time.time()) for street in shut_readings(self.settings).streets)


class DeskFigures(Figures):
    """Those of a machine without the app."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.settings, Latencies())
        self._desk = desk

    def seen(self) -> Readings:
        """The numbers now."""
        return self._desk.readings(self._desk.counting())

    def counting(self, seen: Readings) -> Iterator[tuple[str, float]]:
        """How far ingest is, where one runs on this data folder."""
        if (known := self._desk.counting()) is not None:
            moved = known["moved"]
            yield "spool_lag_clicks", seen.lag_clicks
            yield "spool_lag_seconds", seen.lag_seconds
            yield "ingested_clicks_total", moved["clicks"]
            yield "ingest_batch_clicks", moved["batch_clicks"]
            yield "ingest_batch_seconds", moved["batch_seconds"]


def create_desk(settings: Settings, *, counts: bool) -> FastAPI:
    """The application of the process."""
    desk = Desk(settings, counts=counts)
    follower = Follower(settings.data, settings.database_url) if settings.database_url else None

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        metrics.make_token(settings)
        if follower is not None:
            follower.start()
        opening = asyncio.create_task(desk.open())
        try:
            yield
        finally:
            opening.cancel()
            if follower is not None:
                follower.stop()
            await asyncio.to_thread(desk.close)

    app = FastAPI(title="clickatlas", version=__version__, openapi_url=None, lifespan=lifespan)
    app.state.settings, app.state.callers = settings, Callers(settings)
    app.state.registry = metrics.registry_of(DeskFigures(desk))
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _nowhere)
    app.include_router(metrics.router)

    @app.get("/health")
    def health() -> JSONResponse:
        told = health_of(faults(desk.readings(desk.counting())), ready=desk.is_ready)
        return _said(told.model_dump(mode="json"), 503 if told.is_broken else 200)

    @app.get("/health/ready")
    def ready() -> JSONResponse:
        return _said({"ready": desk.is_ready}, 200 if desk.is_ready else 503)

    @app.get(COUNTING)
    def counting() -> JSONResponse:
        known = desk.counting()
        return _said(known or {}, 200 if known else 503)

    return app


def _said(document: Known, status: int) -> JSONResponse:
    return JSONResponse(document, status, {"cache-control": "no-store"})


async def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    headers = {"www-authenticate": "Bearer"} if error.status == 401 else {}
    return JSONResponse(error.document(), error.status, headers, media_type=PROBLEM)


async def _nowhere(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    problem = Problem(
        error.status_code,
        "Not here",
        "This machine has no app, and answers no questions.",
        remedy="Ask the machine that runs 'clickatlas app'.",
    )
    return JSONResponse(problem.document(), error.status_code, media_type=PROBLEM)
