"""Every endpoint × role × workspace: nothing without a role, and nothing across workspaces."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from clickatlas.links import keys
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Membership, Person, Workspace
from tests.server.access import ENDPOINTS, FILTERED, PRIVATE, Endpoint, Shows
from tests.server.making import word
from tests.server.problems import is_problem
from tests.server.served import Served
from tests.server.visitors import DEVICES

# One for all: each new one would read the machine's certificates, which takes longer than the request.
CLIENT = httpx.Client(timeout=30)
NUMBERS = count(1 << 24)
SAME_ORIGIN = {"sec-fetch-site": "same-origin"}


@dataclass(eq=False)
class Side:
    """One of two workspaces on a server: `code` and `view` are its own, `name` is in all it says."""

    served: Served
    name: str
    person: int
    workspace: int
    code: str = ""
    view: int = 0
    _sessions: int = 0

    @cache  # noqa: B019 - a few sides, as long as the tests
    def secret(self, kind: str, lasts: timedelta = timedelta(hours=1)) -> str:
        database = LinksDatabase(self.served.data)
        with database.writing() as session:
            made = keys.issue(session, kind, self.person, self.workspace, name="table", lasts=lasts)
        database.close()
        return made

    def by_token(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.secret(keys.TOKEN)}"}

    def by_cookie(self) -> dict[str, str]:
        """A new one each time: signing out ends it."""
        self._sessions += 1
        secret = self.secret(keys.SESSION, timedelta(hours=1, seconds=self._sessions))
        return {"cookie": f"clickatlas_session={secret}"} | SAME_ORIGIN

    def make_own(self) -> Side:
        """A link and a view to lose."""
        self.code, view = f"{self.name}-{word()}", {"name": f"{self.name} {word()}", "address": self.name}
        link = {"url": "https://example.com/", "code": self.code, "title": self.name}
        self.send("POST", "/api/links", json=link)
        self.view = self.send("POST", "/api/views", json=view)["id"]
        return self

    def send(self, method: str, path: str, **more: Any) -> Any:
        """Asked by this side's own token, and answered."""
        answer = CLIENT.request(method, self.served.url + path, headers=self.by_token(), **more)
        return answer.raise_for_status().json()

    def fresh(self) -> Side:
        """The same side with another link and view."""
        return replace(self).make_own()

    def click(self, address: str, times: int) -> None:
        headers = {"x-forwarded-for": address, "user-agent": DEVICES["desktop"]}
        for _ in range(times):
            assert CLIENT.get(f"{self.served.url}/{self.code}", headers=headers).status_code == 302

    def settled(self, clicks: int) -> None:
        with httpx.Client(base_url=self.served.url, headers=self.by_token(), timeout=30) as client:
            self.served.settled(client, clicks)

    def has(self) -> list[Any]:
        """What the workspace holds, as its owner sees it."""
        return [self.send("GET", path) for path in ("/api/links?limit=500", "/api/views", "/api/session")]


@pytest.fixture(scope="module")
def sides(data_folder: Callable[[str], Path]) -> Iterator[tuple[Side, Side]]:
    served = Served(data_folder("access")).start()
    database = LinksDatabase(served.data)
    made = []
    with database.writing() as session:
        for name in ("alder", "birch"):
            person, workspace = Person(name=f"{name} person"), Workspace(name=f"{name} house")
            session.add_all([person, workspace])
            session.flush()
            session.add(Membership(person_id=person.id, workspace_id=workspace.id, role="owner"))
            made.append(Side(served, name, person.id, workspace.id))
    database.close()
    alder, birch = (side.make_own() for side in made)
    alder.click("18.9.22.69", 3)
    birch.click("130.225.0.1", 5)
    alder.settled(3)
    birch.settled(5)
    yield alder, birch
    served.kill()


def ask(endpoint: Endpoint, subject: Side, headers: dict[str, str], more: str = "") -> httpx.Response:
    """`endpoint` asked about what is `subject`'s."""
    path, body = endpoint.asked(subject.code, subject.view)
    url = f"{subject.served.url}{path}{'&' if '?' in path else '?'}{more}"
    return CLIENT.request(endpoint.method, url, headers=headers, json=body)


def test_every_endpoint_has_a_row(sides: tuple[Side, Side]) -> None:
    """A new endpoint fails here until it has a row in `access.py`: say what it shows, and of whom."""
    document = httpx.get(f"{sides[0].served.url}/api/openapi.json").json()
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == {(endpoint.method, endpoint.template) for endpoint in ENDPOINTS}
    assert len(ENDPOINTS) == len(described)


