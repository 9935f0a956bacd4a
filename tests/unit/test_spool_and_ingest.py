"""The way of a click from the spool to the store: nothing lost, nothing doubled."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.ingest import Ingest
from clickatlas.clicks.segments import Segment, has_writer, segments
from clickatlas.redirect.record import RECORD, Agent, pack
from clickatlas.redirect.spool import HEADER, Spool
from clickatlas.redirect.visitor import agent_term

PHONE = agent_term(Agent("mobile", "Safari", "iOS", "de-DE"))


def click(spool: Spool, time_ms: int, *, link: int = 1, referrer: str = "") -> bytes:
    return pack(time_ms, link, 77, 5, spool.term(PHONE), spool.term(referrer), 0, 0)


def write(spool: Spool, times: range | list[int], **fields: object) -> None:
    """Clicks at `times`, each turn of the event loop writing those put before it."""

    async def put() -> None:
        for time_ms in times:
            spool.rotate_if_due()
            await spool.put(click(spool, time_ms, **fields))  # type: ignore[arg-type]

    asyncio.run(put())


def stored_times(store: DuckDBStore) -> list[int]:
    return [time for piece in store.clicks(Selection()).pieces for time in piece.time.tolist()]


def drain(ingest: Ingest) -> None:
    while ingest.step():
        pass


@pytest.fixture
def store(tmp_path: Path) -> DuckDBStore:
    return DuckDBStore(tmp_path / "clicks.duckdb")


def test_a_click_is_on_the_disk_before_its_future_is_done(tmp_path: Path) -> None:
    spool = Spool(tmp_path)

    async def one() -> None:
        await spool.put(click(spool, 1))
        assert Segment(segments(spool.stream)[0]).read()["time"].tolist() == [1]

    asyncio.run(one())


def test_all_clicks_of_one_turn_go_down_in_one_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)
    write(spool, [0])
    writes: list[int] = []
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: writes.append(len(data)) or real(fd, data))

    async def many() -> None:
        await asyncio.gather(*(spool.put(click(spool, n, referrer=f"r{n}")) for n in range(200)))

    asyncio.run(many())
    assert len(writes) == 1
    assert len(Segment(segments(spool.stream)[0]).read()) == 201


def test_clicks_arrive_with_their_words(tmp_path: Path, store: DuckDBStore) -> None:
    spool = Spool(tmp_path / "spool")
    write(spool, [5], referrer="example.org")
    drain(Ingest(tmp_path / "spool", store))
    total, pieces = store.clicks(Selection())
    [found] = list(pieces)
    assert total == 1
    assert (found.time.tolist(), found.link.tolist(), found.place.tolist()) == ([5], [1], [77])
    assert found.agents == [("mobile", "Safari", "iOS", "de-DE")]
    assert found.referrers == ["example.org"]
    assert (found.agent.tolist(), found.referrer.tolist()) == ([0], [0])


def test_a_store_reopened_at_any_moment_goes_on_where_it_was(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", segment_bytes=600)
    for start in range(0, 100, 10):
        write(spool, range(start, start + 10))
        store = DuckDBStore(tmp_path / "clicks.duckdb")
        Ingest(tmp_path / "spool", store).step()
        store.close()
    spool.close()
    store = DuckDBStore(tmp_path / "clicks.duckdb")
    drain(Ingest(tmp_path / "spool", store))
    assert stored_times(store) == list(range(100))


def test_segments_go_only_when_they_are_read_and_have_no_writer(tmp_path: Path, store: DuckDBStore) -> None:
    spool = Spool(tmp_path / "spool", segment_bytes=300)
    write(spool, range(20))
    ingest = Ingest(tmp_path / "spool", store)
    drain(ingest)
    [last] = segments(spool.stream)
    assert has_writer(last)
    spool.close()
    ingest.step()
    assert not spool.stream.exists()
    assert store.positions() == {}
    assert stored_times(store) == list(range(20))


def test_a_segment_that_was_committed_but_not_yet_removed_is_not_counted_twice(
    tmp_path: Path, store: DuckDBStore
) -> None:
    spool = Spool(tmp_path / "spool")
    write(spool, range(10))
    [path] = segments(spool.stream)
    Ingest(tmp_path / "spool", store).step()
    spool.close()
    kept = path.read_bytes()
    Ingest(tmp_path / "spool", store).step()  # a new process: sees all of it committed
    assert not path.exists()
    assert len(kept) > HEADER.size
    assert stored_times(store) == list(range(10))


def test_a_failed_commit_is_tried_again_with_the_same_clicks(
    tmp_path: Path, store: DuckDBStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path / "spool")
    write(spool, range(10), referrer="new.example")
    ingest = Ingest(tmp_path / "spool", store)
    with monkeypatch.context() as patch:
        patch.setattr(store, "_insert_words", lambda _cursor: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            ingest.step()
    assert stored_times(store) == []
    drain(ingest)
    assert stored_times(store) == list(range(10))


def test_a_torn_end_is_cut_off_and_put_aside(tmp_path: Path, store: DuckDBStore) -> None:
    spool = Spool(tmp_path / "spool")
    write(spool, range(10))
    spool.close()
    [path] = segments(spool.stream)
    path.write_bytes(path.read_bytes()[:-7])
    drain(Ingest(tmp_path / "spool", store))
    assert stored_times(store) == list(range(9))
    assert len(list((tmp_path / "spool-aside").iterdir())) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(min_value=0, max_value=2000))
def test_wherever_a_segment_is_cut_whole_turns_survive(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    spool = Spool(folder)
    write(spool, range(20), referrer="somewhere.example")
    spool.close()
    [path] = segments(spool.stream)
    path.write_bytes(path.read_bytes()[:cut])
    times = Segment(path).read()["time"].tolist()
    assert times == list(range(len(times)))


def test_big_frames_of_imports_are_read_whole(tmp_path: Path, store: DuckDBStore) -> None:
    spool = Spool(tmp_path / "spool")
    records = np.zeros(400_000, RECORD)
    records["time"] = np.arange(len(records))
    records["agent"], records["referrer"] = spool.term(PHONE), spool.term("")
    spool.write(records)
    spool.write(records)
    drain(Ingest(tmp_path / "spool", store))
    assert store.span(Selection()) == (0, 399_999, 800_000)


WRITER = """
import asyncio, sys
from pathlib import Path
from tests.unit.test_spool_and_ingest import Spool, click
spool = Spool(Path(sys.argv[1]), segment_bytes=20_000)
async def main():
    number = 0
    while True:
        spool.rotate_if_due()
        await asyncio.gather(*(spool.put(click(spool, number + n)) for n in range(3)))
        number += 3
        print(number, flush=True)
