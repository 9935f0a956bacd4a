"""A hundred and more SIGKILLs at random moments, under load: every answered click is counted, each once.

What is killed: the supervisor, each street worker, the app's head and its worker; also while they start, as soon
as ingest commits, and as soon as a segment is rotated. A click whose connection was cut before its answer may be
counted or not, but never twice. ``KILLS_SEED=n`` repeats the choices of a run, ``KILLS=n`` makes it longer.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.server.bursts import Bursts
from tests.server.load import each_once
from tests.server.served import Served

KILLS = int(os.environ.get("KILLS", "100"))
SEED = int(os.environ.get("KILLS_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
KINDS = ("supervisor", "street worker", "street worker, at a rotation", "app", "app, at a commit")


class Killer:
    """Chooses whom to kill, and when."""

    def __init__(self, served: Served, rng: random.Random) -> None:
        self.served = served
        self.rng = rng
        self.killed: Counter[str] = Counter()
        self.took: defaultdict[str, float] = defaultdict(float)  # seconds, by what was waited for

    def pause(self, longest_s: float) -> None:
        time.sleep(self.rng.uniform(0, longest_s))

    def kill(self, what: str, pid: int) -> bool:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        self.killed[what] += 1
        return True

    def street(self) -> None:
        if pids := self.alive(self.served.street_pids):
            self.kill("street worker", self.rng.choice(pids))

    def app(self) -> None:
        """At any moment, while it starts as a rule."""
        if pids := self.alive(self.served.app_pids):
            self.pause(0.5)
            self.kill("app", self.rng.choice(pids))

    def alive(self, pids: Callable[[], list[int]]) -> list[int]:
        """Those that run, once there are any."""
        found: list[int] = []
        _soon(lambda: found.extend(pids()) or bool(found), 10)
        return found

    def app_at_commit(self) -> None:
        """As soon as the store's log of transactions grows, or a few milliseconds later."""
        log = self.served.data / "clicks.duckdb.wal"
        before = _size(log)
        if _soon(lambda: _size(log) != before, 60) and (pids := self.served.app_pids()):
            self.pause(0.004)
            self.kill("app, at a commit", self.rng.choice(pids))

    def street_at_rotation(self, load: Bursts) -> None:
        """As soon as a street worker opens another segment."""
        spool = self.served.data / "spool"
        before = _segments(spool)
        found: list[int] = []

        def rotated() -> bool:
            new = (path for path in _segments(spool) - before if int(path.stem) > 1)
            found.extend(int(path.parent.name.split("-")[1]) for path in new)
            return bool(found)

        pause, load.pause_s = load.pause_s, 0.0
        try:
            if _soon(rotated, 60):
                self.kill("street worker, at a rotation", found[0])
        finally:
            load.pause_s = pause

    def supervisor(self) -> None:
        process = self.served.process
        assert process is not None
        assert process.poll() is None, (
            f"ended by itself with {process.returncode}: {_end_of(self.served.log)}"
        )
        self.kill("supervisor", process.pid)
        process.wait(30)


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _segments(spool: Path) -> set[Path]:
    found = set()
    for stream in spool.iterdir():
        with suppress(FileNotFoundError):  # read to its end and removed
            found |= {path for path in stream.iterdir() if path.suffix == ".spool"}
    return found


def _soon(true: Callable[[], bool], patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    return True


@pytest.mark.timeout(120 + 4 * KILLS)
def test_killed_a_hundred_times(data_folder: Callable[[str], Path]) -> None:
    print(f"KILLS_SEED={SEED}")
    flags = ("--workers", "2", "--ingest-interval-ms", "10", "--spool-segment-mb", "1")
    served = Served(data_folder("killed"), *flags).start()
    with served.client() as client:
        client.post("/api/links", json={"url": "https://example.com/", "code": "hit"}).raise_for_status()
    killer = Killer(served, random.Random(SEED))
    began = time.monotonic()
    try:
        with Bursts(served.port, "hit", "often", pause_s=0.05) as load:  # what starts needs the processor
            while sum(killer.killed.values()) < KILLS:
                _one_life(killer, load)
                served.launch()
        seconds = time.monotonic() - began
        with served.wait().client() as client:
            each_once(served, client, load)
    finally:
        served.stop()
    print(f"{sum(killer.killed.values())} kills in {seconds:.0f} s: {dict(killer.killed)}")
    print({what: round(seconds, 1) for what, seconds in killer.took.items()})
    print(f"{len(load.sent)} clicks sent, {len(load.answered)} answered, {load.cut} connections cut")
    assert not load.refused, Counter(load.refused)
    assert min(killer.killed[what] for what in KINDS) >= KILLS / 50, killer.killed


def _one_life(killer: Killer, load: Bursts) -> None:
    """The supervisor's children killed, then the supervisor: everything starts anew then, which takes longest."""
    steps: list[tuple[str, Callable[[], None]]] = [("street", killer.street)] * 12 + [("app", killer.app)] * 2
    killer.rng.shuffle(steps)
    last = [("rotation", lambda: killer.street_at_rotation(load)), ("commit", killer.app_at_commit)]
    killer.rng.shuffle(last)
    for what, step in [*steps, *last, ("supervisor", killer.supervisor)]:
        killer.pause(0.15)
        began = time.monotonic()
        step()
        killer.took[what] += time.monotonic() - began
