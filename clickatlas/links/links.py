"""Links of a workspace: made, found, changed, deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, TypeVar

from sqlalchemy import Select, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clickatlas.errors import conflict, invalid, not_found
from clickatlas.links import domains
from clickatlas.links.destination import checked_code, checked_url, random_code
from clickatlas.links.models import Campaign, Link, LinkChange, LinkTag, Workspace, now
from clickatlas.links.ways import MOST_WAYS, QR, click_numbers

Order = Literal["newest", "oldest", "code", "title", "clicks"]
S = TypeVar("S", bound=Select[*tuple[Any, ...]])


@dataclass(frozen=True)
class LinkQuery:
    """Which links: all conditions hold; within one, any of its values does. Empty: no condition."""

    codes: Sequence[str] = ()
    campaigns: Sequence[str] = ()
    channels: Sequence[str] = ()
    tags: Sequence[str] = ()
    search: str = ""
    archived: bool | None = None  # None: both

    def __bool__(self) -> bool:
        asked = self.codes or self.campaigns or self.channels or self.tags or self.search
        return bool(asked or self.archived is not None)

    def apply(self, statement: S, workspace: int) -> S:
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
        if self.archived is not None:
            statement = statement.where(Link.archived_at.is_not(None) == self.archived)
        if self.search:
            fields = (Link.code, Link.title, Link.url, Link.channel, Link.notes)
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
    target: dict[str, Any] | None = None
    status: int = 302
    starts_at: datetime | None = None
    max_clicks: int | None = None
    password: str | None = None  # hashed
    archived: bool = False
    notes: str = ""
    rules: Sequence[dict[str, Any]] = ()  # as `ways.Way` has them, without their numbers
    split: Sequence[dict[str, Any]] = ()
    domain: str | None = (
        ""  # "": the installation's host; None: the workspace's primary domain, where it has one
    )


def create(session: Session, workspace: int, draft: LinkDraft, schemes: Sequence[str] = ()) -> Link:
    """A new link; a code is drawn where none is asked for. Raises `Problem` (409 taken, 422 unusable).

    It may lead to the web, or to an app by one of `schemes`.
    """
    url = checked_url(draft.url, schemes)
    wanted = checked_code(draft.code) if draft.code else None
    domain = domains.chosen(session, workspace, draft.domain)
    for length in (6, 6, 6, 8, 10, 12):
        code = domains.with_domain(wanted or random_code(length), domain)
        link = Link(
            workspace_id=workspace,
            code=code,
            url=url,
            title=draft.title,
            channel=draft.channel or None,
            expires_at=draft.expires_at,
            pass_query=draft.pass_query,
            sample=draft.sample,
            target=draft.target,
            status=draft.status,
            starts_at=draft.starts_at,
            max_clicks=draft.max_clicks,
            password=draft.password,
            archived_at=now() if draft.archived else None,
            notes=draft.notes,
            campaign=_campaign(session, workspace, draft.campaign),
            tags=[LinkTag(tag=tag) for tag in sorted(set(draft.tags))],
        )
        if draft.created_at is not None:
            link.created_at = draft.created_at
        set_ways(link, draft.rules, draft.split, schemes)
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


def change(session: Session, link: Link, fields: dict[str, Any], schemes: Sequence[str] = ()) -> Link:
    """`link` with `fields` changed, each named as in `LinkDraft`; `schemes` as for `create`. Raises `Problem` (409, 422)."""
    before = link.code
    link.code = _address(session, link, fields)
    for name, value in fields.items():
        match name:
            case "url":
                link.url = checked_url(value, schemes)
            case "code" | "domain":
                pass  # together, below
            case "campaign":
                link.campaign = _campaign(session, link.workspace_id, value)
            case "tags":
                kept = {tag.tag: tag for tag in link.tags}
                link.tags = [kept.get(tag) or LinkTag(tag=tag) for tag in sorted(set(value or ()))]
            case "channel":
                link.channel = value or None
            case "title":
                link.title = value or ""
            case "expires_at" | "pass_query" | "target" | "status" | "starts_at" | "password":
                setattr(link, name, value)
            case "notes":
                link.notes = value or ""
            case "max_clicks":
                link.max_clicks, link.spent_at = value, None  # looked at again within a second
            case "archived":
                link.archived_at = (link.archived_at or now()) if value else None
            case "rules":
                set_ways(link, value or (), rows_of(link, split=True), schemes)
            case "split":
                set_ways(link, rows_of(link, split=False), value or (), schemes)
            case _:
                raise KeyError(name)
    wanted = link.code
    try:
        session.flush()
    except IntegrityError:
        session.rollback()
        raise conflict(f"The code {wanted!r} is taken.", remedy="Choose another code.") from None
    for code in {before, link.code}:
        session.add(LinkChange(link_id=link.id, code=code))
    return link


def _address(session: Session, link: Link, fields: dict[str, Any]) -> str:
    """The link's code with `fields` changed: each of its code and its domain stays unless it is among them."""
    path, _, domain = link.code.partition("@")
    if "code" in fields:
        told = fields["code"].removesuffix(f"@{domain}") if domain else fields["code"]
        path = path if told == path else checked_code(told)  # it may have become a reserved word
    if "domain" in fields and (fields["domain"] or "") != domain:
        domain = domains.chosen(session, link.workspace_id, fields["domain"] or "")
    return domains.with_domain(path, domain)


