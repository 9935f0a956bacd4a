"""On which domain links are: chosen for new ones, for many at once and for imports; moved; and no circles over them."""

from __future__ import annotations

from typing import Any

import httpx

from tests.name_server import NameServer
from tests.server.domains import add, api, check, follow, held, names, other, prove, running, served
from tests.server.making import make, word
from tests.server.problems import is_problem
from tests.server.served import Served, until

__all__ = ["api", "names", "other", "running", "served"]  # fixtures


def test_a_bulk_and_a_csv_say_which_domain(api: httpx.Client, names: NameServer, other: httpx.Client) -> None:
    first, second, wanted = held(api, names), held(api, names), add(api, f"{word()}.example.com")
    code = word()
    csv = f"url,code,domain\nhttps://a.example,{code},\nhttps://a.example,{code},{second['name'].upper()}\n"
    csv += f"https://a.example,{code},LINKS.example\nhttps://a.example,x,{wanted['name']}\n"

    def bulk(content: str, **params: str) -> httpx.Response:
        return api.post("/api/links/bulk.csv", content=content, headers={"content-type": "text/csv"}, params=params)  # fmt: skip

    answer = bulk(csv, domain=first["name"]).raise_for_status().json()
    hosts = (first["name"], second["name"], "links.example")
    assert [row["short_url"] for row in answer["made"]] == [f"https://{host}/{code}" for host in hosts]
    assert [(row["row"], row["field"]) for row in answer["refused"]] == [(4, "domain")]
    rows = {"links": [{"url": "https://a.example"}]}
    made = api.post("/api/links/bulk", json=rows, params={"domain": second["name"]}).json()["made"]
    assert made[0]["short_url"].startswith(f"https://{second['name']}/")
    for name in (wanted["name"], "evil.example", "\x00"):  # of the whole, not of each row
        assert is_problem(bulk("url\nhttps://a.example", domain=name), 422)["field"] == "domain"
    is_problem(other.post("/api/links/bulk", json=rows, params={"domain": first["name"]}), 422)


def test_a_link_moves_to_another_domain(
    api: httpx.Client, names: NameServer, served: Served, other: httpx.Client
) -> None:
    first, second = (held(api, names)["name"] for _ in range(2))
    code = word()
    link = make(api, code=code, domain=first, url="https://example.com/moves")

    def leads(host: str, path: str = code) -> bool:
        """Asked often enough to meet both workers."""
        found = {follow(served, f"/{path}", host).status_code for _ in range(10)}
        assert len(found) == 1
        return found == {302}

    def move(at: str, **fields: Any) -> httpx.Response:
        return api.patch(f"/api/links/{at}", json=fields)

    assert [leads(host) for host in (first, second, "links.example")] == [True, False, False]
    moved = move(link["code"], domain=second.upper()).raise_for_status().json()
    assert (moved["code"], moved["short_url"]) == (f"{code}@{second}", f"https://{second}/{code}")
    assert [leads(host) for host in (first, second)] == [False, True]
    is_problem(api.get(f"/api/links/{link['code']}"), 404)
    move(moved["code"], domain=None).raise_for_status()  # to the installation's host
    assert [leads(host) for host in ("links.example", second)] == [True, False]
    entry = api.get(f"/api/links/{code}/history").json()["rows"][0]
    assert entry["subject"] == f"{code}@{second} → {code}"
    back = move(code, domain=first, code=f"{code}x").raise_for_status().json()
    assert back["code"] == f"{code}x@{first}"
    assert leads(first, f"{code}x")
    assert not leads("links.example")
    # What is there stays there.
    here = make(api, code=f"{code}x", domain="links.example", url="https://example.com/first")
    for wanted in (None, "", "LINKS.example"):
        assert "taken" in is_problem(move(back["code"], domain=wanted), 409)["detail"]
    assert follow(served, f"/{here['code']}", "links.example").headers["location"] == "https://example.com/first"  # fmt: skip
    assert leads(first, f"{code}x")
    theirs = add(other, f"{word()}.example.com")
    prove(names, theirs)
    assert check(other, theirs)["verified_at"]
    for name in (theirs["name"], "evil.example", "x" * 256, "\x00"):
        assert is_problem(move(back["code"], domain=name), 422)["field"] == "domain"
    # Off a domain that was removed, a link is saved by moving it.
    number = next(row["id"] for row in api.get("/api/domains").json()["rows"] if row["name"] == first)
    api.delete(f"/api/domains/{number}").raise_for_status()
    move(back["code"], title="stays").raise_for_status()
    assert move(back["code"], domain=second).raise_for_status().json()["domain"] == second
    assert leads(second, f"{code}x")


