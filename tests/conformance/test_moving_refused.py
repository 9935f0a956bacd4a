"""What a copy of a DuckDB file to ClickHouse refuses, and what it says of what differs."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from clickatlas.clicks import moving, moving_target
from clickatlas.clicks.clickhouse import ClickHouseStore
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.moving import move
from clickatlas.clicks.moving_check import differences
from clickatlas.clicks.opening import open_store
from clickatlas.clicks.store import Batch, Position
from clickatlas.errors import Problem
from clickatlas.processes import hold
from clickatlas.progress import Silent
from tests.conformance.copies import Crash, crashing, few, moved, totals
from tests.conformance.filled import AGENTS, FILE, HOSTS, spike


def test_what_is_there_of_others_is_left_alone(tmp_path: Path, where: str) -> None:
    store = ClickHouseStore(where)
    store.append(Batch(spike(10), AGENTS, HOSTS, {"another's": Position(1, 20)}))
    before = totals(store)
    for start_over in (False, True):
        with pytest.raises(Problem, match="has 10 clicks already"):
            moved(few(tmp_path), where, start_over=start_over)
    assert totals(store) == before
    assert store.positions() == {"another's": (1, 20)}
    store.close()
    open_store(where, tmp_path, memory="").close()  # it is as open as it was


def test_a_copy_of_a_file_that_counted_on_begins_anew_when_told_to(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        crashing(broken, 3, Crash, after=True)
        with pytest.raises(Crash):
            moved(few(tmp_path), where)
    few(tmp_path, seed=2)  # as before it was begun: without clicks_url
    with pytest.raises(Problem, match="copy of another file"):
        moved(tmp_path, where)
    with monkeypatch.context() as broken:  # cut short while it is emptied, and right after it was begun
        broken.setattr(moving_target, "bring_along", lambda server: (_ for _ in ()).throw(Crash()))
        with pytest.raises(Crash):
            moved(tmp_path, where, start_over=True)
    with monkeypatch.context() as broken:
        crashing(broken, 2, Crash, after=True)
        with pytest.raises(Crash):
            moved(tmp_path, where, start_over=True)
    # The same file as in the copy that is given up: what that one's tokens told is not missing.
    assert moved(tmp_path, where, start_over=True).clicks == 200
    store = open_store(where, tmp_path, memory="")
    assert totals(store) == (200,) * 4
    assert set(store.positions()) == {"stream 1", "stream 2"}
    store.close()
    few(tmp_path, seed=3)
    with pytest.raises(Problem, match="has 200 clicks already"):
        moved(tmp_path, where, start_over=True)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ("INSERT INTO {}.place_days VALUES (1, 3, 5, 0, 'mobile', 2)", ["1970-01-04, link 1: 0 clicks in the file, 2 clicks in place_days", "place 5, network kind 0"]),
        ("INSERT INTO {}.seen SELECT 77, 1, 2, 3", ["link 77: 0 clicks in the file, 3 clicks from 1 to 2 in seen"]),
        ("INSERT INTO {}.clicks SELECT * REPLACE ('X' AS browser) FROM {}.clicks LIMIT 1", ["browser 'X': 0 in the file, 1", "clicks in clicks of", "time_quarters", "sum of time"]),
    ],
)  # fmt: skip
def test_what_differs_is_said(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch, spoil: str, said: list[str]
) -> None:
    def spoiled(*given: Any) -> list[str]:
        server = given[1]
        server.do(spoil.format(*[server.address.database] * 2))
        return differences(*given)

    with monkeypatch.context() as broken:
        broken.setattr(moving, "differences", spoiled)
        with pytest.raises(Problem) as raised:
            moved(few(tmp_path), where)
    for each in said:
        assert each in raised.value.detail
    with pytest.raises(Problem, match="not all of them are there"):  # what is wrong is not counted on
        open_store(where, tmp_path, memory="")
    with pytest.raises(Problem, match="differs"):
        moved(tmp_path, where)
    assert moved(tmp_path, where, start_over=True).clicks == 100


def test_a_new_store_is_not_begun_while_clicks_are_left_behind(tmp_path: Path, where: str) -> None:
    DuckDBStore(tmp_path / FILE).close()
    open_store(where, tmp_path, memory="").close()  # there is nothing in it
    few(tmp_path)
    with pytest.raises(Problem, match=r"clicks\.duckdb has clicks, and") as raised:
        open_store(where, tmp_path, memory="")
    assert "clickatlas migrate-store" in raised.value.remedy
    moved(tmp_path, where)
    open_store(where, tmp_path, memory="").close()
    other = tmp_path / "other"
    other.mkdir()
    few(other)
    store = open_store(where, other, memory="")  # one that counts already goes on
    store.append(Batch(spike(10), AGENTS, HOSTS, {"b": Position(1, 20)}))
    store.close()


def test_single_clicks_that_are_kept_no_longer(tmp_path: Path, where: str) -> None:
    """ClickHouse lets go of them by the clock, also where the file has not got so far."""
    few(tmp_path)
    done = move(tmp_path, where, memory="200MB", keep_days=30, start_over=False, progress=Silent())
    assert done.clicks == done.single == 100
    store = open_store(where, tmp_path, memory="", keep_days=30)
    assert totals(store) == (100,) * 4
    assert store.clicks(Selection()).total == 0
    store.close()


def test_a_file_of_an_older_format_is_brought_along(tmp_path: Path, where: str) -> None:
    few(tmp_path)
    with duckdb.connect(str(tmp_path / FILE)) as older:
        for table in ("patches", "patch_rollup", "patch_owners"):
            older.execute(f"DROP TABLE {table}")
        older.execute("UPDATE format SET version = 4")
    assert moved(tmp_path, where).clicks == 100


def test_refusals(tmp_path: Path, where: str) -> None:
    with pytest.raises(Problem, match=r"no clicks\.duckdb"):
        moved(tmp_path, where)
    few(tmp_path)
    held = hold(tmp_path)
    with pytest.raises(Problem, match="Another clickatlas is running"):
        moved(tmp_path, where)
    os.close(held)
    with pytest.raises(Problem, match="does not answer") as raised:
        moved(tmp_path, "clickhouse://127.0.0.1:9/x")
    assert "run 'clickatlas migrate-store' again" in raised.value.remedy
    (tmp_path / "spool-kept").mkdir()
    (tmp_path / f"{FILE}.corrupt-20260101T000000Z").touch()
    with pytest.raises(Problem, match="not in its file") as raised:
        moved(tmp_path, where)
    assert "clickatlas restore" in raised.value.remedy
    (tmp_path / "spool-kept").rmdir()
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(random.Random(4).randbytes(8192) + whole[8192:])
    with pytest.raises(Problem) as raised:
        moved(tmp_path, where)
    assert raised.value.title == "The click store is damaged"
    assert "clickatlas restore" in raised.value.remedy
    (tmp_path / FILE).write_bytes(whole)
    with duckdb.connect(str(tmp_path / FILE)) as newer:
        newer.execute("UPDATE format SET version = 99")
    with pytest.raises(Problem, match="newer clickatlas"):
        moved(tmp_path, where)


def test_a_cluster_s_commands_are_clickhouses(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cluster is here: ClickHouse itself reads what would be done on one."""
    target, done = moving_target.Target(where, 0), list[str]()
    target.address = replace(target.address, cluster="c")
    server = target.server
    monkeypatch.setattr(server, "do", lambda command, settings=None: done.append(command))
    monkeypatch.setattr(moving_target, "bring_along", lambda server: None)
    target._empty()
    target.settle()
    assert len(done) == 10 + 7
    assert all(" ON CLUSTER c" in command for command in done)
    assert "marks" in done[9]  # what says that it is unfinished goes last
    for command in done:
        told = server.ask("SELECT formatQuery({sql:String}) AS sql", {"sql": command})["sql"][0]
        assert "".join(told.split()).lower() == "".join(command.split()).lower()
    names = server.ask("SELECT name FROM system.settings")["name"].tolist()
    assert {*moving_target.PATIENT} <= {*names}
    target.close()
