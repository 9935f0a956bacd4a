"""Clicks as a table to export: its columns, and how frames of them are made from what the store reads out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from clickatlas.api.questions import Asked, Questions
from clickatlas.atlas.areas import LEVELS, Level
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.atlas.places import NOWHERE
from clickatlas.clicks.filter import Filter
from clickatlas.clicks.store import Clicks, ClickStore, Integers
from clickatlas.formats.frames import Cell, Coded, Column, Frame, Kind, Lookup, Moments, Table
from clickatlas.insight.rhythm import clocks, offsets, quarter_hours, spans
from clickatlas.links.models import Campaign, Link
from clickatlas.links.ways import QR, is_scan, link_of, way_of
from clickatlas.redirect.record import Agent

TIME = Column(
    "time", Kind.TIME, "When, in UTC. With `min_cell`: the first moment of the clicks that it is told with."
)
LOCAL = Column(
    "local_time",
    Kind.TEXT,
    "The same moment by the clock of the click's place, with its offset from UTC. Empty where the place tells no clock, "
    "and with `min_cell`.",
)
OF_LINK = (
    Column("code", Kind.TEXT, "The link's short code."),
    Column("campaign", Kind.TEXT, "The link's campaign."),
    Column("channel", Kind.TEXT, "The link's channel; `qr` for a scan of its QR code, whatever the link's own."),
    Column("way", Kind.TEXT, "The rule or the side of a split by which it was answered. Empty: the link's own destination, or "
           "one that is no more; and with `min_cell`, as rules may tell of places."),
)  # fmt: skip
OF_AREAS = (
    Column("country", Kind.TEXT, "ISO 3166-1 alpha-2: `US`."),
    Column("country_name", Kind.TEXT, "In English."),
    Column("region", Kind.TEXT, "ISO 3166-2 where there is one: `US-MA`."),
    Column("region_name", Kind.TEXT, "In English."),
    Column("county", Kind.TEXT, "County; in the United States."),
    Column("county_code", Kind.TEXT, "Its FIPS code, five digits."),
    Column("metro", Kind.TEXT, "Metropolitan area."),
    Column("metro_code", Kind.TEXT, "In the United States its CBSA code."),
)  # fmt: skip
OF_PLACE = (
    Column("city", Kind.TEXT, "In English."),
    Column("postal_code", Kind.TEXT, "ZIP or postal code: a text, as some begin with 0."),
    Column("lat", Kind.NUMBER, "Degrees north, WGS 84. Empty for unplaced clicks, and with `min_cell`."),
    Column("lon", Kind.NUMBER, "Degrees east."),
    Column("radius_km", Kind.WHOLE, "Accuracy radius in kilometres; 0 where the database does not say."),
    Column("unplaced", Kind.FLAG, "Known to a country or region at best: such a click has no position."),
)
OF_KIND = (
    Column("network", Kind.TEXT, f"Network kind: {', '.join(kind.name.lower() for kind in NetworkKind)}."),
)
OF_AGENT = (
    Column("device", Kind.TEXT, "desktop, mobile, tablet or other."),
    Column("browser", Kind.TEXT, "The browser's family."),
    Column("system", Kind.TEXT, "The operating system's family."),
    Column("language", Kind.TEXT, "The first that the browser asks for: `de-AT`."),
)
OF_REFERRER = (Column("referrer", Kind.TEXT, "Host of the page that the click came from; never its path."),)
WIDE = (Level.COUNTRY, Level.REGION, Level.METRO, Level.COUNTY)
COLUMNS = (TIME, LOCAL, *OF_LINK, *OF_AREAS, *OF_PLACE, *OF_KIND, *OF_AGENT, *OF_REFERRER)


def clicks_table(questions: Questions, workspace: int, wanted: Filter) -> Table:
    """The filter's clicks, those kept one by one, in time order. Raises `Problem` (403, 404)."""
    asked = questions.ask(workspace, wanted)
    links = _links(questions, workspace, hide_ways=asked.held is not None)
    moments = _moments(questions.store, asked)
    read = questions.store.clicks(asked.selection, asked.kinds, asked.keys)

    def frames(size: int) -> Iterator[Frame]:
        yield from _Frames(asked, links, moments).of(read.pieces, size)

    return Table("clicks", COLUMNS, frames, read.total)


def _moments(store: ClickStore, asked: Asked) -> Integers | None:
    """Where single clicks may not be told apart by time: the moments (ms UTC) that stand for those after them."""
    span = None if asked.held is None else store.span(asked.selection)
    if asked.held is None or span is None:
        return None
    edges = quarter_hours(*span[:2])
    clicks = store.time_counts(asked.selection, edges, asked.kinds, asked.keys)
    return edges[spans(clicks, asked.held.least)[:, 0]]


def _links(questions: Questions, workspace: int, *, hide_ways: bool) -> Callable[[int], tuple[Cell, ...]]:
    """What a click's number tells of its link."""
    with questions.links.reading() as session:
        found = session.execute(
            select(Link.id, Link.code, Campaign.name, Link.channel, Link.ways)
            .outerjoin(Campaign, Campaign.id == Link.campaign_id)
            .where(Link.workspace_id == workspace)
        ).all()
    known = {number: (code, campaign, channel, ways) for number, code, campaign, channel, ways in found}
    none: tuple[str | None, str | None, str | None, list[Mapping[str, Any]] | None] = (None, None, None, None)

    def cells(number: int) -> tuple[Cell, ...]:
        code, campaign, channel, ways = known.get(link_of(number), none)
        names = {} if hide_ways else {way["way"]: str(way["name"]) for way in ways or ()}
        return code, campaign, QR if is_scan(number) else channel or None, names.get(way_of(number))

    return cells


