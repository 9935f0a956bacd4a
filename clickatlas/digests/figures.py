"""The figures of a digest: a period's clicks against the one before, what changed most, and what is new."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import BaseModel, Field
from sqlalchemy import select

from clickatlas.api.house import House
from clickatlas.api.insights import cards_document
from clickatlas.api.lookout import whole
from clickatlas.api.questions import Snapshot
from clickatlas.atlas.areas import Level
from clickatlas.clicks.filter import Filter
from clickatlas.digests.change import changed
from clickatlas.digests.picture import picture
from clickatlas.digests.schedule import Every, Period
from clickatlas.errors import Problem
from clickatlas.insight.areas import by_area
from clickatlas.insight.change import change
from clickatlas.links import sightings
from clickatlas.links.models import Link, Workspace
from clickatlas.links.ways import by_link

MOST = 5  # rows of a table
MOST_INSIGHTS = 3


class Row(BaseModel):
    """An area or a link."""

    id: str = Field(description="An area's id, or a link's code.")
    name: str
    clicks: int
    before: int | None = Field(description="In the period before; null: too few to be told.")


class Figures(BaseModel):
    """A digest, as a webhook gets it and a letter shows it. All areas keep to the operator's `min_cell`."""

    workspace: str
    every: Every
    first: str = Field(description="The period's first day.")
    last: str
    zone: str
    clicks: int
    before: int
    beyond_chance: bool | None = Field(
        description="Whether they differ by more than chance makes; null: can't be said."
    )
    unplaced: int = Field(description="Clicks known to a country or region at best: not on the map.")
    withheld: int = Field(description="Clicks that `min_cell` keeps off the map.")
    countries: list[Row] = Field(description="Those with the most clicks.")
    changed_countries: list[Row] = Field(
        description="Those that changed by more than chance makes, surest first."
    )
    changed_metros: list[Row]
    changed_links: list[Row]
    new_insights: list[str] = Field(description="Sentences of what stands out and didn't before the period.")
    insights: list[str] = Field(description="Where nothing is new: what stands out.")
    url: str = Field(description="The period on the map.")


@dataclass(frozen=True)
class Told:
    """A digest's figures, and the map as a PNG; None where there is nothing to draw."""

    figures: Figures
    picture: bytes | None


def told(house: House, workspace: int, every: Every, period: Period, *, drawn: bool = True) -> Told:
    """The digest of a workspace's period. A second, most of it the picture's and the insights'."""
    began, start, end = period.edges
    now = Filter(start=start, end=end, zone=period.zone, least=house.settings.min_cell)
    then = replace(now, start=began, end=start)
    here, past = _snapshot(house, workspace, now), _snapshot(house, workspace, then)
    days = (end - start) / max(start - began, 1)
    news = _news(house, workspace, start)
    with house.links.reading() as session:
        name = session.get_one(Workspace, workspace).name
    counts = here.counts if here else None
    figures = Figures(
        workspace=name,
        every=every,
        first=str(period.first),
        last=str(period.last),
        zone=period.zone,
        clicks=counts.total if counts else 0,
        before=past.counts.total if past else 0,
        beyond_chance=_beyond(house, workspace, now, period) if here and past else None,
        unplaced=counts.unplaced if counts else 0,
        withheld=counts.withheld if counts else 0,
        countries=_top(here, past),
        changed_countries=_areas(here, past, Level.COUNTRY, days),
        changed_metros=_areas(here, past, Level.METRO, days),
        changed_links=_links(house, workspace, now, then, days),
        new_insights=news,
        insights=[] if news else _standing(house, workspace),
        url=f"{house.settings.base_url}/app?from={period.first}&to={period.last}",
    )
    image = None
    if drawn and counts is not None and here is not None and counts.total > counts.unplaced:
        image = picture(counts, here.atlas.places, house.static / "basemap")
    return Told(figures, image)


def _snapshot(house: House, workspace: int, wanted: Filter) -> Snapshot | None:
    try:
        return house.questions.snapshot(workspace, wanted)
    except Problem as problem:  # so few clicks that nothing may be shown
        if problem.status != 403:
            raise
        return None


def _table(side: Snapshot | None, level: Level) -> dict[int, int]:
    if side is None:
        return {}
    found = by_area(side.counts, side.atlas, level)
    return dict(zip(found.area.tolist(), found.clicks.tolist(), strict=True))


def _top(here: Snapshot | None, past: Snapshot | None) -> list[Row]:
    if here is None:
        return []
    before, areas = _table(past, Level.COUNTRY), here.atlas.areas
    hides = past is None or past.counts.held is not None
    return [
        Row(id=areas.id(area), name=areas.name(area), clicks=clicks, before=before.get(area, None if hides else 0))
        for area, clicks in list(_table(here, Level.COUNTRY).items())[:MOST]
    ]  # fmt: skip


def _areas(here: Snapshot | None, past: Snapshot | None, level: Level, days: float) -> list[Row]:
    if here is None or past is None or here.atlas is not past.atlas:
        return []
    areas = here.atlas.areas
    now, before = (
        {areas.id(area): clicks for area, clicks in _table(side, level).items()} for side in (here, past)
    )
    whole = here.counts.held is None and past.counts.held is None
    found = changed(now, before, days, MOST, whole)
    return [
        Row(id=one.id, name=areas.name(areas.number(one.id) or 0), clicks=one.clicks, before=one.before)
        for one in found
    ]


def _links(house: House, workspace: int, now: Filter, then: Filter, days: float) -> list[Row]:
    counts = []
    for wanted in (now, then):
        try:
            asked = house.questions.ask(workspace, wanted)
        except Problem:
            return []
        found = by_link(house.store.link_counts(asked.selection, asked.kinds, asked.keys))
        counts.append({str(link): clicks for link, clicks in found.items() if clicks >= wanted.least})
    found_ = changed(counts[0], counts[1], days, MOST, whole=now.least < 2)
    with house.links.reading() as session:
        rows = session.execute(
            select(Link.id, Link.code, Link.title).where(
                Link.workspace_id == workspace, Link.id.in_([int(one.id) for one in found_])
            )
        )
        names = {str(number): (code, title or code) for number, code, title in rows}
    return [
        Row(id=names[one.id][0], name=names[one.id][1], clicks=one.clicks, before=one.before)
        for one in found_
        if one.id in names
    ]


def _beyond(house: House, workspace: int, now: Filter, period: Period) -> bool | None:
    """By day, so that how clicks come in bursts is in it; months are of several lengths and aren't held against each other."""
    length, back = (period.last - period.first).days + 1, (period.first - period.before).days
    if length != back:
        return None
    zone = ZoneInfo(period.zone)
    sums = []
    for first in (period.first, period.before):
        days = [
            datetime.combine(first + timedelta(days=n), datetime.min.time(), zone) for n in range(length + 1)
        ]
        edges = np.array([round(day.astimezone(UTC).timestamp() * 1000) for day in days], np.int64)
        wanted = replace(now, start=int(edges[0]), end=int(edges[-1]))
        try:
            sums.append(house.questions.series(workspace, wanted, edges))
        except Problem:
            return None
    return change(*sums).beyond_chance != 0


def _news(house: House, workspace: int, start: int) -> list[str]:
    with house.links.reading() as session:
        since = datetime.fromtimestamp(start / 1000, UTC)
        return sightings.news_since(session, workspace, since)[:MOST_INSIGHTS]


def _standing(house: House, workspace: int) -> list[str]:
    try:
        cards = cards_document(whole(house, workspace)).cards
    except Problem:
        return []
    return [card.sentence for card in cards[:MOST_INSIGHTS]]
