"""The supervisor with small children of our own in place of workers: started again, waited for, ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from clickatlas import supervisor
from clickatlas.settings import Settings
from clickatlas.supervisor import APP, STREET, Child, Held, Supervisor
from tests.server.served import PROGRAM, Served, environment, free_port, is_alive, until

CHILD = """
    import os, pathlib, signal, sys, time
    role, how = sys.argv[2], pathlib.Path(sys.argv[1])
    with (how / "born").open("a") as born:
        born.write(f"{role} {os.getpid()} {time.monotonic()}\\n")
    if (how / "stuck").exists():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if role == "street" and not (how / "mute").exists():
        os.write(int(sys.argv[sys.argv.index("--ready") + 1]), b"1")
    if (how / "ends").exists():
        sys.exit(3)
    time.sleep(60)
"""
PARENT = """
    import sys, socket, os
    from pathlib import Path
    from clickatlas import supervisor
    from clickatlas.settings import Settings
    how = Path(sys.argv[1])
    supervisor.STOP_S, supervisor.READY_S = 1.0, 1.0
    if (how / "refused").exists():
        supervisor.SLOWEST_S = 0.2
    real = supervisor.subprocess.Popen
    def popen(command, **options):
        if (how / "refused").exists():
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return real([sys.executable, str(how / "child.py"), str(how), *command[3:]], **options)
    supervisor.subprocess.Popen = popen
    listener = socket.create_server(("127.0.0.1", 0))
    held = supervisor.Held(listener, "", -1, -1)
    one = supervisor.Supervisor(Settings(data=how), held)
    one.run(started=lambda: (how / "started").touch())
