"""A workspace's own domains: wanted by anybody, held by who has proved that one is theirs.

A link on one has its domain in its code, ``spring@go.example.com``: so one code is one link all over the house, and the
same word may stand for another link on every domain. Without a domain it is the installation's own host's.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import zlib
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from clickatlas.errors import conflict, invalid, not_found
from clickatlas.links.models import Domain, Link, LinkChange, now

MOST = 50  # of a workspace
LOOKED_AT_EVERY, JITTER = timedelta(hours=24), timedelta(hours=1)
LOST_AFTER = 3  # looks in a row: a mistake in somebody's DNS is mended within days
LABEL = "_clickatlas"  # below the domain: a CNAME may have no record beside it
SAYS = "clickatlas="
_NAME = re.compile(r"(?=.{4,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")


class Verdict(NamedTuple):
    """What a check found."""

    proved: bool  # its TXT record has our token
    others: frozenset[bytes]  # what the TXT records there say
    problem: str
    points_here: bool | None


def host_of(base_url: str) -> str:
    """The installation's own host."""
    return (urlsplit(base_url).hostname or "").rstrip(".").lower()


def as_kept(text: str) -> str:
    """A host's name as it is kept: lower case, punycode, no dot at its end; "" where it can't be one."""
    try:
        name = text.strip().lower().removesuffix(".")
        return name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        return ""


def as_read(name: str) -> str:
    """As people write it: in Unicode, where it has another spelling."""
    try:
        return name.encode("ascii").decode("idna")
    except UnicodeError:
        return name


def short_url(base_url: str, code: str) -> str:
    """The short link of `code`, on its own domain where it has one. There, the port is the scheme's own."""
    path, _, host = code.partition("@")
    return f"{urlsplit(base_url).scheme}://{host}/{path}" if host else f"{base_url}/{code}"


def with_domain(code: str, domain: str) -> str:
    """`code` on `domain` ("": the installation's own host)."""
    return f"{code}@{domain}" if domain else code


def add(session: Session, workspace: int, text: str, base_url: str) -> Domain:
    """A domain that `workspace` wants; raises `Problem` (409, 422)."""
    name = as_kept(text)
    if not _NAME.fullmatch(name) or _is_address(name) or name.endswith((".local", ".internal", ".localhost")):
        raise invalid(
            f"{text[:80]!r} can't be a domain of links.",
            remedy="Give a host's name alone, such as go.example.com: no https://, no path, no port.",
            field="name",
        )
    if name == host_of(base_url):
        raise conflict("That is this clickatlas's own host.", "Every link without a domain is there.")
    if session.scalar(select(Domain.id).where(Domain.workspace_id == workspace, Domain.name == name)):
        raise conflict(f"{as_read(name)} is here already.", "Check it, or remove it first.")
    if (session.scalar(select(func.count()).where(Domain.workspace_id == workspace)) or 0) >= MOST:
        raise conflict(f"A workspace has {MOST} domains at most.", "Remove one first.")
    made = Domain(workspace_id=workspace, name=name, token=secrets.token_hex(16))
    session.add(made)
    session.flush()
    return made


def listed(session: Session, workspace: int) -> list[Domain]:
    """The domains of `workspace`, as they were added."""
    return list(session.scalars(select(Domain).where(Domain.workspace_id == workspace).order_by(Domain.id)))


def find(session: Session, workspace: int, number: int) -> Domain:
    """One of the workspace's domains; raises `Problem` (404)."""
    found = session.get(Domain, number)
    if found is None or found.workspace_id != workspace:
        raise not_found("There is no domain of that number here.", remedy="GET /api/domains lists yours.")
    return found


def judge(session: Session, domain: Domain, verdict: Verdict) -> None:
    """Note what a check found. Who holds a domain keeps it while its own record is there beside another's."""
    led_here = domain.points_here or bool(domain.astray)
    domain.checked_at, domain.problem, domain.points_here = now(), verdict.problem, verdict.points_here
    if verdict.points_here:
        domain.astray, domain.lost_at = 0, None
    elif verdict.points_here is False and led_here:
        domain.astray = max(domain.astray, 1)  # pressed again and again it is one look
    if not verdict.proved or domain.verified_at is not None:
        return
    holder = session.scalar(select(Domain).where(Domain.name == domain.name, Domain.verified_at.is_not(None)))
    if holder is not None:
        if f"{SAYS}{holder.token}".encode() in verdict.others:
            domain.problem = (
                "Another workspace holds this domain, and its TXT record is still there. "
                "Take that record away, then check again."
            )
            return
        holder.verified_at, holder.is_primary = None, False
        holder.problem = (
            "Another workspace has proved that this domain is theirs, and your TXT record is gone."
        )
        session.flush()
    domain.verified_at = now()
    _tell(session, domain.name)


