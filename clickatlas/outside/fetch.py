"""Fetching from the public internet: the one way in which the server asks anybody anything for its users.

The address is checked where it can't change any more: when the socket is made for it, of every redirect again. So
neither a name that answers differently the second time, nor an odd spelling, nor a redirect leads inside.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from clickatlas.outside.reach import Reach

PORTS = (80, 443)
MAX_HOPS = 5
REDIRECTS = (301, 302, 303, 307, 308)


class OutsideError(Exception):
    """Why nothing was fetched, in words for a log. It never holds what an inside address said."""


@dataclass(frozen=True)
class Fetched:
    """An answer: the address that gave it after all redirects, and the first bytes of its body."""

    url: str
    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case


class Outside:
    """Fetches pages, and asks or tells one server at a time. No cookies, no proxies from the environment, nothing compressed."""

    def __init__(
        self,
        *,
        allowed: Iterable[str] = (),
        ports: Sequence[int] = PORTS,
        seconds: float = 10.0,
        agent: str = "clickatlas",
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._reach = Reach(allowed)
        self._ports = tuple(ports)
        self._seconds = seconds
        self._agent = agent
        self._resolver = resolver

    async def get(self, url: str, *, most: int, accept: str = "*/*") -> Fetched:
        """What `url` answers after redirects, at most its first `most` bytes; all within the given seconds.

        Raises `OutsideError`.
        """
        return _plain(await self._within(self._followed(url, accept, most)))

    async def ask(
        self,
        url: str,
        method: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        most: int,
        encoded: bool = False,
    ) -> Fetched:
        """As `get`, for what is said to one server only: a redirect is an answer, no key or body is sent on.

        `encoded`: a body that is compressed will do, too; it comes as it is. Raises `OutsideError`.
        """
        answer = await self._within(self._asked(url, method, headers, body, most))
        return answer if encoded else _plain(answer)

    async def _within(self, answer: Coroutine[None, None, Fetched]) -> Fetched:
        try:
            async with asyncio.timeout(self._seconds):
                return await answer
        except TimeoutError:
            raise OutsideError(f"took more than {self._seconds:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise OutsideError(f"{type(error).__name__}: {error}"[:300]) from None

    async def _followed(self, text: str, accept: str, most: int) -> Fetched:
        async with self._session({"accept": accept}) as session:
            url = self._checked(text)
            for _ in range(MAX_HOPS + 1):
                async with session.get(url, allow_redirects=False) as answer:
                    if answer.status not in REDIRECTS or not (onward := answer.headers.get("location")):
                        return await _first(answer, most)
                    url = self._checked(url.join(URL(onward)))
        raise OutsideError(f"redirected more than {MAX_HOPS} times")

    async def _asked(
        self, url: str, method: str, headers: Mapping[str, str], body: bytes | None, most: int
    ) -> Fetched:
        async with self._session(headers) as session:
            sent = session.request(method, self._checked(url), data=body, allow_redirects=False)
            async with sent as answer:
                return await _first(answer, most)

    def _session(self, headers: Mapping[str, str]) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=self._resolver, socket_factory=self._socket, force_close=True, use_dns_cache=False
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"accept-encoding": "identity", "user-agent": self._agent, **headers},
            trust_env=False,
            auto_decompress=False,
        )

    def _checked(self, text: str | URL) -> URL:
        """The address without its fragment; raises `OutsideError` where it may not be asked."""
        url = URL(text)
        if url.scheme not in ("http", "https"):
            raise OutsideError(f"led to an address of the kind {url.scheme[:20]!r}")
        if url.user is not None or url.password is not None:
            raise OutsideError("led to an address with credentials")
        if not url.host:
            raise OutsideError("led to an address without a host")
        if url.port not in self._ports:
            raise OutsideError(f"led to port {url.port}")
        return url.with_fragment(None)

    def _socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """A socket for exactly this address; an `OSError` where it is out of reach."""
        family, kind, protocol, _name, address = info
        if not self._reach.has(str(address[0])):
            raise OSError(errno.EACCES, "led to an address that is not on the public internet")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made


async def _first(answer: aiohttp.ClientResponse, most: int) -> Fetched:
    """The answer with at most `most` bytes of its body."""
    body = bytearray()
    while len(body) < most and (piece := await answer.content.read(most - len(body))):
        body += piece
    named = {name.lower(): value for name, value in answer.headers.items()}
    return Fetched(str(answer.url), answer.status, named.get("content-type", ""), bytes(body), named)


def _plain(answer: Fetched) -> Fetched:
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise OutsideError("answered with something compressed, unasked")
    return answer
