"""Every question that the house asks of a click store, as the benchmarks ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bench import sample
from bench.growth_questions import KINDS, frames, midnight, place_keys
from clickatlas.api.hours import by_clock
from clickatlas.atlas.areas import Level
from clickatlas.clicks.filter import Selection, Traits
from clickatlas.clicks.periods import QUARTER_MS
from clickatlas.clicks.store import ClickStore, Integers, PlaceGroups, TimesAsked, WordsAsked
from clickatlas.insight.rhythm import clocks

Links = tuple[int, ...] | None


class Asked(NamedTuple):
    """One question: the method that answers it, in words, and what asks it of a store."""

    method: str
    title: str
    ask: Callable[[ClickStore], object]


def questions(store: ClickStore, links: Links) -> Iterator[Asked]:
    """Each method of the protocol that answers something, with what the page asks it most; days are those before `store`'s last."""
    every = Selection(links)
    week = Selection(links, midnight(store, 7, "Europe/Berlin"))
    middle = Selection(links, midnight(store, 69, "Asia/Kathmandu"), midnight(store, 24, "Asia/Kathmandu"))
    firefox = Selection(links, traits=Traits(browsers=("Firefox",)))
    search = Selection(links, traits=Traits(origins=("search", "direct")))
    days = np.array([midnight(store, ago, "Europe/Berlin") for ago in range(90, -1, -1)], np.int64)
    film, by_country = frames(), countries()
    germany = place_keys("country:DE")
    yield Asked("place_counts", "by place, all time", lambda of: of.place_counts(every))
    yield Asked("place_counts", "by place, 7 days to now", lambda of: of.place_counts(week))
    yield Asked("place_counts", "by place, 45 days elsewhere", lambda of: of.place_counts(middle))
    yield Asked("place_counts", "by place, Firefox", lambda of: of.place_counts(firefox))
    yield Asked("place_counts", "by place, from searches", lambda of: of.place_counts(search))
    yield Asked("time_counts", "by day", lambda of: of.time_counts(every, days, KINDS))
    yield Asked("time_counts", "by day, of Germany", lambda of: of.time_counts(every, days, KINDS, germany))
    yield Asked("group_times", "a film by day", lambda of: of.group_times(every, days, KINDS, film))
    yield Asked("word_counts", "by device", lambda of: of.word_counts(every, "device", KINDS))
    yield Asked("word_counts", "by browser", lambda of: of.word_counts(every, "browser", KINDS))
    yield Asked("origin_counts", "by origin", lambda of: of.origin_counts(every, KINDS))
    yield Asked("visitor_counts", "visitors by day", lambda of: of.visitor_counts(week, days[-8:], KINDS))
    yield Asked("group_words", "languages by country",
                lambda of: of.group_words(every, "language", KINDS, by_country))  # fmt: skip
    together = at_once(days)
    yield Asked("group_together", "hours, history, languages and channels at once",
                lambda of: of.group_together(every, KINDS, *together))  # fmt: skip
    yield Asked("link_counts", "by link", lambda of: of.link_counts(every, KINDS))
    yield Asked("link_counts", "by link, in Germany", lambda of: of.link_counts(every, KINDS, germany))
    some = links or tuple(range(1, 51))
    yield Asked(
        "link_series", "the links' small timelines", lambda of: of.link_series(some, days[-31:], KINDS)
    )
    yield Asked("span", "first and last click", lambda of: of.span(week))
    yield Asked("clicks", "a day's clicks, one by one", lambda of: read(of, links, days))


def countries() -> PlaceGroups:
    """Places by country."""
    places = sample.atlas().places
    _, group = np.unique(np.asarray(places.area[Level.COUNTRY]), return_inverse=True)
    return PlaceGroups(np.asarray(places.key), group.astype(np.int32))


def at_once(days: Integers) -> tuple[list[TimesAsked], list[WordsAsked], Sequence[Integers]]:
    """What the insights' cards ask in one go."""
    quarters = np.arange(days[0], days[-1], QUARTER_MS)
    hours = TimesAsked(quarters, by_clock(sample.atlas(), clocks(sample.atlas().places), quarters))
    weeks = TimesAsked(days[6::7], countries())
    channels = [links for name, links in sample.bundles().items() if name.startswith("channel")]
    return [hours, weeks], [WordsAsked("language", countries())], channels


def read(store: ClickStore, links: Links, days: Integers) -> int:
    """The clicks of a day, one by one, to the end; how many."""
    total, pieces = store.clicks(Selection(links, int(days[-3]), int(days[-2])))
    if (found := sum(len(piece.time) for piece in pieces)) != total:
        raise AssertionError(f"{found:,} clicks were read, not {total:,}")
    return total
