"""An identity provider, asked over the network: what it says of itself, its keys, and who has come.

What it says of itself is kept for an hour, and its keys; a token that none of them signed has them fetched anew, once.
While it can't be asked, what it said before holds.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from clickatlas.links.identities import Arrival, TurnedAway, Why
from clickatlas.oidc import claims
from clickatlas.oidc.trip import Trip
from clickatlas.outside.fetch import PORTS, Fetched, Outside, OutsideError
from clickatlas.settings import Settings

KEPT_S = 3600.0
AGAIN_S = 5.0  # after it couldn't be asked
MOST = 1 << 20  # bytes of an answer
SCOPE = "openid email profile"
CALLBACK = "/app/oidc/callback"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
Document = Mapping[str, Any]


class Provider:
    """The one that the settings name. Used from one event loop."""

    def __init__(self, settings: Settings) -> None:
        self.issuer = settings.oidc_issuer
        self._client, self._secret = settings.oidc_client_id, settings.oidc_client_secret
        self._back = settings.base_url + CALLBACK
        parts = urlsplit(self.issuer)
        ports = {*PORTS, *settings.fetch_ports, parts.port or 443}
        self._outside = Outside(
            allowed=settings.oidc_networks, ports=tuple(ports), agent="clickatlas (sign-in)"
        )
        self._lock = asyncio.Lock()
        self._about: Document = {}
        self._asked = self._failed = -KEPT_S
        self._keys: list[Document] = []
        self._keys_asked = -KEPT_S

    async def address(self, trip: Trip) -> str:
        """Where the browser goes to begin `trip`; raises `TurnedAway`."""
        asked = {
            "response_type": "code",
            "client_id": self._client,
            "redirect_uri": self._back,
            "scope": SCOPE,
            "state": trip.state,
            "nonce": trip.nonce,
            "code_challenge": trip.challenge,
            "code_challenge_method": "S256",
        }
        there = str((await self.about())["authorization_endpoint"])
        return f"{there}{'&' if '?' in there else '?'}{urlencode(asked)}"

    async def arrival(self, trip: Trip, code: str, said_issuer: str | None) -> Arrival:
        """Who comes back from `trip` with this `code`; raises `TurnedAway`."""
        about = await self.about()
        wants = about.get("authorization_response_iss_parameter_supported") is True
        if said_issuer != self.issuer and (said_issuer is not None or wants):  # RFC 9207
            raise TurnedAway(Why.REFUSED, "the answer is another provider's (iss)")
        tokens = await self._tokens(about, trip, code)
        found = await self._checked(about, str(tokens.get("id_token", "")), trip.nonce)
        if "email" not in found and (more := about.get("userinfo_endpoint")) and "access_token" in tokens:
            found |= await self._more(str(more), str(tokens["access_token"]), found["sub"])
        return claims.arrival(self.issuer, found)

    async def about(self) -> Document:
        """What the provider says of itself (OpenID Connect Discovery 1.0); raises `TurnedAway`."""
        async with self._lock:
            now = time.monotonic()
            if now - self._asked < KEPT_S or (self._about and now - self._failed < AGAIN_S):
                return self._about
            if now - self._failed < AGAIN_S:
                raise TurnedAway(Why.AWAY, "it could not be asked a moment ago")
            try:
                url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
                self._about = self._sound(_document(await self._fetch(url)))
                self._asked = now
            except TurnedAway:
                self._failed = time.monotonic()
                if not self._about:
                    raise
            return self._about

    def _sound(self, about: Document) -> Document:
        if about.get("issuer") != self.issuer:
            raise TurnedAway(Why.AWAY, f"it calls itself {str(about.get('issuer'))[:200]!r}, not oidc_issuer")
        for name in (*ENDPOINTS, *(["userinfo_endpoint"] if "userinfo_endpoint" in about else [])):
            scheme = urlsplit(str(about.get(name, ""))).scheme
            # A secret goes there: never in the open, unless the issuer itself is on this machine.
            if scheme != "https" and scheme != urlsplit(self.issuer).scheme:
                raise TurnedAway(Why.AWAY, f"its {name} is no https:// address")
        return about

    async def _tokens(self, about: Document, trip: Trip, code: str) -> Document:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back,
            "code_verifier": trip.verifier,
        }
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        ways = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if self._secret and "client_secret_basic" in ways:
            pair = f"{quote_plus(self._client)}:{quote_plus(self._secret)}".encode()  # RFC 6749, 2.3.1
            headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        else:
            form["client_id"] = self._client
            if self._secret:
                form["client_secret"] = self._secret
        try:
            said = await self._outside.ask(
                str(about["token_endpoint"]), "POST", headers, urlencode(form).encode(), most=MOST
            )
        except OutsideError as error:
            raise TurnedAway(Why.AWAY, f"its token endpoint: {error}") from None
        if said.status >= 500:
            raise TurnedAway(Why.AWAY, f"its token endpoint answers {said.status}")
        if said.status != 200:
            word = _word(said)
            raise TurnedAway(Why.REFUSED, f"it takes the code not: {said.status} {word}")
        return _document(said)

    async def _checked(self, about: Document, token: str, nonce: str) -> dict[str, Any]:
        for anew in (time.monotonic() - self._keys_asked > KEPT_S, True):
            if anew:
                said = _document(await self._fetch(str(about["jwks_uri"]))).get("keys")
                self._keys = [key for key in said if isinstance(key, dict)] if isinstance(said, list) else []
                self._keys_asked = time.monotonic()
            try:
                return claims.checked(token, self._keys, issuer=self.issuer, client=self._client, nonce=nonce)
            except claims.NotSigned as error:
                why = str(error)
            if anew:
                break
        raise TurnedAway(Why.REFUSED, why)

    async def _more(self, url: str, token: str, subject: str) -> Document:
        """What the userinfo endpoint adds; of somebody else, nothing."""
        said = _document(await self._fetch(url, {"authorization": f"Bearer {token}"}))
        if said.get("sub") != subject:
            raise TurnedAway(Why.REFUSED, "its userinfo is somebody else's")
        return {name: said[name] for name in ("email", "email_verified", "name") if name in said}

    async def _fetch(self, url: str, headers: Mapping[str, str] | None = None) -> Fetched:
        try:
            if headers is None:
                said = await self._outside.get(url, most=MOST, accept="application/json")
            else:
                said = await self._outside.ask(url, "GET", headers, most=MOST)
        except OutsideError as error:
            raise TurnedAway(Why.AWAY, str(error)) from None
        if said.status != 200:
            raise TurnedAway(Why.AWAY, f"{urlsplit(url).path[:100]} answers {said.status}")
        return said


def _document(said: Fetched) -> Document:
    try:
        found = json.loads(said.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise TurnedAway(Why.AWAY, "it answers something that is no JSON object")
    return found


def _word(said: Fetched) -> str:
    """An error's code, such as invalid_grant: it may be logged, what else stands there may not."""
    try:
        found = _document(said).get("error")
    except TurnedAway:
        return ""
    return found if isinstance(found, str) and found.isascii() and found.isidentifier() else ""
