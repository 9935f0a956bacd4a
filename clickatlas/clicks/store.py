"""The protocol of a click store: how clicks go in, and the one kind of question that comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from clickatlas.clicks.filter import Selection
from clickatlas.errors import Problem
from clickatlas.redirect.record import Agent

Integers = npt.NDArray[np.int64]
Word = Literal[
    "device", "browser", "system", "language", "referrer"
]  # what a click is told apart by in words


class StoreFault(Exception):
    """A store could not do what it was asked; its `problem` says what that means."""


class Position(NamedTuple):
    """How far a spool stream has been read: all before `offset` of `segment` is in the store."""

    segment: int
    offset: int


@dataclass(frozen=True)
class Batch:
    """Clicks on their way in: parallel arrays, with `agent` and `referrer` pointing into the two lists."""

    records: npt.NDArray[np.void]
    agents: Sequence[Agent]
    referrers: Sequence[str]
    positions: Mapping[str, Position]


class PlaceCounts(NamedTuple):
    """Clicks per place key and network kind, one row each, no order."""

    keys: npt.NDArray[np.uint64]
    kinds: npt.NDArray[np.uint8]
    clicks: Integers


class PlaceGroups(NamedTuple):
    """Places put into groups: the place `keys[i]` belongs to `groups[i]`, a number from 0 on or `elsewhere`.

    Clicks of places not named belong to the group `elsewhere`; where it is None they are left out, as are
    those of a group below 0. Where there are `steps`, clicks of `keys[i]` may be told as of the first quarter of an hour
    of as many as those (4, 2 or 1), and those of elsewhere as of the first of four.
    """

    keys: npt.NDArray[np.uint64]
    groups: npt.NDArray[np.int32]
    elsewhere: int | None = None
    steps: npt.NDArray[np.int32] | None = None


class Patches(NamedTuple):
    """Places cut into patches, which may be counted together: the place `keys[i]` belongs to the patch `labels[i]`.

    A label stays the same for ever, 0 is none. A patch's clocks are whole `steps` of quarters of an hour away from
    UTC: 4, 2 or 1.
    """

    keys: npt.NDArray[np.uint64]
    labels: npt.NDArray[np.uint64]
    steps: npt.NDArray[np.int32]


class GroupTimes(NamedTuple):
    """Clicks per group of places and bucket of time, one row each where there are any, buckets ascending."""

    groups: npt.NDArray[np.int32]
    buckets: npt.NDArray[np.int32]
    clicks: Integers


class GroupWords(NamedTuple):
    """Clicks per group of places and word, one row each where there are any; `words[i]` points into `names`."""

    groups: npt.NDArray[np.int32]
    words: npt.NDArray[np.int32]
    clicks: Integers
    names: list[str]


class TimesAsked(NamedTuple):
    """A question for `group_times`."""

    edges: Integers
    places: PlaceGroups


class WordsAsked(NamedTuple):
    """A question for `group_words`."""

    word: Word
    places: PlaceGroups


class PlaceClicks(NamedTuple):
    """Clicks per place key, one row each where there are any."""

    keys: npt.NDArray[np.uint64]
    clicks: Integers


class VisitorCounts(NamedTuple):
    """Visitors per bucket of time, and the clicks that tell of one (`clicks`) and that don't (`unknown`)."""

    least: Integers
    most: Integers
    clicks: Integers
    unknown: Integers


class Together(NamedTuple):
    """What was asked together, in the order of the questions."""

    times: list[GroupTimes]
    words: list[GroupWords]
    links: list[PlaceClicks]


class Clicks(NamedTuple):
    """Some clicks, one by one, in time order: parallel arrays, with `agent` and `referrer` pointing into the two lists."""

    time: Integers  # ms UTC
    link: Integers  # numbers as `links.ways` gives them out
    place: npt.NDArray[np.uint64]  # keys
    kind: npt.NDArray[np.uint8]
    agent: Integers
    referrer: Integers
    agents: list[Agent]
    referrers: list[str]  # hosts


class ClicksRead(NamedTuple):
    """How many clicks there are, and they themselves, piece by piece; all of one moment."""

    total: int
    pieces: Iterator[Clicks]


