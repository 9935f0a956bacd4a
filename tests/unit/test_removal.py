"""Links that were deleted leave the click store a slice at a time; the numbers are right at any moment of it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import pytest

from clickatlas.clicks import removal
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.duckdb_rewrite import rewrite
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.store import Batch, Position
from clickatlas.redirect.record import RECORD, Agent
from tests.conformance.model import ALL, LINKS, SPAN, START, Model
from tests.unit.test_rollups import small as small  # what waits for millions happens with dozens here, too

TABLES = ("settled", "incoming", "place_rollup", "time_rollup", "seen", "busy_links", "members", "leaving")


@pytest.fixture(autouse=True)
def slices(monkeypatch: pytest.MonkeyPatch, small: None) -> None:
    monkeypatch.setattr(removal, "SLICE", 25)


def gone(store: DuckDBStore, link: int) -> bool:
    return not any(store._all(f"SELECT count(*) FROM {table} WHERE link = {link}")[0][0] for table in TABLES)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sweeping", [False, True], ids=["all kept", "some swept"])
def test_others_are_counted_right_while_links_leave(tmp_path: Path, seed: int, sweeping: bool) -> None:
    model = Model(partial(DuckDBStore, tmp_path / "clicks.duckdb"), seed)
    model.bundle()
    for _ in range(4):
        model.add(model.drawn(400, START, START + SPAN))
        model.tend()
    if sweeping:
        model.sweep()
    leaving = {1, 2}
    assert model.store._all("SELECT count(*) FROM busy_links WHERE link IN (1, 2)") == [(2,)]
    model.store.remove_links(sorted(leaving), 7)
    model.removed |= leaving
    model.clicks = model.clicks[~np.isin(model.clicks["link"], list(leaving))]
    steps = 0
    while model.store._leaving:
        if steps % 7 == 3:  # ingest goes on, and refuses their clicks
            model.add(model.drawn(40, START, START + SPAN))
        if steps % 11 == 5:
            model.reopen()
            model.store.bundle(model.bundles)
        if steps % 4 == 0:
            check_others(model, leaving)
        model.store.tend()
        steps += 1
    assert steps > 5
    assert all(gone(model.store, link) for link in leaving)
    assert model.store.journal() == 7
    model.tend()
    model.check()


def check_others(model: Model[DuckDBStore], leaving: set[int]) -> None:
    for _ in range(3):
        selection = model.selection()
        links = set(range(1, LINKS + 1)) if selection.links is None else set(selection.links)
        selection = replace(selection, links=tuple(sorted(links - leaving)))
        model.check_places(selection)
        model.check_links(selection, ALL)
        model.check_times(selection, ALL, model.edges())
        model.check_groups(selection, ALL, model.edges())
    # All together there are as many as are still there, whichever way they are counted.
    every = Selection()
    left = model.store.span(every)
    assert left is not None
    assert model.store.place_counts(every).clicks.sum() == left[2]
    assert sum(model.store.link_counts(every, ALL).values()) == left[2]
    assert model.store.time_counts(every, np.array([0, 1 << 50]), ALL).tolist() == [left[2]]


def test_a_small_deletion_is_done_when_it_is_acknowledged(tmp_path: Path) -> None:
    store = DuckDBStore(tmp_path / "clicks.duckdb")
    records = np.zeros(100, RECORD)
    records["link"] = 1 + (np.arange(100) < 20)
    store.append(Batch(records, [Agent("", "", "", "")], [""], {}))
    while store.tend():
        pass
    assert store.remove_links([2], 1) == 20
    assert gone(store, 2)
    assert store.place_counts(Selection()).clicks.tolist() == [80]


def test_a_rewritten_file_has_nothing_of_a_link_that_was_leaving(tmp_path: Path) -> None:
    path = tmp_path / "clicks.duckdb"
    store = DuckDBStore(path)
    records = np.zeros(300, RECORD)
    records["link"] = 1 + np.arange(300) % 2
    store.append(Batch(records, [Agent("", "", "", "")], [""], {}))
    while store.tend():
        pass
    assert store.remove_links([2], 1) == 25
    assert not gone(store, 2)
    store.close()
    rewrite(path)
    store = DuckDBStore(path)
    assert gone(store, 2)
    assert store.place_counts(Selection()).clicks.tolist() == [150]


def test_format_3_comes_along(tmp_path: Path) -> None:
    path = tmp_path / "clicks.duckdb"
    DuckDBStore(path).close()
    with duckdb.connect(str(path)) as older:
        for table in ("leaving", "patches", "patch_rollup", "patch_owners"):
            older.execute(f"DROP TABLE {table}")
        older.execute("UPDATE format SET version = 3")
    store = DuckDBStore(path)
    assert store.remove_links([2], 1) == 0
    store.close()


DELETING = """
import sys
from pathlib import Path
from clickatlas.clicks import merges, removal, rollups
from clickatlas.clicks.duckdb import DuckDBStore
rollups.SETTLE_AT, rollups.BUSY_AT, rollups.BUSY_DAY_AT = 2000, 3000, 800
merges.MERGE_FROM = {"place_rollup": 100, "time_rollup": 100}
removal.SLICE = 40
store = DuckDBStore(Path(sys.argv[1]))
if not store.removals:
    store.remove_links([2], 9)
print("acknowledged", flush=True)
while store.tend():
    pass
"""


def test_killed_at_any_moment_an_acknowledged_deletion_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "clicks.duckdb"
    store = DuckDBStore(path)
    number = np.arange(9000)
    records = np.zeros(9000, RECORD)
    records["time"] = 1_700_000_000_000 + number * 600_000 % (40 * 86_400_000)
    records["link"] = 1 + number % 3
    records["place"] = 1 + number % 7
    for start in range(0, 9000, 3000):
        batch = records[start : start + 3000]
        store.append(Batch(batch, [Agent("mobile", "", "", "")], [""], {"s": Position(0, start)}))
        while store.tend():
            pass
    store.close()
    others = number[number % 3 != 1]
    chance, left = random.Random(3), 3000
    for _ in range(5):
        deleting = subprocess.Popen([sys.executable, "-c", DELETING, str(path)], stdout=subprocess.PIPE)
        assert deleting.stdout is not None
        assert deleting.stdout.readline() == b"acknowledged\n"
        time.sleep(chance.uniform(0.05, 0.5))
        os.kill(deleting.pid, signal.SIGKILL)
        deleting.wait(10)
        store = DuckDBStore(path)
        assert store.journal() == 9
        assert store.removals == 1
        [(now,)] = store._all("SELECT count(*) FROM settled WHERE link = 2")
        assert now <= left
        left = now
        found = store.place_counts(Selection((1, 3)))
        assert dict(zip(found.keys.tolist(), found.clicks.tolist(), strict=True)) == {
            1 + place: int((others % 7 == place).sum()) for place in range(7)
        }
        assert store.place_counts(Selection()).clicks.sum() == len(others) + left
        store.close()
    store = DuckDBStore(path)
    while store.tend():
        pass
    assert gone(store, 2)
    assert store.place_counts(Selection()).clicks.sum() == len(others)
    store.close()
