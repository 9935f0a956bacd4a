"""An identity provider's token, checked: whose signature, for whom, until when, for which trip (OpenID Connect Core, 3.1.3.7)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from clickatlas.errors import Problem
from clickatlas.links import passwords
from clickatlas.links.identities import Arrival, TurnedAway, Why
from clickatlas.outside.title import clean

KINDS = {"RS256": "RSA", "ES256": "EC"}  # algorithms taken, and the kind of key that each needs
LEEWAY_S = 60  # between our clock and theirs
SHORTEST_RSA = 2048  # bits
LONGEST_TOKEN = 64 << 10
LONGEST_NAME = 100
Claims = Mapping[str, Any]


class NotSigned(Exception):
    """No key in hand signed the token: newer keys may have."""


def checked(
    token: str, keys: Sequence[Mapping[str, Any]], *, issuer: str, client: str, nonce: str
) -> dict[str, Any]:
    """The claims of an ID token. Raises `NotSigned` where other `keys` (a JWKS's) may tell better, `TurnedAway`."""
    if len(token) > LONGEST_TOKEN:
        raise _refused("the token is too long")
    try:
        head = jwt.get_unverified_header(token)
        kind = head.get("alg", "")
        if kind not in KINDS:
            raise _refused(f"the token is signed by {str(kind)[:20]!r}")
        key = _key(keys, kind, head.get("kid"))
        claims = jwt.decode(
            token,
            key.key,
            [kind],
            audience=client,
            issuer=issuer,
            leeway=LEEWAY_S,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except jwt.InvalidSignatureError:
        raise NotSigned("the token's signature is wrong") from None
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise _refused(f"the token won't do: {type(error).__name__}: {error}"[:200]) from None
    if not secrets.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise _refused("the token is of another sign-in (nonce)")
    audience = claims["aud"]
    shared = (
        isinstance(audience, list) and len(audience) > 1
    )  # several may read it: it must have been made for us
    if ("azp" in claims or shared) and claims.get("azp") != client:
        raise _refused("the token was made for another client (azp)")
    if not 0 < len(claims["sub"]) <= 255:
        raise _refused("the token names nobody")
    return claims


def arrival(issuer: str, claims: Claims) -> Arrival:
    """Who has come. An address that the provider doesn't vouch for is none."""
    email = None
    if claims.get("email_verified") in (True, "true"):  # some write it as a word
        try:
            email = passwords.address(str(claims.get("email", "")))
        except Problem:
            email = None
    given = (claims.get("name"), claims.get("preferred_username"), email and email.partition("@")[0])
    name = next((said for one in given if isinstance(one, str) and (said := clean(one[:500]))), "Somebody")
    return Arrival(issuer, str(claims["sub"]), email, name[:LONGEST_NAME])


def _key(keys: Sequence[Mapping[str, Any]], kind: str, number: object) -> jwt.PyJWK:
    """The key of this number that may sign so; where the token names none, the only one that could be meant."""
    fitting = [
        key
        for key in keys
        if key.get("kty") == KINDS[kind] and key.get("use", "sig") == "sig" and key.get("alg", kind) == kind
        and (number is None or key.get("kid") == number)
    ]  # fmt: skip
    if len(fitting) != 1:
        raise NotSigned(f"{len(fitting)} of the provider's keys may have signed the token")
    found = jwt.PyJWK(dict(fitting[0]), kind)
    if isinstance(found.key, RSAPublicKey) and found.key.key_size < SHORTEST_RSA:
        raise _refused(f"the provider's key has fewer than {SHORTEST_RSA} bits")
    return found


def _refused(why: str) -> TurnedAway:
    return TurnedAway(Why.REFUSED, why)
