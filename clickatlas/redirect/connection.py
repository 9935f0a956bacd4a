"""A visitor's HTTP/1.1 connection: a short link is answered here, at once; all else goes the ASGI way.

uvicorn's connection, on llhttp, with a short cut: between a known link's last header and its answer lie the
click's record and the spool's write, and no task, no scope and no message. Also here is what keeps a
connection from costing more than it should: how long a head may take, how large it may be, and how long
nobody may say anything.
"""

from __future__ import annotations

import logging
from asyncio import AbstractEventLoop, Transport
from typing import TYPE_CHECKING, Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from clickatlas.links.ways import click_number, marked
from clickatlas.redirect.pulse import Answer

if TYPE_CHECKING:
    from clickatlas.redirect.directory import Entry
    from clickatlas.redirect.server import Street

log = logging.getLogger("clickatlas.redirect")
MAX_HEAD = 32 << 10  # bytes; what came in one piece with its end may be larger
HEAD_S = 15.0  # for a request's head, from its first byte: a drip of bytes doesn't stretch it
BODY_S = 120.0
IDLE_S = 75.0
LEAVING_S = 0.5  # what an idle connection gets of a worker that ends
MOST_WAITING = 256  # short links of one connection; the event loop would read megabytes of them in a turn
FOUND = {  # 301, too, is asked for again each time: else it would be counted once
    status: b"HTTP/1.1 %d %b\r\ncontent-length: 0\r\ncache-control: private, no-store\r\nlocation: "
    % (status, phrase)
    for status, phrase in ((301, b"Moved Permanently"), (302, b"Found"), (307, b"Temporary Redirect"))
}


class Connection(HttpToolsProtocol):
    """One connection of a street worker. The application of `config` is a `Street`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._street = cast("Street", config.loaded_app)
        self._capture = self._street.capture
        self._peer = ""
        self._entry: Entry | None = None  # of the short link whose end is awaited
        self._head = False  # amid the head of a request
        self._body = False  # amid the body of one
        self._began = 0.0
        self._heard = 0.0
        self._size = 0  # bytes since that began, but for the piece in which it did
        self._heard_out = False
        self._waiting = 0  # short links whose answer waits for the spool

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """A visitor is there."""
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else ""
        self._heard = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Read what came, and answer all of it that can be answered at once."""
        self._heard = self.loop.time()
        self._size += len(data)
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            cause = error.__context__
            if cause is None or isinstance(cause, httptools.HttpParserError):
                self._refuse(400, b"Bad Request", Answer.UNREADABLE)
            else:  # ours, raised within the parser
                log.error("a request could not be answered", exc_info=cause)
                self._refuse(500, b"Internal Server Error", Answer.UNREADABLE)
        except httptools.HttpParserUpgrade:
            pass  # an offer, which is declined by answering
        else:
            if self._head and self._size > MAX_HEAD:
                self._refuse(431, b"Request Header Fields Too Large", Answer.UNREADABLE)

    def on_message_begin(self) -> None:
        """A request begins."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._head = True
        self._size = 0
        self._began = self._heard

    def on_headers_complete(self) -> None:
        """Its head is read: a short link, or something else."""
        self._head = False
        self._body = True
        if self._answered:
            self._entry = self._street.short_link(self.url, self.parser.get_method(), self.headers)
            if self._entry is not None:
                return
        else:
            self._entry = None
        if self._waiting:
            self._street.spool.flush()  # answers keep the order of their questions
        headers, url = self.headers, self.url
        expects = self.expect_100_continue
        super().on_message_begin()
        self.scope["headers"] = self.headers = headers
        self.url, self.expect_100_continue = url, expects
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Some of its body; a short link has no use for one."""
        if self._entry is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Its end is read."""
        self._body = False
        entry = self._entry
        if entry is None:
            super().on_message_complete()
            return
        self._entry = None
        stays = self.parser.should_keep_alive() and not self._street.leaving
        if stays and self.parser.get_http_version() == "1.0":
            stays = False
        link, query = entry.link, self.url.partition(b"?")[2]
        if query:
            scanned, query = marked(query)
            link = click_number(link, scanned=True) if scanned else link
        answer = b"".join(
            (
                FOUND[entry.status],
                entry.location(query),
                b"\r\ndate: " if stays else b"\r\nconnection: close\r\ndate: ",
                self.server_state.default_headers[0][1],
                b"\r\n\r\n",
            )
        )
        self._waiting += 1
        if self._waiting == MOST_WAITING:
            self.flow.pause_reading()
        self._capture.answer(
            link,
            self._peer,
            self.headers,
            self._deliver if stays else self._deliver_last,
            answer,
            head=self.parser.get_method() == b"HEAD",
        )

    def eof_received(self) -> bool:  # type: ignore[override]
        """They won't say any more, but may still listen: what they asked is answered before this closes."""
        self._heard_out = True
        return bool(self._waiting or not (self._answered or self._body))

    def _deliver(self, answer: bytes) -> None:
        self._waiting -= 1
        if not self.transport.is_closing():
            self.transport.write(answer)
            if not self._waiting and self.flow.read_paused and not self.flow.write_paused:
                self.flow.resume_reading()
            if self._heard_out and self.is_idle:
                self.transport.close()

    def _deliver_last(self, answer: bytes) -> None:
        self._deliver(answer)
        self.transport.close()

    def _refuse(self, status: int, phrase: bytes, kind: Answer) -> None:
        self._street.pulse.answered(kind)
        if self._waiting:
            self._street.spool.flush()
        if not self.transport.is_closing():
            if not self._answered and (self.cycle.response_started or not self._body):
                self.transport.close()  # these words would be taken for the answer that is under way
                return
            self.transport.write(
                b"HTTP/1.1 %d %b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % (status, phrase)
            )
            self.transport.close()

    def tend(self, now: float) -> None:
        """Close what takes too long; called every second or so. `now` is the event loop's time."""
        if self._head:
            if now - self._began > HEAD_S:
                self._refuse(408, b"Request Timeout", Answer.SLOW)
        elif self._body:
            if now - self._began > BODY_S:
                self._street.pulse.answered(Answer.SLOW)
                self.transport.close()
        elif self.is_idle and now - self._heard > (LEAVING_S if self._street.leaving else IDLE_S):
            self.transport.close()

    @property
    def is_idle(self) -> bool:
        """Whether nothing was asked that isn't answered."""
        return self._answered and not (self._head or self._body or self._waiting)

    @property
    def _answered(self) -> bool:
        """Whether no answer of the ASGI way is under way."""
        return self.cycle is None or bool(self.cycle.response_complete)

    @property
    def heard(self) -> float:
        """When something came last, in the event loop's time."""
        return self._heard

    def on_response_complete(self) -> None:
        """An answer of the ASGI way is out."""
        self._heard = self.loop.time()
        super().on_response_complete()
        self._unset_keepalive_if_required()  # `tend` sees to that
        if self._heard_out and self.is_idle:
            self.transport.close()

    def pause_writing(self) -> None:
        """Who doesn't read isn't read from, either: answers to short links would pile up."""
        super().pause_writing()
        self.flow.pause_reading()

    def resume_writing(self) -> None:
        """They read again."""
        super().resume_writing()
        self.flow.resume_reading()

    def shutdown(self) -> None:
        """The worker ends: what is being answered is the last; `tend` closes idle connections."""
        if not self.is_idle and self.cycle is not None:
            self.cycle.keep_alive = False