"""


class Run:
    """One supervisor in a process of its own; `told` files say how its children are."""

    def __init__(self, folder: Path, *told: str) -> None:
        self.folder = folder
        (folder / "child.py").write_text(textwrap.dedent(CHILD))
        (folder / "parent.py").write_text(textwrap.dedent(PARENT))
        for name in told:
            (folder / name).touch()
        with (folder / "log").open("wb") as log:
            line = [sys.executable, str(folder / "parent.py"), str(folder)]
            self.process = subprocess.Popen(line, env=environment(), stderr=log, start_new_session=True)

    def born(self, role: str) -> list[tuple[int, float]]:
        """(pid, when) of each child that was started."""
        try:
            lines = (self.folder / "born").read_text().splitlines()
        except FileNotFoundError:
            return []
        found = [line.split() for line in lines if line.startswith(role) and line.count(" ") == 2]
        return [(int(pid), float(when)) for _, pid, when in found]

    def end(self) -> None:
        for pid in [self.process.pid, *(pid for pid, _ in self.born(""))]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait(10)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    made: list[Run] = []

    def start(*told: str) -> Run:
        made.append(Run(tmp_path, *told))
        return made[-1]

    yield start
    for one in made:
        one.end()


def test_stopped_in_order(run: Callable[..., Run], tmp_path: Path) -> None:
    one = run()
    until((tmp_path / "started").exists, "started")
    until(lambda: one.born(APP), "beside it")  # nobody waits for that one
    one.process.terminate()
    assert one.process.wait(10) == 0
    assert not any(is_alive(pid) for pid, _ in one.born(""))
    assert (len(one.born(STREET)), len(one.born(APP))) == (1, 1)


@pytest.mark.parametrize("signals", [1, 2], ids=["after its time", "at a second Ctrl-C"])
def test_a_stuck_child_is_ended(run: Callable[..., Run], tmp_path: Path, signals: int) -> None:
    one = run("stuck")
    until((tmp_path / "started").exists, "started")
    until(lambda: one.born(APP), "the app")
    time.sleep(0.3)
    began = time.monotonic()
    one.process.send_signal(signal.SIGINT)
    if signals == 2:
        time.sleep(0.1)
        one.process.send_signal(signal.SIGINT)
    assert one.process.wait(10) == 0
    assert (time.monotonic() - began < 0.9) == (signals == 2)
    assert not any(is_alive(pid) for pid, _ in one.born(""))


def test_children_that_end_at_once_are_started_ever_more_slowly(run: Callable[..., Run]) -> None:
    one = run("ends")
    until(lambda: len(one.born(STREET)) >= 6, "started again")
    times = [when for _, when in one.born(STREET)][:6]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    for number, gap in enumerate(gaps):
        assert gap >= supervisor.AGAIN_S * 2 ** (number + 1)


def test_a_worker_that_never_answers_is_ended_and_started_again(
    run: Callable[..., Run], tmp_path: Path
) -> None:
    one = run("mute")
    until(lambda: len(one.born(STREET)) >= 2, "started again")
    assert not is_alive(one.born(STREET)[0][0])
    assert not (tmp_path / "started").exists()
    (tmp_path / "mute").unlink()
    until((tmp_path / "started").exists, "started")


def test_no_process_left_to_start(run: Callable[..., Run], tmp_path: Path) -> None:
    """What can't be started now is tried again, and a reload leaves what runs running."""
    one = run("refused")
    until(lambda: (tmp_path / "log").read_text().count("street can't be started") >= 2, "tried again")
    (tmp_path / "refused").unlink()
    until((tmp_path / "started").exists, "started")
    (tmp_path / "refused").touch()
    one.process.send_signal(signal.SIGHUP)
    until(lambda: "can't be tried" in (tmp_path / "log").read_text(), "said")
    assert one.process.poll() is None
    assert is_alive(one.born(STREET)[0][0])


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Supervisor]:
    """One that starts nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Supervisor(Settings(data=tmp_path), Held(listener, "", -1, -1))


@pytest.mark.parametrize(
    ("role", "lived", "answered", "quick"),
    [(STREET, 1.0, True, True), (STREET, 2.5, True, False), (STREET, 60.0, False, True), (APP, 9.0, True, True), (APP, 11.0, True, False)],
)  # fmt: skip
def test_what_a_quick_end_is(idle: Supervisor, role: str, lived: float, answered: bool, quick: bool) -> None:
    for _ in range(12):
        child = Child(role, 0, 0, -1 if answered else 99, started=time.monotonic() - lived)
        idle._again(child, 1)
    waits = [due - time.monotonic() for due, *_ in idle._due]
    assert waits[-1] == pytest.approx(supervisor.SLOWEST_S if quick else supervisor.AGAIN_S, abs=0.3)
    assert max(waits) <= supervisor.SLOWEST_S


def test_reloaded_with_another_port(data_folder: Callable[[str], Path]) -> None:
    """One that is taken changes nothing; a free one is moved to, and the old one is let go of."""
    served = Served(data_folder("moved"))
    settings = served.data / "clickatlas.toml"
    settings.write_text(f"port = {served.port}\n")
    with served.log.open("ab") as log:
        line = [PROGRAM, "serve", "--data", str(served.data)]
        served.process = subprocess.Popen(line, env=environment(), stdout=log, stderr=log)
    try:
        served.wait()
        workers = set(served.street_pids())
        with socket.create_server(("127.0.0.1", 0)) as other:
            settings.write_text(f"port = {other.getsockname()[1]}\n")
            served.process.send_signal(signal.SIGHUP)
            served.process.send_signal(signal.SIGHUP)  # once more, while that is under way
            until(lambda: "Until then it stays at" in served.log.read_text(), "said")
            until(lambda: not workers & set(served.street_pids()), "replaced")
            assert httpx.get(f"{served.url}/health/live", timeout=30).status_code == 200
        before, served.port = served.port, free_port()
        settings.write_text(f"port = {served.port}\n")
        served.process.send_signal(signal.SIGHUP)
        served.url = f"http://127.0.0.1:{served.port}"
        until(lambda: _lives(served.port), "at the new port")
        until(lambda: not _lives(before), "the old one is let go of")
        served.wait()
    finally:
        served.stop()


def _lives(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/live", timeout=10).status_code == 200
    except httpx.TransportError:
        return False
