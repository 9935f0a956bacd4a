"""A short link as visitors, proxies and caches see it."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.server.making import make, word
from tests.server.problems import is_problem
from tests.server.served import Served
from tests.server.visitors import DEVICES

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def test_get_and_head_lead_on_and_no_cache_keeps_it(api: httpx.Client) -> None:
    made = make(api, url="https://example.com/a?b=c#d")
    for method in ("GET", "HEAD"):
        answer = httpx.request(method, made["short_url"])
        assert answer.status_code == 302
        assert answer.headers["location"] == "https://example.com/a?b=c#d"
        kept = answer.headers["cache-control"]
        assert "private" in kept or "no-store" in kept
        assert answer.content == b""
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(api: httpx.Client, method: str) -> None:
    answer = httpx.request(method, make(api)["short_url"], headers={"accept": "application/json"})
    is_problem(answer, 405)
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == {"GET", "HEAD"}


def test_unknown_and_expired_are_small_readable_pages(api: httpx.Client, server: Served) -> None:
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    expired = make(api, expires_at=past)["short_url"]
    for url, status in ((f"{server.url}/{word()}", 404), (expired, 410)):
        page = httpx.get(url, headers={"accept": BROWSER})
        assert page.status_code == status
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["cache-control"] == "private, no-store"
        assert "<h1>" in page.text
        assert len(page.content) < 2000
        problem = is_problem(httpx.get(url, headers={"accept": "application/json"}), status)
        assert problem["status"] == status
        head = httpx.head(url)
        assert head.status_code == status
        assert head.content == b""


def test_a_link_expires_on_time_and_may_live_again(api: httpx.Client) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.7)
    made = make(api, expires_at=soon.isoformat())
    assert httpx.get(made["short_url"]).status_code == 302
    while datetime.now(UTC) < soon + timedelta(milliseconds=20):
        pass
    assert httpx.get(made["short_url"]).status_code == 410
    api.patch(f"/api/links/{made['code']}", json={"expires_at": None}).raise_for_status()
    assert httpx.get(made["short_url"]).status_code == 302


def test_codes_are_case_sensitive(api: httpx.Client, server: Served) -> None:
    code = f"Mixed{word()}"
    make(api, code=code, url="https://upper.example/")
    assert httpx.get(f"{server.url}/{code.lower()}").status_code == 404
    make(api, code=code.lower(), url="https://lower.example/")
    assert httpx.get(f"{server.url}/{code}").headers["location"] == "https://upper.example/"
    assert httpx.get(f"{server.url}/{code.lower()}").headers["location"] == "https://lower.example/"


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("https://example.com/", "https://example.com/?x=1&y=%20z"),
        ("https://example.com/?a=b", "https://example.com/?a=b&x=1&y=%20z"),
        ("https://example.com/p#frag?no", "https://example.com/p?x=1&y=%20z#frag?no"),
    ],
)
def test_query_goes_along_only_when_the_link_says_so(api: httpx.Client, url: str, location: str) -> None:
    passing, plain = make(api, url=url, pass_query=True), make(api, url=url)
    assert httpx.get(f"{passing['short_url']}?x=1&y=%20z").headers["location"] == location
    assert httpx.get(passing["short_url"]).headers["location"] == url
    assert httpx.get(f"{plain['short_url']}?x=1&y=%20z").headers["location"] == url


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/API/links", "/metrics", "/.well-known/security.txt", "/api/none"]
)
def test_reserved_paths_never_reach_links(server: Served, path: str) -> None:
    answer = httpx.get(f"{server.url}{path}")
    assert answer.status_code != 302
    assert answer.status_code < 500


@pytest.mark.parametrize(
    "path", ["/a/b", "//api/links", "//", "/a//", "/x/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd"]
)
def test_deep_paths_are_no_links(server: Served, path: str) -> None:
    assert raw(server, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")[0] in (302, 307, 404)
    assert b"root:" not in raw(server, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")[1]


def raw(server: Served, request: str | bytes) -> tuple[int, bytes]:
    """Status and body of a request as it stands."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as line:
        line.sendall(request if isinstance(request, bytes) else request.encode("latin-1"))
        data = b""
        while piece := line.recv(65536):
            data += piece
    status = int(data.split(b" ", 2)[1]) if data.startswith(b"HTTP/") else 0
    return status, data.partition(b"\r\n\r\n")[2]


def clicks(api: httpx.Client, server: Served, code: str, expected: int) -> list[dict[str, object]]:
    """The link's clicks as the export shows them."""
    server.settled(api, 1)
    text = (
        api.get("/api/export/clicks.ndjson", params={"link": code, "network": "all"}).raise_for_status().text
    )
    rows = [json.loads(line) for line in text.splitlines()]
    assert len(rows) == expected
    return rows


def test_device_language_and_referrer_are_read(api: httpx.Client, server: Served) -> None:
    made = make(api)
    for agent in DEVICES.values():
        headers = {
            "user-agent": agent, "accept-language": "pt-br,pt;q=0.9", "x-forwarded-for": "18.9.22.69",
            "referer": "https://www.News.example:8443/a?secret=1#x",
        }  # fmt: skip
        assert httpx.get(made["short_url"], headers=headers).status_code == 302
    rows = clicks(api, server, made["code"], 3)
    assert sorted(str(row["device"]) for row in rows) == sorted(DEVICES)
    assert {row["language"] for row in rows} == {"pt-BR"}
    assert {row["referrer"] for row in rows} == {"news.example"}
    assert {row["country"] for row in rows} == {"US"}
    assert {row["browser"] for row in rows} >= {"Firefox"}


def test_head_and_prefetch_are_counted_but_not_as_people(api: httpx.Client, server: Served) -> None:
    made = make(api)
    person = {"user-agent": DEVICES["mobile"], "x-forwarded-for": "18.9.22.69"}
    httpx.head(made["short_url"], headers=person)
    httpx.get(made["short_url"], headers=person | {"sec-purpose": "prefetch;prerender"})
    httpx.get(made["short_url"], headers=person)
    rows = clicks(api, server, made["code"], 3)
    assert sorted(str(row["network"]) for row in rows) == ["bot", "bot", "residential"]


def test_refused_requests_are_no_clicks(api: httpx.Client, server: Served) -> None:
    made = make(api, expires_at="2020-01-01T00:00:00Z")
    for method in ("GET", "HEAD", "POST"):
        assert httpx.request(method, made["short_url"]).status_code in (405, 410)
    clicks(api, server, made["code"], 0)
