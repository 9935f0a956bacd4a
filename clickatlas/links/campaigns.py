"""Campaigns of a workspace: found, listed. They come and go with their links."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from clickatlas.errors import not_found
from clickatlas.links.models import Campaign, Link


def find(session: Session, workspace: int, name: str) -> Campaign:
    """The workspace's campaign `name`; raises `Problem` (404)."""
    campaign = session.scalars(
        select(Campaign)
        .where(Campaign.workspace_id == workspace, Campaign.name == name)
        .options(undefer(Campaign.target))
    ).one_or_none()
    if campaign is None:
        raise not_found(
            f"There is no campaign {name[:80]!r} here.", remedy="List yours with GET /api/campaigns."
        )
    return campaign


def listed(session: Session, workspace: int) -> list[tuple[str, int, bool]]:
    """(name, number of links, whether it has a target) of the workspace's campaigns, by name."""
    statement = (
        select(Campaign.name, func.count(Link.id), Campaign.target.is_not(None))
        .outerjoin(Link, Link.campaign_id == Campaign.id)
        .where(Campaign.workspace_id == workspace)
        .group_by(Campaign.id)
        .order_by(Campaign.name)
    )
    return [(name, links, bool(has)) for name, links, has in session.execute(statement)]


def size(session: Session, campaign: Campaign) -> int:
    """How many links it has."""
    return session.scalar(select(func.count(Link.id)).where(Link.campaign_id == campaign.id)) or 0


def target(session: Session, workspace: int, name: str) -> dict[str, Any] | None:
    """The campaign's target as `insight.target.Target.read` takes it; None without one, or without the campaign."""
    return session.scalar(
        select(Campaign.target).where(Campaign.workspace_id == workspace, Campaign.name == name)
    )
