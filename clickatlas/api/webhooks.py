"""Webhooks: who is told of what, what became of it, and once more. For owners: they tell of every link and click."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Path, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.orm import Session

from clickatlas.api.caller import HouseDep, OwnerDep
from clickatlas.api.cursor import position
from clickatlas.clicks.filter import zone_info
from clickatlas.errors import Problem, invalid, not_found
from clickatlas.links import audit
from clickatlas.links.models import Delivery, Webhook
from clickatlas.webhooks import outbox
from clickatlas.webhooks.signature import new_secret

router = APIRouter(prefix="/api/webhooks", tags=["webhooks"])
MOST = 20  # of a workspace
Event = Literal["link.created", "click", "insight.new", "digest", "domain.lost"]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        fine = (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.username is None
            and parts.port != 0
        )
    except ValueError:
        fine = False
    if not fine or not text.isascii() or not text.isprintable() or any(letter in text for letter in ' "<>\\'):
        raise ValueError("is no address such as https://example.com/hooks")
    return text


Address = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_address)]
Events = Annotated[list[Event], Field(min_length=1, max_length=5)]


class DigestTime(BaseModel):
    """When the event `digest` comes, if the webhook is told of it."""

    model_config = ConfigDict(extra="forbid")
    every: Literal["day", "week", "month"] = Field("week", description="How often; of months on the first.")
    weekday: int = Field(0, ge=0, le=6, description="Of weekly ones; Monday is 0.", examples=[0])
    hour: int = Field(8, ge=0, le=23, description="By the clock of `tz`.", examples=[8])
    tz: str = Field(
        "UTC",
        max_length=64,
        description="IANA zone of that hour and of the days.",
        examples=["Europe/Berlin"],
    )


class WebhookIn(BaseModel):
    """A new webhook."""

    model_config = ConfigDict(extra="forbid")
    url: Address = Field(description="Where events are sent by POST.", examples=["https://example.com/hooks"])
    events: Events = Field(description="Which.", examples=[["link.created", "click"]])
    digest: DigestTime = Field(default_factory=lambda: DigestTime.model_validate({}))


class WebhookPatch(BaseModel):
    """What to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    url: Address | None = None
    events: Events | None = None
    digest: DigestTime | None = None
    active: bool | None = Field(None, description="Off: nothing is sent, and nothing new is put down.")


class WebhookOut(BaseModel):
    """A webhook, without its secret."""

    id: int
    url: str
    events: list[str]
    active: bool
    created_at: datetime
    digest: DigestTime = Field(description="When it is told the event `digest`, if it is.")
    old_secret_until: datetime | None = Field(description="Until when the secret before signs, too.")


class NewWebhook(WebhookOut):
    """A webhook with a secret that was just made."""

    secret: str = Field(description="What deliveries are signed with. It is shown this once.")


class WebhookList(BaseModel):
    """The workspace's webhooks, oldest first."""

    rows: list[WebhookOut]


class DeliveryOut(BaseModel):
    """One event on its way, and what became of it."""

    id: int
    message: str = Field(description="Its `webhook-id`: the same in every try.")
    event: str
    created_at: datetime
    state: Literal["waiting", "delivered", "failed"]
    tries: int
    due_at: datetime | None = Field(description="When it is tried next.")
    status: int | None = Field(
        description="The receiver's status at the last try; null where nobody answered."
    )
    answer: str = Field(description="The first 300 letters of what it said, or why nobody answered.")


class DeliveryList(BaseModel):
    """Deliveries of the last week, newest first."""

    rows: list[DeliveryOut]
    next_cursor: str | None


@router.get("")
def listed(opened: HouseDep, who: OwnerDep) -> WebhookList:
    """The workspace's webhooks."""
    with opened.links.reading() as session:
        return WebhookList(
            rows=[WebhookOut(**_shown(hook)) for hook in outbox.listed(session, who.workspace)]
        )


@router.post("", status_code=201)
def create(draft: WebhookIn, opened: HouseDep, who: OwnerDep) -> NewWebhook:
    """Have an address told of events. The secret is in this answer only."""
    zone_info(draft.digest.tz)
    with opened.links.writing() as session:
        if len(outbox.listed(session, who.workspace)) >= MOST:
            raise Problem(409, "Conflict", f"A workspace has at most {MOST} webhooks.", remedy="Delete one.")
        hook = Webhook(
            workspace_id=who.workspace, url=draft.url, events=_words(draft.events), secret=new_secret(),
            digest=draft.digest.model_dump(),
        )  # fmt: skip
        session.add(hook)
        session.flush()
        audit.by(session, who, "webhook.create", hook.url)
        return NewWebhook(**_shown(hook), secret=hook.secret)


