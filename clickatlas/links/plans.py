"""Plans, as an operator may sell them: what each holds, in one table. A self-hoster's workspaces hold everything."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from clickatlas.errors import Problem
from clickatlas.links.models import AuditEntry, Link, Workspace, now

UNLIMITED, FREE, PRO = "unlimited", "free", "pro"


class Plan(NamedTuple):
    """What a plan holds; None: as much as one likes."""

    name: str
    links_per_month: int | None
    history_days: int | None
    zip_level: bool
    demographics: bool
    export: bool
    api: bool


PLANS = {
    plan.name: plan
    for plan in (
        Plan(UNLIMITED, None, None, zip_level=True, demographics=True, export=True, api=True),
        Plan(FREE, 50, 90, zip_level=False, demographics=False, export=False, api=False),
        Plan(PRO, 5_000, 730, zip_level=True, demographics=True, export=True, api=True),
    )
}
WORDS = {
    "zip_level": "Figures by postal code are",
    "demographics": "Demographics are",
    "export": "Exports are",
    "api": "API tokens are",
}


def of(name: str | None, default: str) -> Plan:
    """The plan of this name; that of the installation (`default_plan`) where a workspace has none of its own."""
    return PLANS.get(name or default, PLANS[FREE])


def lacking(plan: Plan, entitlement: str) -> Problem:
    """403: `plan` doesn't hold `entitlement`."""
    return _refusal(plan, entitlement, f"{WORDS[entitlement]} not part of the plan '{plan.name}'.")


def too_far_back(plan: Plan, since: datetime) -> Problem:
    """403: clicks before `since` are asked for."""
    problem = _refusal(
        plan, "history_days", f"The plan '{plan.name}' shows the last {plan.history_days} days."
    )
    problem.remedy = (
        f"Ask for from={since:%Y-%m-%d} or later, or {problem.remedy[:1].lower()}{problem.remedy[1:]}"
    )
    return problem


def refuse_link(session: Session, workspace: int, plan: Plan) -> None:
    """Raise `Problem` (403) where `workspace` has made this month's links already."""
    if (left := links_left(session, workspace, plan)) is not None and left <= 0:
        raise no_more_links(plan)


def links_left(session: Session, workspace: int, plan: Plan) -> int | None:
    """How many links `workspace` may still make in this month; None: any number."""
    most = plan.links_per_month
    return None if most is None else most - made_this_month(session, workspace)


def no_more_links(plan: Plan) -> Problem:
    """403: this month's links are made."""
    most = plan.links_per_month or 0
    return _refusal(
        plan, "links_per_month", f"The plan '{plan.name}' has {most:,} new links a month, and they are made."
    )


def made_this_month(session: Session, workspace: int) -> int:
    """How many of the links that `workspace` has were made in this month (UTC).

    A link that was imported in it counts, too, whatever day it says it was made elsewhere: that is what the log is
    asked for.
    """
    first = now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    made = select(func.count()).where(Link.workspace_id == workspace, Link.created_at >= first)
    imported = (
        select(func.count(AuditEntry.link_id.distinct()))
        .join(Link, Link.id == AuditEntry.link_id)
        .where(
            AuditEntry.workspace_id == workspace,
            AuditEntry.action == "link.create",
            AuditEntry.at >= first,
            Link.workspace_id == workspace,
            Link.created_at < first,
        )
    )
    return (session.scalar(made) or 0) + (session.scalar(imported) or 0)


def change(session: Session, workspace: Workspace, plan: str) -> str:
    """Give a workspace a plan; returns the one before, by name ("" where it had the installation's)."""
    before, workspace.plan = workspace.plan or "", plan
    return before


def _refusal(plan: Plan, entitlement: str, detail: str) -> Problem:
    holders = [
        one.name
        for one in PLANS.values()
        if one.name not in (plan.name, UNLIMITED) and _more(one, plan, entitlement)
    ]
    better = (
        f"move this workspace to the plan '{holders[0]}'" if holders else "ask whoever runs this clickatlas"
    )
    return Problem(
        403,
        "Not in your plan",
        detail,
        remedy=f"{better[:1].upper()}{better[1:]}.",
        extra={"plan": plan.name, "entitlement": entitlement},
    )


def _more(one: Plan, than: Plan, entitlement: str) -> bool:
    has, had = getattr(one, entitlement), getattr(than, entitlement)
    return has is None or has > had
