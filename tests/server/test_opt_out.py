"""Who asks not to be tracked is a click from a region, and nobody in particular."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import httpx
import pytest

from tests.server.making import make
from tests.server.served import Served
from tests.server.test_redirects import clicks
from tests.server.visitors import DEVICES, record_of

MIT = {"x-forwarded-for": "18.9.22.69", "user-agent": DEVICES["desktop"], "accept-language": "en-US"}
ASKING = [{"dnt": "1"}, {"sec-gpc": "1"}, {"dnt": "1", "sec-gpc": "1"}, {"dnt": "0", "sec-gpc": "1"}]
NOT_ASKING = [{"dnt": "0"}, {"sec-gpc": "0"}, {"dnt": ""}, {"dnt": "null"}, {"sec-gpc": "11"}, {}]
POSITION = ("city", "postal_code", "lat", "lon", "radius_km")


def test_the_database_knows_more() -> None:
    assert record_of(MIT["x-forwarded-for"])["city"]["names"]["en"] == "Cambridge"


@pytest.mark.parametrize("signal", ASKING, ids=str)
def test_who_asks_is_a_click_from_a_region(api: httpx.Client, server: Served, signal: dict[str, str]) -> None:
    made = make(api)
    assert httpx.get(made["short_url"], headers=MIT | signal).status_code == 302
    (row,) = clicks(api, server, made["code"], 1)
    assert (row["country"], row["region"], row["unplaced"]) == ("US", "US-MA", True)
    assert all(row[name] is None for name in POSITION)
    assert (row["network"], row["device"], row["language"]) == ("residential", "desktop", "en-US")
    table = api.get("/api/analytics/geo/regions", params={"link": made["code"]}).json()
    assert (table["total"], table["unplaced"], table["rows"][0]["region_code"]) == (1, 1, "US-MA")
    assert api.get("/api/analytics/geo/cities", params={"link": made["code"]}).json()["unlisted"] == 1


@pytest.mark.parametrize("signal", NOT_ASKING, ids=str)
def test_who_does_not_ask_is_placed(api: httpx.Client, server: Served, signal: dict[str, str]) -> None:
    made = make(api)
    assert httpx.get(made["short_url"], headers=MIT | signal).status_code == 302
    (row,) = clicks(api, server, made["code"], 1)
    assert (row["city"], row["unplaced"]) == ("Cambridge", False)


def test_no_hash_is_kept_of_who_asks(data_folder: Callable[[str], Path]) -> None:
    served = Served(data_folder("opted-out")).start()
    with served.client() as client:
        made = make(client)
        for headers in (MIT, MIT | {"dnt": "1"}):
            for _ in range(3):
                httpx.get(made["short_url"], headers=headers)
        served.settled(client, 6)
    served.stop()
    with duckdb.connect(str(served.data / "clicks.duckdb"), read_only=True) as store:
        kept = sorted(visitor for (visitor,) in store.execute("SELECT visitor FROM clicks").fetchall())
    assert kept[:3] == [0, 0, 0]
    assert len(set(kept[3:])) == 1
    assert kept[3] != 0


def test_an_operator_may_decide_otherwise(data_folder: Callable[[str], Path]) -> None:
    served = Served(data_folder("not-respected"), "--no-respect-opt-out").start()
    try:
        with served.client() as client:
            made = make(client)
            httpx.get(made["short_url"], headers=MIT | {"dnt": "1"})
            (row,) = clicks(client, served, made["code"], 1)
            assert row["city"] == "Cambridge"
    finally:
        served.kill()
