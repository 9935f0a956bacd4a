"""Schemes of addresses that open an app, as the operator allows them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

WEB_SCHEMES = ("http", "https")
SCHEME = re.compile(
    r"[a-z][a-z0-9+.-]{0,39}"
)  # RFC 3986, 3.1, in lower case; of a length that is read at a glance
# What runs script, carries a page, reads the visitor's files, stays inside the browser or wraps another address, and what
# Windows was attacked by: whoever makes links must not reach it, whatever an operator allows.
NEVER = frozenset(
    {
        "javascript", "livescript", "mocha", "vbscript", "data", "blob", "filesystem", "file", "about", "view-source", "jar",
        "feed", "chrome", "chrome-extension", "chrome-untrusted", "devtools", "edge", "moz-extension", "resource", "mhtml", "res",
        "ws", "wss", "ms-msdt", "ms-officecmd", "search-ms",
    }
)  # fmt: skip


def app_schemes(values: Iterable[str]) -> tuple[str, ...]:
    """`values` in lower case, each once, in their order; http and https go without saying. Raises `ValueError`."""
    found: list[str] = []
    for value in values:
        scheme = value.lower() if value.isascii() else value
        if not SCHEME.fullmatch(scheme):
            raise ValueError(
                f"{value[:60]!r} is no scheme: it starts with a letter, then come letters, digits, '+', '-' or '.', "
                "without the colon, as myapp"
            )
        if scheme in NEVER:
            raise ValueError(f"{scheme!r} can't be allowed: it reaches into the visitor's browser or machine")
        if scheme not in WEB_SCHEMES and scheme not in found:
            found.append(scheme)
    return tuple(found)


def scheme_of(text: str) -> str:
    """The scheme before the first colon of `text`, in lower case; '' where there is none."""
    scheme, colon, _ = text.partition(":")
    scheme = scheme.lower() if scheme.isascii() else ""
    return scheme if colon and SCHEME.fullmatch(scheme) else ""


def is_app(text: str, allowed: Collection[str]) -> bool:
    """Whether `text` starts with a scheme that is `allowed`, and may be at all."""
    scheme = scheme_of(text)
    return scheme in allowed and scheme not in NEVER and scheme not in WEB_SCHEMES


def starts(allowed: Collection[str]) -> str:
    """How an address may start, in words: ``http:// or https://``, ``http://, https:// or myapp:``."""
    *some, last = "http://", "https://", *(f"{scheme}:" for scheme in allowed)
    return f"{', '.join(some)} or {last}"
