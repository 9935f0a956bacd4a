"""The outbox: what is to be told to whom, in the links database, so that it outlives any restart.

A delivery is written with what it tells of (a link's in the link's own transaction), tried until it is taken or was
tried `MOST_TRIES` times, and kept for a week, to be looked at and sent again.
"""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from clickatlas.errors import not_found
from clickatlas.links.models import Delivery, Webhook, now
from clickatlas.webhooks.signature import new_secret

LINK_CREATED, CLICK, INSIGHT, DIGEST = "link.created", "click", "insight.new", "digest"
DOMAIN_LOST = "domain.lost"
TEST = "webhook.test"
EVENTS = (LINK_CREATED, CLICK, INSIGHT, DIGEST, DOMAIN_LOST)
KEPT = timedelta(days=7)
OLD_SECRET_HOLDS = timedelta(hours=24)
TAKEN = timedelta(minutes=1)  # longer than a try may last: who ended amid one is stood in for after it
MOST_TRIES = 10
WAITS_S = (5, 30, 120, 600, 1800, 7200, 21_600, 43_200, 86_400)  # after the first try, the second, …


def announce(session: Session, workspace: int, event: str, data: dict[str, Any]) -> int:
    """Write a delivery for each webhook of `workspace` that wants `event`, in `session`'s transaction; how many."""
    wanting = [hook for hook in listening(session, event) if hook.workspace_id == workspace]
    for hook in wanting:
        put(session, hook, event, data)
    return len(wanting)


def listening(session: Session, event: str) -> list[Webhook]:
    """The webhooks in use that want `event`, of all workspaces."""
    found = session.scalars(select(Webhook).where(Webhook.active))
    return [hook for hook in found if event in hook.events.split()]


def put(session: Session, hook: Webhook, event: str, data: dict[str, Any]) -> Delivery:
    """Write one delivery, due at once."""
    at = now()
    body = {"type": event, "timestamp": at.isoformat(), "data": data}
    made = Delivery(
        webhook_id=hook.id,
        message=f"msg_{secrets.token_urlsafe(18)}",
        event=event,
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=str),
        created_at=at,
        due_at=at,
    )
    session.add(made)
    return made


def due(session: Session, limit: int) -> list[Delivery]:
    """Deliveries whose time has come, of webhooks in use, oldest first."""
    return list(
        session.scalars(
            select(Delivery)
            .join(Webhook)
            .where(Delivery.due_at <= now(), Webhook.active)
            .order_by(Delivery.due_at)
            .limit(limit)
        )
    )


def take(session: Session, limit: int) -> list[Delivery]:
    """As `due`, and nobody else's for a minute: several apps may share one database. For a writing session."""
    found = due(session, limit)
    for delivery in found:
        delivery.due_at = now() + TAKEN
    return found


def note(session: Session, number: int, status: int | None, answer: str, chance: float | None = None) -> None:
    """What became of a try: `status` is the receiver's, None where nobody answered.

    Anything but 2xx is tried again, ever later, at a random moment in the second half of the wait, so that receivers that come
    back are not met by all at once. 410 (Gone) ends the webhook.
    """
    delivery = session.get(Delivery, number)
    if delivery is None:  # ended meanwhile
        return
    delivery.tries += 1
    delivery.status, delivery.answer = status, answer[:300]
    if status is not None and 200 <= status < 300:
        delivery.due_at, delivery.done_at = None, now()
    elif status == 410:
        delivery.due_at = None
        session.execute(update(Webhook).where(Webhook.id == delivery.webhook_id).values(active=False))
    elif delivery.tries >= MOST_TRIES:
        delivery.due_at = None
    else:
        drawn = random.random() if chance is None else chance
        wait = WAITS_S[min(delivery.tries, len(WAITS_S)) - 1] * (0.5 + 0.5 * drawn)
        delivery.due_at = now() + timedelta(seconds=wait)


def again(delivery: Delivery) -> None:
    """Send a delivery once more, at once, under the same id: who has it already can tell."""
    delivery.due_at, delivery.done_at, delivery.tries = now(), None, 0


def clear(session: Session) -> None:
    """Forget deliveries that are over for a week."""
    session.execute(delete(Delivery).where(Delivery.due_at.is_(None), Delivery.created_at < now() - KEPT))


def rotate(hook: Webhook) -> str:
    """A new secret; the old one signs, too, for a day, so that the receiver can change over."""
    hook.old_secret, hook.old_until = hook.secret, now() + OLD_SECRET_HOLDS
    hook.secret = new_secret()
    return hook.secret


def secrets_of(hook: Webhook, at: datetime) -> list[str]:
    """Whatever a delivery is signed with at this moment."""
    old = hook.old_secret if hook.old_until is not None and hook.old_until > at else None
    return [hook.secret, *([old] if old else [])]


def find(session: Session, workspace: int, number: int) -> Webhook:
    """The workspace's webhook `number`; raises `Problem` (404)."""
    found = session.scalars(
        select(Webhook).where(Webhook.workspace_id == workspace, Webhook.id == number)
    ).one_or_none()
    if found is None:
        raise not_found(f"There is no webhook {number} here.", remedy="List yours with GET /api/webhooks.")
    return found


def listed(session: Session, workspace: int) -> Sequence[Webhook]:
    """The workspace's webhooks, oldest first."""
    return session.scalars(
        select(Webhook).where(Webhook.workspace_id == workspace).order_by(Webhook.id)
    ).all()


def deliveries(session: Session, hook: int, limit: int, before: int | None, failed: bool) -> list[Delivery]:
    """A webhook's deliveries, newest first; of those that `failed`, which were tried and not taken."""
    statement = select(Delivery).where(Delivery.webhook_id == hook)
    if before is not None:
        statement = statement.where(Delivery.id < before)
    if failed:
        statement = statement.where(
            Delivery.done_at.is_(None), or_(Delivery.tries > 0, Delivery.due_at.is_(None))
        )
    return list(session.scalars(statement.order_by(Delivery.id.desc()).limit(limit)))