class _Frames:
    """Makes frames; the lookups remember what they made from one to the next."""

    def __init__(
        self, asked: Asked, links: Callable[[int], tuple[Cell, ...]], moments: Integers | None
    ) -> None:
        self._asked, self._moments = asked, moments
        self._link = Lookup(OF_LINK, links)
        places = asked.atlas.places
        self._columns = {level: np.asarray(places.area[level]) for level in LEVELS}
        self._wide_of, self._wide = _alike([self._columns[level] for level in WIDE])
        self._areas = Lookup(OF_AREAS, self._area_cells, len(self._wide))
        self._place = Lookup(OF_PLACE, self._place_cells, len(places))
        self._kind = Lookup(OF_KIND, lambda kind: (NetworkKind(kind).name.lower(),))
        self._agent = Lookup(OF_AGENT, lambda agent: tuple(word or None for word in agent))
        self._referrer = Lookup(OF_REFERRER, lambda host: (host or None,))
        self._zone = clocks(asked.atlas.places) if asked.held is None else None

    def of(self, pieces: Iterator[Clicks], size: int) -> Iterator[Frame]:
        """All clicks, about `size` at a time."""
        for piece in pieces:
            number = self._asked.atlas.places.number_of(piece.place)
            number = np.where(number < 0, NOWHERE, number)
            ahead, known = self._local(piece.time, number)
            for begin in range(0, len(number), size):
                some = slice(begin, begin + size)
                yield self._frame(piece, some, number[some], ahead[some], known[some])

    def _frame(
        self,
        piece: Clicks,
        some: slice,
        number: npt.NDArray[np.int32],
        ahead: Integers,
        known: npt.NDArray[np.bool_],
    ) -> Frame:
        time = piece.time[some]
        if self._moments is not None and len(self._moments):
            time = self._moments[np.maximum(np.searchsorted(self._moments, time, side="right") - 1, 0)]
        return Frame(
            len(time),
            [
                Moments(TIME, time),
                Moments(LOCAL, time, ahead, known),
                _coded(self._link, piece.link[some]),
                Coded.numbered(self._areas, self._wide_of[number], len(self._wide)),
                Coded.numbered(self._place, number, len(self._wide_of)),
                _coded(self._kind, piece.kind[some]),
                _worded(self._agent, piece.agents, piece.agent[some]),
                _worded(self._referrer, piece.referrers, piece.referrer[some]),
            ],
        )

    def _local(self, time: Integers, number: npt.NDArray[np.int32]) -> tuple[Integers, npt.NDArray[np.bool_]]:
        """How far local clocks are ahead, and where a place tells one."""
        ahead = np.zeros(len(time), np.int64)
        if self._zone is None:
            return ahead, np.zeros(len(time), np.bool_)
        zone = self._zone[number]
        order = np.argsort(zone, kind="stable")
        found, begin = np.unique(zone[order], return_index=True)
        for one, rows in zip(found.tolist(), np.split(order, begin[1:]), strict=True):
            if one >= 0:
                ahead[rows] = offsets(time[rows], self._asked.atlas.places.zones[one])
        return ahead, zone >= 0

    def _area_cells(self, wide: int) -> tuple[Cell, ...]:
        areas, cells = self._asked.atlas.areas, list[Cell]()
        country, region, metro, county = map(self._shown, self._wide[wide].tolist())
        for number in (country, region):
            cells += (None, None) if number is None else (areas.code(number), areas.name(number))
        for number in (county, metro):
            cells += (None, None) if number is None else (areas.name(number), areas.code(number))
        return tuple(cells)

    def _place_cells(self, place: int) -> tuple[Cell, ...]:
        places, held = self._asked.atlas.places, self._asked.held
        areas, unplaced = self._asked.atlas.areas, bool(places.unplaced[place])
        city, postal = (self._shown(int(self._columns[level][place])) for level in (Level.CITY, Level.POSTAL))
        # A default centroid is no position: an unplaced click has none.
        spot = not unplaced and held is None
        return (
            None if city is None else areas.name(city),
            None if postal is None else areas.name(postal),
            float(places.lat[place]) if spot else None,
            float(places.lon[place]) if spot else None,
            int(places.radius[place]) if spot else None,
            unplaced,
        )

    def _shown(self, number: int) -> int | None:
        """The area, where there is one that may be shown."""
        held = self._asked.held
        return number if number >= 0 and (held is None or held.shows(number)) else None


def _alike(columns: list[npt.NDArray[np.int32]]) -> tuple[Integers, npt.NDArray[np.int32]]:
    """Places that are alike in all of these columns: the number of each place's kind, and the kinds."""
    rows = np.stack(columns, axis=1)
    together = np.ascontiguousarray(rows).view([("", rows.dtype)] * rows.shape[1]).ravel()
    _, first, index = np.unique(together, return_index=True, return_inverse=True)
    return index.astype(np.int64), rows[first]


def _coded(lookup: Lookup, values: npt.NDArray[Any]) -> Coded:
    keys, codes = np.unique(values, return_inverse=True)
    return Coded(lookup, list(keys.tolist()), codes)


def _worded(lookup: Lookup, words: Sequence[Agent] | Sequence[str], codes: Integers) -> Coded:
    """By those of a piece's words that some of these rows have."""
    numbered = Coded.numbered(lookup, codes, len(words))
    return numbered._replace(keys=[words[number] for number in numbered.keys])
