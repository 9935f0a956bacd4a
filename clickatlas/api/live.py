"""Clicks as they come: server-sent events."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from sqlalchemy import select

from clickatlas.api.broadcast import Listener, describe, happened
from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.filters import FilterDep
from clickatlas.api.house import House
from clickatlas.atlas.areas import Level
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.atlas.places import NOWHERE
from clickatlas.clicks.filter import Filter
from clickatlas.clicks.origins import origin
from clickatlas.clicks.store import Batch
from clickatlas.clicks.traits import fitting
from clickatlas.errors import not_found
from clickatlas.links.models import Link
from clickatlas.links.ways import QR, is_scan, link_of

router = APIRouter(prefix="/api/analytics/live", tags=["analytics"])
log = logging.getLogger("clickatlas.live")
BEAT_S = 15.0  # a comment now and then keeps proxies from closing a silent connection
LASTS_S = 300.0  # then the browser connects again by itself, and is asked for its key again
LOOKED_UP_S = 5.0  # how long it is remembered which links are the filter's
STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": 'Events `clicks`: {"count": clicks since the last event, "clicks": [up to 50 of them]}.',
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
Seconds = Annotated[
    float, Query(ge=0, le=LASTS_S, description="How long to listen; a browser connects again by itself.")
]
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class Watcher:
    """What one listener wants of a batch, and how it is told. Used by the thread that ingests."""

    def __init__(self, opened: House, workspace: int, wanted: Filter) -> None:
        self._opened, self._workspace = opened, workspace
        self._wanted = replace(wanted, start=None, end=None)
        self._until = 0.0
        self._numbers: npt.NDArray[np.int64] | None = None
        self._names: dict[int, tuple[str, str | None]] = {}
        self.look()

    def look(self) -> None:
        """See which links the filter means now. Raises `Problem` (404)."""
        questions = self._opened.questions
        asked = questions.ask(self._workspace, self._wanted)
        self._asked = asked
        links = asked.selection.links
        self._numbers = None if links is None else np.array(links, np.int64)
        with self._opened.links.reading() as session:
            rows = session.execute(
                select(Link.id, Link.code, Link.channel).where(Link.workspace_id == self._workspace)
            )
            self._names = {number: (code, channel) for number, code, channel in rows}
        self._until = time.monotonic() + LOOKED_UP_S

    def which(self, batch: Batch) -> npt.NDArray[np.intp]:
        """Positions of the records that the filter lets through; none where it can't be told."""
        try:
            if time.monotonic() > self._until:
                self.look()
            return self._which(batch)
        except Exception:
            log.exception("a listener could not be told")
            return np.empty(0, np.intp)

    def _which(self, batch: Batch) -> npt.NDArray[np.intp]:
        records, asked = batch.records, self._asked
        keep = happened(batch) & np.isin(records["kind"], asked.kinds)
        if self._numbers is not None:
            keep &= np.isin(records["link"], self._numbers)
        if asked.selection.devices:
            fits = np.array([agent.device in asked.selection.devices for agent in batch.agents], np.bool_)
            keep &= fits[records["agent"]]
        if asked.selection.traits:
            keep &= fitting(batch, asked.selection.traits)
        if asked.mask is not None:
            number = asked.atlas.places.number_of(np.ascontiguousarray(records["place"]))
            keep &= asked.mask[np.where(number < 0, NOWHERE, number)]
        return np.flatnonzero(keep)

    def row(self, batch: Batch, at: int) -> dict[str, Any]:
        """One click, no more precise than the settings let it be: with `min_cell` its place is not told."""
        record = batch.records[at]
        number, time_ms = int(record["link"]), int(record["time"])
        agent = batch.agents[int(record["agent"])]
        host = batch.referrers[int(record["referrer"])]
        code, channel = self._names.get(link_of(number), (None, None))
        return {
            "time": time_ms,
            "age_ms": max(0, time.time_ns() // 1_000_000 - time_ms),
            "code": code,
            "channel": QR if is_scan(number) else channel,
            "place": None if self._wanted.holds else self._place(int(record["place"])),
            "device": agent.device,
            "browser": agent.browser,
            "system": agent.system,
            "language": agent.language,
            "referrer": host or None,
            "origin": dict(origin(agent.browser, host)._asdict()),
            "network": NetworkKind(int(record["kind"])).name.lower(),
        }

    def _place(self, key: int) -> dict[str, Any] | None:
        atlas = self._asked.atlas
        [number] = atlas.places.number_of(np.array([key], np.uint64)).tolist()
        if number < 0:
            return None
        places, areas = atlas.places, atlas.areas
        found = {level: int(places.area[level][number]) for level in Level}
        named = next(
            (found[level] for level in (Level.CITY, Level.REGION, Level.COUNTRY) if found[level] >= 0), -1
        )
        if named < 0:
            return None
        placed = not bool(places.unplaced[number])

        def code(level: Level) -> str | None:
            return areas.code(found[level]) if found[level] >= 0 else None

        return {
            "name": areas.name(named),
            "country": code(Level.COUNTRY),
            "region": code(Level.REGION),
            "postal_code": areas.name(found[Level.POSTAL]) if found[Level.POSTAL] >= 0 else None,
            "lat": round(float(places.lat[number]), 4) if placed else None,
            "lon": round(float(places.lon[number]), 4) if placed else None,
            "radius": int(places.radius[number]) if placed else None,
        }


@router.get("", responses=STREAM, response_class=StreamingResponse)
async def live(
    request: Request, opened: HouseDep, who: CallerDep, wanted: FilterDep, seconds: Seconds = LASTS_S
) -> StreamingResponse:
    """Clicks as they are counted, as server-sent events: about a second after they happened.

    Each event `clicks` says how many there were since the last, and tells of up to 50 of them singly, drawn by chance.
    Dates of the filter don't matter here. With `min_cell` no place is told.
    """
    return await _stream(request, opened, who.workspace, wanted, seconds)


@router.get("/{code}", responses=STREAM, response_class=StreamingResponse)
async def live_of_link(
    code: str,
    request: Request,
    opened: HouseDep,
    who: CallerDep,
    wanted: FilterDep,
    seconds: Seconds = LASTS_S,
) -> StreamingResponse:
    """One link's clicks as they are counted, as server-sent events."""
    if wanted.links:
        raise not_found("A link is named already.", remedy="Leave 'link' out of the query.")
    return await _stream(request, opened, who.workspace, replace(wanted, links=(code,)), seconds)


async def _stream(
    request: Request, opened: House, workspace: int, wanted: Filter, seconds: float
) -> StreamingResponse:
    watcher = await run_in_threadpool(Watcher, opened, workspace, wanted)
    listener = Listener(watcher.which)
    opened.broadcast.join(listener, workspace)
    if opened.feed is not None:
        try:
            await run_in_threadpool(opened.feed.ready)
        except BaseException:
            opened.broadcast.leave(listener)
            raise

    async def events() -> AsyncIterator[str]:
        end = time.monotonic() + seconds
        try:
            yield "retry: 1000\n\n"
            while time.monotonic() < end and not opened.broadcast.ended:
                if await request.is_disconnected():
                    break
                told = await listener.next(min(BEAT_S, max(0.0, end - time.monotonic())))
                if told is None:
                    yield ": nothing\n\n"
                else:
                    said = json.dumps(describe(told, watcher.row), ensure_ascii=False, separators=(",", ":"))
                    yield f"event: clicks\ndata: {said}\n\n"
        finally:
            opened.broadcast.leave(listener)

    return StreamingResponse(events(), media_type="text/event-stream", headers=HEADERS)
