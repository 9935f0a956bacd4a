"""Clicks copied from a DuckDB file to ClickHouse: all that it held is there, once, however often the copy is cut short."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from clickatlas.clicks import moving_source
from clickatlas.clicks.clickhouse import ClickHouseStore
from clickatlas.clicks.clickhouse_even import Evenness
from clickatlas.clicks.clickhouse_server import ClickHouseFault, Server
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Selection, Traits
from clickatlas.clicks.ingest import Ingest
from clickatlas.clicks.moving_notes import MoveNotes
from clickatlas.clicks.opening import open_store
from clickatlas.clicks.periods import DAY_MS
from clickatlas.clicks.store import Batch, Position
from clickatlas.errors import Problem
from clickatlas.processes import hold
from clickatlas.redirect.record import pack
from clickatlas.redirect.spool import Spool
from clickatlas.redirect.visitor import agent_term
from tests.conformance import test_equal as equal
from tests.conformance.copies import Crash, crashing, moved, totals
from tests.conformance.filled import AGENTS, FILE, HOSTS, JOURNAL, Filled, small, spike
from tests.conformance.model import ALL, START

SELECTIONS = [
    Selection(),
    Selection((1, 2, 3, 4), START + 205 * DAY_MS + 12345, START + 221 * DAY_MS + 1),
    Selection((1, 5), traits=Traits(browsers=("Firefox",), languages=("'; DROP TABLE clicks; --", "de-DE"))),
    Selection(traits=Traits(origins=("other", "direct"), referrers=("blog.example\\'", ""))),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with pytest.MonkeyPatch.context() as patch:
        small(patch)
        filled = Filled(tmp_path_factory.mktemp("filled"), 3)
        filled.fill()
        yield filled


@pytest.fixture
def folder(model: Filled, tmp_path: Path) -> Path:
    """A data folder of one's own."""
    shutil.copy(model.folder / FILE, tmp_path / FILE)
    return tmp_path


def checked(model: Filled, where: str) -> ClickHouseStore:
    """The store at `where`, after it has said what the clicks say."""
    store = open_store(where, model.folder, memory="")
    assert isinstance(store, ClickHouseStore)
    before, model.store = model.store, store  # type: ignore[assignment]
    try:
        model.check()
    finally:
        model.store = before
    assert store.positions() == model.positions
    assert store.begun() == {}
    assert store.journal() == JOURNAL
    return store


def test_both_stores_answer_alike(
    model: Filled, folder: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving_source, "PIECE", 3000)
    before = hashlib.sha256((folder / FILE).read_bytes()).digest()
    done = moved(folder, where)
    assert hashlib.sha256((folder / FILE).read_bytes()).digest() == before
    assert done.clicks == len(model.clicks)
    assert done.single > 10_000
    assert done.rolled > 3000
    assert (done.removed, done.streams, done.already) == (2, 4, False)
    store, file = checked(model, where), model.tended(folder / "tended", monkeypatch)
    assert totals(store) == totals(file) == (len(model.clicks),) * 4
    for selection in SELECTIONS:
        equal.test_equal_answers([file, store], selection)
        equal.test_equal_clicks([file, store], selection)
    store.append(Batch(model.drawn(60, START, START + DAY_MS), AGENTS, HOSTS, {}))
    if not store.address.cluster:  # also days whose single clicks were let go of
        assert Evenness(Server(store.address)).look(store.kept_since or 0) == ("", {}, frozenset())
    assert not {2, 4} & store.link_counts(Selection(), ALL).keys()  # what was deleted stays so
    again = moved(folder, where)  # and nothing is done a second time, though the store has more by now
    assert (again.clicks, again.already) == (done.clicks, True)
    for one in (store, file):
        one.close()


def unfinished(where: str) -> dict[str, int]:
    store = ClickHouseStore(where, arriving=True)
    server = Server(store.address)
    found = MoveNotes(server).unfinished()
    server.close()
    store.close()
    return found


