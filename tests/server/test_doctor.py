"""`clickatlas doctor` on a clickatlas that is ill in one way after the other."""

from __future__ import annotations

import json
import os
import shutil
import signal
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from clickatlas.redirect.pulse import Pulse
from clickatlas.redirect.record import RECORD
from clickatlas.redirect.spool import HEADER, HEADER_CHECKED, MAGIC, VERSION
from tests.server.making import make
from tests.server.served import Served, command, until

VISITOR = {"x-forwarded-for": "18.9.22.69"}


@pytest.fixture(scope="module")
def ill(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    """A server of our own, with a few clicks."""
    served = Served(data_folder("ill")).start()
    with served.client() as client:
        made = make(client)
        for _ in range(7):
            assert client.get(made["short_url"], headers=VISITOR).status_code == 302
        served.settled(client, 7)
    yield served
    served.stop()


def doctor(data: Path, code: int | None = None, *flags: str) -> dict[str, dict[str, Any]]:
    """Findings by name; that exit code and the worst finding agree is looked at each time."""
    said = json.loads(command("doctor", "--json", *flags, data=data, code=None).stdout)
    if code is not None:
        assert said["exit_code"] == code, said
    worst = {found["level"] for found in said["findings"]}
    assert said["exit_code"] == (2 if "broken" in worst else 1 if "warning" in worst else 0)
    return {found["name"]: found for found in said["findings"]}


def health(served: Served) -> httpx.Response:
    return httpx.get(f"{served.url}/health", timeout=30)


def names(answer: httpx.Response) -> set[str]:
    return {fault["name"] for fault in answer.json()["faults"]}


def test_a_server_that_is_well(ill: Served) -> None:
    found = doctor(ill.data)
    assert "counting keeps up" in found["server"]["what"]
    assert "7 clicks" in found["figures"]["what"]
    assert found["links"]["what"] == "1 links."
    assert "broken" not in {one["level"] for one in found.values()}
    assert health(ill).status_code == 200
    text = command("doctor", data=ill.data, code=None).stdout
    assert "✓ The server is running" in text


def test_clicks_that_are_being_lost(ill: Served) -> None:
    pulse = Pulse.open(ill.data / "run", 9)
    pulse.turn(100, 0.001, lost=3)
    answer = health(ill)
    assert answer.status_code == 503
    assert answer.json()["ready"] is True  # short links and pages go on
    assert "clicks_lost" in names(answer)
    with ill.client() as client:
        assert client.get("/api/status").json()["lost"] == 3
    found = doctor(ill.data, 2)
    assert "So far 3, the last at 20" in found["clicks_lost"]["what"]
    assert "Make room" in found["clicks_lost"]["mend"]
    assert httpx.get(f"{ill.url}/health/ready").status_code == 200
    assert httpx.get(f"{ill.url}/health/live").json() == {"live": True}
    pulse.close()
    for path in (ill.data / "run").glob("street-9*.pulse"):
        path.unlink()


def test_counting_that_fails(ill: Served) -> None:
    newer = ill.data / "spool" / "newer" / "00000001.spool"
    newer.parent.mkdir()
    checksum = zlib.crc32(HEADER.pack(MAGIC, VERSION + 1, RECORD.itemsize, 0)[:HEADER_CHECKED])
    newer.write_bytes(HEADER.pack(MAGIC, VERSION + 1, RECORD.itemsize, checksum))
    until(lambda: "ingest_failing" in names(health(ill)), "the fault noticed")
    answer = health(ill)
    assert answer.status_code == 503
    assert str(ill.data) not in answer.text  # anybody may ask
    found = doctor(ill.data, 2)
    assert "It says: " in found["ingest_failing"]["what"]
    assert f"{VERSION + 1}" in found["ingest_failing"]["what"]
    shutil.rmtree(newer.parent)
    until(lambda: "ingest_failing" not in names(health(ill)), "the fault forgiven")


def test_segments_that_were_put_aside(ill: Served) -> None:
    aside = ill.data / "spool-aside"
    aside.mkdir(exist_ok=True)
    (aside / "torn.spool").write_bytes(b"torn")
    assert "spool_aside" in names(health(ill))
    assert doctor(ill.data, 1)["spool_aside"]["what"].startswith("1 spool segments")
    shutil.rmtree(aside)


def test_a_store_that_was_found_damaged(ill: Served) -> None:
    (ill.data / "spool-kept").mkdir()
    (ill.data / "clicks.duckdb.corrupt-20260101T000000").touch()
    assert "store_damaged" in names(health(ill))
    found = doctor(ill.data, 2)["store_damaged"]
    assert "corrupt-20260101T000000" in found["what"]
    assert "backup" in found["mend"]
    (ill.data / "spool-kept").rmdir()
    (ill.data / "clicks.duckdb.corrupt-20260101T000000").unlink()


def test_another_metrics_token(ill: Served) -> None:
    found = doctor(ill.data, 1, "--metrics-token", "another")
    assert "another metrics_token" in found["figures"]["what"]


def test_an_app_that_hangs(ill: Served) -> None:
    """A probe hears soon that it isn't ready, and doesn't hang with it."""
    pids = ill.app_pids()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        for path in ("/health", "/health/ready"):
            answer = httpx.get(f"{ill.url}{path}", timeout=30)
            assert (answer.status_code, answer.json()["ready"]) == (503, False)
            assert answer.elapsed.total_seconds() < 15  # of its 4 s, on a machine that is busy
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    until(lambda: health(ill).json()["ready"], "answering again")


def test_an_app_that_is_away(ill: Served) -> None:
    assert ill.process is not None
    os.kill(ill.process.pid, signal.SIGSTOP)  # so that it starts nobody again
    try:
        for pid in reversed(ill.app_pids()):
            os.kill(pid, signal.SIGKILL)
        found = doctor(ill.data, 2)
        assert "app process does not answer" in found["app_away"]["what"]
        answer = until(lambda: (a := health(ill)).status_code == 503 and a, "health without the app")
        assert answer.json()["live"] is True
        assert answer.json()["ready"] is False
        assert names(answer) == {"app_away"}
        assert set(answer.json()) == {"live", "ready", "faults", "version"}
        assert httpx.get(f"{ill.url}/health/live").json() == {"live": True}
        ready = httpx.get(f"{ill.url}/health/ready")
        assert (ready.status_code, ready.json()) == (503, {"ready": False})
    finally:
        os.kill(ill.process.pid, signal.SIGCONT)
    until(lambda: health(ill).json()["ready"], "the app again")
    assert "app_away" not in doctor(ill.data)


def test_what_a_stopped_server_left(ill: Served) -> None:
    ill.stop()
    found = doctor(ill.data)
    assert "not running" in found["server"]["what"]
    assert "7 clicks" in found["clicks"]["what"]
    pulse = Pulse.open(ill.data / "run", 9)
    pulse.turn(50, 0.001, lost=2)
    pulse.close()
    left = doctor(ill.data, 1)
    assert "2 could not be written down" in left["clicks_were_lost"]["what"]
    (ill.data / "run" / "street-9.pulse").unlink()


@pytest.mark.parametrize(("file", "name"), [("clicks.duckdb", "store"), ("links.sqlite", "links")])
def test_a_damaged_file(ill: Served, tmp_path: Path, file: str, name: str) -> None:
    ill.stop()
    data = tmp_path / "data"
    shutil.copytree(
        ill.data,
        data,
        symlinks=True,
        ignore=shutil.ignore_patterns("*.sock", "*.duckdb.wal", "*-wal", "*-shm"),
    )
    content = bytearray((data / file).read_bytes())
    content[0 : len(content)] = os.urandom(len(content))
    (data / file).write_bytes(bytes(content))
    found = doctor(data, 2)
    assert found[name]["level"] == "broken"
    assert "backup" in found[name]["mend"] or "whole and readable" in found[name]["mend"]
