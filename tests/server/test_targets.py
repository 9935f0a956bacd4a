"""Targets of links and campaigns: given, shown, taken away, refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.server.making import make, word
from tests.server.problems import is_problem

SQUARE = [[-72.0, 42.0], [-71.0, 42.0], [-71.0, 43.0], [-72.0, 43.0], [-72.0, 42.0]]
HOLE = [[-71.6, 42.4], [-71.4, 42.4], [-71.4, 42.6], [-71.6, 42.4]]
EVERY_PART = {
    "areas": ["country:DE", "region:US-MA", "metro:14460", "zip:02139"],
    "circles": [{"lat": 42.36, "lon": -71.06, "km": 50.0}],
    "shape": {"type": "Polygon", "coordinates": [SQUARE, HOLE]},
}


def test_a_links_target_lives(api: httpx.Client) -> None:
    link = make(api)
    path = f"/api/links/{link['code']}"
    assert link["target"] is None
    changed = api.patch(path, json={"target": EVERY_PART}).raise_for_status().json()
    assert changed == link | {"target": EVERY_PART}
    assert api.get(path).json() == changed
    assert api.patch(path, json={"title": "x"}).json()["target"] == EVERY_PART, "left out, it stays"
    two = {"type": "MultiPolygon", "coordinates": [[SQUARE], [HOLE]]}
    moved = api.patch(path, json={"target": {"shape": two}}).raise_for_status().json()
    assert moved["target"] == {"areas": [], "circles": [], "shape": two}
    assert api.patch(path, json={"target": None}).raise_for_status().json()["target"] is None
    assert api.get(path).json()["target"] is None


def test_a_link_may_be_made_with_one(api: httpx.Client) -> None:
    made = make(api, target={"areas": ["zip:02139", "zip:02139"]})
    assert made["target"] == {"areas": ["zip:02139"], "circles": [], "shape": None}
    rows = api.get("/api/links", params={"search": made["code"]}).json()["rows"]
    assert "target" not in rows[0], "a list has no room for them"


@pytest.mark.parametrize("name", ["spring", "spring/summer", "Frühling 50 % & mehr?", "a#b"])
def test_a_campaigns_target_lives(api: httpx.Client, name: str) -> None:
    name = f"{word()} {name}"
    make(api, campaign=name)
    make(api, campaign=name)
    path = f"/api/campaigns/{quoted(name)}"
    assert api.get(path).raise_for_status().json() == {"name": name, "links": 2, "target": None}
    assert {"name": name, "links": 2, "targeted": False} in api.get("/api/campaigns").json()["rows"]
    changed = api.patch(path, json={"target": EVERY_PART}).raise_for_status().json()
    assert changed == {"name": name, "links": 2, "target": EVERY_PART} == api.get(path).json()
    assert {"name": name, "links": 2, "targeted": True} in api.get("/api/campaigns").json()["rows"]
    assert api.patch(path, json={}).json() == changed
    assert api.patch(path, json={"target": None}).raise_for_status().json()["target"] is None
    assert {"name": name, "links": 2, "targeted": False} in api.get("/api/campaigns").json()["rows"]


def quoted(name: str) -> str:
    return "".join(f"%{byte:02X}" for byte in name.encode())


def test_campaigns_that_there_are_none_of(api: httpx.Client) -> None:
    for name in (word(), "%00", "..%2f..%2fetc", "a%FF"):
        is_problem(api.get(f"/api/campaigns/{name}"), 404, 422)
        is_problem(api.patch(f"/api/campaigns/{name}", json={"target": None}), 404, 422)


def ring(points: int) -> list[list[float]]:
    return [*([at / 100, (at * 7 % 50) / 10] for at in range(points - 1)), [0.0, 0.0]]


def shape(*rings: Any, kind: str = "Polygon", **more: Any) -> dict[str, Any]:
    return {"shape": {"type": kind, "coordinates": list(rings)} | more}


REFUSED: list[Any] = [
    {}, [], "country:US", 5, {"areas": []}, {"areas": ["country:XX"]}, {"areas": ["zip:99999999"]}, {"areas": ["US"]},
    {"areas": ["country:US'; DROP TABLE links"]}, {"areas": ["country:US"] * 5001}, {"areas": [""]}, {"areas": ["x" * 81]},
    {"areas": [None]}, {"areas": "country:US"}, {"areas": ["country:US"], "owner": 1}, {"areas": ["\0"]},
    {"circles": [{"lat": 91, "lon": 0, "km": 1}]}, {"circles": [{"lat": 0, "lon": 400, "km": 1}]},
    {"circles": [{"lat": 0, "lon": 0, "km": 0}]}, {"circles": [{"lat": 0, "lon": 0, "km": -5}]},
    {"circles": [{"lat": 0, "lon": 0, "km": 1e9}]}, {"circles": [{"lat": 0, "lon": 0}]}, {"circles": [{"lat": "x", "lon": 0, "km": 1}]},
    {"circles": [{"lat": 0, "lon": 0, "km": 1, "x": 1}]}, {"circles": [{"lat": 0, "lon": 0, "km": 1}] * 51},
    {"shape": {}}, {"shape": {"type": "Point", "coordinates": [0, 0]}}, {"shape": {"type": "Polygon"}},
    {"shape": {"type": "GeometryCollection", "geometries": []}}, {"shape": {"type": "Feature", "geometry": None}},
    shape(), shape([]), shape(SQUARE[:4]), shape(SQUARE[:3]), shape([[0, 0]] * 3), shape([[0, 0, 5]] * 4), shape([[0]] * 4),
    shape([[0, 91]] * 4), shape([[361, 0]] * 4), shape([["a", 0]] * 4), shape([[None, 0]] * 4), shape(SQUARE, bbox=[0, 0, 1, 1]),
    shape(ring(2001)), shape(ring(1500), ring(501)), shape(*[HOLE] * 101), shape(SQUARE, kind="MultiPolygon"), shape(kind="MultiPolygon"),
    shape([ring(1500)], [ring(501)], kind="MultiPolygon"), shape(*[[HOLE] * 60] * 2, kind="MultiPolygon"),
]  # fmt: skip


@pytest.mark.parametrize("target", REFUSED, ids=lambda target: str(target)[:60])
def test_what_is_no_target_is_refused(api: httpx.Client, target: Any) -> None:
    link = api.get("/api/links", params={"search": "target-victim"}).json()["rows"]
    link = link[0] if link else make(api, code="target-victim", campaign="target victim")
    for path in (f"/api/links/{link['code']}", "/api/campaigns/target victim"):
        is_problem(api.patch(path, json={"target": target}), 422)
        assert api.get(path).json()["target"] is None
    is_problem(api.post("/api/links", json={"url": "https://example.com/", "target": target}), 422)


@pytest.mark.parametrize(
    "target",
    [
        *('{"circles": [{"lat": 0, "lon": NUMBER, "km": 1}]}'.replace("NUMBER", number)
          for number in ("NaN", "Infinity", "-Infinity", "1e999", "9" * 400)),
        r'{"areas": ["\ud800"]}', r'{"areas": ["country:\u0000"]}', "[" * 5000, '{"shape": ' * 5000,
    ],
    ids=lambda text: text[:50],
)  # fmt: skip
def test_what_json_has_no_word_for(api: httpx.Client, target: str) -> None:
    path = f"/api/links/{make(api)['code']}"
    headers = {"content-type": "application/json"}
    is_problem(api.patch(path, content=f'{{"target": {target}}}', headers=headers), 400, 422)


def test_the_largest_target_fits(api: httpx.Client) -> None:
    found = api.get("/api/areas", params={"search": "spring", "limit": 50}).json()["rows"]
    path = f"/api/links/{make(api)['code']}"
    circles = [{"lat": 0.5, "lon": 0.5, "km": 1.5}] * 50
    target = {"areas": [row["id"] for row in found], "circles": circles, **shape(ring(2000))}
    assert api.patch(path, json={"target": target}).raise_for_status().json()["target"] == target
    assert api.get(path).json()["target"] == target
