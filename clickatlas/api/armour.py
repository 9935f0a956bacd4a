"""Headers that every answer of the app carries, and what is known of the way to it."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clickatlas.settings import Settings

Header = tuple[bytes, bytes]
HEADERS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"x-frame-options", b"DENY"),
)
# What is no page needs nothing, should a browser be made to show it as one. But a worker goes by its script's policy.
NOTHING = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
HSTS = (b"strict-transport-security", b"max-age=31536000")


def over_tls(request: HTTPConnection, settings: Settings) -> bool:
    """Whether the visitor came over TLS: by the public address, or as a trusted proxy told the street."""
    return settings.base_url.startswith("https://") or request.headers.get("x-forwarded-proto") == "https"


def address_of(request: HTTPConnection) -> str:
    """The address that asks, as the street found it out; empty on the app's own socket."""
    return request.headers.get("x-forwarded-for", "")


class Armour:
    """ASGI middleware that adds the headers an answer doesn't set itself."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        tls = over_tls(HTTPConnection(scope), self._settings)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(
                    message,
                    NOTHING if not scope["path"].startswith("/static/") else None,
                    HSTS if tls else None,
                    *scope.get("state", {}).get("rate", ()),
                )
            await send(message)

        await self._app(scope, receive, sending)


def _add(message: MutableMapping[str, Any], *more: Header | None) -> None:
    headers = list(message.get("headers", ()))
    there = {name.lower() for name, _ in headers}
    wanted = [*HEADERS, *(header for header in more if header)]
    policy = next((value for name, value in headers if name.lower() == b"content-security-policy"), b"")
    if b"frame-ancestors" in policy and b"frame-ancestors 'none'" not in policy:
        # A page that may be embedded, as its policy says more exactly: browsers heed this older word in its place.
        there.add(b"x-frame-options")
    message["headers"] = headers + [(name, value) for name, value in wanted if name not in there]
