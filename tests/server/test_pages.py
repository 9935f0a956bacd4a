"""The page, the documents and the small files that browsers and machines ask for."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.server.problems import is_problem
from tests.server.served import Served


def test_health_tells_live_and_ready(server: Served) -> None:
    answer = httpx.get(f"{server.url}/health")
    assert answer.status_code == 200
    assert answer.json()["live"] is True
    assert answer.json()["ready"] is True
    assert "no-store" in answer.headers["cache-control"]


def test_status_tells_what_a_person_wants_to_know(api: httpx.Client) -> None:
    status = api.get("/api/status").json()
    assert set(status["ingest"]) >= {"lag_clicks", "lag_seconds"}
    assert status["store"]["clicks"] >= 0
    assert status["atlas"]["age_days"] >= 0
    assert status["atlas"]["built"]
    assert status["version"]


def test_the_api_describes_itself(server: Served) -> None:
    document = httpx.get(f"{server.url}/api/openapi.json").json()
    assert document["openapi"].startswith("3.")
    for path in (
        "/api/links",
        "/api/links/{code}",
        "/api/heat/tilejson",
        "/api/heat/tiles/{z}/{x}/{y}.mvt",
        "/health",
    ):
        assert path in document["paths"]
    names = {p["name"] for p in document["paths"]["/api/analytics/geo/{table}"]["get"]["parameters"]}
    assert {"link", "campaign", "channel", "tag", "from", "to", "tz", "device", "network", "area"} <= names


def test_the_interactive_docs_need_no_other_host(server: Served) -> None:
    page = httpx.get(f"{server.url}/docs")
    assert page.status_code == 200
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", page.text)
    for asset in re.findall(r"(?:src|href)=\"(/[^\"]+)\"", page.text):
        assert httpx.get(f"{server.url}{asset}").status_code == 200, asset


@pytest.mark.parametrize("path", ["/app", "/app/", "/app/links", "/app/map?network=all"])
def test_the_page_is_served_under_app(server: Served, path: str) -> None:
    answer = httpx.get(f"{server.url}{path}")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    for asset in re.findall(r"(?:src|href)=\"(/static/[^\"]+)\"", answer.text):
        assert httpx.get(f"{server.url}{asset}").status_code == 200, asset


def test_the_root_leads_to_the_page(server: Served) -> None:
    answer = httpx.get(f"{server.url}/")
    assert answer.status_code in (302, 303, 307)
    assert answer.headers["location"] == "/app"


def test_small_files(server: Served) -> None:
    assert "Disallow" in httpx.get(f"{server.url}/robots.txt").text
    assert httpx.get(f"{server.url}/favicon.ico").status_code in (200, 204)


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/static/nothing.js", "/metrics/x", "/.well-known/x", "/docs/x", "/health/x"]
)
def test_what_is_not_there_is_a_problem_document(server: Served, path: str) -> None:
    is_problem(httpx.get(f"{server.url}{path}"), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/api/links"), ("POST", "/health"), ("DELETE", "/api/links"), ("TRACE", "/api/links")],
)
def test_methods_that_are_not_there_are_a_problem_document(api: httpx.Client, method: str, path: str) -> None:
    is_problem(api.request(method, path), 405)


def test_areas_are_found_and_described(api: httpx.Client) -> None:
    rows = api.get("/api/areas", params={"search": "cambridge", "limit": 5}).json()["rows"]
    assert 1 <= len(rows) <= 5
    for row in rows:
        assert {
            "id",
            "name",
            "level",
            "flag",
            "country",
            "parents",
            "lat",
            "lon",
            "bbox",
            "population",
        } <= set(row)
    zip_code = api.get("/api/areas/zip:02139").json()
    assert zip_code["people"]["population"] > 10_000
    assert {parent["id"] for parent in zip_code["parents"]} >= {"country:US", "region:US-MA", "metro:14460"}
    assert api.get("/api/areas/country:FR").json()["name"] == "France"
    for area in ("country:XX", "zip:", ":", "x", "country:US%00", "zip:" + "0" * 5000):
        is_problem(api.get(f"/api/areas/{area}"), 404)
    for query in (
        {},
        {"search": ""},
        {"search": "a" * 101},
        {"search": "a", "limit": 0},
        {"search": "a", "limit": 101},
    ):
        is_problem(api.get("/api/areas", params=query), 422)
    for search in ("%", "\0", "\t", "\n", "é" * 50, "🇺🇸", "  ", "'; DROP TABLE"):
        assert api.get("/api/areas", params={"search": search}).status_code in (200, 422)


@pytest.mark.parametrize(
    ("search", "found"),
    [("camb", "city:4931972"), ("CAMB", "city:4931972"), ("02139", "zip:02139"), ("us-ma", "region:US-MA"),
     ("gb", "country:GB"), ("lodz", "metro:PL-3093133"), ("Zürich", "region:CH-ZH"), ("metro:14460", "metro:14460")],
)  # fmt: skip
def test_areas_are_found_by_name_code_and_id(api: httpx.Client, search: str, found: str) -> None:
    rows = api.get("/api/areas", params={"search": search}).raise_for_status().json()["rows"]
    assert found in [row["id"] for row in rows]
    assert len(rows) <= 20


def test_the_atlas_thanks_its_sources(api: httpx.Client) -> None:
    atlas = api.get("/api/atlas").json()
    assert atlas["places"] > 100_000
    assert atlas["areas"] > 100_000
    assert len(atlas["sources"]) >= 3
    for source in atlas["sources"]:
        assert source["name"]
        assert source["attribution"]
        assert source["licence"]
