"""What a visitor's request says: device, browser, language, network kind; never who they are."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
from functools import lru_cache
from urllib.parse import urlsplit

from clickatlas.redirect.record import Agent

# An agent string costs about 30 µs to take apart, a dictionary hit 50 ns.
AGENT_CACHE = 20_000
_LANGUAGE = re.compile(r"^([a-zA-Z]{2,3})(?:-([a-zA-Z]{4}))?(?:-([a-zA-Z]{2}|\d{3}))?$")


@lru_cache(maxsize=AGENT_CACHE)
def read_agent(user_agent: str) -> tuple[str, str, str, bool]:
    """Device, browser and system of a ``User-Agent``, and whether it declares itself a crawler.

    Device is one of desktop, mobile, tablet, other. Empty agents are ``other``, and no crawler.
    """
    import crawleruseragents
    import ua_parser

    text = user_agent[:512]
    if not text.strip():
        return "other", "", "", False
    parsed = ua_parser.parse(text)
    browser = parsed.user_agent.family if parsed.user_agent else ""
    system = parsed.os.family if parsed.os else ""
    return _device(text, system), browser, system, bool(crawleruseragents.is_crawler(text))


def _device(text: str, system: str) -> str:
    if "iPad" in text or "Tablet" in text or ("Android" in text and "Mobile" not in text):
        return "tablet"
    if "Mobile" in text or "iPhone" in text or system in ("iOS", "Android"):
        return "mobile"
    if system in ("Windows", "Mac OS X", "Linux", "Ubuntu", "Chrome OS", "Fedora", "FreeBSD", "OpenBSD"):
        return "desktop"
    return "other"


@lru_cache(maxsize=4096)
def first_language(header: str) -> str:
    """The language tag a visitor prefers, such as ``en-US``; empty where the header is unreadable."""
    match = _LANGUAGE.match(header.split(",", 1)[0].split(";", 1)[0].strip())
    if not match:
        return ""
    language, _script, region = match.groups()
    return f"{language.lower()}-{region.upper()}" if region else language.lower()


@lru_cache(maxsize=AGENT_CACHE)
def referrer_host(header: str) -> str:
    """The host of the page that a visitor came from, without ``www.``; empty where there is none."""
    try:
        host = urlsplit(header[:2048]).hostname or ""
    except ValueError:
        return ""
    if not host.isprintable() or len(host) > 253:
        return ""
    return host.removeprefix("www.")


def agent_term(agent: Agent) -> str:
    """An agent as one spool term; `Agent(*term.split("\\x1f"))` reads it back."""
    return "\x1f".join(agent)


class VisitorKey:
    """A random key that lives in memory only and is replaced every UTC day.

    Visitors are counted by a keyed hash of address, agent and link, so one person is one
    visitor per link and day, and yesterday's hashes can't be tied to today's or to anyone.
    """

    def __init__(self) -> None:
        self._day = -1
        self._key = b""

    def hash(self, time_ms: int, address: str, user_agent: str, link: int) -> int:
        """64 bits (never 0) that stand for this visitor of this link today."""
        day = time_ms // 86_400_000
        if day != self._day:
            self._day, self._key = day, secrets.token_bytes(32)
        text = f"{address}\x1f{user_agent}\x1f{link}".encode("utf-8", "surrogateescape")
        return int.from_bytes(hashlib.blake2b(text, digest_size=8, key=self._key).digest(), "little") or 1


class Proxies:
    """Whose forwarded headers are believed."""

    def __init__(self, networks: tuple[str, ...]) -> None:
        self._networks = [ipaddress.ip_network(network, strict=False) for network in networks]
        self._trusted = lru_cache(maxsize=4096)(self._is_trusted)

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(parsed, "ipv4_mapped", None) or parsed
        return any(mapped.version == n.version and mapped in n for n in self._networks)

    def visitor_address(self, peer: str, forwarded_for: list[str], forwarded: list[str]) -> str:
        """The address that clicked: the right-most hop that is not a trusted proxy.

        `forwarded_for` and `forwarded` are the values of all headers of that name, in order.
        ``X-Forwarded-For`` wins where both came, since it is the one that proxies overwrite.
        """
        if not self._networks or not self._trusted(peer):
            return peer
        if forwarded_for:
            hops = [hop.strip() for value in forwarded_for for hop in value.split(",")]
        else:
            hops = [hop for value in forwarded for hop in _forwarded_hops(value)]
        for hop in reversed(hops):
            address = _without_port(hop)
            if not self._trusted(address):
                return address
        return _without_port(hops[0]) if hops else peer


def _forwarded_hops(value: str) -> list[str]:
    """The ``for=`` parts of one ``Forwarded`` header (RFC 7239), in order."""
    return [match.group(1).strip('"') for match in re.finditer(r'(?i)\bfor=("[^"]*"|[^;,\s]*)', value)]


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].split("]", 1)[0]
    return hop.split(":", 1)[0] if hop.count(":") == 1 else hop
