"""Plan gates as a table, and payments that switch a plan."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from clickatlas.links import keys, plans
from clickatlas.links.models import AuditEntry, Membership, Person, Workspace
from tests.server.making import make, word
from tests.server.problems import is_problem
from tests.server.served import Served, links_of, quickly, until

SECRET = "whsec_of_the_tests"
SAME = {"sec-fetch-site": "same-origin"}


def ago(days: int) -> str:
    return f"from={datetime.now(UTC) - timedelta(days=days):%Y-%m-%d}"


RECENT = ago(30)
# What is asked, by which key, and which entitlement it needs; "" needs none.
GATES = [
    ("GET", "/api/session", "session", ""),
    ("GET", "/api/links", "session", ""),
    ("GET", "/api/links", "token", "api"),
    ("POST", "/api/links", "token", "api"),
    ("GET", f"/api/analytics/geo/countries?{RECENT}", "session", ""),
    ("GET", f"/api/analytics/geo/postal-codes?{RECENT}", "session", "zip_level"),
    ("GET", "/api/areas/zip:02139", "session", "zip_level"),
    ("GET", "/api/areas/country:US", "session", ""),
    ("GET", f"/api/heat/areas?level=postal-codes&{RECENT}", "session", "zip_level"),
    ("GET", f"/api/analytics/clicks?area=zip:02139&{RECENT}", "session", "zip_level"),
    ("GET", f"/api/insights/audience?{RECENT}", "session", "demographics"),
    ("GET", f"/api/export/clicks.csv?{RECENT}", "session", "export"),
    ("GET", f"/api/export/countries.ndjson?{RECENT}", "session", "export"),
    ("GET", "/api/analytics/geo/countries", "session", "history_days"),
    ("GET", f"/api/analytics/clicks?{ago(400)}", "session", "history_days"),
    ("GET", f"/api/heat/tilejson?{ago(400)}", "session", "history_days"),
    ("GET", f"/api/compare/areas?{RECENT}&b.{ago(400)}", "session", "history_days"),
    ("GET", f"/api/compare/areas?{RECENT}&b.{ago(60)}", "session", ""),
]  # fmt: skip
HOLDS = {"unlimited": {"api", "zip_level", "demographics", "export", "history_days"},
         "pro": {"api", "zip_level", "demographics", "export"}, "free": set[str]()}  # fmt: skip


@pytest.fixture(scope="module")
def served(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    made = Served(data_folder("plans"), "--plan-webhook-secret", SECRET).start()
    yield made
    made.kill()


class Room:
    """A workspace on a plan, with a session and a token of its owner."""

    def __init__(self, served: Served, plan: str | None) -> None:
        self.served, database = served, links_of(served.data)
        with database.writing() as session:
            workspace, person = Workspace(name=word(), plan=plan), Person(name="Ann")
            session.add_all([workspace, person])
            session.flush()
            session.add(Membership(person_id=person.id, workspace_id=workspace.id, role="owner"))
            cookie = keys.issue(session, keys.SESSION, person.id, workspace.id)
            token = keys.issue(session, keys.TOKEN, person.id, workspace.id)
            self.number, self.name = workspace.id, workspace.name
        database.close()
        self.by = {"session": {"cookie": f"clickatlas_session={cookie}"} | SAME,
                   "token": {"authorization": f"Bearer {token}"}}  # fmt: skip

    def ask(self, method: str, path: str, by: str = "session", body: Any = None) -> httpx.Response:
        url = self.served.url + path
        return httpx.request(method, url, headers=self.by[by], json=body, timeout=60)

    @property
    def plan(self) -> str:
        return str(self.ask("GET", "/api/plan").json()["plan"])


@pytest.fixture(scope="module")
def rooms(served: Served) -> dict[str, Room]:
    return {name: Room(served, name) for name in plans.PLANS}


@pytest.mark.parametrize("plan", HOLDS)
@pytest.mark.parametrize(("method", "path", "by", "needs"), GATES)
def test_a_plan_opens_what_it_holds_and_no_more(
    rooms: dict[str, Room], plan: str, method: str, path: str, by: str, needs: str
) -> None:
    body = {"url": "https://example.com/"} if method == "POST" else None
    answer = rooms[plan].ask(method, path, by, body)
    held = not needs or needs in HOLDS[plan]
    if plan == "pro" and needs == "history_days":  # two years of it
        held = "from=" in path
    if held:
        assert answer.is_success, answer.text[:300]
    else:
        problem = is_problem(answer, 403)
        assert (problem["plan"], problem["entitlement"]) == (plan, needs)
        assert problem["remedy"]


def test_demographics_are_left_out_of_an_area(rooms: dict[str, Room]) -> None:
    assert rooms["pro"].ask("GET", f"/api/areas/country:US?{RECENT}").json()["people"]
    assert rooms["free"].ask("GET", f"/api/areas/country:US?{RECENT}").json()["people"] is None


def test_links_of_a_month_are_so_many(served: Served) -> None:
    room, most = Room(served, "free"), plans.PLANS["free"].links_per_month
    assert most
    rows = [{"url": f"https://example.com/{number}"} for number in range(most + 3)]
    answer = room.ask("POST", "/api/links/bulk", body={"links": rows}).json()
    assert (len(answer["made"]), len(answer["refused"])) == (most, 3)
    assert "remedy" in answer["refused"][0]
    refused = is_problem(room.ask("POST", "/api/links", body=rows[0]), 403)
    assert refused["entitlement"] == "links_per_month"
    assert "pro" in refused["remedy"]
    assert room.ask("GET", "/api/plan").json()["links_this_month"] == most


def imported(room: Room, content: str, **query: str) -> dict[str, Any]:
    """The report of an import."""
    url, query = f"{room.served.url}/api/imports", {"name": "links.csv"} | query
    begun = httpx.post(url, params=query, content=content.encode(), headers=room.by["session"], timeout=60)
    number = begun.raise_for_status().json()["id"]

    def done() -> dict[str, Any] | None:
        found: dict[str, Any] = room.ask("GET", f"/api/imports/{number}").json()
        assert found["state"] in ("running", "done"), found
        return found["report"] if found["state"] == "done" else None

    report: dict[str, Any] = until(done, "imported")
    return report


def test_imported_links_are_held_to_the_month_too(served: Served) -> None:
    """Whatever day they were made elsewhere; what is over is refused row by row, with the reason."""
    room, most = Room(served, "free"), plans.PLANS["free"].links_per_month
    assert most
    line = "{code},https://example.com/{code},2020-01-02"
    table = "\n".join(["code,url,created", *(line.format(code=f"{room.name}-{n}") for n in range(most + 2))])
    for query in ({"dry_run": "true"}, {}):
        report = imported(room, table, **query)
        assert (report["new_links"], report["refused"]) == (most, 2)
        assert "50 new links a month" in report["reasons"][0]["reason"]
        assert "Move this workspace to the plan" in report["reasons"][0]["reason"]
    assert room.ask("GET", "/api/plan").json()["links_this_month"] == most
    again = imported(
        room,
        f"code,url\n{room.name}-0,https://example.com/{room.name}-0\n{room.name}-x,https://example.com/x\n",
    )
    assert (again["known_links"], again["new_links"], again["refused"]) == (1, 0, 1)
    clicks = imported(
        room,
        f"time,code,url,country\n2026-01-01,{room.name}-y,https://example.com/y,US\n2026-01-01,{room.name}-0,,US\n",
    )
    assert (clicks["imported"], clicks["refused"]) == (1, 1)
    is_problem(room.ask("POST", "/api/links", body={"url": "https://example.com/"}), 403)


def test_the_page_is_told_how_far_back_it_may_ask(served: Served) -> None:
    for plan, days in (("free", 90), ("pro", 730), (None, None)):
        assert Room(served, plan).ask("GET", "/api/session").json()["history_days"] == days


def test_the_command_line_is_held_to_no_plan(served: Served) -> None:
    """Beside a running server as without one: who runs the machine reads what is on it."""
    with served.client() as api:
        make(api, code="of-the-operator")
    quickly("workspace", "plan", "1", "free", data=served.data)
    try:
        for table in ("links", "postal-codes", "clicks"):
            told = quickly("export", table, data=served.data).stdout
            assert told.strip(), table
        assert "of-the-operator" in quickly("export", "links", data=served.data).stdout
        assert "operator" not in quickly("token", "list", data=served.data).stdout  # for that long only
    finally:
        quickly("workspace", "plan", "1", "unlimited", data=served.data)


def test_a_self_hoster_holds_everything(served: Served) -> None:
    found = Room(served, None).ask("GET", "/api/plan").json()
    assert found["plan"] == "unlimited"
    assert found["links_per_month"] is found["history_days"] is None


def test_the_admin_switches_a_plan(served: Served) -> None:
    room = Room(served, None)
    assert "before the default" in quickly("workspace", "plan", room.name, "free", data=served.data).stdout
    assert f"{room.number}\t{room.name}\tfree" in quickly("workspace", "list", data=served.data).stdout
    assert "before free" in quickly("workspace", "plan", str(room.number), "pro", data=served.data).stdout
    assert room.plan == "pro"
    quickly("workspace", "plan", "no such", "pro", data=served.data, code=1)


def signed(body: bytes, at: float | None = None, secret: str = SECRET) -> str:
    moment = int(time.time() if at is None else at)
    right = hmac.new(secret.encode(), b"%d." % moment + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={right},v0=ignored"


def event(kind: str, created: int = 1_800_000_000, **thing: Any) -> dict[str, Any]:
    return {
        "id": f"evt_{word()}",
        "object": "event",
        "type": kind,
        "created": created,
        "data": {"object": thing},
    }


def send(served: Served, body: dict[str, Any] | bytes, header: str | None = None) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"stripe-signature": signed(content) if header is None else header}
    return httpx.post(f"{served.url}/api/plan/webhook", content=content, headers=headers, timeout=60)


def test_a_payment_switches_the_plan_and_its_end_switches_back(served: Served) -> None:
    room = Room(served, "free")
    assert room.plan == "free"
    is_problem(room.ask("GET", "/api/links", "token"), 403)
    paid = event("checkout.session.completed", client_reference_id=str(room.number), customer=f"cus_{room.name}", payment_status="paid")  # fmt: skip
    assert send(served, paid).json() == {"changed": True}
    assert room.ask("GET", "/api/links", "token").status_code == 200  # at once
    assert send(served, paid).json() == {"changed": False}  # sent again
    late = event(
        "customer.subscription.updated", 1_700_000_000, customer=f"cus_{room.name}", status="canceled"
    )
    assert send(served, late).json() == {"changed": False}  # older than what is known
    assert room.plan == "pro"
    ended = event("customer.subscription.deleted", 1_800_000_500, customer=f"cus_{room.name}")
    assert send(served, ended).json() == {"changed": True}
    assert room.plan == "free"
    database = links_of(served.data)
    with database.reading() as session:
        entries = session.query(AuditEntry).filter_by(workspace_id=room.number, action="plan.change").all()
        assert [entry.subject for entry in entries] == ["pro", "free"]
    database.close()


def test_what_pays_for_nothing_changes_nothing(served: Served) -> None:
    room = Room(served, "free")
    mine = {"client_reference_id": str(room.number)}
    for body in (
        event("checkout.session.completed", **mine, payment_status="unpaid"),
        event("invoice.paid", **mine),
        event("checkout.session.completed", client_reference_id="99999999", payment_status="paid"),
        event("customer.subscription.updated", customer="cus_of_nobody", status="active"),
    ):
        assert send(served, body).json() == {"changed": False}
    generous = event("customer.subscription.created", status="active", metadata={"workspace": str(room.number), "plan": "unlimited"})  # fmt: skip
    assert send(served, generous).json() == {"changed": True}
    assert room.plan == "pro"  # nobody buys what is not sold


def test_only_the_payment_service_is_believed(served: Served) -> None:
    room = Room(served, "free")
    body = json.dumps(event("checkout.session.completed", client_reference_id=str(room.number), payment_status="paid")).encode()  # fmt: skip
    right = signed(body)
    for header in (
        "", "t=,v1=", right.replace("v1", "v0"), signed(body, secret="other"), signed(body + b" "),
        signed(body, time.time() - 400), signed(body, time.time() + 400), f"t=1,{right}", "t=" + "9" * 40 + ",v1=x",
        right.partition(",")[0], f"v1={'0' * 64},t={int(time.time())}",
    ):  # fmt: skip
        is_problem(send(served, body, header), 400)
    assert room.plan == "free"
    two = f"{right.partition(',')[0]},v1={'0' * 64},{right.split(',')[1]}"  # while a secret is replaced
    assert send(served, body, two).json() == {"changed": True}
    for junk in (b"", b"null", b"[]", b"{", b'{"id":"x","type":"y","created":1e99,"data":{}}', b"[" * 100_000,
                 b'{"id":1,"type":"y"}', b"\xff"):  # fmt: skip
        is_problem(send(served, junk), 422)
    is_problem(send(served, b" " * 300_000), 413)
