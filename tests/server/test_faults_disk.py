"""Disks that are full or read-only: every short link is answered; each click is counted once, or counted as lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from clickatlas.redirect.pulse import read_all
from clickatlas.reserve import SIZE
from tests.server.disk import Disk, small_disk
from tests.server.load import Load, counted
from tests.server.served import Served, command, free_port, is_alive, new_data, until


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk", 32) as made:
        yield made


@pytest.fixture
def on_disk(disk: Disk, atlas_folder: Path) -> Iterator[Served]:
    """A server whose whole data folder but the atlas is on the small disk."""
    data = disk.folder / "data"
    data.mkdir()
    (data / "atlas").symlink_to(atlas_folder, target_is_directory=True)
    served = Served(data, "--ingest-interval-ms", "50")
    served.log = disk.folder.with_name("server.log")  # not on that disk
    served.start()
    with served.client() as client:
        client.post("/api/links", json={"url": "https://example.com/", "code": "hit"}).raise_for_status()
    yield served
    if served.process is not None and served.process.poll() is None:
        served.kill()


def lost(served: Served) -> int:
    return sum(vitals.lost for vitals in read_all(served.data / "run"))


def said(served: Served, what: str) -> int:
    return served.log.read_text().count(what)


def answered_equals_counted_and_lost(served: Served, *loads: Load) -> int:
    """Every answered click is in the store once, or in the number of lost ones; returns that number."""
    answered = set().union(*(load.answered for load in loads))
    gone = lost(served)
    with served.client() as client:
        served.settled(client, len(answered) - gone)
        found = counted(client)
    assert not [mark for mark, times in found.items() if times > 1]
    assert set(found) <= answered
    assert len(answered) == len(found) + gone
    assert not [load.refused for load in loads if load.refused]
    return gone


def more(load: Load, clicks: int) -> None:
    """Wait for so many more answers."""
    enough = len(load.answered) + clicks
    until(lambda: len(load.answered) >= enough, "short links answered")


def test_a_full_disk(on_disk: Served, disk: Disk) -> None:
    with Load(on_disk.port, "hit", "full") as load:
        more(load, 200)
        for leave in (0, 100_000):
            disk.fill(leave)
            enough = lost(on_disk) + 100
            until(lambda enough=enough: lost(on_disk) > enough, "clicks lost")
            health = httpx.get(f"{on_disk.url}/health", timeout=30)
            assert health.status_code == 503
            assert "clicks_lost" in [fault["name"] for fault in health.json()["faults"]]
            disk.clear()
            more(load, 300)
    gone = answered_equals_counted_and_lost(on_disk, load)
    assert gone > 200
    key = {"authorization": f"Bearer {(on_disk.data / 'metrics.token').read_text().strip()}"}
    figures = httpx.get(f"{on_disk.url}/metrics", headers=key, timeout=30).text
    assert f"clickatlas_clicks_lost_total {float(gone)}" in figures
    assert 1 <= said(on_disk, "could not be written down") <= 8  # not one per click
    assert "Traceback" not in on_disk.log.read_text()


def test_a_disk_too_full_for_the_store(on_disk: Served, disk: Disk) -> None:
    """Room for the spool's next bytes at times, none for the store: it fails at its log, or at its checkpoint."""
    with Load(on_disk.port, "hit", "store") as load:
        more(load, 200)
        for _ in range(3):
            disk.fill(60_000)
            time.sleep(1.5)
            disk.clear()
            more(load, 300)
    answered_equals_counted_and_lost(on_disk, load)
    on_disk.stop()
    on_disk.start()
    answered_equals_counted_and_lost(on_disk, load)


def test_restarted_on_a_full_disk(on_disk: Served, disk: Disk) -> None:
    """Short links answer even so; the app comes up when there is room."""
    with Load(on_disk.port, "hit", "before") as before:
        more(before, 200)
    with on_disk.client() as client:
        on_disk.settled(client, len(before.answered))
    disk.fill()
    os.kill(on_disk.street_pids()[-1], signal.SIGKILL)
    for app in on_disk.app_pids():
        os.kill(app, signal.SIGKILL)
    with Load(on_disk.port, "hit", "after") as after:
        more(after, 300)
        disk.clear()
        until(lambda: _ready(on_disk), "ready again")
        more(after, 300)
    with on_disk.client() as client:
        on_disk.settled(client, 1)
        found = counted(client)
    assert set(before.answered) <= set(found)
    assert len(set(after.answered) & set(found)) >= 250
    assert max(found.values()) == 1
    assert not after.refused