def rows_of(link: Link, *, split: bool) -> list[dict[str, Any]]:
    """The stored rules of `link`, or the sides of its split."""
    return [row for row in link.ways or () if bool(row.get("weight")) == split]


def set_ways(
    link: Link,
    rules: Sequence[dict[str, Any]],
    split: Sequence[dict[str, Any]],
    schemes: Sequence[str] = (),
) -> None:
    """Give `link` these ways. One of a name that it has keeps its clicks. Raises `Problem` (422)."""
    known = {row["name"]: row["way"] for row in link.ways or ()}
    made, rows = link.ways_made or 0, []
    for row in (*rules, *split):
        number = known.get(row["name"])
        if number is None:
            made = number = made + 1
        url = checked_url(row["url"], schemes) if row.get("url") else ""
        rows.append({name: value for name, value in row.items() if value} | {"way": number, "url": url})
    if len({row["name"] for row in rows}) < len(rows):
        raise invalid("Two ways have one name.", remedy="Give each its own name.", field="rules")
    if made > MOST_WAYS:
        raise invalid(
            f"This link has had {MOST_WAYS} rules and splits.", remedy="Make a new link.", field="rules"
        )
    link.ways, link.ways_made = rows or None, made


def delete(session: Session, links: Sequence[Link]) -> None:
    """Delete `links`; the journal tells redirectors and the click store."""
    for link in links:
        for number in click_numbers(link.id, link.ways_made):
            session.add(LinkChange(link_id=number, code=link.code, deleted=True))
        session.delete(link)
    session.flush()
    in_use = select(Link.campaign_id).where(Link.campaign_id.is_not(None))
    here = {link.workspace_id for link in links}
    unused = select(Campaign).where(Campaign.workspace_id.in_(here), Campaign.id.not_in(in_use))
    for campaign in session.scalars(unused):
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


def ordered(
    session: Session, workspace: int, query: LinkQuery, order: Order, clicks: Mapping[int, int]
) -> list[int]:
    """The numbers of all links that `query` lets through, in `order`; of equals the newest first. `clicks` by link."""
    rows = session.execute(query.apply(select(Link.id, Link.code, Link.title), workspace)).all()
    keys: dict[int, tuple[Any, ...]] = {
        number: {
            "newest": (),
            "oldest": (number,),
            "code": (code.casefold(),),
            "title": (not title, title.casefold()),
            "clicks": (-clicks.get(number, 0),),
        }[order]
        for number, code, title in rows
    }
    return sorted(keys, key=lambda number: (keys[number], -number))


def of_numbers(session: Session, wanted: Sequence[int]) -> list[Link]:
    """The links of these numbers, in this order."""
    found = {link.id: link for link in session.scalars(select(Link).where(Link.id.in_(wanted)))}
    return [found[number] for number in wanted if number in found]


def numbers(session: Session, workspace: int, query: LinkQuery) -> list[int]:
    """The click numbers of all links that `query` lets through, ascending: those of all ways.

    A scan's channel is `qr`, whatever its link's is.
    """
    columns = select(Link.id, Link.ways_made, Link.channel)
    found: list[int] = []
    for link, made, channel in session.execute(query.apply(columns, workspace)):
        scans_too = not query.channels or channel == QR or QR in query.channels
        found += click_numbers(link, made, scanned=None if scans_too else False)
    if QR in query.channels:
        for link, made, channel in session.execute(replace(query, channels=()).apply(columns, workspace)):
            if channel not in query.channels:
                found += click_numbers(link, made, scanned=True)
    return sorted(found)


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
