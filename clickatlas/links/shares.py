"""Shares: public maps of a workspace's clicks, each with a filter that stands.

Who has a share's secret sees its map and nothing else; who reads the database can't open a map with what is in it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from clickatlas.clicks.filter import Filter, Traits, devices, moment, network_kinds, shapes, zone_info
from clickatlas.errors import Problem, not_found
from clickatlas.links.models import Link, Share, now
from clickatlas.links.secret import digest_of, is_good
from clickatlas.links.secret import ticket as secret_ticket

TICKET_S = 12 * 3600  # how long a password once given holds
TRAITS = {  # as a share keeps them, and as `Traits` calls them
    "origin": "origins",
    "referrer": "referrers",
    "browser": "browsers",
    "system": "systems",
    "language": "languages",
}
MOST = 500  # shares of one workspace


def create(session: Session, workspace: int, person: int, fields: Mapping[str, Any]) -> tuple[Share, str]:
    """A new share and its secret, which is shown once."""
    secret = secrets.token_urlsafe(32)
    share = Share(workspace_id=workspace, person_id=person, digest=digest_of(secret), **fields)
    session.add(share)
    session.flush()
    session.refresh(share)
    return share, secret


def renew(share: Share) -> str:
    """A new secret for `share`; the one before opens nothing any more."""
    secret = secrets.token_urlsafe(32)
    share.digest = digest_of(secret)
    return secret


def listed(session: Session, workspace: int) -> list[Share]:
    """The workspace's shares, newest first."""
    return list(
        session.scalars(select(Share).where(Share.workspace_id == workspace).order_by(Share.id.desc()))
    )


def find(session: Session, workspace: int, number: int) -> Share:
    """The workspace's share `number`; raises `Problem` (404)."""
    share = session.scalars(
        select(Share).where(Share.workspace_id == workspace, Share.id == number)
    ).one_or_none()
    if share is None:
        raise not_found(f"There is no share {number} here.", remedy="List yours with GET /api/shares.")
    return share


def opened_by(session: Session, secret: str) -> Share | None:
    """The share that `secret` opens; None where there is none, or it has run out."""
    return session.scalars(
        select(Share).where(
            Share.digest == digest_of(secret), or_(Share.expires_at.is_(None), Share.expires_at > now())
        )
    ).one_or_none()


def numbers_of(session: Session, workspace: int, codes: Sequence[str]) -> list[int]:
    """The numbers of these links: a share goes by them, as a code may be given to another link. Raises `Problem` (404)."""
    mine = select(Link.code, Link.id).where(Link.workspace_id == workspace, Link.code.in_(codes))
    found = dict(session.execute(mine).tuples().all())
    missing = [code for code in codes if code not in found]
    if missing:
        raise not_found(
            f"There is no link {missing[0][:80]!r} here.", remedy="List yours with GET /api/links."
        )
    return sorted(found.values())


def codes_of(session: Session, workspace: int, numbers: Sequence[int]) -> tuple[str, ...]:
    """What these links are called today; those that are gone are left out."""
    return tuple(
        session.scalars(
            select(Link.code).where(Link.workspace_id == workspace, Link.id.in_(numbers)).order_by(Link.code)
        )
    )


def filter_of(session: Session, share: Share, least: int, at: datetime | None = None) -> Filter:
    """The clicks that `share` shows at the moment `at`, no area with fewer than `least` or its own minimum.

    Raises `Problem` (410 where its links are gone, 404 before its first day is over).
    """
    kept = share.filter
    zone = str(kept.get("tz") or "UTC")
    links: tuple[str, ...] = ()
    if numbers := kept.get("links"):
        links = codes_of(session, share.workspace_id, numbers)
        if not links:
            raise Problem(
                410, "Gone", "What this map showed is no longer there.", remedy="Ask who sent it to you."
            )
    start, end = span_of(kept, at or now())
    if start is not None and end is not None and start >= end:
        raise Problem(
            404,
            "Not yet",
            "This map is drawn from whole days, and its first is not over.",
            remedy="Come back tomorrow.",
        )
    return Filter(
        links, tuple(kept.get("campaigns", ())), tuple(kept.get("channels", ())), tuple(kept.get("tags", ())),
        start, end, zone, devices(kept.get("devices", ())), network_kinds(kept.get("networks", ())),
        tuple(kept.get("areas", ())), shapes(kept.get("within", ())), max(share.min_cell, least, 2),
        Traits(**{field: tuple(kept.get(name, ())) for name, field in TRAITS.items()}),
    )  # fmt: skip


def span_of(kept: Mapping[str, Any], at: datetime) -> tuple[int | None, int | None]:
    """From when to when (ms UTC, end exclusive) a share shows clicks.

    It ends with yesterday unless it has `today`: a map that grows with each click would tell of single ones to who
    looks often enough.
    """
    zone = str(kept.get("tz") or "UTC")
    today = at.astimezone(zone_info(zone)).date()
    start = moment(kept["from"], zone, field="from") if kept.get("from") else None
    end = moment(kept["to"], zone, field="to", is_end=True) if kept.get("to") else None
    if days := kept.get("days"):
        first = today - timedelta(days=days - 1 if kept.get("today") else days)
        start = moment(first.isoformat(), zone, field="from")
    if not kept.get("today"):
        midnight = moment(today.isoformat(), zone, field="to")
        end = midnight if end is None else min(end, midnight)
    return start, end


def ticket(share: Share, at: float | None = None) -> str:
    """What opens a share with a password for a while; a new password or secret voids it."""
    return secret_ticket(_key(share), "share", TICKET_S, at)


def admits(share: Share, given: str, at: float | None = None) -> bool:
    """Whether `given` is a ticket for `share` that still holds; a share without a password needs none."""
    return share.password is None or is_good(given, _key(share), "share", at)


def _key(share: Share) -> bytes:
    return hashlib.sha256(f"clickatlas share {share.digest} {share.password}".encode()).digest()
