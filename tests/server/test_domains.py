"""Workspaces' own domains: proved by real DNS, followed by visitors, asked about by a proxy, claimed by two."""

from __future__ import annotations

import socket
from io import BytesIO

import httpx
import pytest
import zxingcpp
from PIL import Image

from tests.name_server import NameServer
from tests.server.domains import add, api, check, follow, held, names, other, prove, running, served
from tests.server.making import make, word
from tests.server.problems import is_problem
from tests.server.served import Served, command, until

__all__ = ["api", "names", "other", "running", "served"]  # fixtures


def test_a_domain_is_proved_by_its_txt_record(api: httpx.Client, names: NameServer) -> None:
    domain = add(api, f"GO-{word()}.Example.com.")
    name = domain["name"]
    assert name == name.lower().rstrip(".")
    assert [(one["kind"], one["name"]) for one in domain["records"]] == [
        ("TXT", f"_clickatlas.{name}"), ("CNAME", name),
    ]  # fmt: skip
    assert domain["records"][1]["value"] == "links.example"
    is_problem(api.patch(f"/api/domains/{domain['id']}", json={"primary": True}), 409)
    is_problem(api.get("/api/domains/ask", params={"domain": name}), 404)
    assert "There is no TXT record" in check(api, domain)["problem"]
    names.says(f"_clickatlas.{name}", "TXT", '"something" "else"', '"\\255\\000"')
    assert "says something else" in check(api, domain)["problem"]
    names.broken = True
    assert "gave no answer" in check(api, domain)["problem"]
    names.broken = False
    value = domain["records"][0]["value"]
    names.says(f"_clickatlas.{name}", "TXT", '"v=spf1 -all"', f'"{value[:10]}" "{value[10:]}"')
    found = check(api, domain)
    assert found["verified_at"]
    assert not found["points_here"]
    assert "has no address yet" in found["problem"]
    names.says("links.example", "A", "192.0.2.1")
    names.says(name, "A", "192.0.2.9")
    assert "leads to 192.0.2.9" in check(api, domain)["problem"]
    names.says(name, "A", "192.0.2.9", "192.0.2.1")
    assert (check(api, domain)["points_here"], check(api, domain)["problem"]) == (True, "")
    names.says(name, "CNAME", "links.example")
    assert check(api, domain)["points_here"]
    for asked in (name, name.upper(), f"{name}.", "links.example"):
        assert httpx.get(f"{api.base_url}/api/domains/ask", params={"domain": asked}).status_code == 200
    names.records.clear()  # a record that is gone later doesn't stop a campaign
    assert check(api, domain)["verified_at"]


@pytest.mark.parametrize(
    "name",
    ["", "localhost", "example", "127.0.0.1", "[::1]", "https://go.example.com", "go.example.com/x", "go.example.com:443",
     "go example.com", "a@b.example.com", "-a.example.com", "a..example.com", "*.example.com", "x" * 64 + ".example.com",
     "go.example.com\r\nx: y", "printer.local", "xn--.example", "a." * 130 + "example", "\U0001f600" * 200],
    ids=lambda one: ascii(one[:20]),
)  # fmt: skip
def test_what_is_no_domain_is_refused(api: httpx.Client, name: str) -> None:
    answer = api.post("/api/domains", json={"name": name})
    assert is_problem(answer, 422)["field"] == "name"


def test_our_own_host_and_one_that_is_here_are_refused(api: httpx.Client) -> None:
    is_problem(api.post("/api/domains", json={"name": "LINKS.example"}), 409)
    domain = add(api, f"{word()}.example.com")
    is_problem(api.post("/api/domains", json={"name": domain["name"]}), 409)
    german = add(api, f"b\u00fccher-{word()}.example.com")
    assert german["name"].startswith("xn--bcher-")
    assert german["shown"].startswith("b\u00fccher-")


