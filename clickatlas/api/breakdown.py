"""What clicks are made of: links, campaigns, devices, languages, referring pages and the like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, get_args

import numpy as np
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import select

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.filters import FilterDep
from clickatlas.api.house import House, reaches_back
from clickatlas.api.questions import Asked
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.atlas.places import NOWHERE
from clickatlas.clicks.filter import Filter
from clickatlas.clicks.origins import GROUPS, Origin, origin
from clickatlas.clicks.store import Word
from clickatlas.links.models import Campaign, Link, LinkTag
from clickatlas.links.ways import QR, by_link, is_scan, link_of, way_of

router = APIRouter(tags=["analytics"])


class Part(StrEnum):
    """What to break clicks down by."""

    LINK = "link"
    CAMPAIGN = "campaign"
    CHANNEL = "channel"
    TAG = "tag"
    DEVICE = "device"
    BROWSER = "browser"
    SYSTEM = "system"
    LANGUAGE = "language"
    REFERRER = "referrer"
    ORIGIN = "origin"
    NETWORK = "network"
    WAY = "way"


class BreakdownRow(BaseModel):
    """One part."""

    value: str | None = Field(description="As filters take it; null for clicks without one.")
    name: str = Field(description="For people: a link's title, or the value itself.")
    clicks: int
    share: float = Field(description="Of `total`.")
    group: str | None = Field(
        None, description=f"Of an origin: {', '.join(GROUPS)}; null where it is no name, and for all others."
    )


class Breakdown(BaseModel):
    """Clicks by part, most first. By tag a click counts once for each tag of its link, so shares may pass 1."""

    by: Part
    total: int = Field(description="Clicks that the filter lets through.")
    values: int = Field(description="How many rows there are without `limit`.")
    unlisted: int = Field(description="Clicks of values that `min_cell` hides: they are in no row.")
    since: datetime | None = Field(
        description="Clicks before this are not in it: single ones are kept no longer (`keep_clicks_days`)."
    )
    rows: list[BreakdownRow]


WITHOUT = {
    Part.CAMPAIGN: "No campaign",
    Part.CHANNEL: "No channel",
    Part.TAG: "No tag",
    Part.REFERRER: "Direct",
    Part.WAY: "The link’s own destination",
}
UNNAMED = {"direct": "Direct", "other": "Other pages", "email": "Other e-mail"}
GONE = "Rules and splits that are no more"
Found = list[tuple[str | None, str, int]]


@router.get("/api/analytics/breakdown")
def breakdown(
    wanted: FilterDep,
    opened: HouseDep,
    who: CallerDep,
    by: Annotated[Part, Query(description="What to break clicks down by.")],
    limit: Annotated[
        int | None, Query(ge=1, le=1_000_000, description="At most so many rows; all unless given.")
    ] = None,
) -> Breakdown:
    """Clicks by link, campaign, channel, tag, device, browser, system, language, referrer, origin or network kind."""
    groups: dict[str, str] = {}
    if by is Part.NETWORK:
        total, found = _networks(opened, who.workspace, wanted)
    elif by is Part.ORIGIN:
        total, found, groups = _origins(opened, who.workspace, wanted)
    elif by in get_args(Word):
        total, found = _words(opened, who.workspace, wanted, by)
    else:
        total, found = _links(opened, who.workspace, wanted, by)
    found.sort(key=lambda row: (-row[2], row[1]))
    listed = _enough(found, wanted.least)
    unlisted = sum(clicks for *_, clicks in found[len(listed) :])
    rows = [
        BreakdownRow(
            value=value, name=name, clicks=clicks, share=clicks / total, group=groups.get(value or "")
        )
        for value, name, clicks in listed[:limit]
    ]
    rolled_up = (by not in get_args(Word) or by is Part.DEVICE) and by is not Part.ORIGIN
    single = not rolled_up or wanted.traits or (by is not Part.NETWORK and (wanted.areas or wanted.within))
    since = reaches_back(opened, wanted) if single else None
    return Breakdown(by=by, total=total, values=len(listed), unlisted=unlisted, since=since, rows=rows)


def _enough(found: Found, least: int) -> Found:
    """The first rows, so many that none has fewer than `least` clicks and what is left out isn't few, either."""
    listed = sum(clicks >= least for *_, clicks in found) if least > 1 else len(found)
    while listed and 0 < sum(clicks for *_, clicks in found[listed:]) < least:
        listed -= 1
    return found[:listed]