@router.patch("/{webhook_id}")
def change(webhook_id: Number, patch: WebhookPatch, opened: HouseDep, who: OwnerDep) -> WebhookOut:
    """Change a webhook; what waits goes to the new address."""
    fields = patch.model_dump(exclude_unset=True)
    for name, value in fields.items():
        if value is None:
            raise invalid(f"{name!r} can't be empty.", remedy="Leave it out to keep it.", field=name)
    if patch.digest:
        zone_info(patch.digest.tz)
        fields["digest"] = patch.digest.model_dump()
    with opened.links.writing() as session:
        hook = outbox.find(session, who.workspace, webhook_id)
        if patch.events:
            fields["events"] = _words(patch.events)
        for name, value in fields.items():
            setattr(hook, name, value)
        audit.by(session, who, "webhook.change", hook.url)
        return WebhookOut(**_shown(hook))


@router.delete("/{webhook_id}", status_code=204)
def delete(webhook_id: Number, opened: HouseDep, who: OwnerDep) -> Response:
    """Forget a webhook, and what waits for it."""
    with opened.links.writing() as session:
        hook = outbox.find(session, who.workspace, webhook_id)
        audit.by(session, who, "webhook.delete", hook.url)
        session.delete(hook)
    return Response(status_code=204)


@router.post("/{webhook_id}/secret")
def rotate(webhook_id: Number, opened: HouseDep, who: OwnerDep) -> NewWebhook:
    """Give a webhook a new secret. For a day deliveries are signed with the old one, too."""
    with opened.links.writing() as session:
        hook = outbox.find(session, who.workspace, webhook_id)
        secret = outbox.rotate(hook)
        audit.by(session, who, "webhook.secret", hook.url)
        return NewWebhook(**_shown(hook), secret=secret)


@router.post("/{webhook_id}/test", status_code=202)
def test(webhook_id: Number, opened: HouseDep, who: OwnerDep) -> DeliveryOut:
    """Send an event `webhook.test`."""
    with opened.links.writing() as session:
        hook = outbox.find(session, who.workspace, webhook_id)
        made = outbox.put(session, hook, outbox.TEST, {"workspace": who.workspace_name})
        session.flush()
        return _told(made)


@router.get("/{webhook_id}/deliveries")
def deliveries(
    webhook_id: Number, opened: HouseDep, who: OwnerDep,
    failed: Annotated[bool, Query(description="Only those that were tried and not taken.")] = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 50, cursor: str | None = None,
) -> DeliveryList:  # fmt: skip
    """What was sent to a webhook in the last week, and what became of it."""
    before = position(cursor)
    with opened.links.reading() as session:
        hook = outbox.find(session, who.workspace, webhook_id)
        rows = outbox.deliveries(session, hook.id, limit + 1, before, failed)
    following = str(rows[limit - 1].id) if len(rows) > limit else None
    return DeliveryList(rows=[_told(one) for one in rows[:limit]], next_cursor=following)


@router.post("/{webhook_id}/deliveries/{delivery_id}/replay", status_code=202)
def replay(webhook_id: Number, delivery_id: Number, opened: HouseDep, who: OwnerDep) -> DeliveryOut:
    """Send a delivery once more, under the same `webhook-id`."""
    with opened.links.writing() as session:
        hook = outbox.find(session, who.workspace, webhook_id)
        found = _delivery(session, hook.id, delivery_id)
        outbox.again(found)
        return _told(found)


def _delivery(session: Session, hook: int, number: int) -> Delivery:
    found = session.get(Delivery, number)
    if found is None or found.webhook_id != hook:
        raise not_found(
            f"There is no delivery {number}.", remedy="GET /api/webhooks/ID/deliveries lists those of a week."
        )
    return found


def _words(events: list[Event]) -> str:
    return " ".join(event for event in outbox.EVENTS if event in events)


def _shown(hook: Webhook) -> dict[str, Any]:
    return {
        "id": hook.id,
        "url": hook.url,
        "events": hook.events.split(),
        "active": hook.active,
        "created_at": hook.created_at,
        "digest": hook.digest or {},
        "old_secret_until": hook.old_until,
    }


def _told(one: Delivery) -> DeliveryOut:
    state: Literal["waiting", "delivered", "failed"] = (
        "delivered" if one.done_at else "waiting" if one.due_at else "failed"
    )
    return DeliveryOut(
        id=one.id, message=one.message, event=one.event, created_at=one.created_at, state=state, tries=one.tries,
        due_at=one.due_at, status=one.status, answer=one.answer,
    )  # fmt: skip
