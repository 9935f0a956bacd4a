"""Clicks by browser, system, language, referring host and origin, and their visitors: against the clicks themselves."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest

from clickatlas.clicks import rollups
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Selection, Traits
from clickatlas.clicks.origins import lets_through, origin
from clickatlas.clicks.store import Batch
from clickatlas.clicks.traits import fitting
from clickatlas.redirect.record import RECORD, Agent

AGENTS = [
    Agent("mobile", "Instagram", "iOS", "de-DE"),
    Agent("desktop", "Firefox", "Linux", "de-DE"),
    Agent("mobile", "Gmail", "Android", ""),
]
HOSTS = ["l.facebook.com", "", "google.de", "blog.example"]
DAY = 86_400_000
START = round(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1000)
KEYS = np.array([5, 77, 1000], np.uint64)
ASKED = [
    Traits(browsers=("Firefox", "Gmail")),
    Traits(systems=("iOS",), languages=("de-DE",)),
    Traits(referrers=("google.de",)),
    Traits(origins=("social",)),
    Traits(origins=("direct",)),
    Traits(origins=("Instagram", "search")),
    Traits(origins=("other", "email"), browsers=("Firefox",)),
    Traits(browsers=("Nobody’s",)),
]


def records(size: int = 4000) -> np.ndarray:
    chance = np.random.default_rng(3)
    found = np.zeros(size, RECORD)
    found["time"] = START + chance.integers(0, 5 * DAY, size)
    found["link"] = chance.integers(1, 4, size)
    found["place"] = KEYS[chance.integers(0, len(KEYS), size)]
    found["kind"] = chance.choice([0, 0, 1], size)
    found["agent"] = chance.integers(0, len(AGENTS), size)
    found["referrer"] = chance.integers(0, len(HOSTS), size)
    found["visitor"] = chance.integers(0, 300, size)
    return found


BATCH = Batch(records(), AGENTS, HOSTS, {})


@pytest.fixture(scope="module", params=["incoming", "settled", "half swept"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DuckDBStore:
    made = DuckDBStore(tmp_path_factory.mktemp("traits") / "clicks.duckdb")
    made.append(BATCH)
    if request.param != "incoming":
        with made._transaction() as cursor:
            rollups.settle(cursor)
    if request.param == "half swept":
        with made._transaction() as cursor:
            rollups.sweep(cursor, START + 2 * DAY)
    return made


def meant(store: DuckDBStore, traits: Traits) -> np.ndarray:
    """The clicks that are kept one by one and let through, told one by one."""
    agents, hosts = (
        [AGENTS[at] for at in BATCH.records["agent"]],
        [HOSTS[at] for at in BATCH.records["referrer"]],
    )
    keep = [
        (not traits.browsers or agent.browser in traits.browsers)
        and (not traits.systems or agent.system in traits.systems)
        and (not traits.languages or agent.language in traits.languages)
        and (not traits.referrers or host in traits.referrers)
        and (not traits.origins or lets_through(traits.origins, origin(agent.browser, host)))
        for agent, host in zip(agents, hosts, strict=True)
    ]
    assert fitting(BATCH, traits).tolist() == keep
    return BATCH.records[np.array(keep) & (BATCH.records["time"] >= (store.kept_since or 0))]


@pytest.mark.parametrize("traits", ASKED, ids=str)
@pytest.mark.parametrize("links", [None, (1, 3)])
def test_all_questions_agree(store: DuckDBStore, traits: Traits, links: tuple[int, ...] | None) -> None:
    found = meant(store, traits)
    if links:
        found = found[np.isin(found["link"], links)]
    selection = Selection(links, traits=traits)
    people = found[found["kind"] == 0]
    counts = store.place_counts(selection)
    assert sum(counts.clicks.tolist()) == len(found)
    assert store.link_counts(selection, [0]) == Counter(people["link"].tolist())
    assert sum(store.word_counts(selection, "device", [0]).values()) == len(people)
    assert sum(store.word_counts(selection, "system", [0], KEYS[:1]).values()) == int(
        (people["place"] == KEYS[0]).sum()
    )
    edges = np.arange(START, START + 6 * DAY, DAY // 2, dtype=np.int64)
    halves = np.histogram(people["time"], edges)[0].tolist()
    assert store.time_counts(selection, edges, [0]).tolist() == halves
    assert store.time_counts(selection, edges, [0], KEYS).tolist() == halves
    span = store.span(selection)
    assert span == ((int(found["time"].min()), int(found["time"].max()), len(found)) if len(found) else None)


@pytest.mark.parametrize("hours", [1, 5, 24], ids=lambda hours: f"{hours} hours")
def test_visitors_lie_between_their_bounds(store: DuckDBStore, hours: int) -> None:
    edges = np.arange(START - DAY // 4, START + 6 * DAY, hours * 3_600_000, dtype=np.int64)
    found = store.visitor_counts(Selection(), edges, [0])
    people = meant(store, Traits())
    people = people[people["kind"] == 0]
    for at in range(len(edges) - 1):
        here = people[(people["time"] >= edges[at]) & (people["time"] < edges[at + 1])]
        known = here[here["visitor"] != 0]
        days = Counter(
            (link, time // DAY)
            for link, time in set(zip(known["link"].tolist(), known["time"].tolist(), strict=True))
        )
        cells = {key: set() for key in days}
        for link, time, visitor in known[["link", "time", "visitor"]].tolist():
            cells[link, time // DAY].add(visitor)
        sizes = [len(cell) for cell in cells.values()]
        assert found.most[at] == sum(sizes)
        assert found.least[at] == max(sizes, default=0)
        assert found.clicks[at] == len(known)
        assert found.unknown[at] == len(here) - len(known)


def test_origins_are_counted_by_app_and_page(store: DuckDBStore) -> None:
    people = meant(store, Traits())
    people = people[people["kind"] == 0]
    pairs = Counter(
        (AGENTS[agent].browser, HOSTS[host])
        for agent, host in zip(people["agent"].tolist(), people["referrer"].tolist(), strict=True)
    )
    assert store.origin_counts(Selection(), [0]) == pairs
