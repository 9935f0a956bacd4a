"""A clock that is put back or forward: every click is counted, on the day that the clock then said."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clickatlas.atlas.files import current
from clickatlas.clicks import rollups
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.ingest import Ingest
from clickatlas.clicks.segments import segments
from clickatlas.links import keys
from clickatlas.links.database import LinksDatabase
from clickatlas.links.links import LinkDraft, create
from clickatlas.redirect.capture import Capture
from clickatlas.redirect.secret import SharedSecret
from clickatlas.redirect.server import create_street
from clickatlas.redirect.spool import MAX_AGE_S, Spool
from clickatlas.redirect.visitor import Proxies, VisitorKey
from clickatlas.settings import Settings
from tests.atlas_fixtures import built_atlas
from tests.unit.test_spool_and_ingest import drain, stored_times, write

NOON = int(datetime(2026, 3, 29, 12, tzinfo=UTC).timestamp() * 1000)
SECOND, HOUR, DAY = 1000, 3_600_000, 86_400_000
MIDNIGHT = NOON + 12 * HOUR


class Clock:
    """The wall clock, as somebody sets it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOON
        monkeypatch.setattr(time, "time_ns", lambda: self.now * 1_000_000)
        monkeypatch.setattr(time, "time", lambda: self.now / 1000)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


