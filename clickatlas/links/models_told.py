"""Tables of what people and programs are told in the background: insights that were seen, digests that were sent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clickatlas.links.models import Base, Document, Moment, Number


class InsightLook(Base):
    """When a workspace's insights were last looked at for somebody who wants to hear of new ones."""

    __tablename__ = "insight_looks"
    workspace_id: Mapped[int] = mapped_column(
        ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[datetime] = mapped_column(Moment)


class SeenInsight(Base):
    """An insight that a workspace had: seen again it is no news."""

    __tablename__ = "insights_seen"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    mark: Mapped[str] = mapped_column(String(64))  # as `identity.mark` gives it
    areas: Mapped[list[str]] = mapped_column(Document)
    sentence: Mapped[str] = mapped_column(String(1000))
    news: Mapped[bool]  # False: it was there at the first look
    first_at: Mapped[datetime] = mapped_column(Moment)
    last_at: Mapped[datetime] = mapped_column(Moment)


class Digest(Base):
    """Who gets a workspace's digest, a person or a webhook, and of which period the last one was."""

    __tablename__ = "digests"
    __table_args__ = (
        UniqueConstraint("workspace_id", "person_id", name="uq_digests_person"),
        UniqueConstraint("webhook_id"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    webhook_id: Mapped[int | None] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    every: Mapped[str] = mapped_column(String(8))  # day, week, month
    weekday: Mapped[int]  # Monday is 0
    hour: Mapped[int]
    zone: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(64))  # of the tickets to unsubscribe: a new one ends them
    done: Mapped[str | None] = mapped_column(String(32))  # as `schedule.Period.name` says it
    done_at: Mapped[datetime | None] = mapped_column(Moment)
