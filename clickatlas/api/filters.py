"""The filter parameters that every question takes, and what there is to filter by."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from sqlalchemy import select

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.clicks.filter import DEVICES, Filter, devices, moment, network_kinds, zone_info
from clickatlas.errors import invalid
from clickatlas.links.models import Campaign, Link, LinkTag

router = APIRouter(tags=["filter"])


def _names(description: str) -> Any:
    return Query(default_factory=list, max_length=1000, description=description)


def wanted(
    link: Annotated[list[str], _names("Link codes; any of them.")],
    campaign: Annotated[list[str], _names("Campaigns by name; any of them.")],
    channel: Annotated[list[str], _names("Channels; any of them.")],
    tag: Annotated[list[str], _names("Tags; any of them.")],
    device: Annotated[list[str], _names(f"Any of {', '.join(DEVICES)}.")],
    network: Annotated[
        list[str],
        _names(
            "Network kinds let through: any of residential, hosting, vpn, tor, cdn, bot; or all. "
            "People only (residential) unless given."
        ),
    ],
    area: Annotated[list[str], _names("Area ids such as country:US, region:US-MA, zip:02139; any of them.")],
    start: Annotated[
        str | None, Query(alias="from", description="First date, or date-time, in the zone `tz`.")
    ] = None,
    end: Annotated[
        str | None, Query(alias="to", description="Last date (inclusive), or date-time (exclusive).")
    ] = None,
    tz: Annotated[str, Query(description="IANA zone of day boundaries.")] = "UTC",
) -> Filter:
    """The filter of a request; raises `Problem` (422)."""
    zone_info(tz)
    first = moment(start, tz, field="from") if start else None
    last = moment(end, tz, field="to", is_end=True) if end else None
    if first is not None and last is not None and last <= first:
        raise invalid("'to' is not after 'from'.", remedy="Swap them.", field="to")
    return Filter(
        tuple(link), tuple(campaign), tuple(channel), tuple(tag), first, last, tz,
        devices(device), network_kinds(network), tuple(area),
    )  # fmt: skip


FilterDep = Annotated[Filter, Depends(wanted)]


class LinkChoice(BaseModel):
    """A link as a choice in a list."""

    code: str
    title: str


class Choices(BaseModel):
    """What a workspace's clicks can be filtered by."""

    links: list[LinkChoice]
    campaigns: list[str]
    channels: list[str]
    tags: list[str]
    devices: list[str]
    first_click: datetime | None
    last_click: datetime | None
    clicks: int


@router.get("/api/filters")
def choices(opened: HouseDep, who: CallerDep) -> Choices:
    """What to choose from (of links, the newest 1,000), and the time span of all clicks."""
    with opened.links.reading() as session:
        mine = Link.workspace_id == who.workspace
        links = session.execute(
            select(Link.code, Link.title).where(mine).order_by(Link.id.desc()).limit(1000)
        ).all()
        campaigns = session.scalars(
            select(Campaign.name).where(Campaign.workspace_id == who.workspace).order_by(Campaign.name)
        ).all()
        channels = session.scalars(
            select(Link.channel).where(mine, Link.channel.is_not(None)).distinct().order_by(Link.channel)
        ).all()
        tags = session.scalars(
            select(LinkTag.tag).join(Link).where(mine).distinct().order_by(LinkTag.tag)
        ).all()
    span = opened.store.span(opened.questions.selection(who.workspace, Filter()))
    return Choices(
        links=[LinkChoice(code=code, title=title) for code, title in links],
        campaigns=list(campaigns),
        channels=[channel for channel in channels if channel],
        tags=list(tags),
        devices=list(DEVICES),
        first_click=_when(span[0]) if span else None,
        last_click=_when(span[1]) if span else None,
        clicks=span[2] if span else 0,
    )


def _when(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)
