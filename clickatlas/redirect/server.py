"""The street: a raw ASGI function that answers short links and forwards the rest."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import time

from clickatlas.atlas.files import current
from clickatlas.atlas.watch import EVERY_S, Watch
from clickatlas.errors import Problem
from clickatlas.links.database import LinksDatabase
from clickatlas.links.destination import RESERVED
from clickatlas.redirect.capture import Capture
from clickatlas.redirect.directory import Directory, Entry
from clickatlas.redirect.forward import AppAway, BadBody, Forward, Receive, Scope, Send
from clickatlas.redirect.pages import EXPIRED, HEADERS, METHOD, STARTING, UNKNOWN, page, preview
from clickatlas.redirect.secret import SharedSecret
from clickatlas.redirect.spool import Spool
from clickatlas.redirect.visitor import Proxies, read_agent
from clickatlas.settings import Settings

log = logging.getLogger("clickatlas.redirect")

NOT_CACHED = (b"cache-control", b"private, no-store")
EMPTY = {"type": "http.response.body", "body": b"", "more_body": False}


class Street:
    """The ASGI application of a redirect process."""

    def __init__(
        self,
        directory: Directory,
        capture: Capture,
        spool: Spool,
        forward: Forward,
        watch: Watch,
        *,
        previews: bool = True,
    ) -> None:
        self._previews = previews
        self._directory = directory
        self._capture = capture
        self._spool = spool
        self._forward = forward
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._live(receive, send)
            return
        code = scope["path"][1:]
        if code.endswith("/"):
            code = code[:-1]
        if not code or "/" in code or code.lower() in RESERVED:
            first = code.split("/", 1)[0].lower()
            if first in RESERVED or not code:
                await self._to_app(scope, receive, send)
            else:
                await _send_page(scope, send, UNKNOWN)
            return
        if scope["method"] not in ("GET", "HEAD"):
            await _send_page(scope, send, METHOD, (b"allow", b"GET, HEAD"))
            return
        showing = self._previews and code.endswith("+")  # no code has a plus sign
        entry = self._directory.find(code[:-1] if showing else code)
        if entry is None:
            await _send_page(scope, send, UNKNOWN)
        elif entry.expires_ms and entry.expires_ms <= time.time_ns() // 1_000_000:
            await _send_page(scope, send, EXPIRED)
        elif showing:
            await _send(scope, send, 200, *preview((entry.url + entry.fragment).decode("ascii")))
        else:
            client = scope.get("client")
            await self._capture.record(
                entry.link, client[0] if client else "", scope["headers"], head=scope["method"] == "HEAD"
            )
            location = (b"location", _location(entry, scope["query_string"]))
            headers = [location, NOT_CACHED, (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 302, "headers": headers})
            await send(EMPTY)

    async def _live(self, receive: Receive, send: Send) -> None:
        """The ASGI lifespan: at its end nothing waits any more, and the spool's segment is free."""
        following: asyncio.Task[None] | None = None
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                following = asyncio.create_task(self._follow_atlas())
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if following:
                    following.cancel()
                self._spool.close()
                await self._forward.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _follow_atlas(self) -> None:
        """Locate by a newer atlas as soon as one is put in use."""
        while True:
            await asyncio.sleep(EVERY_S)
            if folder := self._watch.newer():
                try:
                    self._capture.take(folder)
                except Exception:
                    log.exception("the new atlas can't be used; the one before stays in use")

    async def _to_app(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def sending(message: dict[str, object]) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._forward(scope, receive, sending)
        except AppAway as error:
            log.warning("the app process does not answer: %s", error)
            if not started and scope["path"] == "/health":
                await _send_json(send, 503, {"live": True, "ready": False, "faults": ["app: not answering"]})
            elif not started:
                await _send_page(scope, send, STARTING)
        except BadBody as error:
            await _send_page(scope, send, error.page)


def _location(entry: Entry, query: bytes) -> bytes:
    if not (query and entry.pass_query):
        return entry.url + entry.fragment
    return entry.url + (b"&" if b"?" in entry.url else b"?") + query + entry.fragment


async def _send_page(
    scope: Scope, send: Send, what: tuple[int, str, str], *more: tuple[bytes, bytes]
) -> None:
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    wants_json = scope["path"].startswith("/api/") or (b"json" in accept and b"text/html" not in accept)
    await _send(scope, send, what[0], *page(*what, as_json=wants_json), *more)


async def _send(
    scope: Scope, send: Send, status: int, body: bytes, kind: bytes, *more: tuple[bytes, bytes]
) -> None:
    headers = [
        (b"content-type", kind),
        NOT_CACHED,
        (b"content-length", str(len(body)).encode()),
        *HEADERS,
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _send_json(send: Send, status: int, document: dict[str, object]) -> None:
    body = json.dumps(document).encode()
    headers = [(b"content-type", b"application/json"), NOT_CACHED, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def create_street(settings: Settings, secret: SharedSecret | None = None) -> Street:
    """A redirect process's application; workers that count visitors together share a `secret`.

    Raises `Problem` without an atlas.
    """
    watch = Watch(settings.data / "atlas")
    folder = current(settings.data / "atlas")
    if folder is None:
        raise Problem(503, "No atlas", "There is no atlas yet.", remedy="Run 'clickatlas atlas update'.")
    links = LinksDatabase(settings.data)
    spool = Spool(
        settings.data / "spool",
        segment_bytes=settings.spool_segment_mb << 20,
        fsync_ms=settings.spool_fsync_ms,
    )
    proxies = Proxies(settings.trusted_proxies)
    capture = Capture(folder, spool, proxies, secret=secret, respect_opt_out=settings.respect_opt_out)
    read_agent("Mozilla/5.0 warm-up")  # compiles the crawler list now (0.2 s), not for the first visitor
    directory = Directory(links, case_sensitive=settings.case_sensitive_codes)
    gc.collect()
    gc.freeze()  # else each full collection looks through all links: 90 ms of silence for 100,000
    return Street(
        directory,
        capture,
        spool,
        Forward(settings.app_socket, proxies),
        watch,
        previews=settings.preview_pages,
    )
