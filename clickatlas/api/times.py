"""What is found in the times of clicks: rhythm and oddities."""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from clickatlas.api.findings import Asked
from clickatlas.api.hours import steps_of
from clickatlas.api.questions import Asked as Filtered
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.clicks.store import GroupTimes, Integers, PlaceGroups, TimesAsked
from clickatlas.insight import oddity, rhythm_cards
from clickatlas.insight.card import Card
from clickatlas.insight.clump_sizes import of_one_place
from clickatlas.insight.oddity import Oddities, oddities
from clickatlas.insight.rhythm import DAY, alike, blurred, clocks, on_weekend, quarter_hours, turns
from clickatlas.insight.rhythms import Apart, Rhythm, apart, by_week, rhythm
from clickatlas.insight.weekends import Weekends, weekend_cards, weekends

SIDES = 3  # East, West, elsewhere
PLACE, HISTORY = "place", "history"
HUMANS = (int(NetworkKind.RESIDENTIAL),)


@dataclass(frozen=True)
class Times:
    """When clicks come: by the clock of each place (`local`) or the reader's, and East against West."""

    rhythm: Rhythm
    coasts: Apart | None
    local: bool


def rhythm_of(about: Asked, clock: str) -> Times | None:
    """The week's rhythm; None without clicks. With `min_cell` by the reader's clock, moments told no closer than that."""
    local = clock == PLACE and not about.wanted.holds
    make = _by_places if local else _by_reader
    return about.kept(rhythm_name(about, local), lambda: make(about))


def rhythm_name(about: Asked, local: bool) -> Hashable:
    """What a rhythm is remembered under."""
    return "rhythm", local, about.wanted.zone


def rhythm_cards_of(about: Asked, clock: str) -> list[Card]:
    """The cards of the week's rhythm."""
    found = rhythm_of(about, clock)
    if found is None:
        return []
    made = rhythm_cards.cards(found.rhythm, local=found.local, zone=about.wanted.zone)
    made += rhythm_cards.coast_cards(found.coasts, about.atlas) if found.coasts else []
    areas = weekends_of(about, Level.REGION) if found.local else None
    return made + (weekend_cards(areas, about.atlas) if areas else [])


def _by_reader(about: Asked) -> Times | None:
    questions, store = about.opened.questions, about.opened.store
    span = questions.span(about.workspace, about.wanted)
    if span is None:
        return None
    asked = questions.ask(about.workspace, about.wanted)
    edges = quarter_hours(*span[:2])
    clicks = store.time_counts(asked.selection, edges, asked.kinds, asked.keys)
    if about.wanted.holds:
        clicks = blurred(clicks, about.wanted.least)
    some = np.flatnonzero(clicks)
    weeks = by_week([(edges[some], clicks[some], about.wanted.zone)], span[0], span[1])
    return Times(rhythm(weeks), None, local=False)


def _by_places(about: Asked) -> Times | None:
    questions, store = about.opened.questions, about.opened.store
    span = questions.span(about.workspace, about.wanted)
    if span is None:
        return None
    asked = questions.ask(about.workspace, about.wanted)
    question, zones = clocks_asked(asked, span)
    found = store.group_times(asked.selection, question.edges, asked.kinds, question.places)
    return by_clocks(zones, span, question.edges, found)


def clocks_asked(asked: Filtered, span: tuple[int, int, int]) -> tuple[TimesAsked, list[str]]:
    """Clicks by quarter of an hour and by place's clock and side, and these clocks; zones that agreed all the time are one."""
    places, edges = asked.atlas.places, quarter_hours(*span[:2])
    first = alike(places.zones, span[0], span[1] + DAY)
    zone, side = _clocks(asked.atlas.folder)
    different, clock = np.unique(first, return_inverse=True)
    group = np.where(zone >= 0, clock[zone] * SIDES + np.where(side < 0, SIDES - 1, side), -1).astype(
        np.int32
    )
    steps = steps_of(asked.atlas, zone, edges)
    return TimesAsked(edges, among(asked, group, steps)), [places.zones[at] for at in different.tolist()]


