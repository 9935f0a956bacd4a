"""Tables to export: areas, links, campaigns, clicks by what they are made of and over time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from sqlalchemy import select

from clickatlas.api import breakdown, clicks, geo
from clickatlas.api.breakdown import Part
from clickatlas.api.clicks import Bucket
from clickatlas.api.geo import LEVELS, Shown
from clickatlas.api.house import House
from clickatlas.atlas.areas import Level
from clickatlas.clicks.filter import Filter
from clickatlas.formats.frames import Cell, Coded, Column, Frame, Kind, Lookup, Table, listed
from clickatlas.insight.areas import rows
from clickatlas.links import campaigns
from clickatlas.links.domains import short_url
from clickatlas.links.keys import Caller
from clickatlas.links.links import LinkQuery, numbers
from clickatlas.links.models import Campaign, Link, LinkTag
from clickatlas.links.ways import link_of

ROWS = 10_000  # areas named at once
CLICKS = Column(
    "clicks", Kind.WHOLE, "Clicks that the filter lets through; empty where `min_cell` hides them."
)
SHARE = Column("share", Kind.NUMBER, "Of all clicks that the filter lets through: 0 to 1.")
AREA_HEAD = (
    Column(
        "id", Kind.TEXT, "Such as `country:US`, `region:US-MA`, `metro:14460`, `county:25017`, `zip:02139`."
    ),
    Column("name", Kind.TEXT, "In English; of postal codes the code."),
)
OF_LEVEL = (
    Column("city", Kind.TEXT, "In the table of postal codes."),
    Column("region", Kind.TEXT, "In the tables of counties, cities and postal codes."),
    Column("region_code", Kind.TEXT, "ISO 3166-2 where there is one: `US-MA`; where `region` is."),
)
HAVE = {Level.COUNTY: OF_LEVEL[1:], Level.CITY: OF_LEVEL[1:], Level.POSTAL: OF_LEVEL}
AREA_TAIL = (
    Column("country", Kind.TEXT, "ISO 3166-1 alpha-2."),
    Column("country_name", Kind.TEXT, "In English."),
    Column("clicks", Kind.WHOLE, "Clicks that the filter lets through."),
    SHARE,
    Column("population", Kind.WHOLE, "Residents, where a source says."),
    Column("rate", Kind.NUMBER, "Clicks per 10,000 residents."),
    Column(
        "index",
        Kind.NUMBER,
        "Clicks in per cent of those expected of its residents: 100 is its country's average.",
    ),
    Column("lat", Kind.NUMBER, "Degrees north, WGS 84: where its people are."),
    Column("lon", Kind.NUMBER, "Degrees east."),
)
LINKS = (
    Column("code", Kind.TEXT, "The short code."),
    Column("short_url", Kind.TEXT, "The short address."),
    Column("url", Kind.TEXT, "Where it leads."),
    Column("title", Kind.TEXT, "Its name for people."),
    Column("campaign", Kind.TEXT, "The campaign it belongs to."),
    Column("channel", Kind.TEXT, "How it is shared."),
    Column("tags", Kind.TEXT, "With commas between."),
    *(Column(name, Kind.TEXT, says) for name, says in (
        ("created_at", "ISO 8601 in UTC, as those below."), ("starts_at", "From when on it leads anywhere."),
        ("expires_at", "Until when."), ("archived_at", "Since when it is put away from the list."),
    )),
    Column("max_clicks", Kind.WHOLE, "After so many it leads nowhere."),
    Column("status", Kind.WHOLE, "Of the redirect: 301, 302 or 307."),
    Column("notes", Kind.TEXT, "As written."),
    CLICKS,
)  # fmt: skip
CAMPAIGNS = (
    Column("name", Kind.TEXT, "The campaign."),
    Column("links", Kind.WHOLE, "How many links it has."),
    Column("targeted", Kind.FLAG, "Whether it has a target."),
    CLICKS,
)
BREAKDOWN = (
    Column("value", Kind.TEXT, "As filters take it; empty for clicks without one."),
    Column("name", Kind.TEXT, "For people: a link's title, or the value itself."),
    Column("clicks", Kind.WHOLE, "Clicks that the filter lets through."),
    SHARE,
    Column("group", Kind.TEXT, "Of an origin: social, email, search and so on; empty for all others."),
)
TIMES = (
    Column(
        "time",
        Kind.TEXT,
        "When the bucket begins, in the zone `tz`: a date; for hours a date-time with offset.",
    ),
    Column("clicks", Kind.WHOLE, "Clicks in it."),
)


@dataclass(frozen=True)
class Wanted:
    """What is asked of a table."""

    filter: Filter
    shown: Shown
    by: Part
    bucket: Bucket


Made = tuple[Table, datetime | None]  # and since when there are clicks in it, where that is not all the time
Maker = Callable[[House, Caller, Wanted], Made]


def columns_of(level: Level) -> tuple[Column, ...]:
    """The columns of a table of areas."""
    return (*AREA_HEAD, *HAVE.get(level, ()), *AREA_TAIL)


def _areas(name: geo.Table) -> Maker:
    columns = columns_of(LEVELS[name])

    def make(opened: House, who: Caller, wanted: Wanted) -> Made:
        _counts, found, expectation = geo.listing(name, wanted.filter, opened, who, wanted.shown)
        count = len(found.area) if wanted.shown.limit is None else min(len(found.area), wanted.shown.limit)

        def frames(size: int) -> Iterator[Frame]:
            step = min(size, ROWS)
            for begin in range(0, count, step):
                some = slice(begin, min(begin + step, count))
                part = replace(found, area=found.area[some], clicks=found.clicks[some])
                told = [tuple(row[column.name] for column in columns) for row in rows(part, expectation)]
                every = np.arange(len(told))
                yield Frame(len(told), [Coded(Lookup(columns, told.__getitem__, len(told)), every, every)])

        return Table(name, columns, frames, count), None

    return make


def _links(opened: House, who: Caller, wanted: Wanted) -> Made:
    clicks_of, since = _clicks(opened, who, wanted.filter, Part.LINK)
    query = LinkQuery(
        wanted.filter.links, wanted.filter.campaigns, wanted.filter.channels, wanted.filter.tags
    )
    columns = (
        Link.id, Link.code, Link.url, Link.title, Campaign.name, Link.channel, Link.created_at, Link.starts_at,
        Link.expires_at, Link.archived_at, Link.max_clicks, Link.status, Link.notes,
    )  # fmt: skip
    with opened.links.reading() as session:
        mine = Link.workspace_id == who.workspace
        chosen = {link_of(number) for number in numbers(session, who.workspace, query)} if query else None
        tags: dict[int, list[str]] = {}
        for number, tag in session.execute(select(LinkTag.link_id, LinkTag.tag).join(Link).where(mine)):
            tags.setdefault(number, []).append(tag)
        found = session.execute(
            select(*columns)
            .outerjoin(Campaign, Campaign.id == Link.campaign_id)
            .where(mine)
            .order_by(Link.id.desc())
        ).all()
    told: list[tuple[Cell, ...]] = []
    for number, code, url, title, campaign, channel, *moments, most, status, notes in found:
        if chosen is None or number in chosen:
            told.append(
                (
                    *(
                        code,
                        short_url(opened.settings.base_url, code),
                        url,
                        title or None,
                        campaign,
                        channel or None,
                    ),
                    ", ".join(sorted(tags.get(number, ()))) or None,
                    *(moment.isoformat() if moment else None for moment in moments),
                    *(most, status, notes or None, clicks_of(code)),
                )
            )
    return listed("links", LINKS, told), since


def _campaigns(opened: House, who: Caller, wanted: Wanted) -> Made:
    clicks_of, since = _clicks(opened, who, wanted.filter, Part.CAMPAIGN)
    with opened.links.reading() as session:
        found = campaigns.listed(session, who.workspace)
    told = [(name, links, targeted, clicks_of(name)) for name, links, targeted in found]
    if wanted.filter.campaigns:
        told = [row for row in told if row[0] in wanted.filter.campaigns]
    return listed("campaigns", CAMPAIGNS, told), since


def _clicks(
    opened: House, who: Caller, wanted: Filter, by: Part
) -> tuple[Callable[[str], int | None], datetime | None]:
    """Clicks of a link or campaign under a filter; None where they are too few to be told."""
    found = breakdown.breakdown(wanted, opened, who, by, None)
    known = {row.value: row.clicks for row in found.rows}
    return lambda value: known.get(value, None if wanted.holds else 0), found.since


def _breakdown(opened: House, who: Caller, wanted: Wanted) -> Made:
    found = breakdown.breakdown(wanted.filter, opened, who, wanted.by, wanted.shown.limit)
    told: list[tuple[Cell, ...]] = [
        (row.value, row.name, row.clicks, row.share, row.group) for row in found.rows
    ]
    return listed(f"clicks-by-{wanted.by}", BREAKDOWN, told), found.since


def _times(opened: House, who: Caller, wanted: Wanted) -> Made:
    found = clicks.clicks(wanted.filter, opened, who, wanted.bucket)
    told: list[tuple[Cell, ...]] = [(row.time, row.clicks) for row in found.rows]
    return listed(f"clicks-by-{wanted.bucket}", TIMES, told), found.since


TABLES: dict[str, Maker] = {
    **{str(name): _areas(name) for name in LEVELS},
    "links": _links,
    "campaigns": _campaigns,
    "breakdown": _breakdown,
    "times": _times,
}
