"""A ClickHouse that was killed between noting a token and keeping the part: each click is there once all the same, and counted once.

No kill meets that moment at will, so parts are taken away as such a kill takes them: their tokens stay.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from clickatlas.clicks import clickhouse, clickhouse_even
from clickatlas.clicks.clickhouse import ClickHouseStore
from clickatlas.clicks.clickhouse_even import Evenness
from clickatlas.clicks.clickhouse_schema import CLICKS, COUNTED
from clickatlas.clicks.clickhouse_server import ClickHouseFault, Server
from clickatlas.clicks.store import Batch, Position
from clickatlas.redirect.record import RECORD, Agent
from tests.conformance.stores import clickhouse as made
from tests.conformance.test_once import Crash, Opened, crashing

AGENTS = [Agent("mobile", "Safari", "iOS", "de-DE"), Agent("desktop", "Firefox", "Linux", "en")]
COUNTS = ("place_days", "place_months", "time_quarters", "seen")
FIRST = 1_700_000_000_000  # 2023-11-14
ONE = {"a": Position(1, 90), "b": Position(1, 50)}


_started = [int(time.time())]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """The engine is in this process and runs on: that it was killed is only said."""
    tend = Evenness.tend
    monkeypatch.setattr(Evenness, "tend", lambda self, _started_at, since: tend(self, _started[0], since))
    monkeypatch.setattr(clickhouse, "LOOK_S", 0)
    monkeypatch.setattr(clickhouse_even, "EVERY_S", 0)
    with made("chdb") as found:
        yield found


def batch(size: int, positions: dict[str, Position], seed: int, days: int = 30) -> Batch:
    chance = np.random.default_rng(seed)
    records = np.zeros(size, RECORD)
    records["time"] = FIRST + chance.integers(0, days * 86_400_000, size)
    records["link"], records["place"] = chance.integers(1, 4, size), chance.integers(1, 5, size)
    records["visitor"] = chance.integers(1, 1 << 60, size)
    records["agent"], records["referrer"] = chance.integers(0, 2, (2, size))
    return Batch(records, AGENTS, ["", f"of{seed}.example"], positions)


def ask(store: ClickHouseStore, sql: str) -> list[tuple[Any, ...]]:
    columns = store._server.ask(sql.format(store.address.database))
    return list(zip(*(column.tolist() for column in columns.values()), strict=True))


def all_there(store: ClickHouseStore) -> dict[str, list[tuple[Any, ...]]]:
    """What each table tells, whatever its parts."""
    found = {"clicks": ask(store, "SELECT * FROM {}.clicks ORDER BY ALL")}
    for table in COUNTED:
        asked = {"seen": ", min(first), max(last), sum(clicks)", "hosts": ""}.get(table.name, ", sum(clicks)")
        found[table.name] = ask(
            store, f"SELECT {table.order}{asked} FROM {{}}.{table.name} GROUP BY {table.order} ORDER BY ALL"
        )
    return found


def parts(store: ClickHouseStore) -> set[tuple[str, str]]:
    return {
        (table, name)
        for table, name in ask(store, "SELECT table, name FROM system.parts WHERE active AND database = '{}'")
        if table in {each.name for each in (CLICKS, *COUNTED)}
    }


def lose(store: ClickHouseStore, which: set[tuple[str, str]]) -> None:
    """These parts, but not their tokens. Of a table all at once: whatever is deleted, each of its parts has another name then."""
    for table in {table for table, _ in which}:
        names = ", ".join(repr(name) for of, name in sorted(which) if of == table)
        store._server.do(f"DELETE FROM {store.address.database}.{table} WHERE _part IN ({names})")
    _started[0] = max(_started[0], int(time.time())) + 100


def keep_parts(store: ClickHouseStore) -> None:
    """As they are: neither merged, nor, once all of their rows are gone, let go of with their tokens."""
    for table in (CLICKS, *COUNTED):
        never = ", ".join(
            f"{setting} = {value}"
            for setting, value in (
                ("max_bytes_to_merge_at_max_space_in_pool", 1),
                ("max_bytes_to_merge_at_min_space_in_pool", 1),
                ("remove_empty_parts", 0),
            )
        )
        store._server.do(f"ALTER TABLE {store.address.database}.{table.name} MODIFY SETTING {never}")


def cut(store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch, given: Batch) -> set[tuple[str, str]]:
    """Store a batch, but for the note that it is in; returns its parts."""
    keep_parts(store)
    before = parts(store)
    with monkeypatch.context() as broken:
        crashing(broken, 3, Crash, after=False)
        with pytest.raises(Crash):
            store.append(given)
    return parts(store) - before


def settle(*stores: ClickHouseStore, looks: int = 40) -> None:
    """Until all are known to be even, or for so many looks."""
    while looks:
        looks -= 1
        for store in stores:
            store.tend()
        if not any(store._even._is_due for store in stores):
            break


def whole(*batches: Batch) -> dict[str, list[tuple[Any, ...]]]:
    """What there is where nothing was lost."""
    with made("chdb") as other:
        store = other()
        for given in batches:
            store.append(given)
        found = all_there(store)
        store.close()
        return found


FIRST_BATCH, CUT_BATCH = batch(60, {"a": Position(1, 10)}, 1), batch(100, ONE, 2)


@pytest.fixture(scope="module")
def expected() -> dict[str, list[tuple[Any, ...]]]:
    return whole(FIRST_BATCH, CUT_BATCH)


@pytest.mark.parametrize("which", ["clicks", *(table.name for table in COUNTED), "all", "one month"])
def test_what_was_noted_and_lost_is_made_up_for(
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    expected: dict[str, list[tuple[Any, ...]]],
    which: str,
) -> None:
    given, store = CUT_BATCH, opened()
    store.append(FIRST_BATCH)
    mine = cut(store, monkeypatch, given)
    month = {part for part in mine if part[1].startswith("202312")}
    lose(store, {"all": mine, "one month": month}.get(which, {part for part in mine if part[0] == which}))
    assert all_there(store) != expected
    store.close()
    store = opened()
    assert store.append(given) == 100
    settle(store)
    assert all_there(store) == expected
    assert not store._even._is_due
    if which not in ("hosts", "all", "one month"):
        assert ("they are put back" if which == "clicks" else f"{which} lacked 100") in caplog.text
    assert not ask(
        store,
        "SELECT name FROM system.tables WHERE database = '{}' AND (name = 'mending' OR name LIKE 'lost%')",
    )
    store.close()


def test_whatever_is_lost_of_whatever_batches(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two machines at once, again and again, clicks of one the same as the other's."""
    chance = np.random.default_rng(8)
    given = list[Batch]()
    stores = {name: opened() for name in "ab"}
    for turn in range(1, 4):
        cuts, lost = {}, set[tuple[str, str]]()
        for name in "ab":
            cuts[name] = batch(int(chance.integers(1, 30)), {name: Position(turn, 10)}, turn, days=2)
            lost |= cut(stores[name], monkeypatch, cuts[name])
        lose(stores["a"], {part for part in sorted(lost) if chance.random() < 0.3})
        for name, store in stores.items():
            store.close()
            stores[name] = opened()
        for name in chance.permutation([*"ab"]).tolist():
            settle(*stores.values(), looks=2)
            stores[name].append(cuts[name])
        settle(*stores.values())
        given += cuts.values()
    assert all_there(stores["a"]) == whole(*given)
    for store in stores.values():
        store.close()


