"""Bodies that are read as they come, and to their end: no answer overtakes its question on the way to the street."""

from __future__ import annotations

import asyncio

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clickatlas.errors import Problem
from clickatlas.imports.jobs import PIECE_S, Pipe
from clickatlas.redirect.forward import UPLOADS

FULL_S = 0.005  # between two looks at a pipe that is full


class ReadToTheEnd:
    """ASGI middleware: an upload that is refused early is read all the same before its refusal goes out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] not in UPLOADS or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        ended = False

        async def receiving() -> Message:
            nonlocal ended
            message = await receive()
            ended = ended or message["type"] == "http.disconnect" or not message.get("more_body")
            return message

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                try:
                    while not ended:
                        await asyncio.wait_for(receiving(), PIECE_S)
                except TimeoutError:
                    pass
            await send(message)

        await self._app(scope, receiving, sending)


async def poured(request: Request, pipe: Pipe) -> None:
    """All of a request's body through `pipe`, as fast as it is read there. Raises `Problem` (408) where it stands still."""
    pieces = request.stream().__aiter__()
    try:
        while True:
            try:
                piece = await asyncio.wait_for(pieces.__anext__(), PIECE_S)
            except StopAsyncIteration:
                break
            if piece:
                await _put(pipe, piece)
        await _put(pipe, None)
    except ClientDisconnect:
        pipe.broken = True
        raise
    except TimeoutError:
        pipe.broken = True
        raise Problem(408, "Too slow", "The upload stood still.", remedy="Send it again.") from None
    except asyncio.CancelledError:
        pipe.broken = True
        raise


async def _put(pipe: Pipe, piece: bytes | None) -> None:
    while not pipe.closed and not pipe.offer(piece):
        await asyncio.sleep(FULL_S)


async def beginning(request: Request, most: int) -> tuple[bytes, bool]:
    """The first `most` bytes of a body, and whether that is all of it."""
    held, size = bytearray(), 0
    async for piece in request.stream():
        size += len(piece)
        if len(held) < most:
            held += piece[: most - len(held)]
    return bytes(held), size <= most
