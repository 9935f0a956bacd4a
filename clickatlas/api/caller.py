"""Who asks, and whether they may: a bearer token, or the session cookie of the page."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Container
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.exc import OperationalError

from clickatlas.api.armour import address_of, over_tls
from clickatlas.api.gate import check
from clickatlas.api.house import House, house
from clickatlas.api.limits import Buckets, network_of
from clickatlas.errors import Problem, unauthenticated
from clickatlas.links import keys
from clickatlas.links.keys import Caller
from clickatlas.links.models import now
from clickatlas.links.roles import ADMIN, LINKS_WRITE, READ, allowed
from clickatlas.settings import Settings

COOKIE = "clickatlas_session"
REMEMBERED_S = 5.0  # spares a view's dozen tiles a dozen look-ups
log = logging.getLogger("clickatlas.api")


class Callers:
    """Looks secrets up, and remembers the answer for a few seconds. Wrong ones are few a minute per address."""

    def __init__(self, settings: Settings) -> None:
        self.guesses = Buckets(
            settings.sign_in_rate, "Wrong keys, passwords and sign-in links from your address"
        )
        self.accounts = Buckets(settings.sign_in_rate, "Passwords for that account")
        self.letters = Buckets(settings.mail_rate, "Letters to that address", hour=True)
        self.senders = Buckets(settings.mail_rate * 5, "Letters asked for from your address", hour=True)
        self.checks = Buckets(30, "DNS checks of your workspace")
        self._requests = Buckets(settings.api_rate, "Requests with your key")
        self._known: OrderedDict[tuple[str, str], tuple[float, Caller]] = OrderedDict()

    def find(self, opened: House, kind: str, secret: str, address: str) -> Caller | None:
        """Whom `secret`, sent from `address`, stands for; raises `Problem` (429)."""
        known = self._known.get((kind, secret))
        if known is not None and time.monotonic() - known[0] < REMEMBERED_S:
            self._requests.take(secret)
            return known[1]
        network = network_of(address)
        self.guesses.check(network)
        with opened.links.reading() as session:
            found = keys.caller(session, kind, secret, idle_days=opened.settings.session_idle_days)
        if found is None:
            self.guesses.take(network)
        else:
            self._requests.take(secret)
            _note_use(opened, found)
            self._known[(kind, secret)] = (time.monotonic(), found)
            if len(self._known) > 1000:
                self._known.popitem(last=False)
        return found

    def knows(self, kind: str, secret: str) -> bool:
        """Whether `secret` was a good one lately."""
        return (kind, secret) in self._known

    def left(self, secret: str) -> list[tuple[bytes, bytes]]:
        """The headers that say how many requests the key `secret` has left."""
        return self._requests.headers(secret)

    def forget(self, numbers: Container[int]) -> None:
        """Stop remembering the keys of these numbers: they hold no longer, or not as they did."""
        for name, (_, known) in list(self._known.items()):
            if known.key in numbers:
                self._known.pop(name, None)

    def forget_person(self, person: int) -> None:
        """The same with all keys of somebody who has another name or address now."""
        for name, (_, known) in list(self._known.items()):
            if known.person == person:
                self._known.pop(name, None)


def _note_use(opened: House, found: Caller) -> None:
    """Once a day. That it can't be written (a full disk, a long import) is no reason to answer nobody."""
    if found.used_on == now().date():
        return
    try:
        with opened.links.noting() as session:
            keys.used(session, found.key)
    except OperationalError as error:
        log.warning("the day of a key's use could not be noted: %s", error.orig)


def cookie_name(request: Request, settings: Settings) -> str:
    """Over TLS browsers take a name with this prefix only from us ourselves, not from a neighbouring subdomain."""
    return f"__Host-{COOKIE}" if over_tls(request, settings) else COOKIE


def cookie_of(request: Request, settings: Settings) -> str | None:
    """The secret of the browser's session."""
    return request.cookies.get(cookie_name(request, settings))