def to_look_at(session: Session, at: datetime, most: int) -> list[Domain]:
    """Verified domains that nobody looked at for a day, more or less an hour, the longest ago first."""
    since = at - LOOKED_AT_EVERY + JITTER
    found = session.scalars(
        select(Domain)
        .where(Domain.verified_at.is_not(None), or_(Domain.checked_at.is_(None), Domain.checked_at < since))
        .order_by(Domain.checked_at)
        .limit(10 * most)
    )
    return [one for one in found if one.checked_at is None or one.checked_at < since - _late(one)][:most]


def look_again(domain: Domain, points_here: bool | None, problem: str, at: datetime) -> bool:
    """Note a daily look; True where it is the one that finds a domain lost.

    One that never led here, as behind a proxy of its owner's, is never lost. `None`: the name server told nothing.
    """
    led_here = domain.points_here or bool(domain.astray)
    domain.checked_at = at
    if points_here is None:
        return False
    domain.points_here, domain.problem = points_here, problem
    if points_here:
        domain.astray, domain.lost_at = 0, None
    elif led_here:
        domain.astray += 1
        if domain.astray >= LOST_AFTER and domain.lost_at is None:
            domain.lost_at = at
            return True
    return False


def make_primary(session: Session, domain: Domain, primary: bool) -> None:
    """Have new links be made on `domain` (or no longer); raises `Problem` (409) where it is not verified."""
    if primary and domain.verified_at is None:
        raise conflict("This domain is not verified yet.", "Set its TXT record, then check it.")
    if primary:
        session.execute(
            update(Domain).where(Domain.workspace_id == domain.workspace_id).values(is_primary=False)
        )
    domain.is_primary = primary


def remove(session: Session, domain: Domain) -> None:
    """Let go of a domain. Its links stay, and lead nowhere until it is back and verified."""
    _tell(session, domain.name)
    session.delete(domain)


def links_on(session: Session, domain: Domain) -> int:
    """How many links of the workspace are on it."""
    counted = select(func.count()).where(
        Link.workspace_id == domain.workspace_id, Link.code.endswith(f"@{domain.name}", autoescape=True)
    )
    return session.scalar(counted) or 0


def is_held(session: Session, text: str) -> bool:
    """Whether somebody has proved that this host is theirs, and it isn't known to lead elsewhere by now."""
    held = select(Domain.id).where(
        Domain.name == as_kept(text), Domain.verified_at.is_not(None), Domain.lost_at.is_(None)
    )
    return session.scalar(held) is not None


def held(session: Session) -> dict[str, int]:
    """All domains that are proved, with the workspace that each is of."""
    rows = session.execute(select(Domain.name, Domain.workspace_id).where(Domain.verified_at.is_not(None)))
    return {row.name: row.workspace_id for row in rows}


def verified(session: Session, workspace: int) -> list[str]:
    """The names of the workspace's verified domains."""
    mine = select(Domain.name).where(Domain.workspace_id == workspace, Domain.verified_at.is_not(None))
    return list(session.scalars(mine.order_by(Domain.name)))


def unless_own(wanted: str | None, base_url: str) -> str | None:
    """A domain that was named, as `chosen` takes it: "" for the installation's own host."""
    return "" if wanted is not None and as_kept(wanted) == host_of(base_url) else wanted


def chosen(session: Session, workspace: int, wanted: str | None) -> str:
    """The domain of a new link: the `wanted` one ("": the installation's host), else (None) the primary one, else "".

    Raises `Problem` (422) where that is no verified domain of `workspace`.
    """
    mine = select(Domain.name).where(Domain.workspace_id == workspace, Domain.verified_at.is_not(None))
    if wanted is None:
        return session.scalar(mine.where(Domain.is_primary)) or ""
    if not wanted:
        return ""
    found = session.scalar(mine.where(Domain.name == as_kept(wanted)))
    if found is None:
        raise invalid(
            f"{wanted[:80]!r} is no verified domain of this workspace.",
            remedy="GET /api/domains lists yours; an owner adds more.",
            field="domain",
        )
    return found


def _late(domain: Domain) -> timedelta:
    """Up to two hours, another each day and domain: not all are looked at together."""
    drawn = zlib.crc32(f"{domain.id} {domain.checked_at}".encode()) / 2**32
    return 2 * JITTER * drawn


def _tell(session: Session, name: str) -> None:
    """Redirectors read their domains anew."""
    session.add(LinkChange(link_id=0, code=f"@{name}"))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
