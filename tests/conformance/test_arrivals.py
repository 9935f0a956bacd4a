"""What comes into a ClickHouse is told once to who asked before: whoever stores it, late, again, or by another clock."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from clickatlas.clicks import clickhouse, clickhouse_arrivals, clickhouse_schema
from clickatlas.clicks.clickhouse import ClickHouseStore
from clickatlas.clicks.clickhouse_arrivals import OVERLAP_MS, ClickHouseArrivals
from clickatlas.clicks.clickhouse_schema import TOLD_MINUTES, VERSION, migrations
from clickatlas.clicks.clickhouse_server import ClickHouseFault, Server
from clickatlas.clicks.periods import DAY_MS
from clickatlas.clicks.store import Batch, Position, Shared
from clickatlas.doctor import clickhouse as doctor
from clickatlas.errors import Problem
from clickatlas.redirect.record import RECORD, Agent, Flags
from clickatlas.settings import Settings
from tests.conformance.stores import CLICKHOUSES
from tests.conformance.stores import clickhouse as made
from tests.conformance.test_once import Crash, all_of, crashing

Opened = Callable[[], ClickHouseStore]
AGENTS = [Agent("mobile", "Safari", "iOS", "de-DE"), Agent("desktop", "", "", "")]


@pytest.fixture(params=CLICKHOUSES)
def opened(request: pytest.FixtureRequest) -> Iterator[Opened]:
    with made(request.param) as found:
        yield found


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def batch(mark: str, size: int, at: Position | None = None, *, ago_ms: int = 0, flags: int = 0) -> Batch:
    """Clicks of just now, each with a referring host of its own; of two months, where it is the first of one."""
    records = np.zeros(size, RECORD)
    records["time"] = now_ms() - ago_ms - np.arange(size)
    records["link"], records["place"] = 1 + np.arange(size) % 7, 100 + np.arange(size)
    records["agent"], records["referrer"], records["flags"] = np.arange(size) % 2, np.arange(size), flags
    hosts = [f"{mark}-{number}.example" for number in range(size)]
    return Batch(records, AGENTS, hosts, {} if at is None else {mark: at})


def rows(batches: list[Batch]) -> list[tuple[Any, ...]]:
    """All that is told of each click, in an order of its own."""
    return sorted(
        (
            *(int(record[name]) for name in ("time", "link", "place", "kind", "flags")),
            *given.agents[record["agent"]],
            given.referrers[record["referrer"]],
        )
        for given in batches
        for record in given.records
    )


def all_new(arrivals: ClickHouseArrivals) -> list[Batch]:
    """Until there is no more."""
    found = [arrivals.new()]
    while arrivals.behind:
        found.append(arrivals.new())
    return found


def test_each_click_is_told_once_whoever_stored_it(opened: Opened) -> None:
    one, other = opened(), opened()
    assert isinstance(one, Shared)
    other.append(batch("before", 20, Position(1, 1)))
    arrivals = one.arrivals()
    assert not rows(all_new(arrivals))
    sent, told = list[Batch](), list[Batch]()
    for number in range(4):
        sent += [batch(f"a{number}", 10, Position(1, 1)), batch(f"b{number}", 5, Position(1, 1))]
        one.append(sent[-2])
        other.append(sent[-1])
        for given in (
            batch(f"made up {number}", 3, Position(1, 1), flags=int(Flags.SAMPLE)),
            batch(f"imported {number}", 3, Position(1, 1), flags=int(Flags.IMPORTED)),
            batch(f"long ago {number}", 3, Position(1, 1), ago_ms=DAY_MS),
        ):
            other.append(given)
        if number % 2:
            told += all_new(arrivals)
    assert rows(told) == rows(sent)
    assert not rows(all_new(arrivals))
    later = one.arrivals()
    assert not rows(all_new(later))
    sent = [batch("two listen", 4, Position(1, 1), flags=int(Flags.HEAD))]
    other.append(sent[0])
    assert rows(all_new(later)) == rows(all_new(arrivals)) == rows(sent)
    one.close()
    other.close()


@pytest.mark.parametrize("after", [False, True], ids=["not taken", "taken"])
@pytest.mark.parametrize("at", [2, 4])
def test_a_batch_that_comes_again_is_told_once(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, at: int, after: bool
) -> None:
    """And its retry is another moment: ClickHouse must not take it for something else."""
    monkeypatch.setattr(clickhouse, "PIECE", 40)
    store = opened()
    arrivals, given = store.arrivals(), batch("a", 100, Position(1, 90))
    with monkeypatch.context() as broken:
        crashing(broken, at, Crash, after=after)
        with pytest.raises(Crash):
            store.append(given)
    store.close()
    store = opened()
    told = all_new(arrivals)
    assert store.begun() == given.positions
    for _ in range(3):  # as after answers that were lost
        store._insert(given, np.ones(100, np.bool_), store._begun["a"].token)
        told += all_new(arrivals)
    store.append(given)
    told += all_new(arrivals)
    assert rows(told) == rows([given])
    store.close()


def test_clicks_of_one_insert_that_come_in_parts(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many parts ClickHouse makes of an insert, and however few clicks are read at once, and slowly."""
    slow = itertools.count(now_ms(), 20_000)
    monkeypatch.setattr(clickhouse_arrivals, "MOST", 7)
    monkeypatch.setattr(clickhouse_arrivals, "_steady_ms", lambda: next(slow))
    store = opened()
    arrivals, server = store.arrivals(), store._server
    server.do(
        f"INSERT INTO {server.address.database}.clicks SELECT toUnixTimestamp64Milli(now64(3)) AS time, 1 + number % 7 AS link,"
        " 5 AS place, 0, 0, 0, '', '', '', '', toString(number) AS referrer FROM numbers(100)",
        {
            "max_block_size": 10,
            "max_insert_block_size": 10,
            "min_insert_block_size_rows": 10,
            "min_insert_block_size_bytes": 0,
            "max_threads": 1,
        },
    )
    told = all_new(arrivals)
    assert len(told) > 100 // 7
    assert sorted(row[-1] for row in rows(told)) == sorted(str(number) for number in range(100))
    assert not rows(all_new(arrivals))
    store.close()


