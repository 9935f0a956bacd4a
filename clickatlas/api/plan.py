"""The workspace's plan, and how a payment switches it."""

from __future__ import annotations

import json
import logging
import time
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clickatlas.api.caller import CallerDep, Callers, HouseDep
from clickatlas.api.house import House
from clickatlas.errors import Problem, conflict, invalid
from clickatlas.links import audit, keys, payment, plans
from clickatlas.links.models import PaymentEvent, Workspace, now
from clickatlas.links.payment import Change

router = APIRouter(tags=["plan"])
log = logging.getLogger("clickatlas.plan")
LARGEST = 256 * 1024  # bytes of an event
REMEMBERED_DAYS = 90  # services send an event again for a few days at most


class PlanOut(BaseModel):
    """What the workspace's plan holds; null: as much as one likes."""

    plan: str = Field(description="unlimited, free or pro.")
    workspace: int = Field(description="The number that a payment names in `client_reference_id`.")
    links_per_month: int | None
    links_this_month: int
    history_days: int | None
    zip_level: bool
    demographics: bool
    export: bool
    api: bool


class Taken(BaseModel):
    """What came of an event."""

    changed: bool = Field(
        description="False: it was known, or is none that changes a plan, or a newer one came before."
    )


@router.get("/api/plan")
def shown(opened: HouseDep, who: CallerDep) -> PlanOut:
    """The plan of this workspace: what it holds, and how many links were made this month."""
    plan = plans.of(who.plan, opened.settings.default_plan)
    with opened.links.reading() as database:
        made = plans.made_this_month(database, who.workspace)
    return PlanOut.model_validate(
        {"plan": plan.name, "workspace": who.workspace, "links_this_month": made} | plan._asdict()
    )


EVENT = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}


@router.post("/api/plan/webhook", openapi_extra=EVENT)
async def take(request: Request, opened: HouseDep) -> Taken:
    """Take an event of a payment service, in Stripe's shape and signed as Stripe signs (`Stripe-Signature`).

    `checkout.session.completed` and `customer.subscription.created`, `.updated` and `.deleted` switch the plan of the
    workspace that `client_reference_id` or `metadata.workspace` names, or whose customer it is. Sent twice, an event
    changes nothing more; one that is older than the last is passed over.
    """
    secret = opened.settings.plan_webhook_secret
    if not secret:
        raise conflict("No payment service is set up.", "An operator sets plan_webhook_secret.")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            raise Problem(413, "Too large", "An event has at most 256 kB.", remedy="Send one at a time.")
    if not payment.is_genuine(request.headers.get("stripe-signature", ""), body, secret, time.time()):
        raise Problem(
            400,
            "Wrong signature",
            "Stripe-Signature is missing, wrong, or more than five minutes off.",
            remedy="Look whether plan_webhook_secret is the endpoint's own, and the clock right.",
        )
    try:
        change = payment.read(json.loads(body))
    except (ValueError, RecursionError):
        raise invalid("That is no event.", remedy="It has id, type, created and data.object.") from None
    if change is None:
        return Taken(changed=False)
    changed, known = await run_in_threadpool(_switch, opened, change)
    callers: Callers = request.app.state.callers
    callers.forget(known)
    return Taken(changed=changed)


def _switch(opened: House, change: Change) -> tuple[bool, set[int]]:
    """Whether the event changed anything, and whose keys hold otherwise now."""
    with opened.links.writing() as database:
        if database.get(PaymentEvent, change.event) is not None:
            return False, set()
        database.execute(delete(PaymentEvent).where(PaymentEvent.at < _long_ago()))
        database.add(PaymentEvent(id=change.event, at=now()))
        found = _whose(database, change)
        if found is None:
            log.warning("a payment event is of no workspace here: %s", json.dumps(change.event))
            return False, set()
        if found.plan_at is not None and found.plan_at > change.at:
            return False, set()
        found.plan_at, found.customer = change.at, change.customer or found.customer
        before = plans.change(database, found, change.plan)
        audit.record(
            database,
            found.id,
            None,
            "plan.change",
            change.plan,
            detail=f"was {before or 'the default'}; {change.event}",
        )
        kinds = (keys.TOKEN, keys.SESSION)
        known = {key.id for kind in kinds for key in keys.listed(database, kind, workspace=found.id)}
    return before != change.plan, known


def _whose(database: Session, change: Change) -> Workspace | None:
    if change.workspace is not None:
        return database.get(Workspace, change.workspace)
    if change.customer is None:
        return None
    return database.scalar(select(Workspace).where(Workspace.customer == change.customer).limit(1))


def _long_ago() -> datetime:
    return now() - timedelta(days=REMEMBERED_DAYS)
