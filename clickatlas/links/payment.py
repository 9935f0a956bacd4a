"""Events of a payment service in Stripe's shape: is it theirs, and which plan does it mean.

The signature is Stripe's scheme (https://docs.stripe.com/webhooks#verify-manually): the header has `t=` a Unix time and
`v1=` HMAC-SHA256 of "time.body" in hex, once for each secret that is in use.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any, NamedTuple

from clickatlas.links.plans import FREE, PLANS, PRO, UNLIMITED

TOLERANCE_S = 300
PAID = frozenset(("active", "trialing", "past_due"))  # past due: the service tries again before it gives up


class Change(NamedTuple):
    """What an event changes."""

    event: str  # its id
    at: datetime
    workspace: int | None  # None: that of the customer
    customer: str | None
    plan: str


def is_genuine(header: str, body: bytes, secret: str, now: float) -> bool:
    """Whether who knows `secret` signed `body` within five minutes of `now` (Unix time). Takes as long if not."""
    parts = [part.strip().partition("=") for part in header[:2000].split(",")]
    times = [value for name, _, value in parts if name == "t"]
    given = [value for name, _, value in parts if name == "v1"]
    if (
        not secret
        or len(times) != 1
        or not times[0].isascii()
        or not times[0].isdigit()
        or len(times[0]) > 12
    ):
        return False
    signed = times[0].encode() + b"." + body
    right = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()
    fits = [hmac.compare_digest(right, one.encode("utf-8", "surrogateescape")) for one in given]
    return any(fits) and abs(now - int(times[0])) <= TOLERANCE_S


def read(event: Any) -> Change | None:
    """What an event changes; None for one that means nothing here. Raises `ValueError` where it is no event."""
    if (
        not isinstance(event, dict)
        or not isinstance(event.get("id"), str)
        or not isinstance(event.get("type"), str)
    ):
        raise ValueError("no event")
    thing = event.get("data", {}).get("object") if isinstance(event.get("data"), dict) else None
    created = event.get("created")
    if (
        not isinstance(thing, dict)
        or not isinstance(created, int)
        or not 0 <= created < 2**40
        or not event["id"]
    ):
        raise ValueError("no event")
    plan = _plan(event["type"], thing)
    if plan is None:
        return None
    customer = thing.get("customer")
    return Change(
        event=event["id"][:255],
        at=datetime.fromtimestamp(created, UTC),
        workspace=_workspace(thing),
        customer=customer[:255] if isinstance(customer, str) and customer else None,
        plan=plan,
    )


def _plan(kind: str, thing: dict[str, Any]) -> str | None:
    bought = _metadata(thing).get("plan", PRO)
    if bought not in PLANS or bought == UNLIMITED:
        bought = PRO
    if kind == "checkout.session.completed":
        return bought if thing.get("payment_status") in ("paid", "no_payment_required") else None
    if kind in ("customer.subscription.created", "customer.subscription.updated"):
        return bought if thing.get("status") in PAID else FREE
    return FREE if kind == "customer.subscription.deleted" else None


def _workspace(thing: dict[str, Any]) -> int | None:
    named = _metadata(thing).get("workspace") or thing.get("client_reference_id")
    return (
        int(named)
        if isinstance(named, str) and named.isascii() and named.isdigit() and len(named) < 19
        else None
    )


def _metadata(thing: dict[str, Any]) -> dict[str, Any]:
    found = thing.get("metadata")
    return found if isinstance(found, dict) else {}