def test_no_circles_over_own_domains(api: httpx.Client, names: NameServer, other: httpx.Client) -> None:
    name = held(api, names)["name"]
    wanted = add(api, f"{word()}.example.com")
    link = make(api)
    circles = (
        f"https://{name}/",
        f"http://{name.upper()}./x",
        f"https://{name}:443/x?y",
        "http://links.example/x",
    )
    for url in circles:
        said = is_problem(api.post("/api/links", json={"url": url}), 422)
        assert "circle" in said["detail"], url
        assert said["field"] == "url"
        is_problem(api.patch(f"/api/links/{link['code']}", json={"url": url}), 422)
    ways = {"split": [{"name": "a", "url": f"https://{name}/x"}, {"name": "b"}]}
    assert is_problem(api.patch(f"/api/links/{link['code']}", json=ways), 422)["field"] == "split.0.url"
    made = api.post("/api/links/bulk", json={"links": [{"url": f"https://{name}/x"}]}).json()
    assert "circle" in made["refused"][0]["detail"]
    # No short links are on another port, below the domain, or on one that isn't verified; and it is another's own affair.
    for url in (f"https://{name}:8443/", f"https://www.{name}/", f"https://{wanted['name']}/"):
        make(api, url=url)
    make(other, url=f"https://{name}/x")


def test_an_import_says_which_domain(
    api: httpx.Client, names: NameServer, served: Served, other: httpx.Client
) -> None:
    first, second = (held(api, names)["name"] for _ in range(2))
    wanted = add(api, f"{word()}.example.com")["name"]
    a, b, c, d, e = (word() for _ in range(5))
    csv = f"code,url\n{a},https://x.example/a\nbit.ly/{b},https://x.example/b\n{second}/{c},https://x.example/c\n"
    csv += f"https://links.example/{d},https://x.example/d\n{e},https://{first}/{a}\n"

    def bring(asked: httpx.Client, content: str, **params: Any) -> httpx.Response:
        return asked.post("/api/imports", content=content, params={"name": "links.csv"} | params)

    for dry in (True, False):
        begun = bring(api, csv, domain=first.upper(), dry_run=dry).raise_for_status().json()
        done = until(lambda begun=begun: ended(api, begun["id"]), "the import")
        assert (done["state"], done["report"]["new_links"], done["report"]["refused"]) == ("done", 4, 1)
        assert "circle" in done["report"]["reasons"][0]["reason"]
    codes = {f"{a}@{first}", f"{b}@{first}", f"{c}@{second}", d}
    assert codes <= {row["code"] for row in api.get("/api/links", params={"limit": 500}).json()["rows"]}
    for name in (wanted, "evil.example"):
        assert is_problem(bring(api, csv, domain=name), 422)["field"] == "domain"
    is_problem(bring(other, csv, domain=first), 422)
    asked = {"key": "k", "domain": wanted}
    is_problem(api.post("/api/imports/services/dub", json=asked), 422)
    # Clicks are found by a short address on the domain, and by the code as our own exports write it.
    clicks = f"time,code,country\n2026-01-01T00:00:00Z,https://{first}/{a},US\n2026-01-01T00:00:01Z,{a}@{first},US\n"
    begun = bring(api, clicks).raise_for_status().json()
    done = until(lambda: ended(api, begun["id"]), "the import")
    assert (done["report"]["imported"], done["report"]["refused"]) == (2, 0)


def ended(api: httpx.Client, number: str) -> Any:
    found = api.get(f"/api/imports/{number}").json()
    return found if found["state"] != "running" else None