def endpoint_id(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.template}"


every = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=endpoint_id)
private = pytest.mark.parametrize("endpoint", PRIVATE, ids=endpoint_id)


@private
def test_nobody_gets_anything(sides: tuple[Side, Side], endpoint: Endpoint) -> None:
    alder, _birch = sides
    before = alder.has()
    strangers: list[dict[str, str]] = [
        {},
        SAME_ORIGIN,
        {"authorization": "Bearer cat_wrong"},
        {"cookie": "clickatlas_session=cas_wrong"} | SAME_ORIGIN,
        # Right secrets in the wrong place.
        {"authorization": f"Bearer {alder.secret(keys.SESSION)}"},
        {"authorization": f"Bearer {alder.secret(keys.SIGN_IN)}"},
        {"cookie": f"clickatlas_session={alder.secret(keys.TOKEN)}"} | SAME_ORIGIN,
        {"cookie": f"clickatlas_session={alder.secret(keys.SIGN_IN)}"} | SAME_ORIGIN,
        # Right secrets, too late.
        {"authorization": f"Bearer {alder.secret(keys.TOKEN, timedelta(seconds=-1))}"},
        {"cookie": f"clickatlas_session={alder.secret(keys.SESSION, timedelta(seconds=-1))}"} | SAME_ORIGIN,
    ]
    for headers in strangers:
        # From somewhere else each time: wrong keys are few a minute.
        somewhere = {"x-forwarded-for": str(ip_address(next(NUMBERS)))}
        answer = ask(endpoint, alder, headers | somewhere)
        is_problem(answer, 401)
        assert alder.name not in answer.text
    assert alder.has() == before


@every
def test_a_key_opens_its_own_workspace(sides: tuple[Side, Side], endpoint: Endpoint) -> None:
    for own in sides:
        for headers in (own.by_token(), own.by_cookie()):
            answer = ask(endpoint, own.fresh() if endpoint.changes else own, headers)
            assert answer.status_code == endpoint.ok, answer.text[:300]


@every
def test_a_key_of_another_workspace_neither_sees_nor_changes(
    sides: tuple[Side, Side], endpoint: Endpoint
) -> None:
    for own, other in (sides, sides[::-1]):
        before = own.has()
        for headers in (other.by_token(), other.by_cookie()):
            if endpoint.shows is Shows.NAMED:
                is_problem(ask(endpoint, own, headers), 404)
            elif endpoint.changes:
                assert ask(endpoint, other.fresh(), headers).status_code == endpoint.ok
            else:
                answer = ask(endpoint, own, headers)
                assert answer.status_code == endpoint.ok, answer.text[:300]
                assert own.name.encode() not in answer.content
            if endpoint.path.startswith(FILTERED) and endpoint.shows is Shows.WORKSPACE:
                is_problem(ask(endpoint, own, headers, f"link={own.code}"), 404)
        assert own.has() == before


@pytest.mark.parametrize("endpoint", [e for e in PRIVATE if e.changes], ids=endpoint_id)
def test_a_cookie_changes_nothing_for_another_page(sides: tuple[Side, Side], endpoint: Endpoint) -> None:
    alder, _birch = sides
    before = alder.has()
    cookie = {"cookie": alder.by_cookie()["cookie"]}
    for origin in ({}, {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        is_problem(ask(endpoint, alder, cookie | origin), 403)
    assert alder.has() == before


def test_nothing_that_one_workspace_does_shows_in_the_other(sides: tuple[Side, Side]) -> None:
    """Every answer to one is, byte for byte, the same after the other had links, views and clicks."""
    alder, birch = sides
    reads = [endpoint for endpoint in ENDPOINTS if not endpoint.changes and endpoint.template != "/health"]
    headers = alder.by_token()

    def answers() -> dict[str, bytes]:
        return {e.path: _settled(ask(e, alder, headers).content) for e in reads}

    before = answers()
    busy = birch.fresh()
    busy.click("18.9.22.69", 4)  # from where the first workspace's visitors are, too
    busy.click("62.24.64.1", 3)
    birch.settled(12)
    after = answers()
    for path, answer in before.items():
        assert after[path] == answer, path


def _settled(answer: bytes) -> bytes:
    """Without the tokens that name a moment of the store: they grow with any click, and tell nothing else."""
    answer = re.sub(rb'"snapshot":"[^"]*"', b"", answer)
    return re.sub(rb'"ingest":\{[^}]*\}', b"", re.sub(rb"[?&]v=[^\"&]*", b"", answer))
