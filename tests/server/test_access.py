"""Every endpoint × role × workspace: nothing without a role, and nothing across workspaces."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, select

from clickatlas.links import keys, letters, shares
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Key, Membership, Person, Webhook, Workspace
from clickatlas.webhooks import outbox
from tests.name_server import name_server
from tests.server.access import ENDPOINTS, FILTERED, PRIVATE, Endpoint, Needs, Shows
from tests.server.making import wanted_domain, word
from tests.server.problems import is_problem
from tests.server.served import Served
from tests.server.visitors import DEVICES

# One for all: each new one would read the machine's certificates, which takes longer than the request.
CLIENT = httpx.Client(timeout=30)
NUMBERS = count(1 << 24)
SAME_ORIGIN = {"sec-fetch-site": "same-origin"}
LASTS = timedelta(days=2)
KEPT = "key of the tests"
# What the program should hold to, said again and not asked of it.
MAY = {
    "viewer": {Needs.READ},
    "editor": {Needs.READ, Needs.WRITE},
    "owner": {Needs.READ, Needs.WRITE, Needs.ADMIN},
}
SCOPES: dict[tuple[str, ...], set[Needs]] = {
    (): set(),
    ("read",): {Needs.READ},
    ("links:write",): {Needs.WRITE},
    ("read", "links:write"): {Needs.READ, Needs.WRITE},
    ("admin",): {Needs.READ, Needs.WRITE, Needs.ADMIN},
}


@dataclass(eq=False)
class Side:
    """One of two workspaces on a server: what `names` names is its own, `name` is in all it says."""

    served: Served
    name: str
    people: dict[str, int]  # role -> person
    workspace: int
    names: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str:
        return self.names["code"]

    def key(
        self, kind: str, role: str, scopes: Sequence[str] = ("admin",), lasts: timedelta = LASTS
    ) -> tuple[int, str]:
        """A new key's number and secret."""
        database = LinksDatabase(self.served.data)
        with database.writing() as session:
            secret = keys.issue(session, kind, self.people[role], self.workspace,
                                name=f"{self.name} {KEPT}", lasts=lasts, scopes=scopes)  # fmt: skip
            session.flush()
            number = session.scalars(select(Key.id).order_by(Key.id.desc()).limit(1)).one()
        database.close()
        return number, secret

    @cache  # noqa: B019 - a few sides, as long as the tests
    def secret(
        self, kind: str, lasts: timedelta = LASTS, role: str = "owner", scopes: Sequence[str] = ("admin",)
    ) -> str:
        return self.key(kind, role, scopes, lasts)[1]

    def by_token(self, role: str = "owner", scopes: Sequence[str] = ("admin",)) -> dict[str, str]:
        return {"authorization": f"Bearer {self.secret(keys.TOKEN, LASTS, role, scopes)}"} | SAME_ORIGIN

    def by_cookie(self, role: str = "owner") -> dict[str, str]:
        """A new one each time: signing out ends it."""
        return {"cookie": f"clickatlas_session={self.key(keys.SESSION, role)[1]}"} | SAME_ORIGIN

    def make_own(self, role: str = "owner") -> Side:
        """A link, a view, and a token and a session of somebody with this role: to be lost. More is made by `need`."""
        code, view = f"{self.name}-{word()}", {"name": f"{self.name} {word()}", "address": self.name}
        campaign = f"{self.name}-{word()}"
        link = {"url": "https://example.com/", "code": code, "title": self.name, "campaign": campaign,
                "target": {"areas": ["country:US"]}}  # fmt: skip
        self.send("POST", "/api/links", json=link)
        self.names = {
            "code": code,
            "campaign": campaign,
            "annotation": str(
                self.send(
                    "POST",
                    "/api/annotations",
                    json={
                        "at": "2026-11-03T08:00:00Z",
                        "text": f"{self.name} {word()}",
                        "campaign": campaign,
                    },
                )["id"]
            ),
            "view": str(self.send("POST", "/api/views", json=view)["id"]),
            "template": str(
                self.send("POST", "/api/utm-templates", json={"name": word(), "utm": {"source": self.name}})[
                    "id"
                ]
            ),
            "token": str(self.key(keys.TOKEN, role)[0]),
            "session": str(self.key(keys.SESSION, role)[0]),
            "workspace": str(self.workspace),
        } | self.company()
        return self

    def company(self) -> dict[str, str]:
        """Somebody in the workspace, and somebody who is invited; in place of those before."""
        database = LinksDatabase(self.served.data)
        with database.writing() as session:
            name = f"{self.name} company"
            session.execute(delete(Person).where(Person.name == name))
            person = Person(name=name)
            session.add(person)
            session.flush()
            session.add(Membership(person_id=person.id, workspace_id=self.workspace, role="viewer"))
            invited, _ = letters.invite(
                session, self.workspace, self.people["owner"], f"{self.name}@a.example", "viewer"
            )
            names = {"member": str(person.id), "invitation": str(invited.id)}
        database.close()
        return names

    def need(self, endpoint: Endpoint) -> None:
        """Make what `endpoint` names and only few rows do: a workspace has some hundreds of each at most."""
        for made, make in (
            (("import",), self.make_import),
            (("share", "webhook"), self.make_public),
            (("domain",), lambda: wanted_domain(self.served.data, self.workspace, self.name)),
        ):
            if made[0] not in self.names and any(f"{{{name}}}" in endpoint.path for name in made):
                self.names |= make()

    def make_import(self) -> dict[str, str]:
        """A finished import of a link that there is already."""
        content = f"code,url\n{self.code},https://example.com/\n".encode()
        return {"import": str(self.send("POST", f"/api/imports?name={self.name}", content=content)["id"])}

    def make_public(self) -> dict[str, str]:
        """A shared map, and a webhook that is off with something that was to be sent."""
        database = LinksDatabase(self.served.data)
        with database.writing() as session:
            fields = {"title": f"{self.name} {word()}", "filter": {}, "min_cell": 10, "mode": "heat"}
            share, _ = shares.create(session, self.workspace, self.people["owner"], fields)
            hook = Webhook(workspace_id=self.workspace, url="https://hooks.example/", events="click",
                           secret="whsec_", active=False)  # fmt: skip
            session.add(hook)
            session.flush()
            delivery = outbox.put(session, hook, outbox.TEST, {})
            session.flush()
            made = {"share": str(share.id), "webhook": str(hook.id), "delivery": str(delivery.id)}
        database.close()
        return made

    def send(self, method: str, path: str, **more: Any) -> Any:
        """Asked by this side's own token, and answered."""
        answer = CLIENT.request(method, self.served.url + path, headers=self.by_token(), **more)
        return answer.raise_for_status().json()

    def fresh(self, role: str = "owner") -> Side:
        """The same side with another link, view, …"""
        return replace(self).make_own(role)

    def click(self, address: str, times: int) -> None:
        headers = {"x-forwarded-for": address, "user-agent": DEVICES["desktop"]}
        for _ in range(times):
            assert CLIENT.get(f"{self.served.url}/{self.code}", headers=headers).status_code == 302

    def settled(self, clicks: int) -> None:
        with httpx.Client(base_url=self.served.url, headers=self.by_token(), timeout=30) as client:
            self.served.settled(client, clicks)

    def has(self) -> list[Any]:
        """What the workspace holds, as its owner sees it."""
        held = [
            self.send("GET", path)
            for path in (
                "/api/links?limit=500",
                "/api/views",
                "/api/annotations",
                "/api/utm-templates",
                "/api/session",
                "/api/people",
                "/api/invitations",
            )
        ]
        tokens = self.send("GET", "/api/tokens")["rows"]
        return [*held, [row["name"] for row in tokens if not row["name"].endswith(KEPT)]]


