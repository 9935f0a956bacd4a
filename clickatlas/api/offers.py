"""Offers: the channels, campaigns or tags of a filter's links, and the clicks of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select

from clickatlas.api.findings import Asked
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.clicks.filter import PEOPLE, Filter
from clickatlas.clicks.store import Integers, PlaceClicks
from clickatlas.errors import Problem
from clickatlas.insight.counts import Counts, count
from clickatlas.links.models import Campaign, Link, LinkTag
from clickatlas.links.ways import link_of

MOST = 8  # those with the most links: each is a question to the store


class Offer(StrEnum):
    """What to tell offers apart by."""

    CHANNEL = "channel"
    TAG = "tag"
    CAMPAIGN = "campaign"


def offered(about: Asked, by: Offer) -> list[str]:
    """Names of the offers that the filter lets through, those with the most links first."""
    chosen = {Offer.CHANNEL: about.wanted.channels, Offer.TAG: about.wanted.tags}.get(
        by, about.wanted.campaigns
    )
    if chosen:
        return list(chosen)[:MOST]
    selection = about.opened.questions.selection(about.workspace, about.wanted)
    name = {Offer.CHANNEL: Link.channel, Offer.TAG: LinkTag.tag}.get(by, Campaign.name)
    statement = select(name).select_from(Link).where(Link.workspace_id == about.workspace)
    if by is Offer.TAG:
        statement = statement.join(LinkTag)
    if by is Offer.CAMPAIGN:
        statement = statement.join(Campaign, Campaign.id == Link.campaign_id)
    if selection.links is not None:
        statement = statement.where(Link.id.in_({link_of(number) for number in selection.links[:20_000]}))
    statement = statement.where(name.is_not(None)).group_by(name).order_by(func.count().desc(), name)
    with about.opened.links.reading() as session:
        return [value for value in session.scalars(statement.limit(MOST)) if value]


def sorts_asked(about: Asked) -> dict[Offer, dict[str, Integers]]:
    """The sorts of offers that cards tell of, channels and tags, with each one's links: those that divide links in two or more.

    Tags that have a channel's links ask nothing that channels don't, and are left out; what links there are decides it, and no click.
    """
    found: dict[Offer, dict[str, Integers]] = {}
    for by in (Offer.CHANNEL, Offer.TAG):
        named = offered(about, by)
        if len(named) > 1:
            found[by] = {name: links_of(about, by, name) for name in named}
    if set(found.get(Offer.TAG, ())) <= again(found):
        found.pop(Offer.TAG, None)
    return found


def again(sorts: Mapping[Offer, Mapping[str, Integers]]) -> set[str]:
    """Tags that have exactly a channel's links; scans of these may be told of as another channel's."""
    known = {_whose(links) for links in sorts.get(Offer.CHANNEL, {}).values()}
    return {name for name, links in sorts.get(Offer.TAG, {}).items() if _whose(links) in known}


def _whose(numbers: Integers) -> tuple[int, ...]:
    return tuple(np.unique(link_of(numbers)).tolist())


def classes(offers: Sequence[Integers]) -> tuple[list[Integers], list[list[int]]]:
    """Links that are in the same offers, as lists that have none in common; and of each offer, which of these it is made of."""
    links = np.unique(np.concatenate([*offers, np.zeros(0, np.int64)]))
    if not links.size:
        return [], [[] for _ in offers]
    member = np.array([np.isin(links, of) for of in offers], np.bool_)
    kinds, of = np.unique(member, axis=1, return_inverse=True)
    of = of.reshape(-1)
    return [links[of == at] for at in range(kinds.shape[1])], [np.flatnonzero(row).tolist() for row in kinds]


def only(about: Asked, by: Offer, name: str) -> Filter:
    """The filter with one offer chosen."""
    match by:
        case Offer.CHANNEL:
            return replace(about.wanted, channels=(name,))
        case Offer.TAG:
            return replace(about.wanted, tags=(name,))
    return replace(about.wanted, campaigns=(name,))


def links_of(about: Asked, by: Offer, name: str) -> Integers:
    """The links of an offer that the filter lets through."""
    selection = about.opened.questions.selection(about.workspace, only(about, by, name))
    return np.sort(np.array(selection.links or (), np.int64))


class Listed(NamedTuple):
    """Clicks by place of a list of links."""

    places: npt.NDArray[np.int32]  # numbers, -1 where the atlas has no such place
    clicks: Integers

    @classmethod
    def of(cls, about: Asked, found: PlaceClicks) -> Listed:
        """What the store has of them: looked up once, for all offers that have these links."""
        return cls(about.atlas.places.number_of(found.keys), found.clicks)


def counts_of(about: Asked, lists: Sequence[Listed]) -> Counts:
    """Clicks by place of an offer's lists of links, of people only, under the filter."""
    number, clicks = (np.concatenate([getattr(one, name) for one in lists]) for name in Listed._fields)
    kinds = np.full(len(number), int(NetworkKind.RESIDENTIAL), np.uint8)
    return count(about.atlas.places, number, kinds, clicks, networks=PEOPLE, within=about.counts.within)


def counted(about: Asked, by: Offer, name: str) -> Counts | None:
    """The clicks of one offer under the filter; None where nothing of it may be shown."""
    wanted = only(about, by, name)
    questions = about.opened.questions
    if wanted.holds:  # each with a plan of its own, and only what all of them show
        try:
            return questions.snapshot(about.workspace, wanted).counts
        except Problem:
            return None
    # Not a snapshot: these are many, and nobody draws them.
    found = about.opened.store.place_counts(questions.selection(about.workspace, wanted))
    places = about.atlas.places
    return count(
        places, places.number_of(found.keys), found.kinds, found.clicks, networks=wanted.networks,
        within=about.counts.within,
    )  # fmt: skip
