"""Killed with SIGKILL in mid-load: every click whose redirect was received is counted exactly once."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import httpx
import pytest

from tests.server.load import Load, counted, each_once
from tests.server.served import PATIENCE_S, Served, is_alive, until


@pytest.fixture(scope="module")
def mortal(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    served = Served(data_folder("mortal"), "--ingest-interval-ms", "20").start()
    with served.client() as client:
        client.post("/api/links", json={"url": "https://example.com/", "code": "hit"}).raise_for_status()
    yield served
    served.stop()


@pytest.fixture
def victim(mortal: Served) -> Served:
    """A running server, whatever became of it in the test before."""
    if mortal.process is None or mortal.process.poll() is not None:
        mortal.start()
    return mortal


def test_supervisor_killed(victim: Served) -> None:
    loads = []
    for number in range(2):
        with Load(victim.port, "hit", f"supervisor{number}") as load:
            time.sleep(0.7 + 0.15 * number)
            family = victim.kill()
        loads.append(load)
        assert load.answered
        _nothing_is_held(victim, family)
        victim.start()
    with victim.client() as client:
        each_once(victim, client, *loads)


@pytest.mark.parametrize("what", ["street", "app"])
def test_supervisor_killed_while_a_child_starts(victim: Served, what: str) -> None:
    """It has the port and the mark, and does not know yet that it is to end with who started it: on a busy machine, for seconds."""
    assert victim.process is not None
    pids = victim.street_pids if what == "street" else victim.app_pids
    before = set(pids())
    os.kill(min(before), signal.SIGKILL)
    [young] = until(lambda: set(pids()) - before, f"another process of the {what}")
    os.kill(young, signal.SIGSTOP)
    victim.kill()
    victim.launch()
    time.sleep(5)
    with suppress(ProcessLookupError):
        os.kill(young, signal.SIGCONT)
    victim.wait()
    assert not is_alive(young)


def _nothing_is_held(victim: Served, family: list[int]) -> None:
    """No orphan keeps the port, the mark on the data folder, or the click store."""
    until(lambda: not any(map(is_alive, family)), "children of a killed server gone", 5)
    until(lambda: _opens(victim.data / "clicks.duckdb"), "the click store free", 5)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", victim.port))
    lock = os.open(victim.data / "run" / "serve.lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(lock)


def _opens(store: Path) -> bool:
    try:
        duckdb.connect(str(store)).close()
    except duckdb.IOException:  # its last thread is still on its way out
        return False
    return True


@pytest.mark.parametrize("which", ["head", "worker"])
def test_app_killed_while_short_links_go_on(victim: Served, which: str) -> None:
    with Load(victim.port, "hit", f"app{which}") as load:
        for _ in range(2):
            time.sleep(0.4)
            pids = victim.app_pids()
            os.kill(pids[0 if which == "head" else -1], signal.SIGKILL)
            time.sleep(0.2)
            until(lambda: _ready(victim), "the app again")
        time.sleep(0.3)
    assert not load.refused
    assert load.sent == load.answered
    assert load.longest_s < 2
    with victim.client() as client:
        each_once(victim, client, load)


def _ready(victim: Served) -> bool:
    try:
        return bool(httpx.get(f"{victim.url}/health", timeout=15).json()["ready"])
    except (httpx.TransportError, ValueError):
        return False


def test_app_frozen_and_killed_then_the_spool_catches_up(victim: Served) -> None:
    with victim.client() as client, Load(victim.port, "hit", "frozen") as load:
        time.sleep(0.4)
        before = len(counted(client))
        pids = victim.app_pids()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        answered = len(load.answered)
        time.sleep(1.0)
        assert len(load.answered) - answered > 100
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    assert before > 0
    assert not load.refused
    with victim.client() as client:
        until(lambda: _ready(victim), "the app again")
        each_once(victim, client, load)


def test_street_worker_killed(victim: Served) -> None:
    with Load(victim.port, "hit", "street") as load:
        for _ in range(3):
            time.sleep(0.4)
            os.kill(victim.street_pids()[-1], signal.SIGKILL)
            answered = len(load.answered)
            until(lambda n=answered: len(load.answered) > n + 50, "short links again", 10)
    assert not load.refused
    with victim.client() as client:
        each_once(victim, client, load)


def test_everything_killed_at_once_with_clicks_in_flight(victim: Served) -> None:
    with Load(victim.port, "hit", "all") as load:
        until(lambda: len(load.answered) > 300, "short links answering")
        assert victim.process is not None
        for pid in [*victim.street_pids(), *victim.app_pids(), victim.process.pid]:
            os.kill(pid, signal.SIGKILL)
        victim.process.wait(PATIENCE_S)
    victim.start()
    with victim.client() as client:
        each_once(victim, client, load)


def test_ordered_stop_counts_everything_after_the_next_start(victim: Served) -> None:
    with Load(victim.port, "hit", "stop") as load:
        until(lambda: len(load.answered) > 300, "short links answering")  # however busy the machine is
        victim.stop()
    assert victim.process is not None
    assert victim.process.returncode == 0
    victim.start()
    with victim.client() as client:
        each_once(victim, client, load)
    assert "Traceback" not in victim.log.read_text()
