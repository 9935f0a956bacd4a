"""Insights that were seen: what is new among those of now, remembered in the links database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clickatlas.insight.identity import alike
from clickatlas.links.models_told import InsightLook, SeenInsight

FORGOTTEN = timedelta(days=90)  # what wasn't there for so long is news when it comes back


class Sighting(NamedTuple):
    """One insight as it is now."""

    mark: str
    areas: frozenset[str]
    sentence: str


def looked_at(session: Session, workspace: int) -> datetime | None:
    """When the workspace's insights were last looked at; None: never."""
    return session.scalar(select(InsightLook.at).where(InsightLook.workspace_id == workspace))


def note(session: Session, workspace: int, found: Sequence[Sighting], at: datetime) -> list[int]:
    """Remember what is there now; which of `found` are news (positions). At the first look nothing is."""
    first = looked_at(session, workspace) is None
    session.merge(InsightLook(workspace_id=workspace, at=at))
    session.execute(
        delete(SeenInsight).where(SeenInsight.workspace_id == workspace, SeenInsight.last_at < at - FORGOTTEN)
    )
    known = list(session.scalars(select(SeenInsight).where(SeenInsight.workspace_id == workspace)))
    news = []
    for position, one in enumerate(found):
        same = next((old for old in known if old.mark == one.mark and alike(old.areas, one.areas)), None)
        if same is None:
            same = SeenInsight(
                workspace_id=workspace, mark=one.mark, news=not first, first_at=at, sentence="", areas=[]
            )
            session.add(same)
            known.append(same)
            if not first:
                news.append(position)
        same.areas, same.sentence, same.last_at = sorted(one.areas), one.sentence[:1000], at
    return news


def news_since(session: Session, workspace: int, since: datetime) -> list[str]:
    """Sentences of insights that are new since then, and still there at the last look; the newest first."""
    look = looked_at(session, workspace)
    return list(
        session.scalars(
            select(SeenInsight.sentence)
            .where(
                SeenInsight.workspace_id == workspace,
                SeenInsight.news,
                SeenInsight.first_at >= since,
                SeenInsight.last_at == look,
            )
            .order_by(SeenInsight.id.desc())
        )
    )


def forget_unwanted(session: Session, wanted: Sequence[int]) -> None:
    """Begin anew in workspaces where nobody wants to hear of news any more."""
    for table in (InsightLook, SeenInsight):
        session.execute(delete(table).where(table.workspace_id.not_in(wanted)))