def test_links_are_on_their_own_domain_and_nowhere_else(
    api: httpx.Client, names: NameServer, served: Served
) -> None:
    domain, code = held(api, names), word()
    name = domain["name"]
    mine = make(api, code=code, domain=name, url="https://example.com/mine")
    ours = make(api, code=code, url="https://example.com/ours")
    assert (mine["code"], mine["domain"], mine["short_url"]) == (
        f"{code}@{name}",
        name,
        f"https://{name}/{code}",
    )
    assert (ours["code"], ours["domain"], ours["short_url"]) == (code, None, f"https://links.example/{code}")
    for host in (name, name.upper(), f"{name}:443", f"{name}.", f"{name}.:8000"):
        assert follow(served, f"/{code}", host).headers["location"] == "https://example.com/mine", host
    for host in (
        "links.example",
        "127.0.0.1",
        f"x.{name}",
        f"{name}.evil.example",
        f"{name}..",
        "[::1]:80",
        "",
    ):
        assert follow(served, f"/{code}", host).headers["location"] == "https://example.com/ours", host
    assert follow(served, f"/{code}@{name}", "links.example").status_code == 404
    assert follow(served, f"/{code}%40{name}", name).status_code == 404
    answer = api.get(f"/api/links/{mine['code']}/qr", params={"marked": False}).raise_for_status()
    assert zxingcpp.read_barcodes(Image.open(BytesIO(answer.content)))[0].text == mine["short_url"]
    is_problem(api.post("/api/links", json={"url": "https://a.example", "code": code, "domain": name}), 409)
    is_problem(api.post("/api/links", json={"url": "https://a.example", "code": f"{code}@{name}"}), 422)
    # Changed, it is seen by every worker at once; each request may meet another one.
    api.patch(
        f"/api/links/{mine['code']}", json={"url": "https://example.com/new", "code": f"{code}x"}
    ).raise_for_status()
    for _ in range(20):
        assert follow(served, f"/{code}x", name).headers["location"] == "https://example.com/new"
        assert follow(served, f"/{code}", name).status_code == 404
    served.settled(api, 1)
    table = api.get(f"/api/analytics/geo/{code}x@{name}/countries", params={"network": "all"}).json()
    assert table["total"] == 25


def test_the_primary_domain_is_where_new_links_are(
    api: httpx.Client, names: NameServer, served: Served
) -> None:
    first, second = held(api, names), held(api, names)
    for domain in (first, second):
        assert api.patch(f"/api/domains/{domain['id']}", json={"primary": True}).json()["primary"]
    rows = {row["name"]: row["primary"] for row in api.get("/api/domains").json()["rows"]}
    assert (rows[first["name"]], rows[second["name"]]) == (False, True)
    assert make(api)["domain"] == second["name"]
    assert make(api, domain="links.example")["domain"] is None
    made = api.post("/api/links/bulk", json={"links": [{"url": "https://a.example"}]}).json()["made"]
    assert made[0]["short_url"].startswith(f"https://{second['name']}/")
    said = command("link", "create", "https://a.example", "--domain", first["name"], "--public-url", "https://links.example", data=served.data)  # fmt: skip
    assert said.stdout.startswith(f"https://{first['name']}/")
    api.patch(f"/api/domains/{second['id']}", json={"primary": False}).raise_for_status()
    assert make(api)["domain"] is None
    wanted = add(api, f"{word()}.example.com")
    for name in (wanted["name"], "evil.example", "\x00", "x" * 256):
        is_problem(api.post("/api/links", json={"url": "https://a.example", "domain": name}), 422)


def test_nothing_but_short_links_is_on_a_workspaces_domain(
    api: httpx.Client, names: NameServer, served: Served
) -> None:
    name = held(api, names)["name"]
    for path in (
        "/",
        "/app",
        "/app/sign-in?token=x",
        "/api/links",
        "/api/session",
        "/docs",
        "/metrics",
        "/app/oidc",
        "/a/b",
    ):
        answer = follow(served, path, name)
        assert answer.status_code == 404, path
        assert "set-cookie" not in answer.headers
    assert follow(served, "/robots.txt", name).status_code == 200
    locked = make(api, domain=name, password="correct horse", url="https://example.com/in")
    code = locked["code"].partition("@")[0]
    asked = follow(served, f"/{code}", name)
    assert asked.status_code == 401
    assert f'action="/app/unlock/{locked["code"]}"' in asked.text
    form = {"password": "correct horse", "query": ""}
    answer = httpx.post(f"{served.url}/app/unlock/{locked['code']}", data=form, headers={"host": name})
    assert answer.headers["location"].startswith(f"/{code}?open=")
    assert follow(served, answer.headers["location"], name).headers["location"] == "https://example.com/in"