def by_clocks(zones: Sequence[str], span: tuple[int, int, int], edges: Integers, found: GroupTimes) -> Times:
    """The answer to `clocks_asked` as a rhythm."""
    parts: list[list[tuple[Integers, Integers, str]]] = [[] for _ in range(SIDES)]
    order = np.argsort(found.groups, kind="stable")
    there, begin = np.unique(found.groups[order], return_index=True)
    for number, mine in zip(there.tolist(), np.split(order, begin[1:]), strict=True):
        part = (edges[found.buckets[mine]], found.clicks[mine], zones[number // SIDES])
        parts[number % SIDES].append(part)
    all_parts = [part for side_parts in parts for part in side_parts]
    weeks = by_week(all_parts, span[0], span[1])
    east, west = (by_week(side_parts, span[0], span[1]) for side_parts in parts[:2])
    both = east.any() and west.any() and len(east) == len(west)
    return Times(rhythm(weeks), apart(east, west) if both else None, local=True)


def among(
    asked: Filtered, group: npt.NDArray[np.integer], steps: npt.NDArray[np.int32] | None = None
) -> PlaceGroups:
    """Places by group, those that the filter lets through, in the order of their keys."""
    order = np.asarray(asked.atlas.places.by_key)
    keys = _sorted(asked.atlas.folder)
    if asked.mask is not None:
        inside = asked.mask[order]
        order, keys = order[inside], keys[inside]
    return PlaceGroups(
        keys, group[order].astype(np.int32), steps=None if steps is None else np.asarray(steps)[order]
    )


def prepared(atlas: Atlas, part: int = 0, of: int = 1) -> None:
    """Have at hand what the questions need of the atlas, and a part of the clocks of the last year."""
    _sorted(atlas.folder), _clocks(atlas.folder), _classes(atlas.folder)
    now = time.time_ns() // 1_000_000
    alike(tuple(atlas.places.zones[part::of]), now - 365 * DAY, now)


@lru_cache(maxsize=2)
def _sorted(folder: Path) -> npt.NDArray[np.uint64]:
    """Keys of places, ascending."""
    places = Atlas.open(folder).places
    return np.asarray(places.key)[np.asarray(places.by_key)]


@lru_cache(maxsize=2)
def _clocks(folder: Path) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int8]]:
    """Of each place its zone, and its side of the United States."""
    atlas = Atlas.open(folder)
    return clocks(atlas.places), rhythm_cards.coasts(atlas)


@lru_cache(maxsize=2)
def _classes(folder: Path) -> tuple[Integers, npt.NDArray[np.int32]]:
    """Regions, or countries where there is none, by clock: of each a place, and of each place which."""
    column = Atlas.open(folder).places.area
    zone, _ = _clocks(folder)
    pair = (np.asarray(column[Level.COUNTRY], np.int64) + 1) << 32 | (np.asarray(column[Level.REGION]) + 1)
    pair = pair << 10 | (zone + 1)
    _, like, group = np.unique(pair, return_index=True, return_inverse=True)
    return like, group.astype(np.int32)


def oddities_of(about: Asked, level: Level) -> Oddities | None:
    """Areas that jump against their own history; None without clicks."""
    history = about.kept(HISTORY, lambda: _history(about))
    if history is None:
        return None
    return about.kept(("oddities", level), lambda: _oddities(about, history, level))


def oddities_end(about: Asked) -> int | None:
    """When the last piece of time ends that oddities are looked for in (ms UTC); None without clicks."""
    span = about.opened.questions.span(about.workspace, about.wanted)
    return None if span is None else _whole_days(span)


def _whole_days(span: tuple[int, int, int]) -> int:
    return span[1] // DAY * DAY  # a day that isn't over has few clicks everywhere


def oddity_cards_of(about: Asked) -> list[Card]:
    """The cards of jumps."""
    made = []
    for level in oddity.LEVELS:
        found = oddities_of(about, level)
        made += oddity.cards(found, about.atlas) if found else []
    return made


@dataclass(frozen=True)
class History:
    """Clicks by piece of time and class of places: those of one region (or, without, of one country) and one clock."""

    like: Integers  # of each class a place
    clock: Integers  # and its zone's number, -1 where that can't be told
    people: Integers  # (pieces, classes)
    machines: Integers
    weekend: Integers  # of `people`, those on local Saturdays and Sundays


def _history(about: Asked) -> History | None:
    questions, store = about.opened.questions, about.opened.store
    span = questions.span(about.workspace, about.wanted)
    if span is None:
        return None
    asked = questions.ask(about.workspace, about.wanted)
    divided = pieces_asked(asked, span)
    question = divided.question
    if question is None:
        nothing = np.zeros((1, len(divided.like)), np.int64)
        return History(divided.like, divided.clock, nothing, nothing, nothing)
    return history_of(
        about, asked, divided, store.group_times(asked.selection, question.edges, HUMANS, question.places)
    )


class Divided(NamedTuple):
    """A question for clicks by piece of time and class of places, pieces divided where weekends begin and end by any clock."""

    question: TimesAsked | None  # None where there is no whole piece
    pieces: Integers  # their edges
    like: Integers  # of each class a place
    clock: Integers  # of each class a zone's number; -1 where that can't be told


def pieces_asked(asked: Filtered, span: tuple[int, int, int]) -> Divided:
    """What a `History` is made of."""
    first = span[0] // DAY * DAY
    pieces = oddity.pieces(first, max(_whole_days(span), first))
    like, group = _classes(asked.atlas.folder)
    zone, _ = _clocks(asked.atlas.folder)
    if len(pieces) < 2:
        return Divided(None, pieces, like, np.full(len(like), -1))
    zones = asked.atlas.places.zones
    same = alike(zones, span[0], span[1] + DAY)  # as for `clocks_asked`: looked up once
    clock = np.where(zone[like] >= 0, same[zone[like]], -1)
    by = [zones[number] for number in np.unique(clock[clock >= 0]).tolist()]
    edges = np.union1d(pieces, turns(by, int(pieces[0]), int(pieces[-1])))
    return Divided(
        TimesAsked(edges, among(asked, group, steps_of(asked.atlas, zone, edges))), pieces, like, clock
    )


