"""Several street workers count one visitor as one, and the key of the count is nowhere but in memory."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import duckdb
import httpx

from tests.server.making import make
from tests.server.served import Served, is_alive, until
from tests.server.visitors import DEVICES

VISITORS, CLICKS = 20, 12


def click(served: Served, url: str) -> None:
    for number in range(VISITORS):
        headers = {
            "x-forwarded-for": f"18.9.22.{number + 1}",
            "user-agent": DEVICES["desktop"],
            "connection": "close",
        }
        for _ in range(CLICKS):  # a connection each: the kernel hands them to either worker
            assert httpx.get(url, headers=headers, verify=False).status_code == 302


def test_two_workers_count_a_visitor_once(data_folder: Callable[[str], Path]) -> None:
    served = Served(data_folder("visitor-key"), "--workers", "2").start()
    streets = [pid for pid in served.street_pids() if is_alive(pid)]
    with served.client() as client:
        made = make(client)
        click(served, made["short_url"])
        served.settled(client, VISITORS * CLICKS)
        streams = list((served.data / "spool").iterdir())
        assert len(streams) == 2, "one worker answered all: nothing is shown"
        # One that is started in the place of another has the same key.
        os.kill(streets[0], signal.SIGKILL)
        until(lambda: not is_alive(streets[0]), "ended")
        until(lambda: len([p for p in served.street_pids() if is_alive(p)]) == len(streets), "started again")
        click(served, made["short_url"])
        served.settled(client, 2 * VISITORS * CLICKS)
    for pid in served.street_pids():
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert "Max core file size        0                    0 " in limits
    assert (served.data / "run" / "visitors.lock").read_bytes() == b""
    served.stop()
    with duckdb.connect(str(served.data / "clicks.duckdb"), read_only=True) as store:
        found = store.execute("SELECT count(*), count(DISTINCT visitor) FROM clicks").fetchone()
    assert found == (2 * VISITORS * CLICKS, VISITORS)
