"""Saved views: made, listed, changed, forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.server.making import word
from tests.server.problems import is_problem


def save(api: httpx.Client, name: str, address: str = "mode=areas") -> httpx.Response:
    return api.post("/api/views", json={"name": name, "address": address})


def test_a_view_lives(api: httpx.Client) -> None:
    name = f"Frühling, {word()} 👩‍💻"
    made = save(api, f"  {name} ", "?campaign=spring&within=1%2C2%2C3%2C4&b.link=x")
    assert made.status_code == 201
    view = made.json()
    assert view["name"] == name
    assert view["address"] == "campaign=spring&within=1%2C2%2C3%2C4&b.link=x"
    assert view["created_by"] == "Owner"
    created = datetime.fromisoformat(view["created_at"])
    assert timedelta() <= datetime.now(UTC) - created < timedelta(minutes=5)
    assert view in api.get("/api/views").json()["rows"]

    path = f"/api/views/{view['id']}"
    renamed = api.patch(path, json={"name": f"{name}!"}).raise_for_status().json()
    assert renamed == view | {"name": f"{name}!"}
    moved = api.patch(path, json={"address": ""}).raise_for_status().json()
    assert moved == renamed | {"address": ""}
    assert api.delete(path).status_code == 204
    is_problem(api.delete(path), 404)
    is_problem(api.patch(path, json={"name": "x"}), 404)
    assert moved["id"] not in [row["id"] for row in api.get("/api/views").json()["rows"]]


def test_views_are_listed_by_name(api: httpx.Client) -> None:
    mark = word()
    for name in ("b", "C", "a"):
        save(api, f"{mark} {name}").raise_for_status()
    names = [row["name"] for row in api.get("/api/views").json()["rows"] if row["name"].startswith(mark)]
    assert names == [f"{mark} a", f"{mark} b", f"{mark} C"]


def test_a_name_is_used_once(api: httpx.Client) -> None:
    taken, other = word(), word()
    save(api, taken).raise_for_status()
    is_problem(save(api, taken), 409)
    number = save(api, other).json()["id"]
    is_problem(api.patch(f"/api/views/{number}", json={"name": taken}), 409)
    assert api.patch(f"/api/views/{number}", json={"name": other}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "address": ""}, {"name": "   ", "address": ""}, {"name": "x" * 101, "address": ""}, {"name": "x"}, {"address": "x"},
        {"name": "a\nb", "address": ""}, {"name": "a\0", "address": ""}, {"name": "x", "address": "x" * 8001}, {"name": "x", "address": "a b"},
        {"name": "x", "address": "a#b"}, {"name": "x", "address": "a=\u00e9"}, {"name": "x", "address": "<script>"}, {"name": "x", "address": "", "owner": 1},
        {"name": None, "address": ""}, {"name": 5, "address": ""}, [], None,
    ],
    ids=lambda body: str(body)[:40],
)  # fmt: skip
def test_what_is_no_view_is_refused(api: httpx.Client, body: object) -> None:
    is_problem(api.post("/api/views", json=body), 422)


def test_the_largest_view_fits(api: httpx.Client) -> None:
    view = save(api, (word() * 10)[:100], "x" * 8000)
    assert view.status_code == 201
    is_problem(api.patch(f"/api/views/{view.json()['id']}", json={"name": None}), 422)


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 30, "%00"])
def test_numbers_that_are_none(api: httpx.Client, number: str) -> None:
    is_problem(api.delete(f"/api/views/{number}"), 404, 422)


def test_strangers_see_none(api: httpx.Client) -> None:
    is_problem(api.get("/api/views", headers={"authorization": "Bearer nobody"}), 401)
