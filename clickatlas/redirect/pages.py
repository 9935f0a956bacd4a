"""The small pages a visitor sees when a link leads nowhere."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from urllib.parse import urlsplit

from clickatlas.errors import PROBLEM
from clickatlas.links.destination import host_as_read
from clickatlas.links.schemes import WEB_SCHEMES, scheme_of

_STYLE = """
:root { color-scheme: light dark }
body { font: 1.1rem/1.55 system-ui, sans-serif; max-width: 32rem; margin: 18vh auto 0; padding: 0 1.5rem }
h1 { font-size: 1.5rem; margin: 0 0 .4rem } p { margin: 0; opacity: .75 }
form { display: flex; gap: .6rem; margin: 1.2rem 0 0 } label { flex: 1; font-size: .9rem }
input, button { font: inherit; box-sizing: border-box; padding: .45rem .7rem; border-radius: .5rem; border: 1px solid gray }
input { display: block; width: 100% } button { align-self: end; cursor: pointer }
[role=alert] { margin: .8rem 0 0; opacity: 1; color: light-dark(#b3261e, #ff8a80) }
"""
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>{title}</title>
<style>{style}</style>
<h1>{title}</h1><p>{detail}</p></html>
"""

_FORM = """<form method="post" action="/app/unlock/{code}"><label>Password
<input name="password" type="password" required autofocus maxlength="1000" autocomplete="off"></label>
<input name="query" type="hidden" value="{query}"><button>Open</button></form>"""
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
        return json.dumps(document).encode(), PROBLEM.encode()
    text = _PAGE.format(style=_STYLE, title=html.escape(title), detail=html.escape(detail))
    return text.encode(), b"text/html; charset=utf-8"


def preview(url: str) -> tuple[bytes, bytes]:
    """(body, content type): where a link leads, to read before going there."""
    host, plain = host_as_read(url), urlsplit(url).hostname or ""
    named = host if host == plain else f"{host} ({plain})"
    if scheme_of(url) not in WEB_SCHEMES:
        named = f"an app, by {host}"
    shown = html.escape(url)
    detail = f'<a rel="noreferrer" href="{shown}">{shown}</a>'
    text = _PAGE.format(style=_STYLE, title=html.escape(f"This link leads to {named}"), detail=detail)
    return text.encode(), b"text/html; charset=utf-8"


def locked(code: str, query: str, *, wrong: bool = False) -> tuple[bytes, bytes]:
    """(body, content type): asks for a link's password; `query` is what the short link was asked for with."""
    said = '<p role="alert">That is not the password.</p>' if wrong else ""
    form = _FORM.format(code=html.escape(code), query=html.escape(query))
    detail = f"Whoever shared it can tell you.</p>{said}{form}<p>"
    text = _PAGE.format(style=_STYLE, title="This link needs a password", detail=detail)
    return text.encode(), b"text/html; charset=utf-8"


def leave() -> tuple[bytes, bytes]:
    """(body, content type): asks whether a digest is to end; the form goes to the page's own address."""
    form = '<form method="post"><button>No more of these</button></form>'
    detail = f"It is not sent to you any more then.</p>{form}<p>"
    text = _PAGE.format(style=_STYLE, title="End this digest?", detail=detail)
    return text.encode(), b"text/html; charset=utf-8"


def locked_headers(schemes: Sequence[str] = ()) -> tuple[tuple[bytes, bytes], ...]:
    """Headers of a page with a form. A browser holds its policy against the redirects that follow, too: they lead anywhere that
    a link may, so to apps by `schemes`."""
    told = " ".join(f"{scheme}:" for scheme in (*WEB_SCHEMES, *schemes)).encode("ascii")
    return tuple(
        (name, value.replace(b"form-action 'none'", b"form-action 'self' " + told))
        if name != b"referrer-policy"
        else (name, b"same-origin")  # else it would send "Origin: null", as if it came from elsewhere
        for name, value in HEADERS
    )


LOCKED_HEADERS = locked_headers()
EARLY = (404, "This link is not open yet", "Whoever shared it set a day for it to start. Try again later.")
UNKNOWN = (404, "This link leads nowhere", "Check it for a typing mistake: capital letters count.")
UNSURE = (503, "This link can't be looked up", "It may be a new one. Try again in a moment.")
EXPIRED = (410, "This link has expired", "Whoever shared it set it to end. Ask them for a new one.")
STARTING = (503, "Just starting", "clickatlas is getting ready. Try again in a moment.")
METHOD = (405, "Method not allowed", "A short link answers GET and HEAD.")
TOO_LARGE = (413, "Too large", "That is more than this server takes at once.")
UNREADABLE = (400, "Not readable", "The request breaks off.")