def history_of(about: Asked, asked: Filtered, divided: Divided, people: GroupTimes) -> History:
    """The answer to `pieces_asked` for people, and machines' clicks, which are asked for here."""
    question, pieces, like, clock = divided
    assert question is not None
    kinds = tuple(int(kind) for kind in NetworkKind if kind not in HUMANS)
    found = about.opened.store.group_times(asked.selection, pieces, kinds, question.places)
    row = np.searchsorted(pieces, question.edges[:-1], side="right") - 1
    on = on_weekend(question.edges, people.buckets, clock[people.groups], asked.atlas.places.zones)
    cell, shape = row[people.buckets] * len(like) + people.groups, (len(pieces) - 1, len(like))
    whole, weekend = (
        np.bincount(cell, of, shape[0] * shape[1]).astype(np.int64).reshape(shape)
        for of in (people.clicks, people.clicks * on)
    )
    machines = np.zeros(shape, np.int64)
    machines[found.buckets, found.groups] = found.clicks
    return History(like, clock, whole, machines, weekend)


def weekends_of(about: Asked, level: Level) -> Weekends | None:
    """Areas that click on weekends more, or less, than all do; None without clicks, and with `min_cell`, as times are blurred then."""
    history = None if about.wanted.holds else about.kept(HISTORY, lambda: _history(about))
    if history is None:
        return None
    column = np.asarray(about.atlas.places.area[level], np.int64)[history.like]
    told = (column >= 0) & (history.clock >= 0)
    area, group = np.unique(column[told], return_inverse=True)
    weekend, whole = (_summed(of[:, told], group, len(area)) for of in (history.weekend, history.people))
    return about.kept(("weekends", level), lambda: weekends(area, whole - weekend, weekend))


def _summed(cube: Integers, group: npt.NDArray[np.intp], size: int) -> Integers:
    result = np.zeros((size, len(cube)), np.int64)
    np.add.at(result, group, cube.T)
    return result.T


def _oddities(about: Asked, history: History, level: Level) -> Oddities:
    column = np.asarray(about.atlas.places.area[level], np.int64)[history.like]
    known = column >= 0
    area, group = np.unique(column[known], return_inverse=True)
    people, machines = (_summed(of[:, known], group, len(area)) for of in (history.people, history.machines))
    kinds = {oddity.PEOPLE: people, oddity.MACHINES: machines}
    alone: npt.NDArray[np.float64] = np.zeros(len(area))
    which: dict[str, Integers] = {}
    if oddity.any_found(oddities(level, area, kinds, alone=alone)):
        alone, which = _last_piece(about, level, area)  # asked for only where it may matter
    held = about.counts.held
    if held is None:
        return oddities(level, area, kinds, alone=alone, machine_kinds=which)
    # A piece's clicks are told: each of them must be enough, and of an area that may be shown.
    enough = np.ones(len(area), np.bool_)
    for cube in (kinds[oddity.PEOPLE], kinds[oddity.PEOPLE] + kinds[oddity.MACHINES]):
        if len(cube):
            enough &= cube[-1] >= held.least
    shown = np.zeros(len(about.atlas.areas), np.bool_)
    shown[area[enough]] = held.visible[area[enough]]
    return oddities(level, area, kinds, shown=shown, alone=alone)


def _last_piece(
    about: Asked, level: Level, area: Integers
) -> tuple[npt.NDArray[np.float64], dict[str, Integers]]:
    """Of the last piece, by area: people's clicks by which one place is above what its history and the area's other places
    tell; and machines' clicks by network kind."""
    questions, store, atlas = about.opened.questions, about.opened.store, about.atlas
    span = questions.span(about.workspace, about.wanted)
    if span is None:
        return np.zeros(len(area)), {}
    asked = questions.ask(about.workspace, about.wanted)
    last = _whole_days(span)
    edges = oddity.pieces(span[0] // DAY * DAY, last)
    people = []
    column = np.asarray(atlas.places.area[level], np.int64)
    for start, end in ((int(edges[0]), int(edges[-2])), (int(edges[-2]), int(edges[-1]))):
        found = store.place_counts(replace(asked.selection, start=start, end=end))
        number = atlas.places.number_of(found.keys)
        use = np.isin(found.kinds, HUMANS) & (number >= 0)
        people.append(np.bincount(number[use], found.clicks[use], len(atlas.places)))
    past, now = people
    inside = number >= 0  # of the last piece
    if asked.mask is not None:
        past, now = past * asked.mask, now * asked.mask
        inside &= asked.mask[np.maximum(number, 0)].astype(np.bool_)
    which = {}
    for kind in NetworkKind:
        if kind not in HUMANS:
            mine = inside & (found.kinds == kind)
            of_all = np.bincount(column[number[mine]] + 1, found.clicks[mine], len(atlas.areas) + 1)[1:]
            which[kind.name.lower()] = of_all[area].astype(np.int64)
    now = np.where(np.asarray(atlas.places.unplaced), 0, now).astype(np.int64)
    usual = np.asarray(past * (float(now.sum()) / max(float(past.sum()), 1.0)), np.float64)
    return of_one_place(column, now, usual, len(atlas.areas))[area], which