class ClickStore(Protocol):
    """What any store must do. All methods are safe to call from several threads."""

    @property
    def version(self) -> int:
        """Grows with every change of content within this process."""
        ...

    def append(self, batch: Batch) -> int:
        """Store a batch and its spool positions in one transaction; returns how many clicks were new."""
        ...

    def tend(self, keep_from: int | None = None, *, hurried: bool = False) -> bool:
        """Do what is due, a piece of it at a time; whether there is more.

        What is that, but for letting go of the single clicks before `keep_from` (ms UTC), is the store's own matter.
        `hurried` says that more clicks wait already: what is done better with them may wait, too.
        """
        ...

    def bundle(self, links: Mapping[str, Integers]) -> None:
        """Link numbers that are asked for together, by name: a store may keep counts of them, which `tend` makes."""
        ...

    def patch(self, patches: Patches) -> None:
        """Places that are often asked for together: a store may keep counts of them, which `tend` makes."""
        ...

    @property
    def kept_since(self) -> int | None:
        """Before this (midnight UTC, ms) clicks are counted by day and place only; None: all are kept."""
        ...

    def positions(self) -> dict[str, Position]:
        """How far each spool stream has been read."""
        ...

    def begun(self) -> dict[str, Position]:
        """Where a batch ends that a kill or a fault cut short: a part of it may be stored already.

        Before any other batch the clicks up to these positions, and no more, are to be appended again. None are where
        batches are stored as a whole. Streams of other machines may be among them.
        """
        ...

    def forget_streams(self, streams: Sequence[str]) -> None:
        """Drop the positions of streams that are gone from the disk."""
        ...

    def remove_links(self, links: Sequence[int], journal: int) -> int:
        """Delete clicks of `links`, refuse later ones, and remember the link journal's position; returns how many.

        Of very many the rest goes with `tend`, whatever happens to the process.
        """
        ...

    @property
    def removals(self) -> int:
        """Grows when what was counted may be told no longer: when clicks of links were removed."""
        ...

    def journal(self) -> int:
        """The link journal's position that `remove_links` remembered last; 0 at first."""
        ...

    def place_counts(self, selection: Selection) -> PlaceCounts:
        """Clicks per place and network kind: the vector that every map and table comes from."""
        ...

    def time_counts(
        self,
        selection: Selection,
        edges: Integers,
        kinds: Sequence[int],
        places: npt.NDArray[np.uint64] | None = None,
    ) -> Integers:
        """Clicks between each two of `edges` (ms UTC, ascending), of these network kinds and place keys."""
        ...

    def group_times(
        self, selection: Selection, edges: Integers, kinds: Sequence[int], places: PlaceGroups
    ) -> GroupTimes:
        """Clicks per group of places between each two of `edges` (as in `time_counts`): place x time."""
        ...

    def word_counts(
        self,
        selection: Selection,
        word: Word,
        kinds: Sequence[int],
        places: npt.NDArray[np.uint64] | None = None,
    ) -> dict[str, int]:
        """Clicks per device, browser, system, language or referring host; "" where that is not known."""
        ...

    def origin_counts(
        self,
        selection: Selection,
        kinds: Sequence[int],
        places: npt.NDArray[np.uint64] | None = None,
    ) -> dict[tuple[str, str], int]:
        """Clicks per browser and referring host (as in `word_counts`), of the clicks kept one by one."""
        ...

    def visitor_counts(
        self,
        selection: Selection,
        edges: Integers,
        kinds: Sequence[int],
        places: npt.NDArray[np.uint64] | None = None,
    ) -> VisitorCounts:
        """Visitors between each two of `edges` (ms UTC, whole quarters of an hour), of the clicks kept one by one."""
        ...

    def group_words(
        self, selection: Selection, word: Word, kinds: Sequence[int], places: PlaceGroups
    ) -> GroupWords:
        """Clicks per group of places and word (as in `word_counts`), of the clicks kept one by one."""
        ...

    def group_together(
        self,
        selection: Selection,
        kinds: Sequence[int],
        times: Sequence[TimesAsked],
        words: Sequence[WordsAsked],
        links: Sequence[Integers] = (),
    ) -> Together:
        """What `group_times` and `group_words` say to each of these, and clicks by place of each of some lists of links.

        Clicks that are read one by one are read once.
        """
        ...

    def link_counts(
        self,
        selection: Selection,
        kinds: Sequence[int],
        places: npt.NDArray[np.uint64] | None = None,
    ) -> dict[int, int]:
        """Clicks per link number; links without clicks are left out."""
        ...

    def link_series(self, links: Sequence[int], edges: Integers, kinds: Sequence[int]) -> dict[int, Integers]:
        """Clicks per link between each two of `edges` (ms UTC)."""
        ...

    def span(self, selection: Selection) -> tuple[int, int, int] | None:
        """(first, last, clicks): times in ms UTC; None where there are no clicks."""
        ...

    def clicks(
        self,
        selection: Selection,
        kinds: Sequence[int] | None = None,
        places: npt.NDArray[np.uint64] | None = None,
    ) -> ClicksRead:
        """The clicks that are kept one by one, in time order, without growing memory."""
        ...

    def problem(self, error: Exception) -> Problem:
        """What `error`, one of the store's own, means for the reader."""
        ...

    def close(self) -> None:
        """Let go of the store."""
        ...


class Arrivals(Protocol):
    """What comes into a store that others write, too, since these were made: each click once. For one thread."""

    @property
    def behind(self) -> bool:
        """Whether the last answer was not all there is."""
        ...

    def new(self) -> Batch:
        """Clicks that were stored since the last time. A `StoreFault` leaves them for the next."""
        ...


@runtime_checkable
class Shared(Protocol):
    """A store that others write, too, and that tells of what they do."""

    def arrivals(self) -> Arrivals:
        """What anybody stores from now on. Raises `StoreFault`."""
        ...
