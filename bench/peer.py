"""What `bench.redirect` compares with: a bare FastAPI redirect, and the least that a server in Python can do."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from fastapi.responses import RedirectResponse

DESTINATION = "https://example.com/landing"

app = FastAPI()


@app.get("/{code}")
async def redirect(code: str) -> RedirectResponse:
    """Send everybody to the same place."""
    return RedirectResponse(DESTINATION, 302)


async def least(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """A raw ASGI function that answers 302 at once: what is left for ours is the difference."""
    if scope["type"] == "http":
        headers = [(b"location", DESTINATION.encode()), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 302, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
