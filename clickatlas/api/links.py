"""Links: made, listed, changed, deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.house import House
from clickatlas.clicks.filter import PEOPLE, Selection
from clickatlas.clicks.store import Integers
from clickatlas.errors import invalid
from clickatlas.links import audit, links
from clickatlas.links.destination import host_as_read, refuse_some
from clickatlas.links.links import LinkDraft, LinkQuery
from clickatlas.links.models import Link

router = APIRouter(prefix="/api/links", tags=["links"])
DAYS = 30
NONE: list[str] = []  # FastAPI copies it; a default_factory would cost 50 µs a parameter

Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("is too far away in time") from None


Moment = Annotated[datetime, AfterValidator(_utc)]


class LinkIn(BaseModel):
    """A new link."""

    model_config = ConfigDict(extra="forbid")
    url: str = Field(description="Where it leads.", examples=["https://example.com/spring"])
    code: str | None = Field(None, description="Its short code; drawn at random where none is given.")
    title: Annotated[str, StringConstraints(max_length=500)] = ""
    campaign: Name | None = None
    channel: Word | None = Field(None, description="How it is shared: email, social, qr, sms, …")
    tags: list[Word] = Field(default_factory=list, max_length=50)
    expires_at: Moment | None = Field(
        None, description="From this moment on it answers 410. UTC unless it says."
    )
    pass_query: bool = Field(False, description="Whether the visitor's query parameters go along.")


class LinkPatch(BaseModel):
    """What to change of a link; what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    url: str | None = None
    code: str | None = None
    title: Annotated[str, StringConstraints(max_length=500)] | None = None
    campaign: Name | None = None
    channel: Word | None = None
    tags: list[Word] | None = Field(None, max_length=50)
    expires_at: Moment | None = None
    pass_query: bool | None = None


class LinkOut(BaseModel):
    """A link."""

    code: str
    short_url: str
    url: str = Field(description="Where it leads, in plain ASCII: a host of other letters is in punycode.")
    host: str = Field(description="The destination's host as people write it, in Unicode.")
    title: str
    campaign: str | None
    channel: str | None
    tags: list[str]
    created_at: datetime
    expires_at: datetime | None
    pass_query: bool
    sample: bool


class LinkRow(LinkOut):
    """A link in a list, with its people's clicks."""

    clicks: int
    sparkline: list[int] = Field(description="Clicks of each of the last 30 days (UTC), oldest first.")


class LinkPage(BaseModel):
    """Links, newest first."""

    rows: list[LinkRow]
    next_cursor: str | None
    total: int


@router.post("", status_code=201)
def create(draft: LinkIn, opened: HouseDep, who: CallerDep) -> LinkOut:
    """Shorten a link."""
    wanted = LinkDraft(**_lowered(draft.model_dump(), opened))
    refuse_some(draft.url, opened.settings.base_url, opened.settings.blocked_hosts)
    with opened.links.writing() as session:
        link = links.create(session, who.workspace, wanted)
        audit.by(session, who, "link.create", link.code)
        return shown(opened, link)


@router.get("")
def listed(
    opened: HouseDep,
    who: CallerDep,
    campaign: Annotated[list[str], Query()] = NONE,
    channel: Annotated[list[str], Query()] = NONE,
    tag: Annotated[list[str], Query()] = NONE,
    search: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: str | None = None,
) -> LinkPage:
    """The workspace's links with their clicks, newest first."""
    before = None
    if cursor:
        if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
            raise invalid("The cursor can't be read.", remedy="Use 'next_cursor' as it came.", field="cursor")
        before = int(cursor)
    query = LinkQuery(campaigns=campaign, channels=channel, tags=tag, search=search)
    with opened.links.reading() as session:
        found, total = links.page(session, who.workspace, query, limit=limit + 1, before=before)
    more, found = len(found) > limit, found[:limit]
    numbers = [link.id for link in found]
    kinds = [int(kind) for kind in PEOPLE]
    clicks = opened.store.link_counts(Selection(links=tuple(numbers)), kinds) if numbers else {}
    series = opened.store.link_series(numbers, _day_edges(), kinds) if numbers else {}
    rows = [
        LinkRow(
            **shown(opened, link).model_dump(),
            clicks=clicks.get(link.id, 0),
            sparkline=series[link.id].tolist() if link.id in series else [0] * DAYS,
        )
        for link in found
    ]
    return LinkPage(rows=rows, next_cursor=str(found[-1].id) if more else None, total=total)


@router.get("/{code}")
def one(code: str, opened: HouseDep, who: CallerDep) -> LinkOut:
    """One link."""
    with opened.links.reading() as session:
        return shown(opened, links.find(session, who.workspace, code))


@router.patch("/{code}")
def change(code: str, patch: LinkPatch, opened: HouseDep, who: CallerDep) -> LinkOut:
    """Change a link; redirects follow at once."""
    fields = patch.model_dump(exclude_unset=True)
    for name in ("url", "code", "pass_query"):
        if name in fields and fields[name] is None:
            raise invalid(f"{name!r} can't be empty.", remedy="Leave it out to keep it.", field=name)
    if "url" in fields:
        refuse_some(fields["url"], opened.settings.base_url, opened.settings.blocked_hosts)
    with opened.links.writing() as session:
        link = links.find(session, who.workspace, code)
        link = links.change(session, link, _lowered(fields, opened))
        audit.by(session, who, "link.change", link.code if link.code == code else f"{code} → {link.code}")
        return shown(opened, link)


@router.delete("/{code}", status_code=204)
def delete(code: str, opened: HouseDep, who: CallerDep) -> Response:
    """Delete a link and all its clicks. There is no way back."""
    with opened.links.writing() as session:
        links.delete(session, [links.find(session, who.workspace, code)])
        audit.by(session, who, "link.delete", code)
    return Response(status_code=204)


def shown(opened: House, link: Link) -> LinkOut:
    """A link as the API shows it."""
    return LinkOut(
        code=link.code,
        short_url=f"{opened.settings.base_url}/{link.code}",
        url=link.url,
        host=host_as_read(link.url),
        title=link.title,
        campaign=link.campaign.name if link.campaign else None,
        channel=link.channel,
        tags=[tag.tag for tag in link.tags],
        created_at=link.created_at,
        expires_at=link.expires_at,
        pass_query=link.pass_query,
        sample=link.sample,
    )


def _lowered(fields: dict[str, Any], opened: House) -> dict[str, Any]:
    if not opened.settings.case_sensitive_codes and fields.get("code"):
        fields["code"] = fields["code"].lower()
    return fields


def _day_edges() -> Integers:
    """Midnights (ms UTC) around the last 30 days, today among them."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    last = int(tomorrow.timestamp() * 1000)
    return last - np.arange(DAYS, -1, -1, dtype=np.int64) * 86_400_000
