"""The small pages a visitor sees when a link leads nowhere."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from urllib.parse import urlsplit

from clickatlas.links.destination import host_as_read

_STYLE = """
:root { color-scheme: light dark }
body { font: 1.1rem/1.55 system-ui, sans-serif; max-width: 32rem; margin: 18vh auto 0; padding: 0 1.5rem }
h1 { font-size: 1.5rem; margin: 0 0 .4rem } p { margin: 0; opacity: .75 }
"""
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>{title}</title>
<style>{style}</style>
<h1>{title}</h1><p>{detail}</p></html>
"""

_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = (
    (b"content-security-policy",
     f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; "
     "frame-ancestors 'none'".encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)  # fmt: skip


def page(status: int, title: str, detail: str, *, as_json: bool) -> tuple[bytes, bytes]:
    """(body, content type): a readable page, or an RFC 9457 document where JSON was asked for."""
    if as_json:
        document = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        return json.dumps(document).encode(), b"application/problem+json"
    text = _PAGE.format(style=_STYLE, title=html.escape(title), detail=html.escape(detail))
    return text.encode(), b"text/html; charset=utf-8"


def preview(url: str) -> tuple[bytes, bytes]:
    """(body, content type): where a link leads, to read before going there."""
    host, plain = host_as_read(url), urlsplit(url).hostname or ""
    named = host if host == plain else f"{host} ({plain})"
    shown = html.escape(url)
    detail = f'<a rel="noreferrer" href="{shown}">{shown}</a>'
    text = _PAGE.format(style=_STYLE, title=html.escape(f"This link leads to {named}"), detail=detail)
    return text.encode(), b"text/html; charset=utf-8"


UNKNOWN = (404, "This link leads nowhere", "Check it for a typing mistake: capital letters count.")
EXPIRED = (410, "This link has expired", "Whoever shared it set it to end. Ask them for a new one.")
STARTING = (503, "Just starting", "clickatlas is getting ready. Try again in a moment.")
METHOD = (405, "Method not allowed", "A short link answers GET and HEAD.")
TOO_LARGE = (413, "Too large", "That is more than this server takes at once.")
UNREADABLE = (400, "Not readable", "The request breaks off.")
