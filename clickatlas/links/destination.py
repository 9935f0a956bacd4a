"""Where a link may lead, and what its code may be."""

from __future__ import annotations

import ipaddress
import re
import secrets
from collections.abc import Sequence
from urllib.parse import quote, urlsplit, urlunsplit

from clickatlas.errors import conflict, invalid
from clickatlas.links.schemes import WEB_SCHEMES, is_app, scheme_of, starts

RESERVED = frozenset(
    {"api", "app", "docs", "static", "health", "metrics", "robots.txt", "favicon.ico", ".well-known"}
)
# Letters and digits that nobody mistakes for each other when read off a poster.
CLEAR_LETTERS = "23456789abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
_CODE = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,63}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
KEEP = "!#$%&'()*+,/:;=?@[]~-._"
_HOST = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")
MAX_URL = 8192
WEB = frozenset({80, 443})
MAX_CODE = 64


def random_code(length: int = 6) -> str:
    """A code of `length` clear letters; 6 of them make 30 billion."""
    return "".join(secrets.choice(CLEAR_LETTERS) for _ in range(length))


def checked_code(code: str) -> str:
    """`code` if a link may have it; raises `Problem` (422, 409 for a reserved word)."""
    if code.lower() in RESERVED:
        raise conflict(f"The code {code!r} is reserved for clickatlas itself.", remedy="Choose another code.")
    if not _CODE.fullmatch(code):
        raise invalid(
            f"The code {code[:80]!r} can't be used.",
            remedy="Use 1 to 64 letters, digits, '-', '_', '~' or '.', and don't start with '.'.",
            field="code",
        )
    return code


def checked_url(url: str, schemes: Sequence[str] = ()) -> str:
    """`url` as an ASCII-only address of the web, or of an app by one of `schemes`, safe in a header; raises `Problem` (422).

    Host names go to punycode (IDNA), other characters to percent-encoded UTF-8.
    """
    text = url.strip()
    if not text or _CONTROL.search(text) or len(text) > MAX_URL:
        raise _bad_url("is empty, too long or has control characters")
    if is_app(text, schemes):
        return _of_app(text)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _bad_url(f"can't be read ({error})") from None
    if parts.scheme.lower() not in WEB_SCHEMES:
        raise _bad_url(f"does not start with {starts(schemes)}")
    if not host:
        raise _bad_url("names no host")
    if parts.username is not None or parts.password is not None:
        raise _bad_url("carries a user name or password")
    if ":" in host:
        ascii_host = _bracketed(host)
    else:
        try:
            ascii_host = host.encode("ascii").decode() if host.isascii() else host.encode("idna").decode()
        except UnicodeError:
            raise _bad_url(f"names a host that can't exist ({host})") from None
        if not _HOST.fullmatch(ascii_host):
            raise _bad_url(f"names a host that can't exist ({host})")
    netloc = f"{ascii_host}:{port}" if port is not None else ascii_host
    result = urlunsplit(
        (
            parts.scheme.lower(),
            netloc,
            quote(parts.path, safe=KEEP),
            quote(parts.query, safe=KEEP),
            quote(parts.fragment, safe=KEEP),
        )
    )
    if len(result) > MAX_URL:
        raise _bad_url("is too long")
    return result


def _of_app(text: str) -> str:
    """An address of an app: what is behind the scheme is the app's own, but no password, and nothing outside ASCII."""
    scheme, _, rest = text.partition(":")
    if not rest:
        raise _bad_url(f"says nothing behind {scheme.lower()}:")
    authority = re.split(r"[/?#]", rest[2:], maxsplit=1)[0] if rest.startswith("//") else ""
    if "@" in authority:
        raise _bad_url("carries a user name or password")
    result = f"{scheme.lower()}:{quote(rest, safe=KEEP)}"
    if len(result) > MAX_URL:
        raise _bad_url("is too long")
    return result


def refuse_some(
    url: str, own: str, blocked: Sequence[str], domains: Sequence[str] = (), schemes: Sequence[str] = ()
) -> None:
    """Raise `Problem` (422) where `url` leads to `own` address again, to one of the workspace's own `domains` of short
    links, or to a host that the operator blocks.

    `blocked` hosts stand for all hosts below them, too. On the ports of the web http and https are one: a proxy leads
    from one to the other. An address of an app (`schemes`) has no host in that sense.
    """
    checked = checked_url(url, schemes)
    if scheme_of(checked) not in WEB_SCHEMES:
        return
    host, port = _where(checked)
    own_host, own_port = _where(checked_url(own))
    here = WEB | {own_port} if own_port in WEB else {own_port}
    if host == own_host and port in here:
        raise _circle("clickatlas itself")
    if host in domains and port in WEB | {own_port}:
        raise _circle(f"{host}, a domain of your own short links")
    for name in blocked:
        if host == name or host.endswith(f".{name}"):
            raise invalid(
                f"Links to {name} are not allowed here.", remedy="Ask who runs this clickatlas.", field="url"
            )


def host_as_read(url: str) -> str:
    """The host of a checked `url` as people write it: in Unicode, where it has another spelling. An app's is its scheme, ``myapp:``."""
    if (scheme := scheme_of(url)) not in WEB_SCHEMES:
        return f"{scheme}:"
    host = urlsplit(url).hostname or ""
    try:
        return host.encode("ascii").decode("idna")
    except UnicodeError:
        return host


def _where(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    return host, parts.port or (443 if parts.scheme == "https" else 80)


def _bracketed(host: str) -> str:
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        raise _bad_url(f"names a host that can't exist ({host})") from None
    if address.scope_id is not None:  # [fe80::1%eth0]
        raise _bad_url("names a network interface, which means something on one machine only")
    return f"[{address}]"


def _circle(where: str) -> Exception:
    return invalid(
        f"The destination is on {where}, which could lead in a circle.",
        remedy="Give the address where visitors are to arrive.",
        field="url",
    )


def _bad_url(why: str) -> Exception:
    return invalid(
        f"The destination {why}.",
        remedy="Give a whole address, such as https://example.com/page.",
        field="url",
    )
