"""Who gets a digest, and which was the last: in the links database, so that none is sent twice over a restart."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import CursorResult, delete, or_, select, update
from sqlalchemy.orm import Session

from clickatlas.digests.schedule import Every, Schedule, due
from clickatlas.links.models import Membership, Person, Webhook, now
from clickatlas.links.models_told import Digest


def schedule_of(digest: Digest) -> Schedule:
    """When it is wanted."""
    return Schedule(Every(digest.every), digest.weekday, digest.hour, digest.zone)


def of_person(session: Session, workspace: int, person: int) -> Digest | None:
    """A person's digest of a workspace; None: they want none."""
    return session.scalar(select(Digest).where(Digest.workspace_id == workspace, Digest.person_id == person))


def want(session: Session, workspace: int, person: int, schedule: Schedule) -> Digest:
    """Send a person digests from now on; the first is that of the next period, not of the one that is over."""
    found = of_person(session, workspace, person)
    if found is None:
        found = Digest(workspace_id=workspace, person_id=person, key=secrets.token_hex(32))
        session.add(found)
    _set(found, schedule)
    return found


def want_none(session: Session, workspace: int, person: int) -> None:
    """Send a person none of a workspace any more."""
    session.execute(delete(Digest).where(Digest.workspace_id == workspace, Digest.person_id == person))


def wanted_by(hook: Webhook) -> Schedule:
    """When a webhook wants its digest: weekly, on Mondays at 8:00 UTC, unless it says."""
    said = hook.digest
    return Schedule(Every(said["every"]), said["weekday"], said["hour"], said["tz"]) if said else Schedule()


def follows(digests: Sequence[Digest], hooks: Sequence[Webhook]) -> bool:
    """Whether `digests` are those that `hooks` want, when they want them."""
    wanted = {hook.id: wanted_by(hook) for hook in hooks}
    return wanted == {digest.webhook_id: schedule_of(digest) for digest in digests}


def follow_webhooks(session: Session, hooks: Sequence[Webhook]) -> None:
    """A digest for each webhook that wants one, when it wants it, and none for the others."""
    there = {
        digest.webhook_id: digest
        for digest in session.scalars(select(Digest).where(Digest.webhook_id.is_not(None)))
    }
    if gone := set(there) - {hook.id for hook in hooks}:
        session.execute(delete(Digest).where(Digest.webhook_id.in_(gone)))
    for hook in hooks:
        found, when = there.get(hook.id), wanted_by(hook)
        if found is None:
            found = Digest(workspace_id=hook.workspace_id, webhook_id=hook.id, key=secrets.token_hex(32))
            session.add(found)
        elif schedule_of(found) == when:
            continue
        _set(found, when)


def strangers(session: Session) -> list[int]:
    """Digests of people who have left the workspace."""
    member = select(Membership.person_id).where(
        Membership.person_id == Digest.person_id, Membership.workspace_id == Digest.workspace_id
    )
    return list(session.scalars(select(Digest.id).where(Digest.person_id.is_not(None), ~member.exists())))


def forget(session: Session, numbers: Sequence[int]) -> None:
    """Send these no more."""
    session.execute(delete(Digest).where(Digest.id.in_(numbers)))


def readers(session: Session) -> list[tuple[Digest, Person | None]]:
    """All digests, with whom they go to; None: to a webhook. Of people only those with an address, in the workspace."""
    found = session.execute(
        select(Digest, Person)
        .outerjoin(Person, Person.id == Digest.person_id)
        .outerjoin(
            Membership,
            (Membership.person_id == Digest.person_id) & (Membership.workspace_id == Digest.workspace_id),
        )
        .where(
            or_(Digest.webhook_id.is_not(None), Membership.person_id.is_not(None) & Person.email.is_not(None))
        )
        .order_by(Digest.id)
    )
    return [(digest, person) for digest, person in found]


def claim(session: Session, number: int, period: str) -> bool:
    """Mark a period's digest as sent; False where it is already, or nobody wants it any more."""
    marked = session.execute(
        update(Digest)
        .where(Digest.id == number, or_(Digest.done.is_(None), Digest.done != period))
        .values(done=period, done_at=now())
    )
    return cast("CursorResult[Any]", marked).rowcount == 1


def give_back(session: Session, number: int, period: str, before: str | None) -> None:
    """It was refused for sure, so it may be sent later."""
    session.execute(
        update(Digest).where(Digest.id == number, Digest.done == period).values(done=before, done_at=None)
    )


def _set(digest: Digest, schedule: Schedule) -> None:
    digest.every, digest.weekday = schedule.every.value, schedule.weekday
    digest.hour, digest.zone = schedule.hour, schedule.zone
    over = due(schedule, now())
    digest.done = over.name if over else None
