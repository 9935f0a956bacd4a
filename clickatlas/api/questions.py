"""Questions: filters become counts, and counts are kept so that pan and zoom never reach the store."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from clickatlas.api.answers import Answer, Answers
from clickatlas.atlas.atlas import Atlas
from clickatlas.clicks.filter import Filter, Selection
from clickatlas.clicks.store import ClickStore, Integers, PlaceCounts
from clickatlas.errors import Problem, not_found
from clickatlas.insight import drawn
from clickatlas.insight.areas import within
from clickatlas.insight.comparison import Comparison
from clickatlas.insight.counts import Counts, count
from clickatlas.insight.heat import Ground, Heat
from clickatlas.insight.held import Held, hold
from clickatlas.insight.rhythm import blurred, quarter_hours
from clickatlas.links.database import LinksDatabase
from clickatlas.links.links import LinkQuery, numbers, only_workspace
from clickatlas.links.ways import link_of

KEPT_SNAPSHOTS = 24  # some 10 MB each, once all their zooms were drawn
KEPT_ANSWERS = 32  # up to 4 MB each
KEPT_SMALL = 256  # tables and series
KEPT_LARGE = 8  # frames: up to 4 MB each
KEPT_FINDINGS = 64  # insights: most of them some kB, tables of postal codes 2 MB

V = TypeVar("V")


@dataclass(frozen=True)
class Snapshot:
    """The answer to one filter at one moment: counts, and the tiles cut from them."""

    token: str
    atlas: Atlas  # whose place numbers the counts go by
    counts: Counts
    heat: Heat


class Asked(NamedTuple):
    """A filter as the store takes it, and the atlas that its places are of."""

    selection: Selection
    kinds: tuple[int, ...]
    mask: npt.NDArray[np.bool_] | None  # which places; None for all
    keys: npt.NDArray[np.uint64] | None  # their keys
    atlas: Atlas
    held: Held | None  # the plan, where no area may be shown that has too few clicks
    planned: int  # the store's version that the plan is made for


class Questions:
    """Asks the store once per filter and content, and remembers. Safe for threads."""

    def __init__(self, atlas: Atlas, store: ClickStore, links: LinksDatabase) -> None:
        self.store = store
        self.links = links
        self._ground = Ground.of(atlas)
        self._places = Answers(lambda: store.version, KEPT_ANSWERS)
        self._small = Answers(lambda: store.version, KEPT_SMALL)
        self._large = Answers(lambda: store.version, KEPT_LARGE)
        self._findings = Answers(lambda: store.version, KEPT_FINDINGS, times=30, longest=30)
        self._comparisons = Answers(lambda: 0, KEPT_ANSWERS)
        self._masks = Answers(lambda: 0, KEPT_ANSWERS)
        self._plans = Answers(lambda: store.version, KEPT_ANSWERS, times=20, longest=600)
        self._snapshots: OrderedDict[str, Snapshot] = OrderedDict()
        self._lock = threading.Lock()

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
                if len(set(map(link_of, known))) < len(set(wanted.links)):
                    raise not_found(
                        f"Not every one of these links exists here: {', '.join(wanted.links)[:200]}.",
                        remedy="List yours with GET /api/links.",
                    )
            if not query and only_workspace(session):
                links = None  # every link there is: spares the store a join
            else:
                links = tuple(numbers(session, workspace, query))
        return Selection(links, wanted.start, wanted.end, wanted.devices, wanted.traits)

    def snapshot(self, workspace: int, wanted: Filter, token: str | None = None) -> Snapshot:
        """Counts and tiles for `wanted`; with the `token` of a snapshot still kept, exactly that one."""
        prefix = _digest(workspace, wanted)
        if token and token.startswith(prefix) and (kept := self._kept(token)):
            return kept
        selection = self.selection(workspace, wanted)
        ground, held = self._ground, None
        if wanted.holds:
            answer, held = self._plan(selection, wanted, ground.atlas)
        else:
            answer = self.places(selection)
        token = f"{prefix}{answer.version:x}{_digest(selection, ground.atlas.version)[:6]}"
        if kept := self._kept(token):
            return kept
        atlas, found = ground.atlas, answer.value
        counts = count(
            atlas.places,
            atlas.places.number_of(found.keys),
            found.kinds,
            found.clicks,
            networks=wanted.networks,
            within=self.inside(atlas, wanted, held),
            held=held,
        )
        made = Snapshot(token, ground.atlas, counts, Heat(ground, counts))
        with self._lock:
            self._snapshots[token] = made
            while len(self._snapshots) > KEPT_SNAPSHOTS:
                self._snapshots.popitem(last=False)
        return made

    def places(self, selection: Selection) -> Answer[PlaceCounts]:
        """Clicks per place and network kind: what most questions are answered from."""
        return self._places.get(selection, lambda: self.store.place_counts(selection))

    def _kept(self, token: str) -> Snapshot | None:
        with self._lock:
            kept = self._snapshots.get(token)
            if kept is not None:
                self._snapshots.move_to_end(token)
            return kept

    def ask(self, workspace: int, wanted: Filter) -> Asked:
        """The filter as the store takes it. Raises `Problem` (403, 404)."""
        atlas, selection = self.atlas, self.selection(workspace, wanted)
        held, version = None, 0
        if wanted.holds:
            answer, held = self._plan(selection, wanted, atlas)
            version = answer.version
        mask = self.inside(atlas, wanted, held)
        if mask is not None and held is not None:
            mask = mask[held.place]  # clicks of a class are all inside, or none
        keys = None if mask is None else np.asarray(atlas.places.key)[mask]
        kinds = tuple(sorted(int(kind) for kind in wanted.networks))
        return Asked(selection, kinds, mask, keys, atlas, held, version)

    def _plan(self, selection: Selection, wanted: Filter, atlas: Atlas) -> tuple[Answer[PlaceCounts], Held]:
        """What of the filter may be shown, whatever its areas, and the counts that it was planned for.

        One plan for all areas of a filter: no two that differ in these alone tell more than one does. It rests for a
        while under a stream of clicks, as it costs seconds and each new one would tell a little. Raises `Problem` (403).
        """

        def make() -> tuple[Answer[PlaceCounts], Held | None]:
            answer, places = self.places(selection), atlas.places
            number = places.number_of(answer.value.keys)
            of = count(places, number, answer.value.kinds, answer.value.clicks, networks=wanted.networks)
            return answer, hold(atlas, of.clicks, wanted.least)

        question = (selection, wanted.networks, wanted.least, atlas.version, self.store.removals)
        answer, held = self._plans.get(question, make).value
        if held is None:
            raise Problem(
                403,
                "Too few clicks",
                f"Nothing can be shown without showing an area of fewer than {wanted.least} clicks.",
                remedy="Ask for a longer time, more links, or a wider area.",
            )
        return answer, held

    def kept(
        self,
        name: Hashable,
        workspace: int,
        wanted: Filter,
        make: Callable[[Asked], V],
        *,
        large: bool = False,
    ) -> Answer[V]:
        """What `make` makes of the filter, remembered under `name`; `large` answers are fewer."""
        asked = self.ask(workspace, wanted)
        held = (wanted.least, asked.planned)
        question = (
            name,
            asked.selection,
            asked.kinds,
            wanted.areas,
            wanted.within,
            asked.atlas.version,
            held,
        )
        return (self._large if large else self._small).get(question, lambda: make(asked))

    def about(self, workspace: int, filters: Sequence[Filter]) -> Hashable:
        """What findings of these filters' clicks are remembered under."""
        asked = [self.ask(workspace, wanted) for wanted in filters]
        about = [
            (one.selection, one.kinds, wanted.areas, wanted.within, wanted.least, wanted.zone, one.planned)
            for one, wanted in zip(asked, filters, strict=True)
        ]
        return workspace, tuple(about), self.atlas.version, self.store.removals

    def found(self, name: Hashable, about: Hashable, make: Callable[[], V]) -> V:
        """What `make` finds in the clicks that something is `about`, remembered under `name`.

        It costs much and changes little from click to click: under a stream of clicks it may be half a minute old.
        """
        return self._findings.get((name, about), make).value

    def comparison(
        self, workspace: int, first: Filter, second: Filter, token: str | None = None
    ) -> tuple[str, Atlas, Comparison]:
        """Two filters beside each other: the token to ask for exactly this again, the atlas, the comparison."""
        tokens: list[str | None] = [*token.split(".", 1)] if token and "." in token else [None, None]
        a, b = (self.snapshot(workspace, *side) for side in zip((first, second), tokens, strict=True))
        if a.atlas is not b.atlas:  # a newer one came in between
            a, b = self.snapshot(workspace, first), self.snapshot(workspace, second)
        name = f"{a.token}.{b.token}"
        ground = self._ground if self._ground.atlas is a.atlas else Ground.of(a.atlas)
        made = self._comparisons.get(name, lambda: Comparison(ground, a.counts, b.counts))
        return name, a.atlas, made.value

    def series(self, workspace: int, wanted: Filter, edges: Integers) -> Integers:
        """Clicks between each two of `edges` (ms UTC)."""

        def make(asked: Asked) -> Integers:
            def counted(times: Integers) -> Integers:
                return self.store.time_counts(asked.selection, times, asked.kinds, asked.keys)

            return counted(edges) if not wanted.holds else self._blurred(asked, wanted.least, edges, counted)

        return self.kept(("series", hashlib.blake2b(edges.tobytes()).digest()), workspace, wanted, make).value

    def _blurred(
        self, asked: Asked, least: int, edges: Integers, counted: Callable[[Integers], Integers]
    ) -> Integers:
        """Clicks between each two of `edges`, no moment told closer than with `least` clicks."""
        span = self.store.span(asked.selection)
        if span is None:
            return np.zeros(len(edges) - 1, np.int64)
        quarters = quarter_hours(*span[:2])
        clicks = blurred(counted(quarters), least)
        at = np.searchsorted(edges, quarters[:-1], side="right") - 1
        here = (at >= 0) & (at < len(edges) - 1)
        return np.bincount(at[here], clicks[here], len(edges) - 1).astype(np.int64)

    def span(self, workspace: int, wanted: Filter) -> tuple[int, int, int] | None:
        """(first, last, clicks) of the filter's clicks, whatever their network kind and place."""
        selection = self.selection(workspace, wanted)
        return self._small.get(("span", selection), lambda: self.store.span(selection)).value

    def bounds(self, workspace: int, wanted: Filter) -> tuple[int, int] | None:
        """From when to when (ms UTC, end exclusive): as the filter says, else from the first click to the last.

        None where that takes clicks and there are none.
        """
        if wanted.start is not None and wanted.end is not None:
            return wanted.start, wanted.end
        span = self.span(workspace, wanted)
        if span is None:
            return None
        start = span[0] if wanted.start is None else wanted.start
        return start, span[1] + 1 if wanted.end is None else wanted.end

    def inside(self, atlas: Atlas, wanted: Filter, held: Held | None = None) -> npt.NDArray[np.bool_] | None:
        """Which places the filter's areas, drawn ones too, let through; None for all.

        Raises `Problem` (404; 403 where an area may not be shown).
        """
        if not wanted.areas and not wanted.within:
            return None
        question = (atlas.version, wanted.areas, wanted.within)
        found = self._masks.get(question, lambda: inside(atlas, wanted)).value
        if held is None:
            return found
        for area_id in wanted.areas:
            if not held.shows(number := atlas.areas.number(area_id) or 0):
                raise Problem(
                    403,
                    "Too few clicks",
                    f"{atlas.areas.name(number)} has fewer than {held.least} clicks, or would tell of one that has.",
                    remedy="Ask for a longer time, more links, or a wider area.",
                )
        return found & held.drawn if wanted.within else found


def inside(atlas: Atlas, wanted: Filter) -> npt.NDArray[np.bool_]:
    """Which places the filter's areas let through, one entry per place number. Raises `Problem` (404)."""
    try:
        mask = within(atlas, wanted.areas)
    except KeyError as error:
        raise not_found(
            f"The atlas has no area {error.args[0][:80]!r}.",
            remedy="Find one with GET /api/areas?search=NAME.",
        ) from None
    if not wanted.within:
        return np.ones(len(atlas.places), np.bool_) if mask is None else mask
    places = atlas.places
    lie = drawn.inside(places.lat, places.lon, wanted.within) & ~np.asarray(places.unplaced)
    return lie if mask is None else lie & mask


def _digest(*values: object) -> str:
    return hashlib.blake2b(repr(values).encode(), digest_size=8).hexdigest()
