"""A link with a password: what opens it for a while, once somebody knew the password."""

from __future__ import annotations

import hashlib

from clickatlas.links import secret

OPEN_S = 60  # for one visit, not for a bookmark
FIELD = b"open"  # of the query


KEPT = "key:"  # in front of a key that a machine's copy of the links has in the digest's place


def lock_key(digest: str) -> bytes:
    """The key of a link's tickets, from its password's digest (or from what `kept_key` made of it)."""
    if digest.startswith(KEPT):
        return bytes.fromhex(digest.removeprefix(KEPT))
    return hashlib.sha256(b"clickatlas link lock" + digest.encode()).digest()


def kept_key(digest: str) -> str:
    """What is kept in a digest's place where passwords are only asked about: nobody can try them with it."""
    return KEPT + lock_key(digest).hex()


def ticket(key: bytes, code: str, now: float | None = None) -> str:
    """What opens the link `code` until `OPEN_S` from now."""
    return secret.ticket(key, code, OPEN_S, now)


def opens(key: bytes, code: str, query: bytes, now: float | None = None) -> tuple[bool, bytes]:
    """Whether the query of a short link has a good ticket (``open=…`` in front), and the query without it."""
    first, _, rest = query.partition(b"&")
    name, _, value = first.partition(b"=")
    if name != FIELD:
        return False, query
    return secret.is_good(value.decode("latin-1"), key, code, now), rest