def arrive(store: ClickHouseStore, number: int, ago_ms: int) -> None:
    """As a server whose clock is another notes it, or one whose insert took so long."""
    store._server.do(
        f"INSERT INTO {store.address.database}.arrivals (arrived, batch, number, time, link, referrer)"
        f" VALUES ({now_ms() - ago_ms}, {number}, 0, {now_ms()}, 1, '{number}')"
    )


def test_late_inserts_and_other_clocks(opened: Opened) -> None:
    store = opened()
    arrivals, told = store.arrivals(), list[Batch]()
    for number, ago_ms in enumerate((-3_600_000, 0, OVERLAP_MS - 30_000, -30_000, 5_000, -3_600_000, 0)):
        arrive(store, 1 << 63 | number, ago_ms)
        told += all_new(arrivals)
        told += all_new(arrivals)
    assert sorted(row[-1] for row in rows(told)) == [str(1 << 63 | number) for number in range(7)]
    store.close()


def test_what_was_asked_in_vain_is_told_afterwards(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened()
    arrivals, sent = store.arrivals(), [batch("a", 9, Position(1, 1))]
    store.append(sent[0])
    # Minutes pass, which are fewer than what is told.
    monkeypatch.setattr(clickhouse_arrivals, "_steady_ms", lambda: time.monotonic_ns() // 1_000_000 + 300_000)
    with monkeypatch.context() as broken:

        def away(*_: Any) -> None:
            raise ClickHouseFault("gone", None)

        broken.setattr(Server, "ask", away)
        for _ in range(3):
            with pytest.raises(ClickHouseFault):
                arrivals.new()
    assert rows(all_new(arrivals)) == rows(sent)
    store.close()


def test_clicks_of_removed_links_are_not_told_and_leave(opened: Opened) -> None:
    store, other = opened(), opened()
    arrivals = store.arrivals()
    given = batch("a", 21, Position(1, 1))
    other.append(given)
    store.remove_links([3], 1)
    other.append(batch("late", 7, Position(1, 1)))  # by one who does not know yet
    told = rows(all_new(arrivals))
    assert {row[1] for row in told} == {1, 2, 4, 5, 6, 7}
    assert len(told) == 24

    def left() -> int:
        return int(store._ask("SELECT count() AS left FROM {}.arrivals WHERE link = 3")["left"][0])

    until = time.monotonic() + 60  # ClickHouse deletes on its own time
    while (left() or len(store._leaving)) and time.monotonic() < until:
        store._looked = 0
        store.tend()
        time.sleep(0.01)
    assert not left()
    store.close()
    other.close()


def test_they_last_for_minutes(opened: Opened) -> None:
    store = opened()
    arrive(store, 1, TOLD_MINUTES * 60_000 - 30_000)
    arrive(store, 2, (TOLD_MINUTES + 1) * 60_000)
    store._server.do(f"OPTIMIZE TABLE {store.address.database}.arrivals FINAL")
    assert store._ask("SELECT batch FROM {}.arrivals")["batch"].tolist() == [1]
    store.close()


def test_a_store_of_before_is_brought_along(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """With a batch in the middle, which then is counted once."""
    first, cut = batch("a", 30, Position(1, 10)), batch("b", 50, Position(1, 10))
    with monkeypatch.context() as before:
        before.setattr(clickhouse_schema, "VERSION", 1)
        before.setattr(clickhouse_schema, "migrations", lambda place: {1: migrations(place)[1]})
        old = opened()
        old.append(first)
        crashing(before, 2, Crash, after=True)
        with pytest.raises(Crash):
            old.append(cut)
        names = old._ask("SELECT name FROM system.tables WHERE database = '{}'")["name"].tolist()
        assert not {"arrivals", "to_arrivals"} & {*names}
        where = opened.args[0]  # type: ignore[attr-defined]
        old.close()
    settings = Settings(data=tmp_path, clicks_url=where)
    assert (
        f"of format 1, and brought to {VERSION} by the next start" in next(iter(doctor.look(settings))).what
    )
    store = opened()
    assert f"of format {VERSION}." in next(iter(doctor.look(settings))).what
    arrivals = store.arrivals()
    store.append(cut)
    assert all_of(store) == (80,) * 4
    assert rows(all_new(arrivals)) == rows([cut])  # nobody was told of it before
    new = batch("b", 5, Position(1, 11))
    store.append(new)
    assert rows(all_new(arrivals)) == rows([new])
    assert all_of(store) == (85,) * 4
    store.close()
    monkeypatch.setattr(clickhouse_schema, "VERSION", 1)
    with pytest.raises(Problem, match=f"format {VERSION}, this one reads up to 1"):
        opened()
