"""Who asks: a bearer token, or the session cookie of the page."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from clickatlas.api.armour import address_of
from clickatlas.api.house import House, house
from clickatlas.api.limits import Buckets, network_of
from clickatlas.errors import Problem, unauthenticated
from clickatlas.links import keys
from clickatlas.links.keys import Caller
from clickatlas.settings import Settings

COOKIE = "clickatlas_session"
REMEMBERED_S = 5.0  # spares a view's dozen tiles a dozen look-ups


class Callers:
    """Looks secrets up, and remembers the answer for a few seconds. Wrong ones are few a minute per address."""

    def __init__(self, settings: Settings) -> None:
        self.guesses = Buckets(settings.sign_in_rate, "Wrong keys and sign-in links from your address")
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
            found = keys.caller(session, kind, secret)
        if found is None:
            self.guesses.take(network)
        else:
            self._requests.take(secret)
            self._known[(kind, secret)] = (time.monotonic(), found)
            if len(self._known) > 1000:
                self._known.popitem(last=False)
        return found

    def forget(self, secret: str) -> None:
        """Stop remembering `secret`."""
        for kind in (keys.TOKEN, keys.SESSION):
            self._known.pop((kind, secret), None)


def caller(request: Request, opened: Annotated[House, Depends(house)]) -> Caller:
    """The caller of `request`; raises `Problem` (401, 403, 429)."""
    callers: Callers = request.app.state.callers
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    found: Caller | None = None
    if scheme.lower() == "bearer" and token:
        found = callers.find(opened, keys.TOKEN, token.strip(), address_of(request))
    elif secret := request.cookies.get(COOKIE):
        found = callers.find(opened, keys.SESSION, secret, address_of(request))
        if found is not None and request.method not in ("GET", "HEAD", "OPTIONS"):
            _from_own_page(request)
    if found is None:
        raise unauthenticated()
    return found


def _from_own_page(request: Request) -> None:
    """A cookie alone must not let another site's page change anything (CSRF)."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    same = (
        site == "same-origin" if site else origin and urlsplit(origin).netloc == request.headers.get("host")
    )
    if not same:
        raise Problem(
            403,
            "Not from this page",
            "A signed-in browser session can change things from its own page only.",
            remedy="Scripts use 'Authorization: Bearer TOKEN'.",
        )


CallerDep = Annotated[Caller, Depends(caller)]
HouseDep = Annotated[House, Depends(house)]