@pytest.fixture(scope="module")
def sides(data_folder: Callable[[str], Path]) -> Iterator[tuple[Side, Side]]:
    with name_server() as names:
        dns = f"127.0.0.1:{names.port}"
        served = Served(data_folder("access"), "--sign-in-rate", "0", "--dns-servers", dns).start()
        yield _two(served)
        served.kill()


def _two(served: Served) -> tuple[Side, Side]:
    database = LinksDatabase(served.data)
    made = []
    with database.writing() as session:
        for name in ("alder", "birch"):
            workspace = Workspace(name=f"{name} house")
            people = {role: Person(name=f"{name} {role}") for role in (*MAY, "nothing")}
            session.add_all([workspace, *people.values()])
            session.flush()
            for role, person in people.items():
                session.add(Membership(person_id=person.id, workspace_id=workspace.id, role=role))
            numbers = {role: person.id for role, person in people.items()}
            made.append(Side(served, name, numbers, workspace.id))
    database.close()
    alder, birch = (side.make_own() for side in made)
    alder.click("18.9.22.69", 3)
    birch.click("130.225.0.1", 5)
    alder.settled(3)
    birch.settled(5)
    return alder, birch


def ask(endpoint: Endpoint, subject: Side, headers: dict[str, str], more: str = "") -> httpx.Response:
    """`endpoint` asked about what is `subject`'s."""
    subject.need(endpoint)
    path, body = endpoint.asked(subject.names)
    url = f"{subject.served.url}{path}{'&' if '?' in path else '?'}{more}"
    return CLIENT.request(endpoint.method, url, headers=headers, json=body)


