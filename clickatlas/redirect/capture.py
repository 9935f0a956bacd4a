"""An answered request becomes a click record in the spool."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from clickatlas.atlas.kinds import NetworkKind
from clickatlas.atlas.locate import Locator
from clickatlas.redirect.record import Agent, Flags, pack
from clickatlas.redirect.spool import Spool
from clickatlas.redirect.visitor import (
    Proxies,
    VisitorKey,
    agent_term,
    first_language,
    read_agent,
    referrer_host,
)

RESIDENTIAL, BOT = int(NetworkKind.RESIDENTIAL), int(NetworkKind.BOT)
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
        prefetch = False
        for name, value in headers:
            if name == b"user-agent":
                agent = value.decode("latin-1")
            elif name == b"referer":
                referrer = value.decode("latin-1")
            elif name == b"accept-language":
                language = value.decode("latin-1")
            elif name == b"x-forwarded-for":
                forwarded_for.append(value.decode("latin-1"))
            elif name == b"forwarded":
                forwarded.append(value.decode("latin-1"))
            elif name in (b"sec-purpose", b"purpose", b"x-purpose"):
                prefetch = b"prefetch" in value or b"preview" in value
        address = self._proxies.visitor_address(peer, forwarded_for, forwarded)
        now = time.time_ns() // 1_000_000
        device, browser, system, crawler = read_agent(agent)
        # Nobody has seen the page yet after a HEAD or a prefetch: counted, but not as a person.
        unseen = head or prefetch
        kind = BOT if crawler or unseen else self.locator.kind_of(address)
        flags = Flags.HEAD if unseen else Flags(0)
        spool = self._spool
        spool.rotate_if_due()
        return spool.put(
            pack(
                now,
                link,
                int(self.locator.keys[self.locator.place_of(address)]),
                self._key.hash(now, address, agent, link),
                spool.term(agent_term(Agent(device, browser, system, first_language(language)))),
                spool.term(referrer_host(referrer)),
                kind,
                int(flags),
            )
        )
