"""Which targets a filter's clicks were aimed at, and whether they hit them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from clickatlas.api.findings import Asked
from clickatlas.api.offers import Offer, counted, links_of, offered
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.clicks.filter import EVERYTHING
from clickatlas.clicks.store import Integers, PlaceGroups
from clickatlas.errors import Problem
from clickatlas.insight.certainty import certainty
from clickatlas.insight.clump_sizes import clump_sizes, design_effect
from clickatlas.insight.counts import count
from clickatlas.insight.day_clumps import by_area, by_day
from clickatlas.insight.rhythm import DAY
from clickatlas.insight.target import Target
from clickatlas.insight.targeting import Flags, Targeting, aimed, blended, each_its_own
from clickatlas.links.models import Campaign, Link
from clickatlas.links.ways import click_numbers

MOST = 12  # different targets under one filter, those with the most links: each is a question to the store
SPILL = Level.REGION  # the areas that what missed is told by
MOST_ASKED = 24  # of targets by channel: beyond, nothing is told by channel


@dataclass(frozen=True)
class Aims:
    """The targets of a filter's links, by themselves or through their campaign, each with its links' click numbers."""

    targets: tuple[Target, ...]
    links: tuple[tuple[int, ...], ...]
    all: bool  # whether each of the filter's links has one, and it is among these

    @property
    def union(self) -> Target:
        """All that is in any of them."""
        return Target(
            tuple(dict.fromkeys(area for one in self.targets for area in one.areas)),
            tuple(dict.fromkeys(circle for one in self.targets for circle in one.circles)),
            tuple(dict.fromkeys(polygon for one in self.targets for polygon in one.polygons)),
        )


def aims_of(about: Asked) -> Aims | None:
    """What the filter's links aim at; None where nothing is. With `min_cell` where there is one target and all have it."""
    return about.once("aims", lambda: _aims(about))


def _aims(about: Asked) -> Aims | None:
    selection = about.opened.questions.selection(about.workspace, about.wanted)
    statement = (
        select(Link.id, Link.ways_made, Link.target, Campaign.target)
        .outerjoin(Campaign, Campaign.id == Link.campaign_id)
        .where(Link.workspace_id == about.workspace)
    )
    among = None if selection.links is None else set(selection.links)
    found: dict[str, list[int]] = {}
    without = 0
    with about.opened.links.reading() as session:
        for link, made, own, campaigns in session.execute(statement):
            numbers = [n for n in click_numbers(link, made) if among is None or n in among]
            if not numbers:
                continue
            document: Any = own or campaigns
            if document is None:
                without += 1
            else:
                found.setdefault(json.dumps(document, sort_keys=True), []).extend(numbers)
    most = sorted(found, key=lambda text: (-len(found[text]), text))[:MOST]
    every = not without and len(found) <= MOST
    if not most or (about.wanted.holds and not (every and len(most) == 1)):
        return None  # several plans don't add up
    return Aims(
        tuple(Target.read(json.loads(text)) for text in most),
        tuple(tuple(sorted(found[text])) for text in most),
        every,
    )


def aimed_at(about: Asked) -> Target | None:
    """Everywhere that any of the filter's links aims; None where some aim nowhere, for then nothing is off target."""
    found = aims_of(about)
    return found.union if found is not None and found.all else None


def targeted(about: Asked) -> Flags | None:
    """By area number, whether any of it was targeted."""
    target = aimed_at(about)
    if target is None:
        return None
    places = about.atlas.places
    inside = target.members(about.atlas) | target.covers(places.lat, places.lon)
    result = np.zeros(len(about.atlas.areas) + 1, np.bool_)  # the last is for what has no area
    for column in places.area.values():
        result[np.asarray(column)[inside]] = True
    result[target.numbers(about.atlas)] = True
    return result[:-1]


@lru_cache(maxsize=16)
def certain(folder: Path, target: Target) -> npt.NDArray[np.float32]:
    """How sure it is that each place is inside; a megabyte, once per target and atlas."""
    return certainty(Atlas.open(folder), target)


def targeting_of(about: Asked) -> Targeting | None:
    """Whether clicks hit the target of their own link; None where there isn't one. Links without are left out."""
    found = aims_of(about)
    if found is None:
        return None
    if found.all and len(found.targets) == 1:
        return about.kept(("targeting", found), lambda: _targeting(about, found.targets[0]))
    return about.kept(("targeting", found), lambda: _several(about, found))