def test_every_endpoint_has_a_row(sides: tuple[Side, Side]) -> None:
    """A new endpoint fails here until it has a row in `access.py`: say what it shows, and of whom."""
    document = CLIENT.get(f"{sides[0].served.url}/api/openapi.json").json()
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
        # Somebody whose role is none.
        alder.by_token("nothing"),
        alder.by_cookie("nothing"),
    ]
    for headers in strangers:
        # From somewhere else each time: wrong keys are few a minute.
        somewhere = {"x-forwarded-for": str(ip_address(next(NUMBERS)))}
        answer = ask(endpoint, alder, headers | somewhere)
        is_problem(answer, 401)
        assert alder.name not in answer.text
    assert alder.has() == before


def keys_of(side: Side, endpoint: Endpoint) -> list[dict[str, str]]:
    """An owner's keys that open `endpoint`."""
    tokens = [] if endpoint.needs in (Needs.SESSION, Needs.OWNER) else [side.by_token()]
    return [*tokens, side.by_cookie()]


@every
def test_a_key_opens_its_own_workspace(sides: tuple[Side, Side], endpoint: Endpoint) -> None:
    for own in sides:
        for headers in keys_of(own, endpoint):
            answer = ask(endpoint, own.fresh() if endpoint.changes else own, headers)
            assert answer.status_code == endpoint.ok, answer.text[:300]


def lets_in(endpoint: Endpoint, role: str, scopes: tuple[str, ...] | None) -> bool:
    """Whether one of `role` may, by cookie (`scopes` is None) or by a token of these scopes."""
    if endpoint.needs is Needs.NOTHING:
        return True
    if endpoint.needs in (Needs.SESSION, Needs.OWNER):
        return scopes is None and (role == "owner" or endpoint.needs is Needs.SESSION)
    if endpoint.needs is Needs.KEYHOLDER:
        return scopes is None or (role == "owner" and scopes == ("admin",))
    return endpoint.needs in MAY[role] and (scopes is None or endpoint.needs in SCOPES[scopes])


@pytest.mark.parametrize("role", MAY)
@every
def test_a_role_and_a_scope_open_what_they_should_and_no_more(
    sides: tuple[Side, Side], endpoint: Endpoint, role: str
) -> None:
    alder, _birch = sides
    for scopes in (None, *SCOPES):
        may = lets_in(endpoint, role, scopes)
        subject = alder.fresh(role) if endpoint.changes else alder
        before = [] if may or not endpoint.changes else alder.has()
        headers = alder.by_cookie(role) if scopes is None else alder.by_token(role, scopes)
        answer = ask(endpoint, subject, headers)
        if may:
            assert answer.status_code == endpoint.ok, (scopes, answer.text[:300])
        else:
            problem = is_problem(answer, 403)
            assert problem["remedy"]
            assert alder.name not in answer.text
            if endpoint.changes:
                assert alder.has() == before


@every
def test_a_key_of_another_workspace_neither_sees_nor_changes(
    sides: tuple[Side, Side], endpoint: Endpoint
) -> None:
    for own, other in (sides, sides[::-1]):
        named = endpoint.shows is Shows.NAMED
        subject = own.fresh() if named and endpoint.changes else own
        before = own.has()
        for headers in keys_of(other, endpoint):
            if named:
                is_problem(ask(endpoint, subject, headers), 404)
            elif endpoint.changes:
                assert ask(endpoint, other.fresh(), headers).status_code == endpoint.ok
            else:
                answer = ask(endpoint, own, headers)
                assert answer.status_code == endpoint.ok, answer.text[:300]
                assert own.name.encode() not in answer.content
            if endpoint.path.startswith(FILTERED) and endpoint.shows is Shows.WORKSPACE:
                is_problem(ask(endpoint, own, headers, f"link={own.code}"), 404)
        assert own.has() == before
        if named:  # it was there all the time
            assert ask(endpoint, subject, own.by_cookie()).status_code == endpoint.ok


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
    reads = [endpoint for endpoint in PRIVATE if not endpoint.changes]
    headers = alder.by_cookie()

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
    """Without what names this moment, or one of the store: they grow with any click, and tell nothing else."""
    answer = re.sub(rb'"to":"[^"]*"', b"", answer)
    answer = re.sub(rb'"snapshot":"[^"]*"', b"", answer)
    return re.sub(rb'"ingest":\{[^}]*\}', b"", re.sub(rb"[?&]v=[^\"&]*", b"", answer))
