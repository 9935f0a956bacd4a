"""A workspace that is deleted leaves nothing, and others are what they were, to the click."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clickatlas.links import keys
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Membership, Person, Workspace
from tests.server.problems import is_problem
from tests.server.served import Served, command, until

MARKS = ("Zedernholz", "zedernholz", "quittenbaum", "mispelstrauch")


def add_workspace(data: Path, name: str, both: int | None = None) -> str:
    """A token of the owner of a new workspace; the person `both` is in it, too."""
    database = LinksDatabase(data)
    with database.writing() as session:
        person = Person(name=f"{name} person", email=f"{name.lower()}@example.com")
        workspace = Workspace(name=f"{name} house")
        session.add_all([person, workspace])
        session.flush()
        session.add(Membership(person_id=person.id, workspace_id=workspace.id, role="owner"))
        if both is not None:
            session.add(Membership(person_id=both, workspace_id=workspace.id, role="viewer"))
        token = keys.issue(
            session, keys.TOKEN, person.id, workspace.id, name=f"{name} key", scopes=("admin",)
        )
    database.close()
    return token


def owner_of(data: Path) -> int:
    database = LinksDatabase(data)
    with database.writing() as session:
        person, _workspace = keys.owner(session)
    database.close()
    return person


def everything(data: Path) -> dict[str, bytes]:
    """Every byte of the data folder but the atlas."""
    return {
        str(path): path.read_bytes()
        for path in data.rglob("*")
        if path.is_file() and "atlas" not in path.relative_to(data).parts
    }


@pytest.mark.parametrize("way", ["api", "command line"])
def test_nothing_is_left(data_folder: Callable[[str], Path], way: str) -> None:
    served = Served(data_folder("leaving")).start()
    data = served.data
    mine, token = owner_of(data), add_workspace(data, "Zedernholz", owner_of(data))
    with served.client() as other, served.client(token) as api:
        kept = other.post(
            "/api/links", json={"url": "https://example.com/", "code": "stays", "campaign": "k"}
        )
        leaving = api.post("/api/links", json={
            "url": "https://quittenbaum.example/", "code": "leaves", "title": "mispelstrauch", "campaign": "Zedernholz",
            "tags": ["mispelstrauch"], "channel": "quittenbaum",
        })  # fmt: skip
        assert (kept.status_code, leaving.status_code) == (201, 201)
        api.post("/api/views", json={"name": "mispelstrauch", "address": ""}).raise_for_status()
        for number in range(40):
            headers = {"x-forwarded-for": f"18.9.22.{number}"}
            for code in ("stays", "leaves"):
                referrer = {"referer": f"https://{'mispelstrauch' if code == 'leaves' else 'stay'}.example/x"}
                assert other.get(f"{served.url}/{code}", headers=headers | referrer).status_code == 302
        served.settled(api, 40)
        served.settled(other, 40)
        before = answers(other)
        assert any(mark.encode() in content for content in everything(data).values() for mark in MARKS)
        if way == "api":
            is_problem(api.request("DELETE", "/api/workspace", json={"confirm": "house"}), 422)
            is_problem(api.request("DELETE", "/api/workspace"), 422)
            gone = api.request("DELETE", "/api/workspace", json={"confirm": "Zedernholz house"})
            assert gone.json() == {"links": 1, "people": 1}
            is_problem(api.get("/api/links"), 401)
        else:
            said = command("workspace", "delete", "Zedernholz house", "--yes", data=data).stdout
            assert said.startswith("1 links and 1 people deleted.")
        assert other.get(f"{served.url}/leaves").status_code == 404
        until(lambda: other.get("/api/status").json()["store"]["clicks"] == 40, "its clicks gone")
        assert answers(other) == before
        assert other.get("/api/session").json()["workspace"]["name"] == "My workspace"
    served.stop()
    command("compact", data=data)
    for name, content in everything(data).items():
        for mark in MARKS:
            assert mark.encode() not in content, f"{mark} in {name}"
    assert mine == owner_of(data)
    served.start()
    with served.client() as other:
        assert answers(other) == before
        is_problem(other.get("/api/links/leaves"), 404)
    served.stop()


def answers(api: Any) -> dict[str, Any]:
    paths = (
        "/api/links", "/api/views", "/api/analytics/geo/postal-codes", "/api/analytics/clicks?bucket=hour", "/api/filters",
        "/api/analytics/breakdown?by=referrer", "/api/export/clicks.ndjson?network=all",
    )  # fmt: skip
    found = {path: api.get(path).raise_for_status().text for path in paths}
    return {path: text if path.endswith("all") else json.loads(text) for path, text in found.items()}