def _words(opened: House, workspace: int, wanted: Filter, by: Part) -> tuple[int, Found]:
    word: Word = by.value  # type: ignore[assignment]

    def make(asked: Asked) -> dict[str, int]:
        return opened.store.word_counts(asked.selection, word, asked.kinds, asked.keys)

    counts = opened.questions.kept(("words", word), workspace, wanted, make).value
    none = WITHOUT.get(by, "Unknown")
    return sum(counts.values()), [(value or None, value or none, n) for value, n in counts.items()]


def _origins(opened: House, workspace: int, wanted: Filter) -> tuple[int, Found, dict[str, str]]:
    """Origins by name, and of those without a name their groups; and the group of each name."""

    def make(asked: Asked) -> dict[tuple[str, str], int]:
        return opened.store.origin_counts(asked.selection, asked.kinds, asked.keys)

    counts = opened.questions.kept("origins", workspace, wanted, make).value
    sums = Counter[Origin]()
    for (browser, host), clicks in counts.items():
        sums[origin(browser, host)] += clicks
    found: Found = [
        (one.name or one.group, one.name or UNNAMED[one.group], clicks) for one, clicks in sums.items()
    ]
    return sum(sums.values()), found, {one.name: one.group for one in sums if one.name}


def _networks(opened: House, workspace: int, wanted: Filter) -> tuple[int, Found]:
    def make(asked: Asked) -> list[int]:
        found = opened.questions.places(asked.selection).value
        clicks = found.clicks
        if asked.mask is not None:
            number = asked.atlas.places.number_of(found.keys)
            clicks = np.where(asked.mask[np.where(number < 0, NOWHERE, number)], clicks, 0)
        return [int(n) for n in np.bincount(found.kinds, weights=clicks, minlength=len(NetworkKind))]

    counts = opened.questions.kept("networks", workspace, wanted, make).value
    names = [(kind.name.lower(), counts[kind]) for kind in sorted(wanted.networks)]
    found: Found = [(name, name, n) for name, n in names if n]
    return sum(n for _, n in names), found


def _links(opened: House, workspace: int, wanted: Filter, by: Part) -> tuple[int, Found]:
    def make(asked: Asked) -> dict[int, int]:
        return opened.store.link_counts(asked.selection, asked.kinds, asked.keys)

    counts = opened.questions.kept("links", workspace, wanted, make).value
    total = sum(counts.values())
    with opened.links.reading() as session:
        mine = Link.workspace_id == workspace
        if by is Part.WAY:
            stored = session.execute(select(Link.id, Link.ways).where(mine)).all()
            return total, _ways(counts, dict(stored))
        if by is Part.CHANNEL:
            named = session.execute(select(Link.id, Link.channel).where(mine)).all()
            return total, _channels(counts, dict(named))
        counts = by_link(counts)
        if by is Part.LINK:
            links = session.execute(select(Link.id, Link.code, Link.title).where(mine)).all()
            return total, [
                (code, title or code, counts[number]) for number, code, title in links if number in counts
            ]
        if by is Part.TAG:
            tags = session.execute(
                select(Link.id, LinkTag.tag).outerjoin(LinkTag, LinkTag.link_id == Link.id).where(mine)
            ).all()
            return total, _summed(((number, tag) for number, tag in tags), counts, by)
        named = session.execute(
            select(Link.id, Campaign.name).outerjoin(Campaign, Campaign.id == Link.campaign_id).where(mine)
        ).all()
        return total, _summed(((number, name) for number, name in named), counts, by)


def _channels(counts: dict[int, int], channels: dict[int, str | None]) -> Found:
    """A scan came by its QR code, whatever the link's own channel is."""
    sums = Counter[str | None]()
    for number, clicks in counts.items():
        if link_of(number) in channels:
            sums[QR if is_scan(number) else channels[link_of(number)] or None] += clicks
    return [(value, value or WITHOUT[Part.CHANNEL], n) for value, n in sums.items()]


def _ways(counts: dict[int, int], stored: dict[int, list[dict[str, Any]] | None]) -> Found:
    """By name: rules and splits of several links that are called the same are one row."""
    sums = Counter[str | None]()
    for number, clicks in counts.items():
        if link_of(number) in stored:
            names = {row["way"]: str(row["name"]) for row in stored[link_of(number)] or ()}
            sums[names.get(way_of(number), GONE) if way_of(number) else None] += clicks
    return [(value, value or WITHOUT[Part.WAY], n) for value, n in sums.items()]


def _summed(named: Iterable[tuple[int, str | None]], counts: dict[int, int], by: Part) -> Found:
    sums = Counter[str | None]()
    for number, name in named:
        if number in counts:
            sums[name or None] += counts[number]
    return [(value, value or WITHOUT[by], n) for value, n in sums.items()]
