"""A wire between a program and its server, on loopback, that can be cut, be slow, swallow what it carries, or answer itself.

`Wire` knows nothing of what goes through it: it is gone, hangs, or carries. `HttpWire` knows where an HTTP request begins and
ends, so it can break just after a server has done what it was asked, or in the middle of what it is told.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import unquote_plus

LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding:\s*chunked", re.IGNORECASE)
LOOKED_AT = 4096  # bytes of a body in which a fault's words are looked for
FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\nConnection: close\r\n\r\nOops\n"


class What(Enum):
    """What happens to a request."""

    REFUSED = "the connection is reset before the server hears of it"
    LOST = "the server does it, and the connection is reset instead of its answer"
    DENIED = "the server does it, and the answer is a 500"
    BROKEN = "the server gets half of it, and the answer is a 500"
    CUT = "the server gets half of it, and both connections end"
    TORN = "the server does it, and half of the answer arrives"
    SWALLOWED = "the server never hears of it, and there is no answer"
    UNANSWERED = "the server does it, and there is no answer"


@dataclass
class Fault:
    """Happens to the next `times` requests that have `words` in them; `met` is how many there have been."""

    what: What
    words: str
    times: int = 1
    met: int = 0
    then: Callable[[], None] | None = field(default=None, repr=False)  # called when the server has got it

    @property
    def is_over(self) -> bool:
        return self.met >= self.times


class Wire:
    """Carries bytes from its own port to another of this machine, in a thread."""

    def __init__(self, port: int, to: int) -> None:
        self.port, self.to = port, to
        self.is_hung = False
        self.carried = 0  # connections
        self._open = set[asyncio.StreamWriter]()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="wire")
        self._thread.start()
        self._do(self._listen())

    def _do(self, work: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._arrived, "127.0.0.1", self.port, limit=1 << 20)

    async def _leave(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._open):
            _reset(writer)

    @contextmanager
    def gone(self) -> Iterator[None]:
        """Nobody listens, and what was open is reset."""
        self._do(self._leave())
        try:
            yield
        finally:
            self._do(self._listen())

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Everything is taken and nothing comes back. What it was told meanwhile is never answered, also afterwards."""
        self.is_hung = True
        try:
            yield
        finally:
            self.is_hung = False

    async def _end(self) -> None:
        await self._leave()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def close(self) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.carried += 1
        self._open.add(writer)
        far: asyncio.StreamWriter | None = None
        try:
            there, far = await asyncio.open_connection("127.0.0.1", self.to, limit=1 << 20)
            self._open.add(far)
            await self._carry(reader, writer, there, far)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            _reset(writer)
        finally:
            for end in (writer, far):
                if end is not None:
                    self._open.discard(end)
                    end.close()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
        there: asyncio.StreamReader, far: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        async def one_way(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            hung = False
            while some := await source.read(1 << 16):
                hung |= self.is_hung
                if not hung:
                    sink.write(some)
                    await sink.drain()
            sink.close()

        await asyncio.gather(one_way(reader, far), one_way(there, writer))


class HttpWire(Wire):
    """Also knows requests: each may be slow by `delay_s` on its way and on its way back, and meet a fault."""

    def __init__(self, port: int, to: int) -> None:
        self.delay_s = 0.0
        self.faults: list[Fault] = []
        self.answered = 0  # requests
        super().__init__(port, to)

    def fault(self, what: What, words: str, times: int = 1, then: Callable[[], None] | None = None) -> Fault:
        """Let it happen; it says itself when it has."""
        made = Fault(what, words, times, then=then)
        self.faults.append(made)
        return made

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        self.delay_s = seconds
        try:
            yield
        finally:
            self.delay_s = 0.0

    def _due(self, head: bytes, body: bytes) -> Fault | None:
        asked = unquote_plus(head.partition(b"\r\n")[0].decode()) + body[:LOOKED_AT].decode(
            "utf-8", "replace"
        )
        for fault in self.faults:
            if not fault.is_over and fault.words in asked:
                fault.met += 1
                return fault
        return None

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
        there: asyncio.StreamReader, far: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        while not reader.at_eof():
            try:
                head, body = await _message(reader)
            except asyncio.IncompleteReadError:
                return
            fault = self._due(head, body)
            await asyncio.sleep(self.delay_s)
            what = fault.what if fault is not None else None
            if self.is_hung or what is What.SWALLOWED:
                await reader.read()  # until the other end has enough
                return
            if what is What.REFUSED:
                _reset(writer)
                return
            if what in (What.BROKEN, What.CUT):
                far.write(head + body[: len(body) // 2])
                await far.drain()
                far.close()
                if what is What.BROKEN:
                    writer.write(FAILED)
                    await writer.drain()
                return
            far.write(head + body)
            await far.drain()
            if fault is not None and fault.then is not None:
                await asyncio.to_thread(fault.then)
            said, answer = await _message(there)
            await asyncio.sleep(self.delay_s)
            if what is What.LOST:
                _reset(writer)
                return
            if self.is_hung or what is What.UNANSWERED:
                await reader.read()
                return
            if what is What.DENIED:
                writer.write(FAILED)
                await writer.drain()
                return
            if what is What.TORN:
                whole = said + answer
                writer.write(whole[: len(whole) // 2])
                await writer.drain()
                return
            writer.write(said + answer)
            await writer.drain()
            self.answered += 1


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of a request or an answer, as they were sent."""
    head = await reader.readuntil(b"\r\n\r\n")
    if length := LENGTH.search(head):
        return head, await reader.readexactly(int(length[1]))
    if not CHUNKED.search(head):
        return head, b""
    parts = []
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        parts += [line, await reader.readexactly(size + 2)]
        if not size:
            return head, b"".join(parts)


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection so that the other end gets a reset and not an end."""
    with suppress(OSError):
        if (raw := writer.get_extra_info("socket")) is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
