"""The street: a raw ASGI function that answers short links and forwards the rest."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Sequence

from clickatlas.atlas.files import current
from clickatlas.atlas.watch import EVERY_S, Watch
from clickatlas.errors import Problem
from clickatlas.links.database import LinksDatabase
from clickatlas.links.destination import RESERVED
from clickatlas.links.domains import with_domain
from clickatlas.links.lock import opens
from clickatlas.links.postgres import where
from clickatlas.links.ways import click_number, marked
from clickatlas.redirect.apart import NO_APP, NO_STREET, Apart
from clickatlas.redirect.away import AWAY, LIVE, LIVE_PATH
from clickatlas.redirect.capture import Capture
from clickatlas.redirect.directory import Directory, Entry, Headers
from clickatlas.redirect.forward import AppAway, BadBody, Forward, Receive, Scope, Send
from clickatlas.redirect.pages import (
    EARLY,
    EXPIRED,
    HEADERS,
    METHOD,
    STARTING,
    UNKNOWN,
    UNSURE,
    locked,
    locked_headers,
    page,
    preview,
)
from clickatlas.redirect.pulse import Answer, Pulse
from clickatlas.redirect.replica import Replica
from clickatlas.redirect.secret import SharedSecret
from clickatlas.redirect.spool import Spool
from clickatlas.redirect.visitor import Proxies, read_agent
from clickatlas.settings import Settings

log = logging.getLogger("clickatlas.redirect")

NOT_CACHED = (b"cache-control", b"private, no-store")
QUICK = (b"GET", b"HEAD")
EVERYWHERE = ("/robots.txt", "/favicon.ico", LIVE_PATH)
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
        pulse: Pulse,
        *,
        previews: bool = True,
        apart: Apart | None = None,
        schemes: Sequence[str] = (),
    ) -> None:
        self._previews = previews
        self._locked_headers = locked_headers(schemes)
        self._apart = apart
        self._is_closed = apart is not None and apart.street is not None  # to short links
        self.pulse = pulse
        self._lost = 0
        spool.turned = self._turned
        self._directory = directory
        self.capture = capture
        self.spool = spool
        self._forward = forward
        self._watch = watch
        self.leaving = False  # the worker ends: no connection outlives its answer

    def _turned(self, count: int, seconds: float) -> None:
        lost, self._lost = self.spool.lost - self._lost, self.spool.lost
        self.pulse.turn(count, seconds, lost)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._live(receive, send)
            return
        code = scope["path"][1:]
        if code.endswith("/"):
            code = code[:-1]
        domain = self._directory.domain(scope["headers"])
        if domain is not None and not _is_ours_everywhere(scope):
            # Nobody signs in on a workspace's domain: its owner could read what is sent there, once it leads elsewhere.
            if not code or "/" in code or code.lower() in RESERVED:
                await self._page(Answer.UNKNOWN, scope, send, UNKNOWN)
                return
        elif not code or "/" in code or code.lower() in RESERVED:
            first = code.split("/", 1)[0].lower()
            if scope["path"] == LIVE_PATH and scope["method"] in ("GET", "HEAD"):
                await _send(scope, send, 200, *LIVE)  # never asked of the app, which may be away
            elif first in RESERVED or not code:
                if self._apart is None or self._apart.keeps(first):
                    await self._to_app(scope, receive, send)
                else:
                    await self._leave(self._apart.app or "", NO_APP, scope, send)
            else:
                await self._page(Answer.UNKNOWN, scope, send, UNKNOWN)
            return
        if self._apart is not None and self._apart.street is not None:
            await self._leave(self._apart.street, NO_STREET, scope, send)
            return
        if scope["method"] not in ("GET", "HEAD"):
            await self._page(Answer.METHOD, scope, send, METHOD, (b"allow", b"GET, HEAD"))
            return
        showing = self._previews and code.endswith("+")  # no code has a plus sign
        code = code[:-1] if showing else code
        entry = self._directory.find(code, domain)
        now_ms = time.time_ns() // 1_000_000
        if entry is None and self._directory.is_unsure:
            await self._page(Answer.UNSURE, scope, send, UNSURE, (b"retry-after", b"5"))
        elif entry is None:
            await self._page(Answer.UNKNOWN, scope, send, UNKNOWN)
        elif entry.expires_ms and entry.expires_ms <= now_ms:
            await self._page(Answer.EXPIRED, scope, send, EXPIRED)
        elif entry.starts_ms > now_ms:
            await self._page(Answer.EARLY, scope, send, EARLY)
        elif showing and not entry.lock:
            self.pulse.answered(Answer.PREVIEW)
            await _send(scope, send, 200, *preview((entry.url + entry.fragment).decode("ascii")))
        else:
            await self._follow(entry, with_domain(code, domain.name) if domain else code, scope, send)

    async def _follow(self, entry: Entry, code: str, scope: Scope, send: Send) -> None:
        """Count the click and send the visitor on, or ask for the link's password first."""
        query, opened = scope["query_string"], True
        if entry.lock:
            opened, query = opens(entry.lock, code, query)
        scanned, query = marked(query) if query else (False, query)
        if not opened:
            self.pulse.answered(Answer.LOCKED)
            asked = query.decode("latin-1")
            said = locked(code, f"q&{asked}" if scanned else asked)
            await _send(scope, send, 401, *said, policy=self._locked_headers)
            return
        client = scope.get("client")
        peer, head, way = client[0] if client else "", scope["method"] == "HEAD", None
        if entry.ways is None:
            number = click_number(entry.link, scanned=scanned)
            written = self.capture.record(number, peer, scope["headers"], head=head)
        else:
            written, way = self.capture.by_way(
                entry.link, entry.ways, peer, scope["headers"], head=head, scanned=scanned
            )
        await written
        location = (b"location", entry.location(query, way))
        headers = [location, NOT_CACHED, (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": entry.status, "headers": headers})
        await send(EMPTY)

    async def _page(
        self,
        kind: Answer,
        scope: Scope,
        send: Send,
        what: tuple[int, str, str],
        *more: tuple[bytes, bytes],
    ) -> None:
        self.pulse.answered(kind)
        await _send_page(scope, send, what, *more)

    async def _leave(self, base: str, page: tuple[int, str, str], scope: Scope, send: Send) -> None:
        """Send on who asks for what is on another machine (307: with all they sent), where it is known which."""
        assert self._apart is not None
        location = self._apart.location(base, scope)
        if location is None:
            await self._page(Answer.UNKNOWN, scope, send, page)
            return
        self.pulse.answered(Answer.APP)
        headers = [(b"location", location), NOT_CACHED, (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 307, "headers": headers})
        await send(EMPTY)

    def short_link(self, target: bytes, method: bytes, headers: Headers) -> Entry | None:
        """The link that a request asks for, if that is all there is to know: it is in memory and lives.

        None means that `__call__` has to look. With `spool_fsync_ms` 0 it always does: answers wait for the disk,
        and the ASGI way keeps those of one connection in order.
        """
        if method not in QUICK or self._is_closed or not self.spool.answers_at_once:
            return None
        entry = self._directory.known(target.partition(b"?")[0], headers)
        if entry is None or not entry.plain:
            return None
        if entry.expires_ms and entry.expires_ms <= time.time_ns() // 1_000_000:
            return None
        return entry

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
                self.spool.close()
                await self._forward.close()
                self.pulse.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _follow_atlas(self) -> None:
        """Locate by a newer atlas as soon as one is put in use."""
        while True:
            await asyncio.sleep(EVERY_S)
            if folder := self._watch.newer():
                try:
                    self.capture.take(folder)
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
            self.pulse.answered(Answer.APP)
        except AppAway as error:
            self.pulse.answered(Answer.AWAY)
            log.warning("the app process does not answer: %s", error)
            if not started and (said := AWAY.get(scope["path"])):
                await _send(scope, send, 503, *said)
            elif not started:
                await _send_page(scope, send, STARTING)
        except BadBody as error:
            self.pulse.answered(Answer.UNREADABLE)
            await _send_page(scope, send, error.page)


def _is_ours_everywhere(scope: Scope) -> bool:
    """Whether a path is answered on every domain: what crawlers and browsers ask for, and the form of a locked link."""
    path = scope["path"]
    return path in EVERYWHERE or (scope["method"] == "POST" and path.startswith("/app/unlock/"))


async def _send_page(
    scope: Scope, send: Send, what: tuple[int, str, str], *more: tuple[bytes, bytes]
) -> None:
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    wants_json = scope["path"].startswith("/api/") or (b"json" in accept and b"text/html" not in accept)
    await _send(scope, send, what[0], *page(*what, as_json=wants_json), *more)


async def _send(
    scope: Scope,
    send: Send,
    status: int,
    body: bytes,
    kind: bytes,
    *more: tuple[bytes, bytes],
    policy: tuple[tuple[bytes, bytes], ...] = HEADERS,
) -> None:
    headers = [
        (b"content-type", kind),
        NOT_CACHED,
        (b"content-length", str(len(body)).encode()),
        *policy,
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": body, "more_body": False})


def create_street(
    settings: Settings, secret: SharedSecret | None = None, slot: int = 0, apart: Apart | None = None
) -> Street:
    """The application of street worker number `slot`; workers that count visitors together share a `secret`.

    Raises `Problem` without an atlas.
    """
    watch = Watch(settings.data / "atlas")
    folder = current(settings.data / "atlas")
    if folder is None:
        raise Problem(503, "No atlas", "There is no atlas yet.", remedy="Run 'clickatlas atlas update'.")
    url = settings.database_url
    links = Replica(settings.data, where(url)) if url else LinksDatabase(settings.data)
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
        Forward(apart.socket if apart else settings.app_socket, proxies, max_upload=settings.import_mb << 20),
        watch,
        Pulse.open(settings.data / "run", slot),
        previews=settings.preview_pages,
        schemes=settings.app_schemes,
        apart=apart,
    )
