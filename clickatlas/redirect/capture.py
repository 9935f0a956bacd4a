"""An answered request becomes a click record in the spool."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from clickatlas.atlas.coarse import coarse
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.atlas.locate import Locator
from clickatlas.atlas.whereabouts import Whereabouts
from clickatlas.links.ways import Seen, Way, Ways, click_number
from clickatlas.redirect.record import Agent, Flags, pack
from clickatlas.redirect.secret import SharedSecret
from clickatlas.redirect.spool import Deliver, Spool
from clickatlas.redirect.visitor import Proxies, VisitorKey, read_headers, referrer_host

BOT, UNSEEN = int(NetworkKind.BOT), int(Flags.HEAD)
READ = frozenset(
    (b"user-agent", b"referer", b"accept-language", b"x-forwarded-for", b"forwarded", b"sec-purpose",
     b"purpose", b"x-purpose", b"dnt", b"sec-gpc")
)  # fmt: skip
MAX_HEADER = 512  # bytes of an agent or a language: what is remembered of them stays small
Headers = Iterable[tuple[bytes, bytes]]
Choose = Callable[[int, str, int], int]  # place number, agent's words and visitor to the click's number


class Capture:
    """Turns requests into records. The address is turned into a place here and goes no further.

    With `respect_opt_out` a visitor who asks not to be tracked (``DNT: 1``, ``Sec-GPC: 1``) is a click
    from a region, and nobody in particular.
    """

    def __init__(
        self,
        atlas: Path,
        spool: Spool,
        proxies: Proxies,
        *,
        secret: SharedSecret | None = None,
        respect_opt_out: bool = True,
    ) -> None:
        self._spool = spool
        self._proxies = proxies
        self._respect_opt_out = respect_opt_out
        self._key = VisitorKey(secret)
        self.take(atlas)

    def take(self, atlas: Path) -> None:
        """Locate by the atlas in folder `atlas` from now on. Raises `Problem` where it is not readable."""
        locator = Locator.open(atlas)
        self._coarse = coarse(atlas) if self._respect_opt_out else None
        self._whereabouts = Whereabouts(atlas)
        self._locator = locator

    def record(self, link: int, peer: str, headers: Headers, *, head: bool) -> asyncio.Future[None]:
        """Queue a click on `link`; the future is done when it stands in the spool."""
        return self._spool.put(self._click(link, peer, headers, head=head))

    def by_way(
        self, link: int, ways: Ways, peer: str, headers: Headers, *, head: bool, scanned: bool
    ) -> tuple[asyncio.Future[None], Way | None]:
        """As `record`, by the one of the link's `ways` that is for this visitor; None is the link's own."""
        chosen: Way | None = None

        def choose(place: int, words: str, visitor: int) -> int:
            nonlocal chosen
            agent = Agent(*words.split("\x1f"))
            country, region = self._whereabouts.of(place)
            # A visitor's own lot: who comes again today is shown the same side of a split.
            chosen = ways.choose(Seen(country, region, agent.device, agent.language), visitor)
            return click_number(link, chosen.number if chosen else 0, scanned=scanned)

        return self._spool.put(self._click(link, peer, headers, head=head, choose=choose)), chosen

    def answer(
        self, link: int, peer: str, headers: Headers, deliver: Deliver, answer: bytes, *, head: bool
    ) -> None:
        """Queue a click on `link`; `deliver(answer)` is called when it stands in the spool."""
        self._spool.answer(self._click(link, peer, headers, head=head), deliver, answer)

    def _click(
        self, link: int, peer: str, headers: Headers, *, head: bool, choose: Choose | None = None
    ) -> bytes:
        agent = referrer = language = ""
        forwarded_for: list[str] = []
        forwarded: list[str] = []
        # Nobody has seen the page yet after a HEAD or a prefetch: counted, but not as a person.
        unseen = head
        opted_out = False
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
            elif name == b"dnt" or name == b"sec-gpc":
                opted_out = opted_out or value.strip() == b"1"
            else:
                unseen = unseen or b"prefetch" in value or b"preview" in value
        address = self._proxies.visitor_address(peer, forwarded_for, forwarded)
        now = time.time_ns() // 1_000_000
        words, crawler = read_headers(agent, language)
        locator = self._locator
        place, kind = locator.place_and_kind(address)
        if crawler or unseen:
            kind = BOT
        if opted_out and self._coarse is not None:
            place, visitor = self._coarse[place], 0
        else:
            visitor = self._key.hash(now, address, agent, link)
        number = link if choose is None else choose(place, words, visitor)
        spool = self._spool
        spool.rotate_if_due()
        return pack(
            now,
            number,
            locator.key_of(place),
            visitor,
            spool.term(words),
            spool.term(referrer_host(referrer)),
            kind,
            UNSEEN if unseen else 0,
        )
