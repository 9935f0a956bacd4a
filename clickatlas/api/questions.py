"""Questions: filters become counts, and counts are kept so that pan and zoom never reach the store."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from clickatlas.atlas.atlas import Atlas
from clickatlas.clicks.filter import Filter, Selection
from clickatlas.clicks.store import ClickStore, Integers, PlaceCounts
from clickatlas.errors import not_found
from clickatlas.insight.areas import within
from clickatlas.insight.counts import Counts, count
from clickatlas.insight.heat import Ground, Heat
from clickatlas.links.database import LinksDatabase
from clickatlas.links.links import LinkQuery, numbers, only_workspace

KEPT_SNAPSHOTS = 64  # 2 MB each
KEPT_ANSWERS = 32


@dataclass(frozen=True)
class Snapshot:
    """The answer to one filter at one moment: counts, and the tiles cut from them."""

    token: str
    atlas: Atlas  # whose place numbers the counts go by
    counts: Counts
    heat: Heat


class _Answer(NamedTuple):
    version: int
    made: float
    cost: float
    counts: PlaceCounts


class Questions:
    """Asks the store once per filter and content, and remembers. Safe for threads."""

    def __init__(self, atlas: Atlas, store: ClickStore, links: LinksDatabase) -> None:
        self.store = store
        self.links = links
        self._ground = Ground.of(atlas)
        self._answers: OrderedDict[Selection, _Answer] = OrderedDict()
        self._snapshots: OrderedDict[str, Snapshot] = OrderedDict()
        self._lock = threading.Lock()
        self._asking: dict[Selection, threading.Lock] = {}

    @property
    def atlas(self) -> Atlas:
        """The atlas in use."""
        return self._ground.atlas

    def take(self, atlas: Atlas) -> None:
        """Answer with `atlas` from now on; answers under way finish with the one before."""
        self._ground = Ground.of(atlas)
        with self._lock:
            self._snapshots.clear()

    def selection(self, workspace: int, wanted: Filter) -> Selection:
        """The filter with names turned into link numbers of `workspace`. Raises `Problem` (404)."""
        query = LinkQuery(wanted.links, wanted.campaigns, wanted.channels, wanted.tags)
        with self.links.reading() as session:
            if wanted.links:
                known = numbers(session, workspace, LinkQuery(wanted.links))
                if len(known) < len(set(wanted.links)):
                    raise not_found(
                        f"Not every one of these links exists here: {', '.join(wanted.links)[:200]}.",
                        remedy="List yours with GET /api/links.",
                    )
            if not query and only_workspace(session):
                links = None  # every link there is: spares the store a join
            else:
                links = tuple(numbers(session, workspace, query))
        return Selection(links, wanted.start, wanted.end, wanted.devices)

    def snapshot(self, workspace: int, wanted: Filter, token: str | None = None) -> Snapshot:
        """Counts and tiles for `wanted`; with the `token` of a snapshot still kept, exactly that one."""
        prefix = _digest(workspace, wanted)
        if token and token.startswith(prefix) and (kept := self._kept(token)):
            return kept
        selection = self.selection(workspace, wanted)
        answer = self._ask(selection)
        ground = self._ground
        token = f"{prefix}{answer.version:x}{_digest(selection, ground.atlas.version)[:6]}"
        if kept := self._kept(token):
            return kept
        counts = _count(ground.atlas, answer.counts, wanted)
        made = Snapshot(token, ground.atlas, counts, Heat(ground, counts))
        with self._lock:
            self._snapshots[token] = made
            while len(self._snapshots) > KEPT_SNAPSHOTS:
                self._snapshots.popitem(last=False)
        return made

    def _kept(self, token: str) -> Snapshot | None:
        with self._lock:
            kept = self._snapshots.get(token)
            if kept is not None:
                self._snapshots.move_to_end(token)
            return kept

    def _ask(self, selection: Selection) -> _Answer:
        with self._lock:
            asking = self._asking.setdefault(selection, threading.Lock())
        with asking:  # the tiles of one view all want the same answer: the store is asked once
            now = time.monotonic()
            known = self._answers.get(selection)
            if known is not None:
                # Under a stream of clicks an answer may rest for five times what it cost, 1 s at most.
                fresh = known.version == self.store.version
                if fresh or now - known.made < min(1.0, 5 * known.cost):
                    return known
            version = self.store.version
            counts = self.store.place_counts(selection)
            answer = _Answer(version, time.monotonic(), time.monotonic() - now, counts)
            with self._lock:
                self._answers[selection] = answer
                self._answers.move_to_end(selection)
                while len(self._answers) > KEPT_ANSWERS:
                    self._asking.pop(self._answers.popitem(last=False)[0], None)
        return answer

    def series(self, workspace: int, wanted: Filter, edges: Integers) -> Integers:
        """Clicks between each two of `edges` (ms UTC)."""
        atlas = self.atlas
        mask = inside(atlas, wanted)
        keys = None if mask is None else np.asarray(atlas.places.key)[mask]
        kinds = [int(kind) for kind in wanted.networks]
        return self.store.time_counts(self.selection(workspace, wanted), edges, kinds, keys)


def inside(atlas: Atlas, wanted: Filter) -> npt.NDArray[np.bool_] | None:
    """Which places the filter's areas let through; None for all. Raises `Problem` (404)."""
    try:
        return within(atlas, wanted.areas)
    except KeyError as error:
        raise not_found(
            f"The atlas has no area {error.args[0][:80]!r}.",
            remedy="Find one with GET /api/areas?search=NAME.",
        ) from None


def _count(atlas: Atlas, answer: PlaceCounts, wanted: Filter) -> Counts:
    return count(
        atlas.places,
        atlas.places.number_of(answer.keys),
        answer.kinds,
        answer.clicks,
        networks=wanted.networks,
        within=inside(atlas, wanted),
    )


def _digest(*values: object) -> str:
    return hashlib.blake2b(repr(values).encode(), digest_size=8).hexdigest()