def _targeting(about: Asked, target: Target) -> Targeting:
    atlas, held = about.atlas, about.counts.held
    sure = certain(atlas.folder, target)
    channels = {}
    everything = None
    if held is None:
        for name in offered(about, Offer.CHANNEL):
            found = counted(about, Offer.CHANNEL, name)
            if found is not None and found.total:
                channels[name] = found.clicks
        whole = replace(about.wanted, networks=EVERYTHING)
        try:
            everything = about.opened.questions.snapshot(about.workspace, whole).counts.clicks
        except Problem:
            everything = None
    clumps = _clumps(about, sure)
    return aimed(
        atlas, target, sure, about.counts.clicks, everything=everything,
        channels=channels if len(channels) > 1 else None, phi=clumps.phi, spill_phi=clumps.spill_phi, level=SPILL,
        shown=None if held is None else held.visible, people=about.people,
    )  # fmt: skip


def _several(about: Asked, aims: Aims) -> Targeting:
    """Each click against the target of its own link; who was not reached can't be told of several at once."""
    atlas, questions, places = about.atlas, about.opened.questions, about.atlas.places
    selection = questions.selection(about.workspace, about.wanted)
    clicks: list[Integers] = []
    everything: list[Integers] = []
    sure = []
    for target, links in zip(aims.targets, aims.links, strict=True):
        found = about.opened.store.place_counts(replace(selection, links=links))
        number = places.number_of(found.keys)
        for kinds, into in ((about.wanted.networks, clicks), (EVERYTHING, everything)):
            of = count(places, number, found.kinds, found.clicks, networks=kinds, within=about.counts.within)
            into.append(of.clicks)
        sure.append(certain(atlas.folder, target))
    named = offered(about, Offer.CHANNEL)
    channels = (
        {name: _of_each(about, aims, name) for name in named}
        if 1 < len(named) <= MOST_ASKED // len(sure)
        else {}
    )
    links = tuple(sorted(link for of in aims.links for link in of))
    clumps = _clumps(about, blended(sure, clicks), links)
    return each_its_own(
        atlas,
        aims.targets,
        sure,
        clicks,
        everything,
        channels={name: parts for name, parts in channels.items() if any(part.any() for part in parts)},
        phi=clumps.phi,
        spill_phi=clumps.spill_phi,
        level=SPILL,
        all_links=aims.all,
    )


def _of_each(about: Asked, aims: Aims, channel: str) -> list[Integers]:
    """A channel's clicks per place that were aimed at each of the targets."""
    questions, places, mine = (
        about.opened.questions,
        about.atlas.places,
        links_of(about, Offer.CHANNEL, channel),
    )
    selection = questions.selection(about.workspace, about.wanted)
    parts = []
    for links in aims.links:
        both = np.intersect1d(mine, links)
        if not both.size:
            parts.append(np.zeros(len(places), np.int64))
            continue
        found = about.opened.store.place_counts(replace(selection, links=tuple(both.tolist())))
        number = places.number_of(found.keys)
        of = count(
            places,
            number,
            found.kinds,
            found.clicks,
            networks=about.wanted.networks,
            within=about.counts.within,
        )
        parts.append(of.clicks)
    return parts


class _Clumps(NamedTuple):
    """Design effects: of the in-target share, and of the shares of areas outside."""

    phi: float
    spill_phi: dict[int, float]


def _clumps(about: Asked, sure: npt.NDArray[np.float32], links: tuple[int, ...] | None = None) -> _Clumps:
    """Of clumps at one place or from days, whichever are more; days of some links only."""
    span = about.opened.questions.span(about.workspace, about.wanted)
    if span is None or about.wanted.holds:
        return _Clumps(1.0, {})
    asked = about.opened.questions.ask(about.workspace, about.wanted)
    selection = asked.selection if links is None else replace(asked.selection, links=links)
    first = span[0] // DAY * DAY
    edges = np.arange(first, span[1] + DAY + 1, DAY, dtype=np.int64)
    places = asked.atlas.places
    # Groups are regions, outside and inside; that of no region is the first.
    both = 2 * (np.asarray(places.area[SPILL], np.int64) + 1) + (np.nan_to_num(sure) >= 0.5)
    there = np.bincount(both) > 0
    pair, group = np.flatnonzero(there), np.cumsum(there)[both] - 1
    mask = slice(None) if asked.mask is None else asked.mask
    found = about.opened.store.group_times(
        selection, edges, asked.kinds, PlaceGroups(np.asarray(places.key)[mask], group[mask].astype(np.int32))
    )
    days = np.zeros((len(pair), len(edges) - 1), np.int64)
    days[found.groups, found.buckets] = found.clicks
    sizes = clump_sizes(about.expectation)
    least = 1.0 if sizes is None else design_effect(sizes)
    inside = pair % 2 == 1
    outside = np.where(inside, -1, pair // 2 - 1)
    return _Clumps(
        max(least, by_day(days[inside].sum(axis=0), days.sum(axis=0))), by_area(outside, days, least)
    )
