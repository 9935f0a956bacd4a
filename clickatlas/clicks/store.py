"""The protocol of a click store: how clicks go in, and the one kind of question that comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from clickatlas.clicks.filter import Selection
from clickatlas.redirect.record import Agent

Integers = npt.NDArray[np.int64]
Word = Literal[
    "device", "browser", "system", "language", "referrer"
]  # what a click is told apart by in words


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
    those of a group below 0.
    """

    keys: npt.NDArray[np.uint64]
    groups: npt.NDArray[np.int32]
    elsewhere: int | None = None


class GroupTimes(NamedTuple):
    """Clicks per group of places and bucket of time, one row each where there are any, buckets ascending."""

    groups: npt.NDArray[np.int32]
    buckets: npt.NDArray[np.int32]
    clicks: Integers


class ClickRow(NamedTuple):
    """One click as an export shows it, before its place gets a name."""

    time_ms: int
    link: int
    place_key: int
    kind: int
    device: str
    browser: str
    system: str
    language: str
    referrer: str
    flags: int


class ClickStore(Protocol):
    """What any store must do. All methods are safe to call from several threads."""

    @property
    def version(self) -> int:
        """Grows with every change of content within this process."""
        ...

    def append(self, batch: Batch) -> int:
        """Store a batch and its spool positions in one transaction; returns how many clicks were new."""
        ...

    def tend(self, keep_from: int | None = None) -> bool:
        """Do what is due, a piece of it at a time; whether there is more.

        What is that, but for letting go of the single clicks before `keep_from` (ms UTC), is the store's own matter.
        """
        ...

    @property
    def kept_since(self) -> int | None:
        """Before this (midnight UTC, ms) clicks are counted by day and place only; None: all are kept."""
        ...

    def positions(self) -> dict[str, Position]:
        """How far each spool stream has been read."""
        ...

    def forget_streams(self, streams: Sequence[str]) -> None:
        """Drop the positions of streams that are gone from the disk."""
        ...

    def remove_links(self, links: Sequence[int], journal: int) -> int:
        """Delete all clicks of `links`, refuse later ones, and remember the link journal's position."""
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

    def rows(self, selection: Selection) -> Iterator[list[ClickRow]]:
        """The clicks themselves in time order, streamed in lists, without growing memory."""
        ...

    def close(self) -> None:
        """Let go of the store."""
        ...
