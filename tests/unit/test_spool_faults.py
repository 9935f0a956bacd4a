"""What a disk can do to the spool: every click that was written is counted once, every other one as lost."""

from __future__ import annotations

import errno
import json
import logging
import os
import subprocess
import sys
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickatlas.clicks import segments as reading
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.ingest import Ingest
from clickatlas.clicks.segments import Segment, segments
from clickatlas.redirect import spool as writing
from clickatlas.redirect.record import pack
from clickatlas.redirect.spool import HEADER, MAGIC, Spool, frame
from tests.unit.test_spool_and_ingest import PHONE, drain, stored_times, write


@pytest.fixture
def store(tmp_path: Path) -> DuckDBStore:
    return DuckDBStore(tmp_path / "clicks.duckdb")


def words(store: DuckDBStore) -> dict[int, str]:
    return {
        time: piece.referrers[referrer]
        for piece in store.clicks(Selection()).pieces
        for time, referrer in zip(piece.time.tolist(), piece.referrer.tolist(), strict=True)
    }


def aside(folder: Path) -> list[str]:
    return [path.name for path in (folder / "spool-aside").glob("*")]


def refusing(number: int) -> Any:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return refuse


def test_cut_at_any_byte_of_the_last_turn_the_others_are_counted(
    tmp_path: Path, store: DuckDBStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    spool = Spool(tmp_path / "whole")
    write(spool, range(5), referrer="before.example")
    before = spool._size
    write(spool, [5], referrer="last.example")
    spool.close()
    data = segments(spool.stream)[0].read_bytes()
    for cut in range(before, len(data)):
        stream = tmp_path / "spool" / f"cut-{cut}"
        stream.mkdir(parents=True)
        (stream / "00000001.spool").write_bytes(data[:cut])
    drain(Ingest(tmp_path / "spool", store))
    cuts = len(data) - before
    assert Counter(stored_times(store)) == dict.fromkeys(range(5), cuts)
    assert (
        len(aside(tmp_path)) == cuts - 2
    )  # cut right behind the turn before, or its own terms, nothing is torn
    assert not list((tmp_path / "spool").iterdir())


@settings(max_examples=150, deadline=None)
@given(at=st.integers(min_value=0, max_value=10_000), bit=st.integers(min_value=0, max_value=7))
def test_a_flipped_bit_costs_one_turn_at_most(
    tmp_path_factory: pytest.TempPathFactory, at: int, bit: int
) -> None:
    spool = Spool(tmp_path_factory.mktemp("flip"))
    for number in range(30):
        write(spool, [number], referrer=f"r{number}.example")
    spool.close()
    [path] = segments(spool.stream)
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 1 << bit
    path.write_bytes(data)
    segment = Segment(path)
    records = segment.read()
    times = records["time"].tolist()
    assert len(times) >= 29
    assert times == sorted(set(times) & set(range(30)))
    # The words of those behind the damage are right, unless the damage took them.
    told = [segment.terms[n] if n < len(segment.terms) else "" for n in records["referrer"].tolist()]
    right = [word == f"r{time}.example" for time, word in zip(times, told, strict=True)]
    assert right.count(False) <= 1
    assert all(word == "" for word, as_it_was in zip(told, right, strict=True) if not as_it_was)
    assert segment.damaged + segment.unread() > 0  # and it is not taken for whole


def test_damage_while_it_is_written_and_while_it_is_read(tmp_path: Path, store: DuckDBStore) -> None:
    spool = Spool(tmp_path / "spool")
    write(spool, range(10), referrer="first.example")
    ingest = Ingest(tmp_path / "spool", store)
    ingest.step()
    [path] = segments(spool.stream)
    write(spool, range(10, 20), referrer="second.example")
    data = bytearray(path.read_bytes())
    data[HEADER.size + 20] ^= 1  # in what is counted already
    data[-100] ^= 1
    path.write_bytes(data)
    again = Ingest(tmp_path / "spool", store)  # as after a restart
    again.step()
    write(spool, range(20, 30), referrer="third.example")
    drain(again)
    counted = words(store)
    assert len(counted) == 29
    assert set(range(10)) | set(range(20, 30)) < set(counted)
    assert counted[25] == "third.example"
    assert path.exists()
    spool.close()
    drain(again)
    assert len(words(store)) == 29
    assert len(aside(tmp_path)) == 1


def test_a_file_that_a_loss_of_power_left_shorter_than_what_is_stored(
    tmp_path: Path, store: DuckDBStore
) -> None:
    spool = Spool(tmp_path / "spool")
    write(spool, range(10))
    Ingest(tmp_path / "spool", store).step()
    spool.close()
    [path] = segments(spool.stream)
    os.truncate(path, 200)
    drain(Ingest(tmp_path / "spool", store))
    assert stored_times(store) == list(range(10))
    assert not path.exists()


def segment_of_version_1(stream: Path, damaged: bool = False) -> None:
    stream.mkdir(parents=True)
    frames = [
        frame(b"T" + json.dumps([PHONE, "old.example"]).encode())
        + frame(b"R" + pack(1, 1, 77, 5, 0, 1, 0, 0)),
        frame(b"T" + json.dumps(["older.example"]).encode()) + frame(b"R" + pack(2, 1, 77, 5, 0, 2, 0, 0)),
        frame(b"T" + json.dumps(["oldest.example"]).encode()) + frame(b"R" + pack(3, 1, 77, 5, 0, 3, 0, 0)),
    ]
    data = bytearray(HEADER.pack(MAGIC, 1, 48, 0) + b"".join(frames))
    if damaged:
        data[HEADER.size + len(frames[0]) + 10] ^= 1
    (stream / "00000001.spool").write_bytes(data)


def test_a_segment_of_format_1_is_read(tmp_path: Path, store: DuckDBStore) -> None:
    segment_of_version_1(tmp_path / "spool" / "old")
    drain(Ingest(tmp_path / "spool", store))
    assert words(store) == {1: "old.example", 2: "older.example", 3: "oldest.example"}


def test_words_behind_damage_in_format_1_are_not_known(tmp_path: Path, store: DuckDBStore) -> None:
    segment_of_version_1(tmp_path / "spool" / "old", damaged=True)
    drain(Ingest(tmp_path / "spool", store))
    assert words(store) == {1: "old.example", 2: "", 3: ""}


def test_a_segment_of_a_newer_format_is_left_alone(
    tmp_path: Path, store: DuckDBStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(writing, "VERSION", 3)
        newer = Spool(tmp_path / "spool", segment_bytes=200)
        write(newer, range(10))
        newer.close()
    ours = Spool(tmp_path / "spool")
    write(ours, range(10, 15))
    ingest = Ingest(tmp_path / "spool", store)
    for _ in range(3):
        ingest.step()
    assert stored_times(store) == list(range(10, 15))
    assert "spool format 3" in ingest.trouble
    assert caplog.text.count("spool format 3") == 1
    assert len(segments(newer.stream)) > 1
    assert not aside(tmp_path)
    monkeypatch.setattr(reading, "VERSION", 3)  # upgraded again
    drain(Ingest(tmp_path / "spool", store))
    assert stored_times(store) == list(range(15))


def test_a_stream_that_can_t_be_read_does_not_hold_up_the_others(
    tmp_path: Path, store: DuckDBStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = Spool(tmp_path / "spool"), Spool(tmp_path / "spool")
    write(bad, range(5))
    write(good, range(5, 10))
    ingest = Ingest(tmp_path / "spool", store)
    real = Segment.read
    with monkeypatch.context() as patch:
        patch.setattr(
            Segment,
            "read",
            lambda self: refusing(errno.EIO)() if self.path.parent == bad.stream else real(self),
        )
        drain(ingest)
        assert stored_times(store) == list(range(5, 10))
        assert "Input/output error" in ingest.trouble
    drain(ingest)
    assert stored_times(store) == list(range(10))
    assert not ingest.trouble


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_a_disk_that_refuses_is_counted_said_once_and_recovered_from(
    tmp_path: Path,
    store: DuckDBStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    number: int,
) -> None:
    caplog.set_level(logging.WARNING, "clickatlas.spool")
    spool = Spool(tmp_path / "spool")
    write(spool, range(10), referrer="before.example")
    real = os.open
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", refusing(number))
        patch.setattr(
            os, "open", lambda path, *a: (refusing(number) if "spool" in str(path) else real)(path, *a)
        )
        for time in range(10, 510):
            write(spool, [time], referrer=f"made-up-{time}.example")
    assert spool.lost == 500
    assert os.strerror(number) in spool.fault
    assert len([r for r in caplog.records if r.levelno == logging.ERROR]) == 1
    assert len(spool._terms) < 5  # nobody's words are remembered
    for time in range(510, 520):
        write(spool, [time], referrer=f"made-up-{time - 500}.example")
    assert not spool.fault
    assert "500 could not be" in caplog.text
    drain(Ingest(tmp_path / "spool", store))
    assert words(store) == dict.fromkeys(range(10), "before.example") | {
        time: f"made-up-{time - 500}.example" for time in range(510, 520)
    }
    assert spool.lost == 500


@pytest.mark.parametrize("part", [0.02, 0.5, 0.99], ids=["in the terms", "in between", "in the records"])
@pytest.mark.parametrize("cut", ["cut", "not even cut"])
def test_a_short_write_between_two_looks_of_the_reader(
    tmp_path: Path, store: DuckDBStore, monkeypatch: pytest.MonkeyPatch, part: float, cut: str
) -> None:
    """The reader may pass the terms of a turn whose records did not fit, before they are cut off."""
    spool = Spool(tmp_path / "spool")
    ingest = Ingest(tmp_path / "spool", store)
    write(spool, [1], referrer="one.example")
    real_write, real_cut = os.write, os.ftruncate

    def cutting(fd: int, size: int) -> None:
        ingest.step()
        if cut != "cut":
            raise OSError(errno.EIO, "Input/output error")
        real_cut(fd, size)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: real_write(fd, data[: int(len(data) * part)]))
        patch.setattr(os, "ftruncate", cutting)
        write(spool, [2], referrer="two.example")
    write(spool, [3], referrer="three.example")
    write(spool, [4], referrer="two.example")
    drain(ingest)
    assert words(store) == {1: "one.example", 3: "three.example", 4: "two.example"}
    assert spool.lost == 1
    spool.close()
    drain(ingest)
    assert len(stored_times(store)) == 3
    assert bool(aside(tmp_path)) == (cut != "cut")


def test_no_room_for_a_new_segment(
    tmp_path: Path, store: DuckDBStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path / "spool", segment_bytes=300)
    write(spool, range(6), referrer="a.example")
    for what in ("write", "rename", "unlink"):  # at each step, one after the other
        with monkeypatch.context() as patch:
            if what == "write":
                patch.setattr(os, "write", refusing(errno.ENOSPC))
            else:
                patch.setattr(Path, "rename", refusing(errno.ENOSPC))
                patch.setattr(Path, "unlink", refusing(errno.EROFS))
            spool._abandon()
            write(spool, [100, 101], referrer="b.example")
    assert spool.lost == 6
    write(spool, range(6, 12), referrer="c.example")
    spool.close()
    drain(Ingest(tmp_path / "spool", store))
    assert words(store) == dict.fromkeys(range(6), "a.example") | dict.fromkeys(range(6, 12), "c.example")
    assert not aside(tmp_path)


def test_a_flush_that_fails_ends_the_segment_and_doubles_nothing(
    tmp_path: Path, store: DuckDBStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(tmp_path / "spool", fsync_ms=0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", refusing(errno.EIO))
        write(spool, range(5), referrer="a.example")
    assert caplog.text.count("a loss of power now may cost clicks") == 1
    spool._opened -= 1
    write(spool, range(5, 10), referrer="a.example")
    assert len(segments(spool.stream)) == 2
    assert spool.lost == 0
    assert not spool.fault
    drain(Ingest(tmp_path / "spool", store))
    assert words(store) == dict.fromkeys(range(10), "a.example")


def test_a_commit_that_seems_to_fail_is_not_made_twice(
    tmp_path: Path, store: DuckDBStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path / "spool")
    write(spool, range(10))
    ingest = Ingest(tmp_path / "spool", store)
    real = store.append

    def committed_but(batch: Any) -> int:
        real(batch)
        raise OSError(errno.EIO, "after the commit")

    with monkeypatch.context() as patch:
        patch.setattr(store, "append", committed_but)
        with pytest.raises(OSError, match="after the commit"):
            ingest.step()
    write(spool, range(10, 12))
    drain(ingest)
    assert stored_times(store) == list(range(12))


LIMITED = """
import resource, sys
from pathlib import Path
from tests.unit.test_spool_and_ingest import Spool, write
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
spool = Spool(Path(sys.argv[1]))
write(spool, range(1000), referrer="limited.example")
spool.close()
print(spool.lost)
"""


def test_files_that_may_not_grow_any_more(tmp_path: Path, store: DuckDBStore) -> None:
    """The kernel's own limit on a file: short writes, then refusals, in a real file."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "spool")], capture_output=True, text=True, check=True
    )
    lost = int(done.stdout)
    drain(Ingest(tmp_path / "spool", store))
    counted = stored_times(store)
    assert 0 < lost < 60  # a new file is begun for each
    assert len(counted) == len(set(counted)) == 1000 - lost
    assert set(words(store).values()) == {"limited.example"}
    assert done.stderr.count("could not be written") == 1
    assert not aside(tmp_path)


def test_a_header_says_its_version_and_holds_a_checksum(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    write(spool, [1])
    magic, version, size, checksum = HEADER.unpack(segments(spool.stream)[0].read_bytes()[: HEADER.size])
    assert (magic, version, size) == (MAGIC, writing.VERSION, 48)
    assert checksum == zlib.crc32(segments(spool.stream)[0].read_bytes()[:12])
