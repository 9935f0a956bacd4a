"""An answered request becomes a click record in the spool."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from clickatlas.atlas.kinds import NetworkKind
from clickatlas.atlas.locate import Locator
from clickatlas.redirect.record import Flags, pack
from clickatlas.redirect.spool import Spool
from clickatlas.redirect.visitor import Proxies, VisitorKey, read_headers, referrer_host

BOT, UNSEEN = int(NetworkKind.BOT), int(Flags.HEAD)
READ = frozenset(
    (b"user-agent", b"referer", b"accept-language", b"x-forwarded-for", b"forwarded", b"sec-purpose",
     b"purpose", b"x-purpose")
)  # fmt: skip
MAX_HEADER = 512  # bytes of an agent or a language: what is remembered of them stays small
Headers = Iterable[tuple[bytes, bytes]]


class Capture:
    """Turns requests into records. The address is turned into a place here and goes no further."""

    def __init__(self, locator: Locator, spool: Spool, proxies: Proxies) -> None:
        self.locator = locator
        self._spool = spool
        self._proxies = proxies
        self._key = VisitorKey()

    def record(self, link: int, peer: str, headers: Headers, *, head: bool) -> asyncio.Future[None]:
        """Queue a click on `link`; the future is done when it stands in the spool."""
        agent = referrer = language = ""
        forwarded_for: list[str] = []
        forwarded: list[str] = []
        # Nobody has seen the page yet after a HEAD or a prefetch: counted, but not as a person.
        unseen = head
        for name, value in headers:
            if name not in READ:
                continue
            if name == b"user-agent":
                agent = value[:MAX_HEADER].decode("latin-1")
            elif name == b"referer":
                referrer = value.decode("latin-1")
            elif name == b"accept-language":
                language = value[:MAX_HEADER].decode("latin-1")
            elif name == b"x-forwarded-for":
                forwarded_for.append(value.decode("latin-1"))
            elif name == b"forwarded":
                forwarded.append(value.decode("latin-1"))
            else:
                unseen = unseen or b"prefetch" in value or b"preview" in value
        address = self._proxies.visitor_address(peer, forwarded_for, forwarded)
        now = time.time_ns() // 1_000_000
        words, crawler = read_headers(agent, language)
        kind = BOT if crawler or unseen else self.locator.kind_of(address)
        spool = self._spool
        spool.rotate_if_due()
        return spool.put(
            pack(
                now,
                link,
                int(self.locator.keys[self.locator.place_of(address)]),
                self._key.hash(now, address, agent, link),
                spool.term(words),
                spool.term(referrer_host(referrer)),
                kind,
                UNSEEN if unseen else 0,
            )
        )
