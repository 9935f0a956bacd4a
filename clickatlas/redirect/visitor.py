"""What a visitor's request says: device, browser, language, network kind; never who they are."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from functools import cache, lru_cache
from socket import AF_INET, AF_INET6, inet_pton
from urllib.parse import urlsplit

from clickatlas.redirect.apps import app
from clickatlas.redirect.record import Agent
from clickatlas.redirect.secret import DaySecrets, SharedSecret

# An agent string costs about 30 µs to take apart, a dictionary hit 50 ns.
AGENT_CACHE = 20_000
_CRAWLS = re.compile(r"(?i)bot|crawl|scrapy|httrack")
_LANGUAGE = re.compile(r"^([a-zA-Z]{2,3})(?:-([a-zA-Z]{4}))?(?:-([a-zA-Z]{2}|\d{3}))?$")


@lru_cache(maxsize=AGENT_CACHE)
def read_agent(user_agent: str) -> tuple[str, str, str, bool]:
    """Device, browser and system of a ``User-Agent``, and whether it declares itself a crawler.

    Device is one of desktop, mobile, tablet, other. Empty agents are ``other``, and no crawler.
    """
    import ua_parser

    text = user_agent[:512]
    if not text.strip():
        return "other", "", "", False
    parsed = ua_parser.parse(text)
    browser = app(text) or (parsed.user_agent.family if parsed.user_agent else "")
    system = parsed.os.family if parsed.os else ""
    return _device(text, system), browser, system, any(crawlers.search(text) for crawlers in _crawlers())


@cache
def _crawlers() -> list[re.Pattern[str]]:
    """The shared list of crawlers, 25 patterns at a time (one of 1,500 would be ten times slower).

    Left out are HTTP libraries and tools (curl, python-requests): they declare no crawler, and a
    script on a home line is somebody's click. From a data centre they are left out as hosting.
    """
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA

    patterns = [
        entry["pattern"]
        for entry in CRAWLER_USER_AGENTS_DATA
        if "http-library" not in entry.get("tags", ()) or _CRAWLS.search(entry["pattern"])
    ]
    return [re.compile("|".join(patterns[at : at + 25])) for at in range(0, len(patterns), 25)]


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


@lru_cache(maxsize=AGENT_CACHE)
def read_headers(user_agent: str, accept_language: str) -> tuple[str, bool]:
    """The spool term of these two headers, and whether a crawler declares itself."""
    device, browser, system, crawler = read_agent(user_agent)
    return agent_term(Agent(device, browser, system, first_language(accept_language))), crawler


class VisitorKey:
    """A random key that lives in memory only and is replaced every UTC day.

    Visitors are counted by a keyed hash of address, agent and link, so one person is one
    visitor per link and day, and yesterday's hashes can't be tied to today's or to anyone.
    """

    def __init__(self, secret: SharedSecret | DaySecrets | None = None) -> None:
        self._secret = secret or SharedSecret()
        self._day = -1
        self._keyed = hashlib.blake2b(digest_size=8)

    def hash(self, time_ms: int, address: str, user_agent: str, link: int) -> int:
        """64 bits (never 0) that stand for this visitor of this link today."""
        day = time_ms // 86_400_000
        if day != self._day:
            self._day, self._keyed = day, hashlib.blake2b(digest_size=8, key=self._secret.of(day))
        keyed = self._keyed.copy()  # half the price of setting the key up again
        keyed.update(f"{address}\x1f{user_agent}\x1f{link}".encode("utf-8", "surrogateescape"))
        return int.from_bytes(keyed.digest(), "little") or 1


class Proxies:
    """Whose forwarded headers are believed."""

    def __init__(self, networks: tuple[str, ...]) -> None:
        # As (mask, network) numbers: every visitor's own address is looked at, and the
        # objects of `ipaddress` would cost ten times more.
        self._four: list[tuple[int, int]] = []
        self._six: list[tuple[int, int]] = []
        # Proxies are few, and each brings many visitors.
        self._is_trusted_peer = lru_cache(maxsize=64)(self._is_trusted)
        for text in networks:
            network = ipaddress.ip_network(text, strict=False)
            bounds = int(network.netmask), int(network.network_address)
            (self._four if network.version == 4 else self._six).append(bounds)

    def _is_trusted(self, address: str) -> bool:
        try:
            number, networks = int.from_bytes(inet_pton(AF_INET, address), "big"), self._four
        except (OSError, ValueError):
            try:
                number = int.from_bytes(inet_pton(AF_INET6, address.partition("%")[0]), "big")
            except (OSError, ValueError):
                return False
            networks = self._six
            if number >> 32 == 0xFFFF:  # ::ffff:a.b.c.d
                number, networks = number & 0xFFFFFFFF, self._four
        for mask, network in networks:  # noqa: SIM110 - a generator costs more than the look itself
            if number & mask == network:
                return True
        return False

    def visitor_address(self, peer: str, forwarded_for: list[str], forwarded: list[str]) -> str:
        """The address that clicked: the right-most hop that is not a trusted proxy.

        `forwarded_for` and `forwarded` are the values of all headers of that name, in order.
        ``X-Forwarded-For`` wins where both came, since it is the one that proxies overwrite.
        """
        if not (forwarded_for or forwarded) or not self._is_trusted_peer(peer):
            return peer
        if forwarded_for:
            hops = ",".join(forwarded_for).split(",")
        else:
            hops = [hop for value in forwarded for hop in _forwarded_hops(value)]
        # Empty members of a list mean nothing (RFC 9110, 5.6.1.2): "1.2.3.4," is one hop.
        addresses = [address for hop in hops if (address := _without_port(hop))]
        for address in reversed(addresses):
            if not self._is_trusted(address):
                return address
        return addresses[0] if addresses else peer

    def came_by_tls(self, peer: str, forwarded_proto: list[str], forwarded: list[str]) -> bool:
        """Whether a trusted proxy says that the visitor came over TLS; values as in `visitor_address`."""
        if not (forwarded_proto or forwarded) or not self._is_trusted(peer):
            return False
        if forwarded_proto:
            return forwarded_proto[-1].rpartition(",")[2].strip().lower() == "https"
        return bool(re.search(r'(?i)\bproto="?https\b', forwarded[-1].rpartition(",")[2]))


def _forwarded_hops(value: str) -> list[str]:
    """The ``for=`` parts of one ``Forwarded`` header (RFC 7239), in order."""
    return [match.group(1).strip('"') for match in re.finditer(r'(?i)\bfor=("[^"]*"|[^;,\s]*)', value)]


def _without_port(hop: str) -> str:
    hop = hop.strip()
    if hop.startswith("["):
        return hop[1:].split("]", 1)[0]
    return hop.split(":", 1)[0] if hop.count(":") == 1 else hop
