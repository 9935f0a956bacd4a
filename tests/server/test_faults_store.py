"""A click store that is locked or damaged: short links go on, the spool is kept, and it is said what is wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from clickatlas.clicks.quarantine import set_aside_before
from tests.server.load import Load, each_once
from tests.server.problems import is_problem
from tests.server.served import Served, command, until
from tests.unit.test_store_damage import BLOCK, filled

LOCKER = """
import sys, duckdb
while True:
    try:
        held = duckdb.connect(sys.argv[1])
        break
    except duckdb.IOException:
        pass
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def served(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    served = Served(data_folder("faulty"), "--ingest-interval-ms", "50").start()
    with served.client() as client:
        client.post("/api/links", json={"url": "https://example.com/", "code": "hit"}).raise_for_status()
    yield served
    served.kill()


def health(served: Served) -> tuple[bool, list[str], str]:
    """Whether it is ready, the names of what is wrong, and all of the answer."""
    try:
        answer = httpx.get(f"{served.url}/health", timeout=10)
        found = answer.json()
        names = [fault["name"] for fault in found["faults"]]
    except (httpx.TransportError, ValueError):
        return False, [], ""
    assert (answer.status_code == 503) == any(fault["severity"] == "broken" for fault in found["faults"])
    return found["ready"], names, answer.text


def metrics(served: Served) -> str:
    key = {"authorization": f"Bearer {(served.data / 'metrics.token').read_text().strip()}"}
    return httpx.get(f"{served.url}/metrics", headers=key, timeout=30).raise_for_status().text


def test_a_store_that_another_process_has_open(served: Served) -> None:
    with Load(served.port, "hit", "locked") as load:
        until(lambda: len(load.answered) > 100, "short links answering")
        locker = subprocess.Popen(
            [sys.executable, "-c", LOCKER, str(served.data / "clicks.duckdb")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert locker.stdout is not None
        for pid in served.app_pids():
            os.kill(pid, signal.SIGKILL)
        assert locker.stdout.readline() == b"locked\n"
        until(lambda: "opening" in health(served)[1], "said by /health")
        ready, names, text = health(served)
        assert (ready, names) == (False, ["opening"])
        assert "in use" in text
        assert str(served.data) not in text  # anybody may read it
        figures = metrics(served)
        assert 'clickatlas_fault{fault="opening",severity="broken"} 1.0' in figures
        assert "clickatlas_disk_free_bytes " in figures
        assert "clickatlas_atlas_age_seconds " in figures
        assert "clickatlas_store_clicks " not in figures  # nobody knows
        said = command("doctor", data=served.data, code=2).stdout
        assert "in use" in said
        assert "redirects answered" in said
        problem = is_problem(httpx.get(f"{served.url}/api/links", timeout=10), 503)
        assert "in use" in problem["title"]
        before = len(load.answered)
        until(lambda: len(load.answered) > before + 100, "short links answering meanwhile")
        locker.communicate()
        until(lambda: health(served)[0], "ready again")
    assert load.sent == load.answered
    assert not load.refused
    assert 'clickatlas_fault{fault="opening",severity="broken"} 0.0' in metrics(served)
    with served.client() as client:
        each_once(served, client, load)
    assert served.log.read_text().count("is open in another process") == 1
    assert "Stop it." in served.log.read_text()


def test_a_damaged_store_is_set_aside_and_counting_goes_on(served: Served) -> None:
    with Load(served.port, "hit", "damaged") as load:
        until(lambda: len(load.answered) > 300, "short links answering")
    with served.client() as client:
        served.settled(client, len(load.answered))
    served.kill()
    store = served.data / "clicks.duckdb"
    damaged = os.urandom(store.stat().st_size)
    store.write_bytes(damaged)
    served.start()
    [aside] = set_aside_before(served.data)
    assert aside.read_bytes() == damaged
    assert "store_damaged" in health(served)[1]
    said = served.log.read_text()
    assert str(aside) in said
    assert "clickatlas restore BACKUP" in said
    # Its segment was not closed yet: the new store has all of it, once.
    with Load(served.port, "hit", "after") as after:
        until(lambda: len(after.answered) > 300, "short links answering")
    with served.client() as client:
        each_once(served, client, load, after)
    assert list((served.data / "spool-kept").glob("*/*.spool"))
    assert "Traceback" not in said


def test_damage_that_a_question_meets(data_folder: Callable[[str], Path]) -> None:
    data = data_folder("blocks")
    whole = bytearray(filled(data / "clicks.duckdb"))
    whole[BLOCK : 5 * BLOCK] = os.urandom(4 * BLOCK)
    (data / "clicks.duckdb").write_bytes(whole)
    served = Served(data).start()
    try:
        with served.client() as client:
            client.post("/api/links", json={"url": "https://example.com/", "code": "hit"}).raise_for_status()
            answer = client.get("/api/analytics/geo/countries")
            problem = is_problem(answer, 503)
            assert "damaged" in problem["title"]
            assert str(data) not in answer.text
        assert httpx.get(f"{served.url}/hit").status_code == 302
        assert "store_damaged" in health(served)[1]
        assert "Corrupt database file" in served.log.read_text()
        assert "Traceback" not in served.log.read_text()
    finally:
        served.kill()
