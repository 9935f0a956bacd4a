"""Two stores that were given the same clicks give the same answer to every question; the numbers themselves are held against
the clicks in `test_model`, and for DuckDB in tests/unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

from clickatlas.clicks.filter import Selection, Traits
from clickatlas.clicks.store import Batch, ClickStore, PlaceGroups, TimesAsked, WordsAsked
from clickatlas.redirect.record import RECORD, Agent
from tests.conformance.stores import CLICKHOUSES, stores

DAY = 86_400_000
START = 19_800 * DAY
AGENTS = [
    Agent("mobile", "Instagram", "iOS", "de-DE"),
    Agent("desktop", "Firefox", "Linux", "de-DE"),
    Agent("tablet", "Firefox", "", "'; DROP TABLE clicks; --"),
    Agent("", "", "", ""),
]
HOSTS = ["", "google.de", "l.facebook.com", "blog.example\\'", "\udcff half"]
KEYS = np.array([2**64 - 1, 5, 77, 2**63, 9, 1000], np.uint64)
MANY = np.unique(np.append(np.random.default_rng(1).integers(0, 1 << 62, 3000).astype(np.uint64), KEYS[:3]))
KINDS = [0, 1]
SELECTIONS = [
    Selection(),
    Selection((2, 3), START + 5 * DAY + 12345, START + 21 * DAY + 1),
    Selection(None, START + 3 * DAY, None, ("mobile", "tablet")),
    Selection((1, 4), traits=Traits(browsers=("Firefox",), languages=("'; DROP TABLE clicks; --", "de-DE"))),
    Selection(traits=Traits(origins=("search", "Instagram"))),
    Selection(traits=Traits(origins=("other", "direct"), referrers=("blog.example\\'", ""))),
    Selection(()),
]
EDGES = [
    np.arange(START, START + 40 * DAY, 900_000),
    np.arange(START - 2 * DAY, START + 33 * DAY, DAY),
    np.arange(START + DAY // 4 * 3, START + 30 * DAY, DAY),
    np.array([START, START + 7 * DAY, START + 9 * DAY, START + 31 * DAY]),
]
PLACES = [
    PlaceGroups(KEYS[:4], np.array([0, 2, 2, -1], np.int32), elsewhere) for elsewhere in (None, -1, 2, 9)
] + [PlaceGroups(MANY, (np.arange(len(MANY)) % 7).astype(np.int32))]


def batch() -> Batch:
    chance, size = np.random.default_rng(8), 4000
    records = np.zeros(size, RECORD)
    records["time"] = START + chance.integers(0, 31 * DAY, size)
    records["link"], records["kind"] = chance.integers(1, 5, size), chance.choice([0, 0, 0, 1, 5], size)
    records["place"] = KEYS[chance.integers(0, len(KEYS), size)]
    records["agent"], records["referrer"] = chance.integers(0, 4, size), chance.integers(0, 4, size)
    records["visitor"] = chance.choice(np.array([0, 1, 2, 3, 1 << 32, 1 << 40], np.uint64), size)
    return Batch(records, AGENTS, HOSTS[:4], {})


@pytest.fixture(scope="module", params=CLICKHOUSES)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[ClickStore]]:
    folder = tmp_path_factory.mktemp("equal")
    with stores("duckdb", folder) as one, stores(request.param, folder) as other:
        pair = [one(), other()]
        for store in pair:
            store.append(batch())
        yield pair
        for store in pair:
            store.close()


def rows(*columns: Any) -> list[tuple[Any, ...]]:
    found = sorted(zip(*(np.asarray(column).tolist() for column in columns), strict=True))
    assert len(set(found)) == len(found)
    return found


def times_of(found: Any) -> Any:
    assert (np.diff(found.buckets) >= 0).all()
    return rows(found.groups, found.buckets, found.clicks)


def words_of(found: Any) -> Any:
    return rows(found.groups, np.array(found.names, object)[found.words], found.clicks)


def same(pair: list[ClickStore], asked: Any) -> None:
    one, other = map(asked, pair)
    assert one == other


@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
def test_equal_answers(pair: list[ClickStore], selection: Selection) -> None:
    same(pair, lambda store: rows(*store.place_counts(selection)))
    same(pair, lambda store: store.span(selection))
    for places in (None, KEYS[:2], KEYS[:0], MANY):
        same(pair, lambda store, places=places: store.link_counts(selection, KINDS, places))
        same(pair, lambda store, places=places: store.origin_counts(selection, KINDS, places))
        for word in ("device", "language", "referrer"):
            same(
                pair,
                lambda store, places=places, word=word: store.word_counts(selection, word, KINDS, places),
            )
    for edges, places in product(EDGES, (None, KEYS[:3])):
        same(pair, lambda store, e=edges, p=places: store.time_counts(selection, e, KINDS, p).tolist())
        same(
            pair,
            lambda store, e=edges, p=places: np.array(store.visitor_counts(selection, e, KINDS, p)).tolist(),
        )
    times = [TimesAsked(edges, places) for edges, places in zip(EDGES, PLACES, strict=False)]
    words = [WordsAsked("browser", places) for places in PLACES]
    lists = [np.array([1, 2]), np.array([2, 99])]
    for asked in times:
        same(pair, lambda store, a=asked: times_of(store.group_times(selection, a.edges, KINDS, a.places)))
    for each in words:
        same(pair, lambda store, a=each: words_of(store.group_words(selection, a.word, KINDS, a.places)))

    def together(store: ClickStore) -> Any:
        found = store.group_together(selection, KINDS, times, words, lists)
        return [
            *map(times_of, found.times),
            *map(words_of, found.words),
            *(rows(*each) for each in found.links),
        ]

    same(pair, together)


@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
def test_equal_clicks(pair: list[ClickStore], selection: Selection) -> None:
    def read(store: ClickStore) -> Any:
        total, pieces = store.clicks(selection, KINDS, KEYS[:5])
        found, last = [], 0
        for piece in pieces:
            assert (np.diff(piece.time) >= 0).all()
            assert piece.time[0] >= last
            last = piece.time[-1]
            words = [
                (*piece.agents[a], piece.referrers[r])
                for a, r in zip(piece.agent, piece.referrer, strict=True)
            ]
            found += zip(
                piece.time.tolist(),
                piece.link.tolist(),
                piece.place.tolist(),
                piece.kind.tolist(),
                words,
                strict=True,
            )
        assert total == len(found)
        return sorted(found)

    same(pair, read)
    same(
        pair, lambda store: {n: s.tolist() for n, s in store.link_series([1, 2, 9], EDGES[1], KINDS).items()}
    )