STEPS = {
    "by seconds": [0, -3 * SECOND, -10 * SECOND, -9 * SECOND],
    "by a day": [0, -DAY, -DAY + SECOND, SECOND],
    "by years": [0, -20 * 365 * DAY, 30 * 365 * DAY, 0],
    "over midnight": [12 * HOUR - SECOND, 12 * HOUR + SECOND, 12 * HOUR - 2 * SECOND, 12 * HOUR + 2 * SECOND],
    "1970, as after a boot without a battery": [0, -NOON + SECOND, SECOND],
}


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS.keys())
def test_clicks_are_counted_when_the_clock_said_they_were(
    tmp_path: Path, clock: Clock, steps: list[int]
) -> None:
    spool = Spool(tmp_path / "spool")
    atlas = current(built_atlas())
    assert atlas is not None
    capture = Capture(atlas, spool, Proxies(()))
    store = DuckDBStore(tmp_path / "clicks.duckdb")
    ingest = Ingest(tmp_path / "spool", store, keep_days=0)
    said = []
    headers = [(b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")]

    async def click() -> None:
        for step in steps:
            clock.now = NOON + step
            for _ in range(3):
                said.append(clock.now)
                await _recorded(capture, spool, headers)
            ingest.step()

    asyncio.run(click())
    assert sorted(stored_times(store)) == sorted(said)
    assert spool.lost == 0
    days = np.array(sorted({time // DAY for time in said} | {time // DAY + 1 for time in said})) * DAY
    counts = store.time_counts(Selection(), days, range(6))
    assert dict(zip((days // DAY).tolist(), counts.tolist(), strict=False)) == {
        day: Counter(time // DAY for time in said)[day] for day in (days[:-1] // DAY).tolist()
    }
    lag = ingest.lag()
    assert lag.clicks == 0
    assert lag.seconds == 0


async def _recorded(capture: Capture, spool: Spool, headers: list[tuple[bytes, bytes]]) -> None:
    answered = capture.record(1, "18.9.22.69", headers, head=False)
    if answered is not None:
        await answered
    spool.flush()


def test_segments_end_by_a_clock_that_nobody_sets(tmp_path: Path, clock: Clock) -> None:
    spool = Spool(tmp_path)
    write(spool, [1])
    clock.now += 10 * DAY
    write(spool, [2])
    clock.now -= 20 * DAY
    write(spool, [3])
    assert len(segments(spool.stream)) == 1
    spool._opened -= MAX_AGE_S + 1
    write(spool, [4])
    assert len(segments(spool.stream)) == 2


def test_a_visitor_when_the_clock_is_put_back(clock: Clock) -> None:
    secret = SharedSecret()
    first, second = VisitorKey(secret), VisitorKey(secret)

    def seen(worker: VisitorKey, now: int) -> int:
        return worker.hash(now, "18.9.22.69", "agent", 1)

    today = seen(first, NOON)
    assert seen(second, NOON - 5 * SECOND) == today
    tomorrow = seen(first, MIDNIGHT + SECOND)
    assert tomorrow != today
    # Over midnight and back: a worker that has the day's key keeps it to the end; the newer one serves any other.
    assert seen(second, MIDNIGHT - SECOND) == today
    assert seen(first, MIDNIGHT - SECOND) == tomorrow
    assert seen(second, MIDNIGHT + SECOND) == tomorrow
    # By more than a day: a new key, and none that was there before comes back.
    put_back = seen(first, MIDNIGHT + SECOND - 3 * DAY)
    assert put_back not in (today, tomorrow)
    assert seen(first, NOON) not in (today, tomorrow, put_back)


@pytest.mark.parametrize("settled", [True, False], ids=["rolled up", "single clicks"])
def test_retention_takes_what_is_old_by_the_clock_and_nothing_else(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, settled: bool
) -> None:
    monkeypatch.setattr(rollups, "SETTLE_AT", 10 if settled else 1_000_000)
    store = DuckDBStore(tmp_path / "clicks.duckdb")
    ingest = Ingest(tmp_path / "spool", store, keep_days=30)
    spool = Spool(tmp_path / "spool")
    times = [NOON - 40 * DAY + n for n in range(20)] + [NOON - n * DAY for n in range(5)] + [NOON + 400 * DAY]
    write(spool, times)

    def swept_at(now: int) -> tuple[int, int]:
        """(single clicks, clicks in all) after a sweep at `now`."""
        clock.now = now
        ingest._swept = -1e9
        drain(ingest)
        span = store.link_counts(Selection(), range(6))
        return len(stored_times(store)), sum(span.values())

    assert swept_at(NOON - 20 * DAY) == (26, 26)  # put back: nothing is old
    assert swept_at(NOON) == (6, 26)  # single clicks of 40 days ago go, their counts stay
    assert swept_at(NOON - 100 * DAY) == (6, 26)
    write(spool, [NOON - 100 * DAY])  # recorded while the clock was wrong
    found = swept_at(NOON)
    assert found[1] == 27
    assert NOON + 400 * DAY in stored_times(store)  # from the future: kept until it is old


def test_a_new_day_on_a_disk_that_refuses(tmp_path: Path) -> None:
    secret = SharedSecret(tmp_path / "run" / "visitors.lock")  # its folder is not there: no lock can be had
    key = VisitorKey(secret)
    today = key.hash(NOON, "18.9.22.69", "agent", 1)
    assert key.hash(NOON, "18.9.22.69", "agent", 1) == today
    assert key.hash(NOON + DAY, "18.9.22.69", "agent", 1) != today


def test_a_time_before_1970_is_counted_at_its_beginning(tmp_path: Path) -> None:
    """No clock can be set so, but single clicks and counts must agree whatever stands in the spool."""
    store, spool = DuckDBStore(tmp_path / "clicks.duckdb"), Spool(tmp_path / "spool")
    write(spool, [-DAY - 1, -DAY, -1, 0, 1, DAY])
    drain(Ingest(tmp_path / "spool", store))
    assert sorted(stored_times(store)) == [0, 0, 0, 0, 1, DAY]
    assert sum(store.link_counts(Selection(), range(6)).values()) == 6
    assert store.time_counts(Selection(), np.array([0, DAY, 2 * DAY]), range(6)).tolist() == [5, 1]


def test_a_link_expires_by_the_clock_as_it_is_now(tmp_path: Path, clock: Clock) -> None:
    """Set forward it ends at once, put back it leads on: the fast path and the slow one agree."""
    (tmp_path / "atlas").symlink_to(built_atlas(), target_is_directory=True)
    links = LinksDatabase(tmp_path)
    links.migrate()
    ends = datetime.fromtimestamp((NOON + HOUR) / 1000, UTC)
    with links.writing() as session:
        _, workspace = keys.owner(session)
        create(session, workspace, LinkDraft(url="https://example.com/", code="spring", expires_at=ends))
    links.close()
    street = create_street(Settings(data=tmp_path))

    async def answered(now: int) -> int:
        clock.now = now
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/spring", "query_string": b"", "headers": [], "client": ("18.9.22.69", 1)}  # fmt: skip
        await street(scope, receive, send)
        fast = street.short_link(b"/spring", b"GET", []) is not None
        assert fast == (sent[0]["status"] == 302)
        return int(sent[0]["status"])

    async def receive() -> Any:
        raise AssertionError("nothing to receive")

    async def all_of_them() -> list[int]:
        steps = (0, HOUR - 1, HOUR, 400 * DAY, HOUR - 1, -10 * DAY, HOUR + 1)
        return [await answered(NOON + step) for step in steps]

    assert asyncio.run(all_of_them()) == [302, 302, 410, 410, 302, 302, 410]
    street.spool.close()
    street.pulse.close()