def test_nothing_is_made_up_for_while_a_batch_is_not_finished(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its machine will do it: twice would be once too often."""
    given = batch(50, {"a": Position(1, 10)}, 1)
    store, other = opened(), opened()
    mine = cut(store, monkeypatch, given)
    assert mine
    with monkeypatch.context() as patched:
        patched.setattr(clickhouse_even, "HELD", {})
        settle(other)
    # As if it had been cut short before the counts: neither they nor their tokens are there.
    for table in COUNTS:
        store._server.do(f"TRUNCATE TABLE {store.address.database}.{table}")
    other.append(batch(20, {"b": Position(1, 10)}, 2))
    before = all_there(other)
    settle(other)
    assert all_there(other) == before
    assert other._even._is_due
    store.close()
    store = opened()
    store.append(given)
    settle(store, other)
    assert all_there(other) == whole(given, batch(20, {"b": Position(1, 10)}, 2))
    store.close()
    other.close()


def test_deleted_links_and_days_that_are_let_go_of_stay_away(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened()
    given = batch(200, ONE, 3)
    lost = cut(store, monkeypatch, given)
    lose(store, {part for part in lost if part[0] == "clicks"})
    kept = FIRST // 86_400_000 * 86_400_000 + 4 * 86_400_000
    store.remove_links([2], 1)
    store._set_mark("kept_since", kept)
    store.close()
    store = opened()
    store.append(given)
    settle(store)
    found = ask(store, f"SELECT link, time FROM {{}}.clicks WHERE time >= {kept} ORDER BY ALL")
    records = given.records[(given.records["link"] != 2) & (given.records["time"] >= kept)]
    assert found == sorted(zip(records["link"].tolist(), records["time"].tolist(), strict=True))
    store.close()


@pytest.mark.parametrize(("table", "other"), [("place_days", "time_quarters"), ("place_months", "seen")])
def test_more_than_there_is_is_told_and_left(
    opened: Opened, caplog: pytest.LogCaptureFixture, table: str, other: str
) -> None:
    """And holds up nothing else, but for what it would be held against."""
    store = opened()
    store.append(batch(50, {"a": Position(1, 10)}, 1))
    expected = all_there(store)
    more = f"{store.address.database}.{table}"
    store._server.do(f"INSERT INTO {more} SELECT * FROM {more} LIMIT 1")
    keep_parts(store)
    lose(store, {part for part in parts(store) if part[0] == other})
    settle(store)
    found = all_there(store)
    assert {name for name in expected if found[name] != expected[name]} == {table}
    assert f"{table} counts" in caplog.text
    assert f"{other} lacked 50" in caplog.text
    assert not store._even._is_due
    store.close()


def test_what_one_makes_up_for_no_other_does(opened: Opened) -> None:
    one, other = opened(), opened()
    one.append(batch(50, {"a": Position(1, 10)}, 1))
    expected = all_there(one)
    lose(one, {part for part in parts(one) if part[0] == "time_quarters"})
    with one._even._alone() as alone:
        assert alone
        settle(other)
        assert all_there(other) != expected
    settle(one, other)
    assert all_there(other) == expected
    one._server.do(
        f"CREATE TABLE {one.address.database}.mending (nothing UInt8) ENGINE = Memory"
    )  # one that was killed
    lose(one, {part for part in parts(one) if part[0] == "seen"})
    one._even._is_due = True
    one._set_mark("even", 0)
    settle(one)
    assert all_there(one) != expected
    clickhouse_even.STALE_S, kept = -5, clickhouse_even.STALE_S
    try:
        settle(one)
    finally:
        clickhouse_even.STALE_S = kept
    assert all_there(one) == expected
    one.close()
    other.close()


def test_batches_of_no_stream_are_stored_however_alike(opened: Opened) -> None:
    store = opened()
    for _ in range(2):
        store.append(batch(5, {}, 3))
    assert all_there(store) == whole(batch(5, {}, 3), batch(5, {}, 3))
    assert len(all_there(store)["clicks"]) == 10
    store.close()


def test_what_is_asked_for_is_of_the_batch(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not all that happened meanwhile: between an imported click and one of today may lie all clicks that there are."""
    store = opened()
    store.append(batch(3000, {}, 1))
    given = batch(2, ONE, 2)
    given.records["time"] = FIRST, FIRST + 30 * 86_400_000
    given.records["link"] = 1
    cut(store, monkeypatch, given)
    store.close()
    store, most, asked = opened(), [0], Server.ask

    def counting(self: Server, *question: Any) -> Any:
        found = asked(self, *question)
        most[0] = max(most[0], *map(len, found.values()))
        return found

    monkeypatch.setattr(Server, "ask", counting)
    store.append(given)
    monkeypatch.undo()
    assert 0 < most[0] < 10
    assert len(ask(store, "SELECT time FROM {}.clicks")) == 3002
    store.close()


def test_who_puts_back_may_be_killed(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """After any of its commands: nothing is put back twice, and nothing lies about afterwards."""
    given = batch(40, ONE, 2)
    expected = whole(given)
    for at in range(1, 5):
        with made("chdb") as another:
            store = another()
            lost = cut(store, monkeypatch, given)
            lose(store, {part for part in lost if part[0] == "clicks"})
            store.close()
            store, left, do = another(), [at], Server.do

            def failing(
                self: Server, *command: Any, left: list[int] = left, do: Any = do, **more: Any
            ) -> None:
                do(self, *command, **more)
                left[0] -= 1
                if left[0] < 0:
                    raise Crash

            with monkeypatch.context() as broken:
                broken.setattr(Server, "do", failing)
                with suppress(Crash):
                    store.append(given)
            store.close()
            store = another()
            store.append(given)
            assert all_there(store) == expected
            assert not ask(
                store, "SELECT name FROM system.tables WHERE database = '{}' AND name LIKE 'lost%'"
            )
            store.close()


def test_counts_are_not_added_up_again_and_again_for_one_batch(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its machine may be gone for good: each look reads all clicks of the months that were changed."""
    given, looks, look = batch(50, ONE, 1), list[Any](), Evenness.look
    store, other = opened(), opened()
    cut(store, monkeypatch, given)
    monkeypatch.setattr(Evenness, "look", lambda self, since: (looks.append(self), look(self, since))[1])
    settle(other)
    assert other._even._is_due
    assert len(looks) == 1
    store.close()
    store = opened()
    store.append(given)
    settle(store, other)
    assert not other._even._is_due
    store.close()
    other.close()


def test_what_is_too_much_for_clickhouse_holds_up_nobody(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store, looks = opened(), list[Any]()

    def too_much(self: Evenness, _since: int) -> Any:
        looks.append(self)
        raise ClickHouseFault("MEMORY_LIMIT_EXCEEDED", 241)

    with monkeypatch.context() as broken:
        broken.setattr(Evenness, "look", too_much)
        store.append(batch(50, ONE, 1))
        for _ in range(3):
            store.tend()
    assert len(looks) == 1
    assert "MEMORY_LIMIT_EXCEEDED" in caplog.text
    assert store._even._is_due
    store._even._next = 0.0
    settle(store)
    assert not store._even._is_due
    store.close()
