"""What a browser keeps while somebody is at their provider: signed, so that it comes back as it went.

`state` ties the way back to this browser, `nonce` the token to this trip, `verifier` the code to whoever asked for it
(PKCE, RFC 7636). None of them is any use without the code, which comes back to this browser only.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import time
from dataclasses import asdict, dataclass

import jwt

from clickatlas.links.identities import TurnedAway, Why

LASTS_S = 600
_PURPOSE = "clickatlas trip"
_PAGE = re.compile(r"/app(/[A-Za-z0-9/_-]*)?(\?[!-\[\]-~]*)?")  # nothing that a browser reads as another host
LONGEST = 1500


@dataclass(frozen=True)
class Trip:
    """One way to the provider and back."""

    state: str
    nonce: str
    verifier: str
    to: str

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier: its SHA-256."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def begin(to: str) -> Trip:
    """A new trip; at its end the page `to` is shown, where that is one of ours."""
    fits = len(to) <= LONGEST and _PAGE.fullmatch(to)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Trip(state, nonce, verifier, to if fits else "/app")


def seal(trip: Trip, key: bytes) -> str:
    """`trip` as a cookie that holds for ten minutes."""
    return jwt.encode(asdict(trip) | {"aud": _PURPOSE, "exp": int(time.time()) + LASTS_S}, key, "HS256")


def unseal(cookie: str, state: str, key: bytes) -> Trip:
    """The trip of `cookie` that `state` is the way back of; raises `TurnedAway`."""
    try:
        said = jwt.decode(cookie, key, ["HS256"], audience=_PURPOSE, options={"require": ["exp", "aud"]})
        trip = Trip(said["state"], said["nonce"], said["verifier"], said["to"])
    except (jwt.PyJWTError, KeyError, ValueError):
        raise TurnedAway(Why.LOST, "its cookie is missing, too old or not ours") from None
    if not secrets.compare_digest(trip.state.encode(), state.encode("utf-8", "surrogateescape")):
        raise TurnedAway(Why.LOST, "the state is another trip's")
    return trip
