"""A click store on a disk that is full, a file that is damaged: nothing is lost that the spool still has, nothing doubled."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest

from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.duckdb_file import Damaged, explained
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.ingest import Ingest
from clickatlas.clicks.quarantine import set_aside_before
from clickatlas.clicks.segments import segments
from clickatlas.clicks.store import Batch, Position
from clickatlas.errors import Problem
from clickatlas.redirect.record import RECORD, Agent
from clickatlas.redirect.spool import Spool
from tests.unit.test_spool_and_ingest import drain, stored_times, write

BLOCK = 262_144


def filled(path: Path, clicks: int = 200_000) -> bytes:
    """A store of several blocks, and its file."""
    chance = np.random.default_rng(5)
    records = np.zeros(clicks, RECORD)
    records["time"] = chance.integers(0, 10**12, clicks)
    records["place"] = chance.integers(1, 1000, clicks)
    records["visitor"] = chance.integers(1, 2**63, clicks)
    store = DuckDBStore(path)
    store.append(Batch(records, [Agent("", "", "", "")], [""], {"gone": Position(7, 7)}))
    store.close()
    return path.read_bytes()


def random_bytes(at: slice) -> Callable[[bytearray], None]:
    def damage(data: bytearray) -> None:
        data[at] = random.Random(4).randbytes(len(data[at]))

    return damage


def cut(part: float) -> Callable[[bytearray], None]:
    def damage(data: bytearray) -> None:
        del data[int(len(data) * part) :]

    return damage


AT_OPENING = {
    "random header": random_bytes(slice(0, 4096)),
    "random block headers": random_bytes(slice(4096, 3 * 4096)),
    "all headers": random_bytes(slice(0, 3 * 4096)),
    "half of it": cut(0.5),
    "a hundred bytes of it": lambda data: data.__delitem__(slice(100, None)),
    "nothing of it": cut(0),
    "zeros": lambda data: data.__setitem__(slice(None), bytes(len(data))),
}


@pytest.mark.parametrize("damage", AT_OPENING.values(), ids=AT_OPENING.keys())
def test_a_damaged_file_is_set_aside_and_the_spool_is_counted_anew(
    tmp_path: Path, damage: Callable[[bytearray], None], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "clicks.duckdb"
    data = bytearray(filled(path))
    damage(data)
    path.write_bytes(data)
    spool = Spool(tmp_path / "spool")
    write(spool, range(10))
    with pytest.raises(Damaged) as refused:  # a command, or doctor: only looks
        DuckDBStore(path)
    assert "backup" in refused.value.remedy
    assert path.read_bytes() == data
    store = DuckDBStore(path, quarantine=True)
    [aside] = set_aside_before(tmp_path)
    assert aside.read_bytes() == data
    assert aside.name.startswith("clicks.duckdb.corrupt-")
    assert str(aside) in caplog.text
    assert "To have the clicks of before" in caplog.text
    drain(Ingest(tmp_path / "spool", store))
    assert stored_times(store) == list(range(10))
    store.close()
    DuckDBStore(path, quarantine=True).close()
    assert len(set_aside_before(tmp_path)) == 1


def test_a_backup_in_place_of_a_damaged_store_has_every_click_once(tmp_path: Path) -> None:
    path = tmp_path / "clicks.duckdb"
    spool = Spool(tmp_path / "spool", segment_bytes=400)
    write(spool, range(20))
    store = DuckDBStore(path)
    drain(Ingest(tmp_path / "spool", store))
    store.close()
    backup = path.read_bytes()
    write(spool, range(20, 23))
    store = DuckDBStore(path)
    drain(Ingest(tmp_path / "spool", store))  # counted by the store that is damaged then; still in the spool
    store.close()
    path.write_bytes(os.urandom(50_000))
    store = DuckDBStore(path, quarantine=True)
    ingest = Ingest(tmp_path / "spool", store)
    for start in range(23, 60, 3):
        write(spool, range(start, start + 3))
        drain(ingest)
    spool.close()
    drain(ingest)
    assert not (tmp_path / "spool" / spool.stream.name).exists()
    assert stored_times(store)[-1] == 61
    assert stored_times(store) == sorted(set(stored_times(store)))
    store.close()
    # By hand, as `clickatlas restore` does it.
    path.write_bytes(backup)
    for kept in (tmp_path / "spool-kept").iterdir():
        kept.rename(tmp_path / "spool" / kept.name)
    (tmp_path / "spool-kept").rmdir()
    store = DuckDBStore(path)
    drain(Ingest(tmp_path / "spool", store))
    assert stored_times(store) == list(range(62))
    assert not list((tmp_path / "spool").iterdir())  # and from here on it is removed again


def test_damage_that_only_a_question_meets(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "clicks.duckdb"
    data = bytearray(filled(path))
    data[BLOCK : 4 * BLOCK] = os.urandom(3 * BLOCK)
    path.write_bytes(data)
    spool = Spool(tmp_path / "spool")
    write(spool, range(10))
    spool.close()
    store = DuckDBStore(path, quarantine=True)
    assert not set_aside_before(tmp_path)
    with pytest.raises(duckdb.Error) as met:
        stored_times(store)
    assert isinstance(store.problem(met.value), Damaged)
    # What can be counted is counted, and from here on the spool is kept for a backup.
    drain(Ingest(tmp_path / "spool", store))
    assert len(list((tmp_path / "spool-kept").glob("*/*.spool"))) == 1
    store.close()


def test_a_store_that_duckdb_gave_up_is_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a checkpoint that failed on a full disk; `tests/server/test_faults_disk.py` has a real one."""
    store = DuckDBStore(tmp_path / "clicks.duckdb")
    spool = Spool(tmp_path / "spool")
    ingest = Ingest(tmp_path / "spool", store)
    write(spool, range(5), referrer="a.example")
    ingest.step()
    real = store.append

    def giving_up(batch: Batch) -> int:
        real(batch)
        raise store.problem(duckdb.FatalException("FATAL Error: Failed to create checkpoint: No space left"))

    monkeypatch.setattr(store, "append", giving_up)
    write(spool, range(5, 8), referrer="b.example")
    with pytest.raises(Problem, match="full"):
        ingest.step()
    monkeypatch.setattr(store, "append", real)
    before = store._connection
    write(spool, range(8, 12), referrer="b.example")
    drain(ingest)
    assert store._connection is not before
    assert stored_times(store) == list(range(12))
    assert store.word_counts(Selection(), "referrer", range(6)) == {"a.example": 5, "b.example": 7}


def test_errors_of_the_disk_are_told_apart(tmp_path: Path) -> None:
    for number in (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO):
        problem = explained(
            duckdb.IOException(f"IO Error: Could not write file: {os.strerror(number)}"), tmp_path / "c"
        )
        assert not isinstance(problem, Damaged)
        assert "by itself" in problem.remedy


def test_segments_are_still_removed_from_a_spool_that_nobody_wants_kept(tmp_path: Path) -> None:
    store = DuckDBStore(tmp_path / "clicks.duckdb", quarantine=True)
    spool = Spool(tmp_path / "spool")
    write(spool, range(3))
    spool.close()
    assert segments(spool.stream)
    drain(Ingest(tmp_path / "spool", store))
    assert not (tmp_path / "spool-kept").exists()
    assert not spool.stream.exists()
