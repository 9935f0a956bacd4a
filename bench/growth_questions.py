"""What the growth benchmark asks a click store, and how long each answer may take."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from bench import sample
from clickatlas.api.hours import by_clock
from clickatlas.clicks.filter import PEOPLE, Selection, Traits
from clickatlas.clicks.periods import QUARTER_MS
from clickatlas.clicks.store import ClickStore, PlaceGroups
from clickatlas.insight.areas import within
from clickatlas.insight.counts import count
from clickatlas.insight.heat import DEPTH, MAX_ZOOM, Ground, Heat
from clickatlas.insight.rhythm import clocks

FIRST_VIEW, OTHER, PAN = 0.1, 0.5, 0.005  # seconds
MOST = (1,)  # the link that a tenth of all clicks go to
KINDS = (0,)
FRAME_DEPTH = 7


class Question(NamedTuple):
    """One question of one part of the clicks, and the seconds that it may take."""

    title: str
    ask: Callable[[], object]
    limit: float


class Cost(NamedTuple):
    """Seconds by the clock and on the processors."""

    clock: float
    processor: float


def cost(work: Callable[[], object], rounds: int) -> Cost:
    """The median of some rounds."""
    found = []
    for _ in range(rounds):
        started, processor = time.perf_counter(), time.process_time()
        work()
        found.append(Cost(time.perf_counter() - started, time.process_time() - processor))
    clock, processors = zip(*found, strict=True)
    return Cost(statistics.median(clock), statistics.median(processors))


def parts() -> dict[str, tuple[int, ...] | None]:
    """Parts of all clicks by name."""
    bundles = sample.bundles()
    small = bundles["campaign of 900 small links"]
    return {
        "every link": None,
        "link of a tenth": MOST,
        "900 small links": tuple(small.tolist()),
        "20 small links": tuple(small[:400:20].tolist()),
        "channel of a fifth": tuple(bundles["channel 0"].tolist()),
    }


def questions(store: ClickStore, links: tuple[int, ...] | None) -> Iterator[Question]:
    """First views by dates; then the other filters, tables and series."""
    every = Selection(links)
    week, month = (Selection(links, midnight(store, days, "Europe/Berlin")) for days in (7, 30))
    middle = Selection(links, midnight(store, 69, "Asia/Kathmandu"), midnight(store, 24, "Asia/Kathmandu"))
    day = Selection(links, midnight(store, 40, "America/New_York"), midnight(store, 39, "America/New_York"))
    for title, selection in (
        ("all time", every), ("7 days to now, Berlin", week), ("30 days to now, Berlin", month),
        ("45 days in the middle, Kathmandu", middle), ("one day, New York", day),
    ):  # fmt: skip
        yield Question(f"first view: {title}", lambda asked=selection: store.place_counts(asked), FIRST_VIEW)  # type: ignore[misc]
    phones = Selection(links, middle.start, middle.end, ("mobile",))
    yield Question("phones, 45 days in the middle", lambda: store.place_counts(phones), OTHER)
    firefox = Selection(links, traits=Traits(browsers=("Firefox",)))
    yield Question("Firefox, all time", lambda: store.place_counts(firefox), OTHER)
    edges = np.array([midnight(store, days, "Europe/Berlin") for days in range(90, -1, -1)], np.int64)
    hours = np.arange(edges[0], edges[-1], 4 * QUARTER_MS)
    midnights = np.array([midnight(store, days, "UTC") for days in range(90, -1, -1)], np.int64)
    country, city = place_keys("country:DE"), place_keys("region:US-MA")
    series = {
        "timeline by day, Berlin": (edges, None),
        "timeline by hour": (hours, None),
        "timeline of Germany by day, Berlin": (edges, country),
        "timeline of Germany by day, UTC": (midnights, country),
        "timeline of Massachusetts by hour": (hours, city),
    }
    for title, (cuts, keys) in series.items():
        yield Question(title, lambda c=cuts, k=keys: store.time_counts(every, c, KINDS, k), OTHER)  # type: ignore[misc]
    for word in ("device", "browser", "language", "referrer"):
        yield Question(f"by {word}", lambda w=word: store.word_counts(every, w, KINDS), OTHER)  # type: ignore[misc]
    yield Question(
        "by browser, in Germany", lambda: store.word_counts(every, "browser", KINDS, country), OTHER
    )
    yield Question("by link", lambda: store.link_counts(every, KINDS), OTHER)
    yield Question("by link, in Germany", lambda: store.link_counts(every, KINDS, country), OTHER)
    film = frames()
    yield Question("frames by day, Berlin", lambda: store.group_times(every, edges, KINDS, film), OTHER)
    quarters = np.arange(edges[0], edges[-1], QUARTER_MS)
    zones = by_clock(sample.atlas(), clocks(sample.atlas().places), quarters)
    yield Question(
        "hours by each place's clock", lambda: store.group_times(every, quarters, KINDS, zones), OTHER
    )
    yield Question("first and last click", lambda: store.span(every), OTHER)


def tiles(store: ClickStore) -> dict[int, list[Cost]]:
    """What tiles of each zoom take, of a filter whose first tile was drawn: where most places are."""
    ground = Ground.of(sample.atlas())
    places = ground.atlas.places
    answer = store.place_counts(Selection())
    numbers = places.number_of(answer.keys)
    heat = Heat(ground, count(places, numbers, answer.kinds, answer.clicks, networks=PEOPLE))
    heat.tile(0, 0, 0)
    taken: dict[int, list[Cost]] = {}
    for zoom in range(MAX_ZOOM + 1):
        code = ground.code >> (2 * (DEPTH - zoom))
        found, many = np.unique(code, return_counts=True)
        fullest = found[np.argsort(-many)][:60].tolist()
        for each in fullest:
            x, y = (sum((each >> (2 * bit + axis) & 1) << bit for bit in range(zoom)) for axis in (0, 1))
            started, used = time.perf_counter(), time.thread_time()
            heat.tile(zoom, x, y)
            spent = Cost(time.perf_counter() - started, time.thread_time() - used)
            taken.setdefault(zoom, []).append(spent)
    return taken


def midnight(store: ClickStore, days_ago: int, zone: str) -> int:
    """Of so many days before the store's last click, in ms UTC."""
    span = store.span(Selection())
    assert span is not None
    today = datetime.fromtimestamp(span[1] / 1000, ZoneInfo(zone)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    return round((today - timedelta(days=days_ago)).timestamp() * 1000)


def place_keys(area: str) -> npt.NDArray[np.uint64]:
    """The places of an area."""
    atlas = sample.atlas()
    mask = within(atlas, (area,))
    assert mask is not None
    return np.asarray(atlas.places.key)[mask]


def frames() -> PlaceGroups:
    """Places by square of the map: what a film asks for."""
    places = sample.atlas().places
    ground = Ground.of(sample.atlas())
    _, group = np.unique(ground.code >> (2 * (DEPTH - FRAME_DEPTH)), return_inverse=True)
    return PlaceGroups(np.asarray(places.key)[ground.place], group.astype(np.int32))