def test_cut_short_at_any_moment_it_goes_on_where_it_was(
    model: Filled, folder: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving_source, "PIECE", 6000)
    monkeypatch.setattr(moving_source, "ROLLED", 4000)
    chance, cut, said = random.Random(11), 0, list[str]()
    for _ in range(60):
        error = chance.choice([Crash, ClickHouseFault])
        with monkeypatch.context() as broken:
            # The first inserts of a run may be those that the one before has made.
            crashing(broken, chance.randint(1, 7), error, after=chance.random() < 0.5)
            try:
                done = moved(folder, where)
                break
            except Crash:
                pass
            except Problem as problem:
                said.append(problem.remedy)
        cut += 1
        if unfinished(where):
            with pytest.raises(Problem, match="not all of them are there"):
                open_store(where, folder, memory="")
    else:
        pytest.fail("it never came to its end")
    assert cut > len(said) > 3
    assert all("goes on where it was" in each and "ounting goes on" not in each for each in said), said
    assert done.clicks == len(model.clicks)
    store = checked(model, where)
    assert totals(store) == (len(model.clicks),) * 4
    store.close()


def put(spool: Spool, times: range) -> None:
    async def each() -> None:
        for time_ms in times:
            term = spool.term(agent_term(AGENTS[0]))
            await spool.put(pack(START + time_ms, 1, 77, 5, term, spool.term(""), 0, 0))

    asyncio.run(each())


def drained(ingest: Ingest) -> None:
    while ingest.step() or ingest.behind:
        pass


def test_clicks_that_wait_in_the_spool_are_counted_once(tmp_path: Path, where: str) -> None:
    spools = [Spool(tmp_path / "spool") for _ in range(3)]
    file = DuckDBStore(tmp_path / FILE)
    counted = Ingest(tmp_path / "spool", file)
    for number, spool in enumerate(spools):
        put(spool, range(1000 * number, 1000 * number + 20))
    drained(counted)
    put(spools[0], range(5000, 5030))  # the street does not wait
    file.close()
    put(spools[1], range(6000, 6010))
    spools[1].close()
    assert moved(tmp_path, where).clicks == 60
    put(spools[2], range(7000, 7005))
    store = open_store(where, tmp_path, memory="")
    drained(Ingest(tmp_path / "spool", store))
    assert totals(store) == (105,) * 4
    times = sorted(
        time for piece in store.clicks(Selection()).pieces for time in (piece.time - START).tolist()
    )
    assert times == sorted({*times})
    for spool in spools:
        spool.close()
    drained(Ingest(tmp_path / "spool", store))
    assert not list((tmp_path / "spool").iterdir())
    assert totals(store) == (105,) * 4
    store.close()


def test_more_clicks_of_one_moment_than_fit_an_insert(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving_source, "PIECE", 1000)
    monkeypatch.setattr(moving_source, "READ", 300)
    file = DuckDBStore(tmp_path / FILE)
    file.append(Batch(spike(2700), AGENTS, HOSTS, {}))
    file.close()
    source = moving_source.Source(tmp_path / FILE, "200MB")
    tables = [[table for piece in source.pieces() for _, table in source.tables(piece)] for _ in range(2)]
    source.close()
    assert sorted(len(table) for table in tables[0]) == [700, 1000, 1000]
    assert tables[0] == tables[1]  # which are in which is always the same
    with monkeypatch.context() as broken:
        crashing(broken, 3, Crash, after=True)  # the note that it begins, and two of the three
        with pytest.raises(Crash):
            moved(tmp_path, where)
    assert moved(tmp_path, where).clicks == 2700
    store = open_store(where, tmp_path, memory="")
    assert totals(store) == (2700,) * 4
    assert store.clicks(Selection()).total == 2700
    store.close()


def test_an_empty_file(tmp_path: Path, where: str) -> None:
    file = DuckDBStore(tmp_path / FILE)
    file.append(Batch(spike(0), AGENTS, HOSTS, {"a": Position(1, 20)}))
    file.close()
    streets = hold(tmp_path, "redirect")  # short links may be answered meanwhile
    assert moved(tmp_path, where).clicks == 0
    os.close(streets)
    store = open_store(where, tmp_path, memory="")
    assert store.positions() == {"a": (1, 20)}
    assert totals(store) == (0,) * 4
    store.close()
