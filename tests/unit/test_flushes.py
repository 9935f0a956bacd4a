"""How often the spool has the disk itself take what it wrote: `spool_fsync_ms`, counted where the kernel is asked."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clickatlas.clicks.segments import has_writer
from clickatlas.redirect.spool import Spool
from tests.unit.test_spool_and_ingest import click


class Disk:
    """Takes the place of `os.fdatasync`, and notes when how many bytes of which file were on the disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken: dict[int, int] = {}  # by inode: bytes that are safe
        self.times: list[float] = []
        self.may = threading.Event()
        self.may.set()
        self.asked = threading.Event()
        self._real = os.fdatasync
        monkeypatch.setattr(os, "fdatasync", self._flush)

    def _flush(self, fd: int) -> None:
        size = os.fstat(fd).st_size  # what comes while the disk is busy is not surely taken
        self.asked.set()
        assert self.may.wait(30)
        self._real(fd)
        self.taken[os.fstat(fd).st_ino] = size
        self.times.append(time.monotonic())

    def has_all(self, folder: Path) -> bool:
        """Whether all that was written to the segments in `folder` is safe."""
        found = [path.stat() for path in folder.rglob("*.spool")]
        return bool(found) and all(self.taken.get(one.st_ino, 0) >= one.st_size for one in found)

    async def gets_all(self, folder: Path) -> None:
        """Within 30 s."""
        for _ in range(600):
            if self.has_all(folder):
                break
            await asyncio.sleep(0.05)
        assert self.has_all(folder)


def test_with_0_no_answer_goes_out_before_the_disk_has_its_click(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    spool = Spool(tmp_path, fsync_ms=0)

    async def ask() -> None:
        for number in range(20):  # one after the other: a flush each
            await spool.put(click(spool, number))
            assert disk.has_all(tmp_path)
            assert len(disk.times) == number + 1
        disk.may.clear()
        waiting = [spool.put(click(spool, number)) for number in range(100)]
        await asyncio.sleep(0.2)  # written, as a reader can see, and not answered
        assert not disk.has_all(tmp_path)
        assert not any(one.done() for one in waiting)
        disk.may.set()
        await asyncio.wait_for(asyncio.gather(*waiting), 30)
        assert disk.has_all(tmp_path)
        assert len(disk.times) <= 22  # they share it

    asyncio.run(ask())
    assert spool.lost == 0


def test_with_an_interval_answers_do_not_wait_and_the_disk_has_them_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, interval = Disk(monkeypatch), 0.1
    spool = Spool(tmp_path, fsync_ms=round(interval * 1000))

    async def ask() -> None:
        disk.may.clear()
        await asyncio.wait_for(spool.put(click(spool, 0)), 30)  # though the disk takes nothing
        assert not disk.times
        disk.may.set()
        began, number = time.monotonic(), 0
        while time.monotonic() - began < 10 * interval:
            number += 1
            await spool.put(click(spool, number))
            await asyncio.sleep(0)
        took = time.monotonic() - began
        assert len(disk.times) <= took / interval + 2 < number  # by the clock, however many clicks there are
        await disk.gets_all(tmp_path)
        count = len(disk.times)
        await asyncio.sleep(3 * interval)
        assert len(disk.times) == count  # nothing new: nothing is asked of the disk

    asyncio.run(ask())
    pauses = [after - before for before, after in zip(disk.times[1:], disk.times[2:], strict=False)]
    assert all(pause >= interval * 0.5 for pause in pauses), pauses


def test_what_comes_while_the_disk_is_busy_is_flushed_though_no_click_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    spool = Spool(tmp_path, fsync_ms=20)

    async def ask() -> None:
        disk.may.clear()
        await spool.put(click(spool, 0))
        assert await asyncio.to_thread(disk.asked.wait, 30)
        await spool.put(click(spool, 1))  # the last one
        disk.may.set()
        await disk.gets_all(tmp_path)

    asyncio.run(ask())
    assert len(disk.times) == 2


def test_who_ends_with_a_flush_in_the_queue_lets_go_of_the_segment(tmp_path: Path) -> None:
    spool, busy = Spool(tmp_path, fsync_ms=1), threading.Event()

    async def ask() -> None:
        loop = asyncio.get_running_loop()
        threads = ThreadPoolExecutor(1)
        loop.set_default_executor(threads)
        loop.run_in_executor(None, busy.wait, 30)
        await spool.put(click(spool, 0))
        while not threads._work_queue.qsize():  # no thread has taken it up
            await asyncio.sleep(0.001)
        threading.Timer(0.2, busy.set).start()

    asyncio.run(ask())
    spool.close()
    [segment] = tmp_path.rglob("*.spool")
    assert not has_writer(segment)
