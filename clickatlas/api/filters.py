"""The filter parameters that every question takes, and what there is to filter by."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import select

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.clicks.filter import (
    DEVICES,
    MAX_POINTS,
    MAX_SHAPES,
    Filter,
    Traits,
    devices,
    moment,
    network_kinds,
    shapes,
    zone_info,
)
from clickatlas.clicks.origins import GROUPS, origins
from clickatlas.errors import Problem, invalid
from clickatlas.insight.rhythm import DAY
from clickatlas.links.models import Campaign, Link, LinkTag
from clickatlas.links.ways import QR

router = APIRouter(tags=["filter"])
# FastAPI copies it for every request. Seven parameters with a default_factory took 0.5 ms more of each.
NONE: list[str] = []


def _names(name: str, description: str, most: int = 1000) -> Any:
    return Query(alias=name, max_length=most, description=description)


def reader(prefix: str = "", what: str = "") -> Callable[..., Filter]:
    """A dependency that reads the filter whose parameters' names begin with `prefix`.

    This module does without postponed annotations, so that they see `prefix`.
    """

    def wanted(
        request: Request,
        opened: HouseDep,
        link: Annotated[list[str], _names(f"{prefix}link", f"{what}Link codes; any of them.")] = NONE,
        campaign: Annotated[
            list[str], _names(f"{prefix}campaign", f"{what}Campaigns by name; any of them.")
        ] = NONE,
        channel: Annotated[list[str], _names(f"{prefix}channel", f"{what}Channels; any of them.")] = NONE,
        tag: Annotated[list[str], _names(f"{prefix}tag", f"{what}Tags; any of them.")] = NONE,
        device: Annotated[list[str], _names(f"{prefix}device", f"{what}Any of {', '.join(DEVICES)}.")] = NONE,
        network: Annotated[
            list[str],
            _names(
                f"{prefix}network",
                f"{what}Network kinds let through: any of residential, hosting, vpn, tor, cdn, bot; or all. "
                "People only (residential) unless given.",
            ),
        ] = NONE,
        area: Annotated[
            list[str],
            _names(
                f"{prefix}area",
                f"{what}Area ids such as country:US, region:US-MA, zip:02139; any of them.",
            ),
        ] = NONE,
        within: Annotated[
            list[str],
            _names(
                f"{prefix}within",
                f"{what}Areas drawn on the map; any of them. west,south,east,north is a box, "
                f"lng,lat,lng,lat,… with 3 to {MAX_POINTS} points a polygon whose sides are straight on the "
                "map. Longitudes may go past 180 to cross the date line. Only placed clicks lie within.",
                MAX_SHAPES,
            ),
        ] = NONE,
        browser: Annotated[list[str], _names(f"{prefix}browser", f"{what}Browsers; any of them.")] = NONE,
        system: Annotated[list[str], _names(f"{prefix}system", f"{what}Systems; any of them.")] = NONE,
        language: Annotated[
            list[str], _names(f"{prefix}language", f"{what}Languages such as en-US; any of them.")
        ] = NONE,
        referrer: Annotated[
            list[str], _names(f"{prefix}referrer", f"{what}Hosts of referring pages; any of them.")
        ] = NONE,
        origin: Annotated[
            list[str],
            _names(
                f"{prefix}origin",
                f"{what}Where clicks come from: any of {', '.join(GROUPS)}, or names such as Instagram.",
            ),
        ] = NONE,
        start: Annotated[
            str | None,
            Query(alias=f"{prefix}from", description=f"{what}First date, or date-time, in the zone `tz`."),
        ] = None,
        end: Annotated[
            str | None,
            Query(alias=f"{prefix}to", description=f"{what}Last date (inclusive), or date-time (exclusive)."),
        ] = None,
        tz: Annotated[
            str | None,
            Query(
                alias=f"{prefix}tz",
                description=f"{what}IANA zone of day boundaries; {'as `tz`' if prefix else 'UTC'} unless given.",
            ),
        ] = None,
        min_cell: Annotated[
            int,
            Query(
                ge=0,
                le=100_000,
                description="Show no area with fewer clicks, nor a few more that would let a reader of all "
                "answers to this filter work its clicks out; areas and tiles, times and exports are coarser "
                "then. At least the operator's setting `min_cell`; 0 hides nothing.",
            ),
        ] = 0,
    ) -> Filter:
        """The filter of a request; raises `Problem` (422)."""
        zone = request.query_params.get("tz", "UTC") if tz is None else tz
        try:
            zone_info(zone)
            first = moment(start, zone, field="from") if start else None
            last = moment(end, zone, field="to", is_end=True) if end else None
            if first is not None and last is not None and last <= first:
                raise invalid("'to' is not after 'from'.", remedy="Swap them.", field="to")
            return Filter(
                tuple(link), tuple(campaign), tuple(channel), tuple(tag), first, last, zone,
                devices(device), network_kinds(network), tuple(area), shapes(within),
                max(min_cell, opened.settings.min_cell),
                Traits(tuple(browser), tuple(system), tuple(language), tuple(referrer), origins(origin)),
            )  # fmt: skip
        except Problem as problem:
            if prefix:
                problem.extra["field"] = f"{prefix}{problem.extra.get('field', '')}"
            raise

    return wanted


FilterDep = Annotated[Filter, Depends(reader())]
SecondFilterDep = Annotated[Filter, Depends(reader("b.", "Of the second filter: "))]


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
    kept_since: datetime | None = Field(
        description="Clicks before this are kept as counts only (`keep_clicks_days`): browsers, referrers, exports "
        "and hours by each place's clock begin here. None: all are kept."
    )


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
    span = opened.questions.span(who.workspace, Filter())
    if QR not in channels and opened.questions.span(who.workspace, Filter(channels=(QR,))):
        channels = sorted([*channels, QR], key=str)
    if span and opened.settings.min_cell > 1:  # the days are enough to choose dates
        span = (span[0] // DAY * DAY, span[1] // DAY * DAY, span[2])
    return Choices(
        links=[LinkChoice(code=code, title=title) for code, title in links],
        campaigns=list(campaigns),
        channels=[channel for channel in channels if channel],
        tags=list(tags),
        devices=list(DEVICES),
        first_click=_when(span[0]) if span else None,
        last_click=_when(span[1]) if span else None,
        clicks=span[2] if span else 0,
        kept_since=_when(opened.store.kept_since) if opened.store.kept_since else None,
    )


def _when(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)
