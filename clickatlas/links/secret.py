"""Secrets: what is kept of one, and tickets, which show for a while that somebody knew one.

A ticket is its own end and an HMAC-SHA256 over what it opens and that end, so that looking at one takes no database and
no password hash. Its key comes from what is kept of the secret: a new secret ends all tickets.
"""

from __future__ import annotations

import hashlib
import hmac
import time


def digest_of(secret: str) -> str:
    """SHA-256 in hexadecimal. Secrets here have 256 random bits, which need no slower hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def ticket(key: bytes, what: str, lasts: float, now: float | None = None) -> str:
    """What opens `what` until `lasts` seconds from now: ``end-signature``, both hexadecimal."""
    end = int((time.time() if now is None else now) + lasts)
    return f"{end:x}-{_sign(key, what, end)}"


def is_good(given: str, key: bytes, what: str, now: float | None = None) -> bool:
    """Whether `given` is a ticket for `what` that still holds; compared in constant time."""
    end, _, signature = given.partition("-")
    try:
        until = int(end, 16)
    except ValueError:
        return False
    good = hmac.compare_digest(_sign(key, what, until).encode(), signature.encode("utf-8", "replace"))
    return good and (time.time() if now is None else now) <= until


def _sign(key: bytes, what: str, end: int) -> str:
    return hmac.digest(key, f"{what} {end:x}".encode(), "sha256").hex()[:32]