asyncio.run(main())
"""


def test_a_killed_writer_loses_nothing_that_it_acknowledged(tmp_path: Path, store: DuckDBStore) -> None:
    ingest = Ingest(tmp_path / "spool", store)
    expected = 0
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "spool")], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(200):
            acknowledged = int(process.stdout.readline())
            ingest.step()
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split("\n")
        acknowledged = max([acknowledged, *(int(line) for line in rest[:-1] if line)])
        process.wait()
        drain(ingest)
        times = stored_times(store)[expected:] if expected == 0 else None
        total = store.span(Selection())
        assert total is not None
        assert acknowledged <= total[2] - expected <= acknowledged + 3
        if times is not None:
            assert times == list(range(len(times)))
        expected = total[2]


def test_clicks_of_deleted_links_are_refused_afterwards(tmp_path: Path, store: DuckDBStore) -> None:
    spool = Spool(tmp_path / "spool")
    write(spool, range(5), link=1)
    write(spool, range(5), link=2)
    ingest = Ingest(tmp_path / "spool", store)
    drain(ingest)
    assert store.remove_links([1], journal=9) == 5
    write(spool, range(5, 8), link=1)
    drain(ingest)
    assert store.link_counts(Selection(links=(1, 2)), [0]) == {2: 5}
    assert store.journal() == 9


def test_millions_at_once_are_read_back(tmp_path: Path, store: DuckDBStore) -> None:
    """More than a reader takes in one frame: they come in several."""
    spool = Spool(tmp_path / "spool")
    records = np.zeros(1_500_000, RECORD)
    records["time"] = np.arange(len(records))
    records["agent"], records["referrer"] = spool.term(PHONE), spool.term("")
    spool.write(records)
    spool.close()
    found = []
    for path in segments(spool.stream):
        segment = Segment(path)
        while len(part := segment.read()):
            found.append(part["time"])
        assert not segment.damaged
        assert not segment.unread()
    assert np.array_equal(np.concatenate(found), records["time"])
