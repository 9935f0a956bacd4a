"""Each click once: batches that come again, in part or as a whole, and an ingest that is cut short at any moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clickatlas.clicks import clickhouse
from clickatlas.clicks.clickhouse import ClickHouseStore
from clickatlas.clicks.clickhouse_server import ClickHouseFault, Server
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.ingest import Ingest
from clickatlas.clicks.store import Batch, Position
from clickatlas.errors import Problem
from clickatlas.redirect.record import RECORD, Agent, pack
from clickatlas.redirect.spool import Spool
from clickatlas.redirect.visitor import agent_term
from tests.conformance.stores import CLICKHOUSES, STORES, stores
from tests.conformance.stores import clickhouse as made

AGENT = Agent("mobile", "Safari", "iOS", "de-DE")
Opened = Callable[[], ClickHouseStore]


@pytest.fixture(params=CLICKHOUSES)
def opened(request: pytest.FixtureRequest) -> Iterator[Opened]:
    with made(request.param) as found:
        yield found


def batch(size: int, positions: dict[str, Position], seed: int = 1) -> Batch:
    chance = np.random.default_rng(seed)
    records = np.zeros(size, RECORD)
    records["time"] = 1_700_000_000_000 + chance.integers(0, 30 * 86_400_000, size)  # of two months
    records["link"], records["place"] = chance.integers(1, 9, size), chance.integers(1, 99, size)
    return Batch(records, [AGENT, AGENT], ["", "a.example"], positions)


def all_of(store: Any) -> tuple[int, ...]:
    """How many clicks each table tells of."""
    selection, edges = Selection(), np.array([0, 1 << 50])
    span = store.span(selection)
    return (
        store.clicks(selection).total,
        int(store.place_counts(selection).clicks.sum()),
        int(store.time_counts(selection, edges, [0])[0]),
        span[2] if span else 0,
    )


@pytest.mark.parametrize("kind", STORES)
def test_positions_are_those_of_the_clicks_that_are_there(tmp_path: Path, kind: str) -> None:
    with stores(kind, tmp_path) as opened:
        store = opened()
        assert store.positions() == store.begun() == {}
        assert store.append(batch(10, {"a": Position(1, 20), "b": Position(3, 40)})) == 10
        assert store.append(batch(0, {"a": Position(2, 16)})) == 0
        store.close()
        store = opened()
        assert store.positions() == {"a": (2, 16), "b": (3, 40)}
        assert store.begun() == {}
        store.forget_streams(["b", "never there"])
        assert store.positions() == {"a": (2, 16)}
        store.close()
        store = opened()
        assert store.positions() == {"a": (2, 16)}
        assert all_of(store) == (10,) * 4
        store.close()


class Crash(BaseException):
    """As a kill: nothing that follows is done."""


def crashing(monkeypatch: pytest.MonkeyPatch, at: int, error: type[BaseException], *, after: bool) -> None:
    """The insert number `at` fails, before or after ClickHouse has taken it; `at` counts down from now on."""
    left, insert = [at], Server.insert

    def failing(self: Server, *given: Any) -> None:
        left[0] -= 1
        if left[0] == 0 and not after:
            raise error("cut", None) if error is ClickHouseFault else error
        insert(self, *given)
        if left[0] == 0 and after:
            raise error("cut", None) if error is ClickHouseFault else error

    monkeypatch.setattr(Server, "insert", failing)


@pytest.mark.parametrize("after", [False, True], ids=["not taken", "taken"])
@pytest.mark.parametrize("at", range(1, 6))  # the note, three pieces, the note
def test_a_batch_that_is_cut_short_is_finished(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, at: int, after: bool
) -> None:
    monkeypatch.setattr(clickhouse, "PIECE", 40)
    store = opened()
    store.append(batch(30, {"a": Position(1, 10)}))
    given = batch(100, {"a": Position(1, 90), "b": Position(1, 50)}, seed=2)
    with monkeypatch.context() as broken:
        crashing(broken, at, Crash, after=after)
        with pytest.raises(Crash):
            store.append(given)
    store.close()
    store = opened()
    done = at == 5 and after
    assert store.positions() == ({"a": (1, 90), "b": (1, 50)} if done else {"a": (1, 10)})
    noted = (at > 1 or after) and not done
    assert store.begun() == (given.positions if noted else {})
    if noted:
        with pytest.raises(Problem, match="counted before"):  # what was read further meanwhile must wait
            store.append(batch(120, {"a": Position(1, 99), "b": Position(1, 50)}, seed=2))
    if not done:
        store.append(given)
    assert all_of(store) == (130,) * 4
    assert store.positions() == given.positions
    assert store.begun() == {}
    for offset in (
        99,
        120,
    ):  # the very same clicks further on are others: not what they are tells, but where they are from
        store.append(batch(5, {"a": Position(1, offset)}, seed=3))
    assert all_of(store) == (140,) * 4
    store.close()


def test_a_batch_may_come_as_often_as_it_likes_and_shorter(opened: Opened) -> None:
    """After a loss of power a spool may have less than was read from it."""
    store = opened()
    given = batch(100, {"a": Position(1, 90)})
    for size in (100, 100, 60):
        some = Batch(given.records[:size], given.agents, given.referrers, {})
        store._insert(some, np.ones(size, np.bool_), "one")
    assert all_of(store) == (100,) * 4
    store.close()


def test_a_batch_is_on_the_disk_before_its_spool_may_go(opened: Opened) -> None:
    store = opened()
    syncs = (
        "SELECT event, value FROM system.events WHERE event IN ('FileSync', 'DirectorySync') ORDER BY event"
    )
    store.append(batch(10, {"a": Position(1, 10)}))
    before = store._server.ask(syncs)["value"]
    store.append(batch(10, {"a": Position(1, 20)}, seed=2))
    if not store.address.cluster:  # its replicas have it from each other
        files = store._server.ask(syncs)["value"] - before
        assert (files >= [4, 20]).all(), files  # of two notes, and of clicks of two months
    store.close()


def write(spool: Spool, times: range) -> None:
    async def put() -> None:
        for time_ms in times:
            await spool.put(pack(time_ms, 1, 77, 5, spool.term(agent_term(AGENT)), spool.term(""), 0, 0))

    asyncio.run(put())


@pytest.mark.parametrize(("at", "error"), [(1, Crash), (2, Crash), (3, Crash), (2, ClickHouseFault)])
@pytest.mark.parametrize("after", [False, True], ids=["not taken", "taken"])
def test_an_ingest_goes_on_where_it_was_cut(
    tmp_path: Path,
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
    at: int,
    after: bool,
) -> None:
    spools = [Spool(tmp_path / "spool") for _ in range(2)]
    store = opened()
    store.append(batch(7, {"another machine's": Position(4, 40)}))
    ingest = Ingest(tmp_path / "spool", store)
    for number, spool in enumerate(spools):
        write(spool, range(1000 * number, 1000 * number + 20))
    with monkeypatch.context() as broken:
        crashing(broken, at, error, after=after)
        with pytest.raises(Crash if error is Crash else Problem):
            ingest.step()
    for spool in spools:  # the street does not wait
        write(spool, range(5000, 5030))
    if error is Crash:
        store.close()
        store = opened()
        ingest = Ingest(tmp_path / "spool", store)
    while ingest.step() or ingest.behind:
        pass
    assert all_of(store) == (107,) * 4
    for spool in spools:
        spool.close()
    ingest.step()
    assert store.positions() == {"another machine's": (4, 40)}
    assert not list((tmp_path / "spool").iterdir())
    assert all_of(store) == (107,) * 4
    store.close()


def test_what_others_store_is_seen(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clickhouse, "LOOK_S", 0)
    one, other = opened(), opened()
    one.tend()
    before = one.version
    one.tend()
    assert one.version == before
    other.append(batch(10, {"b": Position(1, 10)}))
    one.tend()
    assert one.version > before
    # A link that one deletes while the other still stores clicks of it: they go, too, once anybody looks.
    one.remove_links([3], 1)
    other.append(batch(50, {"b": Position(1, 20)}, seed=4))
    assert 3 in other.link_counts(Selection(), [0])
    assert 3 not in one.link_counts(Selection(), [0])
    third = opened()
    until = time.monotonic() + 60  # ClickHouse deletes on its own time
    while len(third._leaving) and time.monotonic() < until:
        third.tend()
        time.sleep(0.01)
    assert not len(third._leaving)
    assert 3 not in other.link_counts(Selection(), [0])
    assert all_of(third)[0] == all_of(third)[3]
    for store in (one, other, third):
        store.close()