def known_caller(request: Request, opened: Annotated[House, Depends(house)]) -> Caller:
    """The caller of `request`, whatever they may; raises `Problem` (401, 403, 429)."""
    callers: Callers = request.app.state.callers
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    found: Caller | None = None
    if scheme.lower() == "bearer" and token:
        found = _find(request, callers, opened, keys.TOKEN, token.strip())
    elif secret := cookie_of(request, opened.settings):
        found = _find(request, callers, opened, keys.SESSION, secret)
        if found is not None and request.method not in ("GET", "HEAD", "OPTIONS"):
            from_own_page(request, opened.settings)
    if found is None:
        raise unauthenticated()
    check(request, found, opened.settings)
    return found


def _find(request: Request, callers: Callers, opened: House, kind: str, secret: str) -> Caller | None:
    """As `Callers.find`; and the answer, a refusal too, will say how many requests its key has left."""
    found = None
    try:
        found = callers.find(opened, kind, secret, address_of(request))
    finally:
        if found is not None or callers.knows(kind, secret):
            request.state.rate = callers.left(secret)
    return found


KnownDep = Annotated[Caller, Depends(known_caller)]


def needs(scope: str) -> Callable[[Caller], Caller]:
    """A dependency that lets through who may `scope`; raises `Problem` (403)."""

    def may(who: KnownDep) -> Caller:
        if scope not in who.may:
            raise _refused(who, scope)
        return who

    return may


def reader(request: Request, who: KnownDep) -> Caller:
    """Who may read. A route that changes something and doesn't say who may is for owners: better shut than open."""
    scope = READ if request.method in ("GET", "HEAD") else ADMIN
    if scope not in who.may:
        raise _refused(who, scope)
    return who


def person(who: KnownDep) -> Caller:
    """Whoever is signed in, for what is theirs alone; a token stands for them in their workspace only (403)."""
    if who.kind != keys.SESSION:
        raise Problem(
            403,
            "Not with a token",
            "Sessions and passwords are open to the person who is signed in.",
            remedy="Sign in on the page.",
        )
    return who


def keyholder(who: KnownDep) -> Caller:
    """Who may make and end keys of their own: a signed-in person of any role, or a token with the scope `admin`."""
    if who.kind != keys.SESSION and ADMIN not in who.may:
        raise _refused(who, ADMIN)
    return who


def _refused(who: Caller, scope: str) -> Problem:
    if scope in allowed(who.role):
        detail, remedy = f"Your token lacks the scope '{scope}'.", "Make another token with that scope."
    else:
        detail, remedy = f"A {who.role} may not do this.", "Ask an owner of the workspace."
    return Problem(403, "Not allowed", detail, remedy=remedy, extra={"scope": scope})


def from_own_page(request: Request, settings: Settings) -> None:
    """A cookie alone must not let another site's page change anything, nor another site sign a browser in (CSRF).

    Browsers say where a request comes from, and no page can change what they say. They leave out Sec-Fetch-Site where
    the page came without TLS; then there is Origin. Where both are missing, it is no browser of today: refused.
    """
    site = request.headers.get("sec-fetch-site")
    own = f"{'https' if over_tls(request, settings) else 'http'}://{request.headers.get('host', '')}"
    if site != "same-origin" if site else request.headers.get("origin") != own:
        raise Problem(
            403,
            "Not from this page",
            "A signed-in browser session can change things from its own page only.",
            remedy="Scripts use 'Authorization: Bearer TOKEN'.",
        )


CallerDep = Annotated[Caller, Depends(reader)]  # may read
EditorDep = Annotated[Caller, Depends(needs(LINKS_WRITE))]  # may change links and views
OwnerDep = Annotated[Caller, Depends(needs(ADMIN))]  # may everything
PersonDep = Annotated[Caller, Depends(person)]
KeyholderDep = Annotated[Caller, Depends(keyholder)]
HouseDep = Annotated[House, Depends(house)]
