"""What street workers tell the others: right to the last redirect, whoever reads, writes or dies meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickatlas.redirect.pulse import BOUNDS, SIZE, Answer, Pulse, Vitals, read_all

WRITER = """
import sys
from pathlib import Path
from clickatlas.redirect.pulse import Pulse
pulse = Pulse.open(Path(sys.argv[1]), int(sys.argv[2]))
print(flush=True)
for _ in range(int(sys.argv[3])):
    pulse.turn(3, 0.0007, lost=1)
"""


def writer(folder: Path, slot: int, turns: int) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-c", WRITER, str(folder), str(slot), str(turns)]
    return subprocess.Popen(line, stdout=subprocess.PIPE)


def only(folder: Path) -> Vitals:
    (vitals,) = read_all(folder)
    return vitals


@settings(max_examples=60, deadline=None)
@given(
    turns=st.lists(
        st.tuples(st.integers(1, 500), st.floats(-1.0, 100.0), st.integers(0, 5), st.booleans()), max_size=40
    )
)
def test_every_redirect_is_in_the_bucket_of_its_latency(turns: list[tuple[int, float, int, bool]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pulse = Pulse.open(folder, 0)
        buckets, seconds, lost = [0] * (len(BOUNDS) + 1), 0.0, 0
        for count, took, refused, replaced in turns:
            if replaced:  # another worker takes the slot; its numbers go on
                pulse.close()
                pulse = Pulse.open(folder, 0)
            pulse.turn(count, took, refused)
            buckets[sum(took > bound for bound in BOUNDS)] += count
            seconds += max(0.0, took) * count
            lost += refused
        seen = only(folder)
        assert seen.buckets == tuple(buckets)
        assert seen.redirects == sum(count for count, *_ in turns)
        assert seen.lost == lost
        assert seen.seconds == pytest.approx(seconds, abs=1e-6)
        assert seen.workers == 1 + sum(replaced for *_, replaced in turns)
        assert (seen.lost_at > 0) == (lost > 0)
        pulse.close()


def test_a_latency_on_a_bound_belongs_below_it() -> None:
    assert bisect_left(BOUNDS, BOUNDS[3]) == 3  # Prometheus: le means less or equal


def test_other_answers_connections_and_the_heartbeat(tmp_path: Path) -> None:
    before = time.time()
    pulse = Pulse.open(tmp_path / "run", 7)
    for kind in Answer:
        for _ in range(kind + 1):
            pulse.answered(kind)
    pulse.connections(12)
    seen = only(tmp_path / "run")
    assert (seen.slot, seen.pid, seen.connections) == (7, os.getpid(), 12)
    assert seen.answers == {kind: kind + 1 for kind in Answer}
    assert before <= seen.started <= seen.beat <= time.time()
    assert seen.beats(time.time())
    assert not seen.beats(time.time() + 60)
    pulse.close()
    assert only(tmp_path / "run").connections == 0
    assert not only(tmp_path / "run").beats(time.time())


def test_two_workers_count_each_for_themselves(tmp_path: Path) -> None:
    for process in [writer(tmp_path, slot, 20_000) for slot in range(2)]:
        assert process.wait(30) == 0
    assert [(v.slot, v.redirects, v.lost) for v in read_all(tmp_path)] == [
        (0, 60_000, 20_000),
        (1, 60_000, 20_000),
    ]


def test_a_killed_worker_has_told_all_its_turns_and_the_next_one_counts_on(tmp_path: Path) -> None:
    process = writer(tmp_path, 0, 10**9)
    assert process.stdout
    process.stdout.readline()
    while only(tmp_path).redirects < 3000:
        pass
    process.kill()
    process.wait(10)
    left = only(tmp_path)
    pulse = Pulse.open(tmp_path, 0)
    pulse.turn(1, 0.0)
    assert only(tmp_path).redirects == left.redirects + 1
    assert only(tmp_path).workers == 2
    pulse.close()


def test_a_reader_is_never_wrong_by_more_than_one_turn(tmp_path: Path) -> None:
    process = writer(tmp_path, 0, 300_000)
    assert process.stdout
    process.stdout.readline()
    before, reads = 0, 0
    while process.poll() is None:
        seen = only(tmp_path)
        assert seen.redirects % 3 == 0  # a turn is seen whole
        assert seen.redirects >= before
        assert set(seen.buckets) <= {0, seen.redirects}
        # Loaded after the buckets, so at least as new; by how much is the reader's pause, not a torn number.
        assert seen.seconds >= (seen.redirects - 3) * 0.0007 * (1 - 1e-9)
        before, reads = seen.redirects, reads + 1
    assert reads > 10
    assert only(tmp_path).redirects == 900_000


def test_a_new_worker_counts_beside_one_that_still_finishes(tmp_path: Path) -> None:
    old, new = Pulse.open(tmp_path, 3), Pulse.open(tmp_path, 3)
    old.turn(5, 0.001)
    new.turn(7, 0.001)
    assert [(v.slot, v.redirects) for v in read_all(tmp_path)] == [(3, 5), (3, 7)]
    old.close()
    third = Pulse.open(tmp_path, 3)
    third.turn(1, 0.001)
    assert [v.redirects for v in read_all(tmp_path)] == [6, 7]
    for pulse in (new, third):
        pulse.close()


@pytest.mark.parametrize("left", [b"", b"x", b"\0" * SIZE, b"CLKPULSE" * (SIZE // 8), b"\xff" * (SIZE + 1)])
def test_what_is_no_pulse_is_begun_anew(tmp_path: Path, left: bytes) -> None:
    path = tmp_path / "street-0.pulse"
    path.write_bytes(left)
    assert read_all(tmp_path) == []
    pulse = Pulse.open(tmp_path, 0)
    pulse.turn(2, 0.001)
    assert only(tmp_path).redirects == 2
    assert path.stat().st_mode & 0o777 == 0o600
    pulse.close()


def test_a_folder_or_a_link_in_its_place_is_no_pulse(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_bytes(b"keep me")
    (tmp_path / "street-0.pulse").symlink_to(target)
    (tmp_path / "street-1.pulse").mkdir()
    (tmp_path / "street-one.pulse").touch()
    pulses = [Pulse.open(tmp_path, slot) for slot in range(2)]
    assert all(pulse.is_seen for pulse in pulses)
    assert [v.slot for v in read_all(tmp_path)] == [0, 1]
    assert target.read_bytes() == b"keep me"


def test_a_worker_goes_on_where_no_pulse_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file where the folder should be")
    pulse = Pulse.open(tmp_path / "run", 0)
    pulse.turn(1, 0.001)
    pulse.beat()
    assert not pulse.is_seen
    pulse.close()
    assert read_all(tmp_path / "run") == []


def test_a_turn_costs_next_to_nothing(tmp_path: Path) -> None:
    pulse = Pulse.open(tmp_path, 0)
    best = min(_timed(pulse) for _ in range(5))
    assert best < 5e-6  # 0.4 µs on an idle machine
    pulse.close()


def _timed(pulse: Pulse, turns: int = 20_000) -> float:
    started = time.perf_counter()
    for _ in range(turns):
        pulse.turn(1, 0.0004)
    return (time.perf_counter() - started) / turns


REFUSED = """
import resource, sys
from pathlib import Path
from clickatlas.redirect.pulse import Pulse
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
pulse = Pulse.open(Path(sys.argv[1]), 0)
for _ in range(1000):
    pulse.turn(1, 0.001)
pulse.beat()
assert not pulse.is_seen
pulse.close()
"""


def test_a_disk_that_takes_half_of_it_ends_no_worker(tmp_path: Path) -> None:
    """A hole in the file would: a page that the disk can't back is a SIGBUS when it is written to."""
    done = subprocess.run([sys.executable, "-c", REFUSED, str(tmp_path)], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert list(tmp_path.iterdir()) == []
