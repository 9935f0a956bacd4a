"""Links of a workspace: made, found, changed, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clickatlas.errors import conflict, not_found
from clickatlas.links.destination import checked_code, checked_url, random_code
from clickatlas.links.models import Campaign, Link, LinkChange, LinkTag, Workspace


@dataclass(frozen=True)
class LinkQuery:
    """Which links: all conditions hold; within one, any of its values does. Empty: no condition."""

    codes: Sequence[str] = ()
    campaigns: Sequence[str] = ()
    channels: Sequence[str] = ()
    tags: Sequence[str] = ()
    search: str = ""

    def __bool__(self) -> bool:
        return bool(self.codes or self.campaigns or self.channels or self.tags or self.search)

    def apply(self, statement: Select[Any], workspace: int) -> Select[Any]:
        """`statement` on links, narrowed to these links of `workspace`."""
        statement = statement.where(Link.workspace_id == workspace)
        if self.codes:
            statement = statement.where(Link.code.in_(self.codes))
        if self.campaigns:
            named = select(Campaign.id).where(
                Campaign.workspace_id == workspace, Campaign.name.in_(self.campaigns)
            )
            statement = statement.where(Link.campaign_id.in_(named))
        if self.channels:
            statement = statement.where(Link.channel.in_(self.channels))
        if self.tags:
            statement = statement.where(
                Link.id.in_(select(LinkTag.link_id).where(LinkTag.tag.in_(self.tags)))
            )
        if self.search:
            fields = (Link.code, Link.title, Link.url, Link.channel)
            campaigns = select(Campaign.id).where(Campaign.name.icontains(self.search, autoescape=True))
            statement = statement.where(
                or_(
                    *(column.icontains(self.search, autoescape=True) for column in fields),
                    Link.campaign_id.in_(campaigns),
                )
            )
        return statement


@dataclass(frozen=True)
class LinkDraft:
    """What somebody wants a new link to be."""

    url: str
    code: str | None = None
    title: str = ""
    campaign: str | None = None
    channel: str | None = None
    tags: Sequence[str] = field(default_factory=tuple)
    expires_at: datetime | None = None
    pass_query: bool = False
    sample: bool = False
    created_at: datetime | None = None


def create(session: Session, workspace: int, draft: LinkDraft) -> Link:
    """A new link; a code is drawn where none is asked for. Raises `Problem` (409 taken, 422 unusable)."""
    url = checked_url(draft.url)
    wanted = checked_code(draft.code) if draft.code else None
    for length in (6, 6, 6, 8, 10, 12):
        code = wanted or random_code(length)
        link = Link(
            workspace_id=workspace,
            code=code,
            url=url,
            title=draft.title,
            channel=draft.channel or None,
            expires_at=draft.expires_at,
            pass_query=draft.pass_query,
            sample=draft.sample,
            campaign=_campaign(session, workspace, draft.campaign),
            tags=[LinkTag(tag=tag) for tag in sorted(set(draft.tags))],
        )
        if draft.created_at is not None:
            link.created_at = draft.created_at
        try:
            with session.begin_nested():
                session.add(link)
        except IntegrityError:
            if wanted:
                raise conflict(f"The code {code!r} is taken.", remedy="Choose another code.") from None
            continue
        session.add(LinkChange(link_id=link.id, code=link.code))
        return link
    raise conflict("No free code was found.", remedy="Give a code of your own.")


def find(session: Session, workspace: int, code: str) -> Link:
    """The workspace's link `code`; raises `Problem` (404)."""
    link = session.scalars(
        select(Link).where(Link.workspace_id == workspace, Link.code == code)
    ).one_or_none()
    if link is None:
        raise not_found(f"There is no link {code[:80]!r} here.", remedy="List yours with GET /api/links.")
    return link


def change(session: Session, link: Link, fields: dict[str, Any]) -> Link:
    """`link` with `fields` changed, each named as in `LinkDraft`. Raises `Problem` (409, 422)."""
    before = link.code
    for name, value in fields.items():
        match name:
            case "url":
                link.url = checked_url(value)
            case "code":
                link.code = checked_code(value)
            case "campaign":
                link.campaign = _campaign(session, link.workspace_id, value)
            case "tags":
                kept = {tag.tag: tag for tag in link.tags}
                link.tags = [kept.get(tag) or LinkTag(tag=tag) for tag in sorted(set(value or ()))]
            case "channel":
                link.channel = value or None
            case "title":
                link.title = value or ""
            case "expires_at" | "pass_query":
                setattr(link, name, value)
            case _:
                raise KeyError(name)
    try:
        session.flush()
    except IntegrityError:
        session.rollback()
        raise conflict(f"The code {fields['code']!r} is taken.", remedy="Choose another code.") from None
    for code in {before, link.code}:
        session.add(LinkChange(link_id=link.id, code=code))
    return link


def delete(session: Session, links: Sequence[Link]) -> None:
    """Delete `links`; the journal tells redirectors and the click store."""
    for link in links:
        session.add(LinkChange(link_id=link.id, code=link.code, deleted=True))
        session.delete(link)
    session.flush()
    in_use = select(Link.campaign_id).where(Link.campaign_id.is_not(None))
    for campaign in session.scalars(select(Campaign).where(Campaign.id.not_in(in_use))):
        session.delete(campaign)


def page(
    session: Session, workspace: int, query: LinkQuery, *, limit: int, before: int | None = None
) -> tuple[list[Link], int]:
    """Up to `limit` links, newest first, older than link number `before`; and how many there are in all."""
    total = session.scalar(query.apply(select(func.count()).select_from(Link), workspace)) or 0
    statement = query.apply(select(Link), workspace).order_by(Link.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(Link.id < before)
    return list(session.scalars(statement)), total


def numbers(session: Session, workspace: int, query: LinkQuery) -> list[int]:
    """The numbers of all links that `query` lets through, ascending."""
    return list(session.scalars(query.apply(select(Link.id), workspace).order_by(Link.id)))


def _campaign(session: Session, workspace: int, name: str | None) -> Campaign | None:
    if not name:
        return None
    known = session.scalars(
        select(Campaign).where(Campaign.workspace_id == workspace, Campaign.name == name)
    ).one_or_none()
    if known is None:
        known = Campaign(workspace_id=workspace, name=name)
        session.add(known)
        session.flush()
    return known


def only_workspace(session: Session) -> bool:
    """Whether all links there are belong to one workspace."""
    return len(session.scalars(select(Workspace.id).limit(2)).all()) < 2
