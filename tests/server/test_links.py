"""Links through the API: made, listed, changed, deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.server.making import make, word
from tests.server.problems import is_problem
from tests.server.served import Served

FIELDS = {
    "code", "short_url", "url", "host", "title", "campaign", "channel", "tags", "created_at", "expires_at", "pass_query", "sample", "target",
    "starts_at", "max_clicks", "spent_at", "has_password", "status", "archived_at", "notes", "rules", "split", "domain",
}  # fmt: skip
RESERVED = ("api", "app", "docs", "static", "health", "metrics", "robots.txt", "favicon.ico", ".well-known")


def test_a_link_is_made_from_a_url_alone(api: httpx.Client, server: Served) -> None:
    made = make(api, url="https://example.com/spring?a=1#top")
    assert set(made) == FIELDS
    assert made["url"] == "https://example.com/spring?a=1#top"
    assert made["short_url"] == f"{server.url}/{made['code']}"
    assert len(made["code"]) >= 5
    assert made["sample"] is False
    assert httpx.get(made["short_url"]).headers["location"] == made["url"]


def test_all_fields_come_back_and_stay(api: httpx.Client) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    fields = {
        "code": word(), "title": "Früh­ling 🌷", "campaign": word(), "channel": "qr", "tags": ["b", "a", "b"],
        "expires_at": end.isoformat(), "pass_query": True,
    }  # fmt: skip
    made = make(api, **fields)
    kept = api.get(f"/api/links/{made['code']}").json()
    assert kept == made
    assert made["tags"] == ["a", "b"]
    assert datetime.fromisoformat(made["expires_at"]) == end
    assert {k: made[k] for k in ("code", "title", "campaign", "channel", "pass_query")} == {
        k: fields[k] for k in ("code", "title", "campaign", "channel", "pass_query")
    }


@pytest.mark.parametrize("code", [*RESERVED, "API", "Health"])
def test_reserved_codes_are_refused(api: httpx.Client, code: str) -> None:
    problem = is_problem(api.post("/api/links", json={"url": "https://example.com/", "code": code}), 409, 422)
    assert "reserved" in problem["detail"] or code.startswith(".")


def test_a_taken_code_is_refused_by_its_name(api: httpx.Client) -> None:
    one, other = make(api)["code"], make(api)["code"]
    assert (
        one
        in is_problem(api.post("/api/links", json={"url": "https://a.example", "code": one}), 409)["detail"]
    )
    problem = is_problem(api.patch(f"/api/links/{other}", json={"code": one}), 409)
    assert one in problem["detail"]
    assert api.get(f"/api/links/{other}").status_code == 200


@pytest.mark.parametrize(
    "code", ["a b", "a/b", "a?b", "ä", "a\n", "x" * 65, "..", "a%2fb", "a\u0000b", "<b>", "a\\b", " a"]
)
def test_unusable_codes_are_refused(api: httpx.Client, code: str) -> None:
    is_problem(api.post("/api/links", json={"url": "https://example.com/", "code": code}), 422)


@pytest.mark.parametrize(
    "url",
    [
        "", " ", "example.com", "javascript:alert(1)", "data:text/html,x", "ftp://example.com", "//example.com",
        "https://", "https:///path", "https://user:pw@example.com/", "https://exa mple.com/", "https://a.example:99999/",
        "https://example.com/\r\nset-cookie: a=b", "https://example.com/\u2028x", "https://[::1", "https://[fe80::1%25é]/",
        "https://[fe80::1%eth0]/", "https://[v1.é:]/", "https://ex\\ample.com/", "http://" + "a" * 300 + ".example/x\u0000",
        "https://example.com/" + "a" * 9000, "https://\u2100.example\u3002/../\u0007", "file:///etc/passwd",
        "https://a.example\\@b.example/",
    ],
)  # fmt: skip
def test_destinations_that_lead_nowhere_good_are_refused(api: httpx.Client, url: str) -> None:
    problem = is_problem(api.post("/api/links", json={"url": url}), 422)
    assert problem["remedy"]


@pytest.mark.parametrize(
    ("url", "leads_to"),
    [
        ("https://bücher.example/straße?q=ü#ö", "https://xn--bcher-kva.example/stra%C3%9Fe?q=%C3%BC#%C3%B6"),
        ("  HTTPS://Example.com/A b  ", "https://example.com/A%20b"),
        ("http://[2001:db8::1]:8080/x", "http://[2001:db8::1]:8080/x"),
        ("https://example.com/%E2%9C%93?x=%20", "https://example.com/%E2%9C%93?x=%20"),
        ("https://example.com?x=1", "https://example.com?x=1"),
    ],
)
def test_a_destination_becomes_safe_for_a_header(api: httpx.Client, url: str, leads_to: str) -> None:
    made = make(api, url=url)
    assert made["url"] == leads_to
    assert httpx.get(made["short_url"]).headers["location"] == leads_to


@pytest.mark.parametrize(
    "body",
    [
        {}, {"url": None}, {"url": 7}, {"url": ["https://a.example"]}, {"url": "https://a.example", "tags": "x"},
        {"url": "https://a.example", "colour": "red"}, {"url": "https://a.example", "title": "x" * 501},
        {"url": "https://a.example", "tags": ["x"] * 51}, {"url": "https://a.example", "tags": [""]},
        {"url": "https://a.example", "expires_at": "soon"}, {"url": "https://a.example", "expires_at": "0001-01-01T00:00:00+14:00"},
        {"url": "https://a.example", "expires_at": "9999-12-31T23:59:59-14:00"}, {"url": "https://a.example", "expires_at": 1e300},
        {"url": "https://a.example", "pass_query": "perhaps"}, {"url": "https://a.example", "channel": " "}, [], "x", 5, None,
    ],
    ids=str,
)  # fmt: skip
def test_bodies_that_make_no_link_are_refused(api: httpx.Client, body: Any) -> None:
    is_problem(api.post("/api/links", json=body), 422)


def test_change_reaches_the_very_next_redirect(api: httpx.Client) -> None:
    made = make(api)
    for number in range(20):
        changed = api.patch(f"/api/links/{made['code']}", json={"url": f"https://example.com/{number}"})
        assert changed.status_code == 200, changed.text
        answer = httpx.get(made["short_url"])
        assert answer.headers["location"] == f"https://example.com/{number}"


def test_change_touches_only_what_it_names(api: httpx.Client) -> None:
    made = make(api, title="old", tags=["a"], campaign=word(), channel="sms")
    changed = api.patch(f"/api/links/{made['code']}", json={"title": "new"}).json()
    assert changed == made | {"title": "new"}
    cleared = api.patch(
        f"/api/links/{made['code']}", json={"campaign": None, "channel": None, "tags": [], "title": None}
    ).json()
    assert (cleared["campaign"], cleared["channel"], cleared["tags"], cleared["title"]) == (
        None,
        None,
        [],
        "",
    )
    for field in ("url", "code", "pass_query"):
        is_problem(api.patch(f"/api/links/{made['code']}", json={field: None}), 422)
    is_problem(api.patch(f"/api/links/{made['code']}", json={"clicks": 5}), 422)
    assert api.get(f"/api/links/{made['code']}").json() == cleared


def test_a_renamed_link_leaves_its_old_code(api: httpx.Client, server: Served) -> None:
    made, new = make(api), word()
    assert httpx.get(f"{server.url}/{new}").status_code == 404
    api.patch(f"/api/links/{made['code']}", json={"code": new}).raise_for_status()
    assert httpx.get(f"{server.url}/{new}").status_code == 302
    assert httpx.get(made["short_url"]).status_code == 404
    again = make(api, code=made["code"], url="https://b.example/")
    assert httpx.get(again["short_url"]).headers["location"] == "https://b.example/"


def test_a_deleted_link_is_gone_at_once_with_its_clicks(api: httpx.Client, server: Served) -> None:
    made = make(api)
    for _ in range(5):
        httpx.get(made["short_url"])
    total = server.settled(api, 1)["store"]["clicks"]
    assert api.delete(f"/api/links/{made['code']}").status_code == 204
    assert httpx.get(made["short_url"]).status_code == 404
    is_problem(api.get(f"/api/links/{made['code']}"), 404)
    is_problem(api.delete(f"/api/links/{made['code']}"), 404)
    is_problem(api.get(f"/api/analytics/geo/{made['code']}/countries"), 404)
    make(api, code=made["code"])
    answer = api.get(f"/api/analytics/geo/{made['code']}/countries", params={"network": "all"})
    assert answer.json()["total"] == 0
    assert api.get("/api/status").json()["store"]["clicks"] <= total
