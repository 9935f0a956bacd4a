"""From the file to ClickHouse as a user does it, over a socket; killed on either side of it at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from clickatlas.clicks.clickhouse import ClickHouseStore
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.opening import open_store
from tests.clickhouse import ClickHouse
from tests.conformance.filled import Filled, small
from tests.conformance.model import ALL
from tests.server.making import make
from tests.server.served import Served, command, environment, free_port, quickly, until

# As the command, with many small pieces; and it says when it has begun.
MOVING = """
from clickatlas.clicks import moving, moving_source
moving_source.PIECE, moving_source.ROLLED = 3000, 1500
copy = moving._copy
def said(*given):
    print("copying", flush=True)
    copy(*given)
moving._copy = said
from clickatlas.cli import main
main()
"""


@pytest.fixture
def clickhouse(tmp_path: Path) -> Iterator[ClickHouse]:
    made = ClickHouse(tmp_path / "clickhouse", free_port()).start()
    yield made
    made.kill()


@pytest.mark.timeout(900)
def test_killed_at_any_moment_it_goes_on(
    tmp_path: Path, clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch)
    data = tmp_path / "data"
    data.mkdir()
    model = Filled(data, 5)
    model.fill()
    chance, url, said = random.Random(7), clickhouse.url(), list[str]()
    for turn in range(12):
        moving = subprocess.Popen(
            [sys.executable, "-c", MOVING, "migrate-store", "--data", str(data)],
            env=environment(CLICKATLAS_CLICKS_URL=url),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert moving.stdout is not None
        if turn < 4 and moving.stdout.readline() == "copying\n":
            time.sleep(chance.uniform(0, 0.6))
            if turn == 2:
                clickhouse.kill()
            else:
                os.kill(moving.pid, signal.SIGKILL)
        out, err = moving.communicate()
        assert "Traceback" not in err, err
        if moving.returncode == 0:
            break
        if moving.returncode == 1:
            said.append(err)
            clickhouse.start()
    assert len(said) == 1
    assert all("goes on where it was" in each for each in said), said
    assert "equal" in out
    store = open_store(url, data, memory="")
    assert isinstance(store, ClickHouseStore)
    before, model.store = model.store, store  # type: ignore[assignment]
    model.check()
    model.store = before
    assert store.positions() == model.positions
    assert sum(store.link_counts(Selection(), ALL).values()) == len(model.clicks)
    store.close()
    again = command("migrate-store", data=data, CLICKATLAS_CLICKS_URL=url)
    assert f"All {len(model.clicks):,} clicks of this folder were copied" in again.stdout


def click(served: Served, code: str, times: int) -> None:
    with httpx.Client(base_url=served.url) as visitor:
        for number in range(times):
            header = {
                "x-forwarded-for": f"81.2.69.{142 + number % 50}",
                "user-agent": "Mozilla/5.0 Firefox/140.0",
            }
            assert visitor.get(f"/{code}", headers=header).status_code == 302


def told(client: httpx.Client) -> int:
    """Clicks of all countries."""
    answer = client.get("/api/analytics/geo/countries").raise_for_status()
    return sum(row["clicks"] for row in answer.json()["rows"])


def test_a_server_s_clicks_are_brought_along(
    data_folder: Callable[[str], Path], clickhouse: ClickHouse
) -> None:
    served = Served(data_folder("moving")).start()
    env = {"CLICKATLAS_CLICKS_URL": clickhouse.url()}
    try:
        with served.client() as client:
            code, gone = (make(client)["code"] for _ in range(2))
            click(served, code, 120)
            click(served, gone, 30)
            served.settled(client, 150)
            client.delete(f"/api/links/{gone}").raise_for_status()
            until(lambda: told(client) == 120, "the end of the link's clicks")
        assert "is running on" in quickly("migrate-store", data=served.data, code=1, **env).stderr
        served.stop()
        served.launch(**env)  # too early
        until(lambda: "clicks.duckdb has clicks, and" in served.log.read_text(), "the refusal", 120)
        click(served, code, 10)  # they wait in the spool
        served.stop()
        said = command("migrate-store", data=served.data, **env)
        assert "130 clicks" not in said.stdout  # those of the deleted link are not told
        assert "120 clicks are in" in said.stdout
        served.start(**env)
        with served.client() as client:
            status = served.settled(client, 130)
            assert status["store"]["clicks"] == 130
            assert told(client) == 130
            assert client.get(f"/api/links/{code}").json()["code"] == code
    finally:
        served.kill()


def test_without_an_address(tmp_path: Path) -> None:
    said = quickly("migrate-store", data=tmp_path, code=1).stderr
    assert "clicks_url is empty" in said
    assert "--clicks-url" in said
