"""Clicks as they come: the live stream, listened to for as long as one wants."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from urllib.parse import quote

import httpx

from clickatlas.client.filter import Filter
from clickatlas.client.problem import ClickatlasError, Unreachable
from clickatlas.client.rows import LiveClicks, read
from clickatlas.client.transport import Transport, backoff

LONGEST_S = 300.0  # the server ends a stream then, so that an ended key hears nothing more
SILENCE_S = 45.0  # it says something at least every 15 seconds


def listen(
    transport: Transport, filter: Filter | None, code: str | None, seconds: float | None
) -> Iterator[LiveClicks]:
    """Events until `seconds` are over (None: for ever), over as many connections as that takes.

    A connection that is lost is made again, later each time, as long as one was there before; the first one that fails
    raises `ClickatlasError`, and so does a refusal at any time. Clicks between two connections are not told again: the API
    keeps no event for that.
    """
    path = "/api/analytics/live" + (f"/{quote(code, safe='')}" if code else "")
    end = None if seconds is None else time.monotonic() + seconds
    heard, failed = False, 0
    while True:
        left = LONGEST_S if end is None else min(LONGEST_S, end - time.monotonic())
        if left <= 0:
            return
        try:
            for event in _events(transport, path, filter, left):
                heard, failed = True, 0
                if event is not None:
                    yield event
        except Unreachable:
            if not heard:
                raise
            failed += 1
        except ClickatlasError as problem:
            if not (heard and problem.status in (502, 503)):  # it is started again
                raise
            failed += 1
        if failed:
            pause = backoff(failed)
            time.sleep(pause if end is None else max(0.0, min(pause, end - time.monotonic())))


def _events(
    transport: Transport, path: str, filter: Filter | None, seconds: float
) -> Iterator[LiveClicks | None]:
    """The events of one connection; None for a word that only shows it is there."""
    params = [*(filter or Filter()).params(), ("seconds", f"{seconds:.3f}")]
    timeout = httpx.Timeout(10.0, read=SILENCE_S)
    with transport.stream("GET", path, params, timeout=timeout) as response:
        data: list[str] = []
        for line in response.iter_lines():
            if line.startswith("data:"):
                data.append(line.removeprefix("data:").removeprefix(" "))
            elif not line and data:
                yield read(LiveClicks, json.loads("\n".join(data)))
                data = []
            elif not data:
                yield None