@pytest.mark.parametrize("how", ["stopped", "all killed"])
def test_started_on_a_full_disk(on_disk: Served, disk: Disk, how: str) -> None:
    """After an ordered stop or a loss of power: short links answer, and all goes on when there is room."""
    reserve = on_disk.data / "reserve"
    assert reserve.stat().st_size == SIZE
    with Load(on_disk.port, "hit", "before") as before:
        more(before, 200)
    if how == "stopped":
        on_disk.stop()
        assert not list(on_disk.data.glob("links.sqlite-*"))
    else:
        family = on_disk.kill()
        until(lambda: not any(is_alive(pid) for pid in family), "ended")
        for made in on_disk.data.glob("links.sqlite-shm"):
            made.unlink()
    disk.fill()
    assert disk.free() == 0
    on_disk.launch()
    until(lambda: _redirects(on_disk), "short links answer")
    assert not reserve.exists()
    assert "Make room" in on_disk.log.read_text()
    disk.fill()  # what the start left of it
    for pid in on_disk.street_pids():
        os.kill(pid, signal.SIGKILL)
    with Load(on_disk.port, "hit", "full") as full:
        more(full, 200)
        disk.clear()
        until(lambda: _ready(on_disk), "ready")
        until(reserve.exists, "made again")
        more(full, 200)
    with on_disk.client() as client:
        on_disk.settled(client, len(before.answered))
        found = counted(client)
    assert before.answered <= set(found)
    assert max(found.values()) == 1
    assert not full.refused
    assert "Traceback" not in on_disk.log.read_text()


def test_started_on_a_full_disk_without_a_reserve(on_disk: Served, disk: Disk) -> None:
    on_disk.stop()
    (on_disk.data / "reserve").unlink()
    disk.fill()
    ended = command("serve", "--port", str(on_disk.port), data=on_disk.data, code=1)
    assert "Make room" in ended.stderr
    disk.clear()
    on_disk.start()
    with on_disk.client() as client:
        assert [row["code"] for row in client.get("/api/links").raise_for_status().json()["rows"]] == ["hit"]


def _redirects(served: Served) -> bool:
    try:
        return httpx.get(f"{served.url}/hit", timeout=10).status_code == 302
    except httpx.TransportError:
        return False


def _ready(served: Served) -> bool:
    try:
        return bool(httpx.get(f"{served.url}/health", timeout=10).json()["ready"])
    except (httpx.TransportError, ValueError):
        return False


@pytest.mark.parametrize("how", ["the disk", "the folder"])
def test_a_spool_that_becomes_read_only(tmp_path: Path, atlas_folder: Path, how: str) -> None:
    if how == "the folder" and os.geteuid() == 0:
        pytest.skip("root may write to any folder")
    data = new_data(tmp_path / "data", atlas_folder)
    with ExitStack() as undo:
        (data / "spool").mkdir()
        disk = undo.enter_context(small_disk(data / "spool", 8)) if how == "the disk" else None

        def read_only(yes: bool) -> None:
            if disk is not None:
                disk.read_only(yes)
            else:
                (data / "spool").chmod(0o500 if yes else 0o700)

        served = Served(data, "--ingest-interval-ms", "50").start()
        undo.callback(served.kill)
        with served.client() as client:
            client.post("/api/links", json={"url": "https://example.com/", "code": "hit"}).raise_for_status()
        read_only(True)
        undo.callback(read_only, False)
        with Load(served.port, "hit", "ro") as load:
            until(lambda: lost(served) > 100, "clicks lost")
            read_only(False)
            more(load, 300)
        assert answered_equals_counted_and_lost(served, load) > 100
        assert 1 <= said(served, "could not be written down") <= 3


def test_started_on_a_read_only_disk(disk: Disk, atlas_folder: Path) -> None:
    data = disk.folder / "data"
    data.mkdir()
    (data / "atlas").symlink_to(atlas_folder, target_is_directory=True)
    disk.read_only(True)
    ended = command("serve", "--port", str(free_port()), data=data, code=1)
    assert "read-only" in ended.stderr.lower()
    assert "writable" in ended.stderr
    disk.read_only(False)
