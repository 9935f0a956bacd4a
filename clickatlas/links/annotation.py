"""Notes at a time: what happened that a chart of clicks doesn't tell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from clickatlas.errors import Problem, not_found
from clickatlas.links.models import Annotation, Campaign, Link

MOST = 5_000  # of a workspace


def listed(
    session: Session,
    workspace: int,
    *,
    links: Sequence[str] = (),
    campaigns: Sequence[str] = (),
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int = 500,
) -> list[Annotation]:
    """The workspace's notes from `start` until before `end`, newest first.

    With `links` or `campaigns` those of theirs, of these links' campaigns, and of the whole workspace.
    """
    query = select(Annotation).where(Annotation.workspace_id == workspace)
    if links or campaigns:
        named = (Link.workspace_id == workspace) & Link.code.in_(links)
        mine = (Campaign.workspace_id == workspace) & Campaign.name.in_(campaigns)
        theirs = select(Campaign.id).where(mine).union(select(Link.campaign_id).where(named))
        query = query.where(
            or_(
                Annotation.link_id.is_(None) & Annotation.campaign_id.is_(None),
                Annotation.link_id.in_(select(Link.id).where(named)),
                Annotation.campaign_id.in_(theirs),
            )
        )
    if start is not None:
        query = query.where(Annotation.at >= start)
    if end is not None:
        query = query.where(Annotation.at < end)
    query = query.order_by(Annotation.at.desc(), Annotation.id.desc()).limit(limit)
    return list(session.scalars(query).all())


def create(session: Session, annotation: Annotation) -> Annotation:
    """`annotation`, kept. Raises `Problem` (409) where the workspace has very many."""
    held = session.query(Annotation).where(Annotation.workspace_id == annotation.workspace_id).count()
    if held >= MOST:
        raise Problem(
            409, "Too many notes", f"There are {MOST} notes already.", remedy="Delete some that are old."
        )
    session.add(annotation)
    session.flush()
    session.refresh(annotation)
    return annotation


def find(session: Session, workspace: int, number: int) -> Annotation:
    """The workspace's note `number`; raises `Problem` (404)."""
    found = session.scalars(
        select(Annotation).where(Annotation.workspace_id == workspace, Annotation.id == number)
    ).one_or_none()
    if found is None:
        raise not_found(f"There is no note {number} here.", remedy="List yours with GET /api/annotations.")
    return found