def test_two_want_one_domain(
    api: httpx.Client, other: httpx.Client, names: NameServer, served: Served
) -> None:
    mine = held(api, names)
    link = make(api, domain=mine["name"])
    code = link["code"].partition("@")[0]
    is_problem(other.post("/api/links", json={"url": "https://a.example", "domain": mine["name"]}), 422)
    theirs = add(other, mine["name"])  # to want it is free
    assert theirs["records"][0]["value"] != mine["records"][0]["value"]
    assert not check(other, theirs)["verified_at"]
    prove(names, mine, theirs)
    found = check(other, theirs)
    assert not found["verified_at"]
    assert "Another workspace holds this domain" in found["problem"]
    assert follow(served, f"/{code}", mine["name"]).status_code == 302
    prove(names, theirs)  # it was sold: the record of before is gone
    assert check(other, theirs)["verified_at"]
    row = next(row for row in api.get("/api/domains").json()["rows"] if row["id"] == mine["id"])
    assert row["verified_at"] is None
    assert follow(served, f"/{code}", mine["name"]).status_code == 404
    new = make(other, domain=mine["name"], url="https://example.com/theirs")
    path = "/" + new["code"].partition("@")[0]
    assert follow(served, path, mine["name"]).headers["location"] == "https://example.com/theirs"


def test_a_domain_that_goes_takes_its_links_along_until_it_is_back(
    api: httpx.Client, names: NameServer, served: Served
) -> None:
    domain = held(api, names)
    link = make(api, domain=domain["name"])
    code = link["code"].partition("@")[0]
    assert follow(served, f"/{code}", domain["name"]).status_code == 302
    assert next(r for r in api.get("/api/domains").json()["rows"] if r["id"] == domain["id"])["links"] == 1
    assert api.delete(f"/api/domains/{domain['id']}").status_code == 204
    for _ in range(10):
        assert follow(served, f"/{code}", domain["name"]).status_code == 404
    assert api.get(f"/api/links/{link['code']}").json()["short_url"] == link["short_url"]
    again = add(api, domain["name"])
    prove(names, again)
    check(api, again)
    for _ in range(10):
        assert follow(served, f"/{code}", domain["name"]).status_code == 302


def test_two_hosts_are_no_way_around(api: httpx.Client, names: NameServer, served: Served) -> None:
    """What another header, a whole address or a second Host says leads to no other domain than the first says."""
    name = held(api, names)["name"]
    code = word()
    make(api, code=code, domain=name, url="https://example.com/mine")
    for head in (
        f"GET /{code} HTTP/1.1\r\nHost: links.example\r\nHost: {name}\r\n",
        f"GET /{code} HTTP/1.1\r\nHost: links.example\r\nX-Forwarded-Host: {name}\r\n",
        f"GET /{code} HTTP/1.1\r\nHost: {name}\x00\r\n",
    ):
        with socket.create_connection(("127.0.0.1", served.port), timeout=15) as line:
            line.sendall(f"{head}Connection: close\r\n\r\n".encode())
            said = b"".join(iter(lambda line=line: line.recv(65536), b""))  # type: ignore[misc]
            assert b"example.com/mine" not in said


def test_a_silent_name_server_is_said(api: httpx.Client, names: NameServer) -> None:
    domain = add(api, f"{word()}.example.com")
    names.silent = True
    assert "gave no answer" in check(api, domain)["problem"]
    assert until(lambda: api.get("/api/status").is_success, "answers meanwhile")
