"""Where links may lead, as the API decides it, and the page that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.making import make
from tests.server.problems import is_problem
from tests.server.served import Served, command
from tests.server.test_redirects import clicks

BAD = [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd",
    "https://user:pass@example.com/", "https://user@example.com/", "https://a.example/\r\nSet-Cookie: x=y", "https://a.example/\nLocation: x",
    "https://a.example/\x00", "https://a.example/\u2028x", "//a.example/", "/api/links", "https:///x", "https://a.example:0x50/",
]  # fmt: skip


@pytest.mark.parametrize("url", BAD)
def test_nowhere_else_than_the_web(api: httpx.Client, url: str) -> None:
    assert is_problem(api.post("/api/links", json={"url": url}), 422)["field"] == "url"
    made = make(api)
    is_problem(api.patch(f"/api/links/{made['code']}", json={"url": url}), 422)
    assert httpx.get(made["short_url"]).headers["location"] == "https://example.com/"


def test_no_encoding_puts_a_line_into_a_header(api: httpx.Client) -> None:
    made = make(api, url="https://example.com/%0d%0aSet-Cookie:%20x=y", pass_query=True)
    answer = httpx.get(f"{made['short_url']}?a=%0d%0aX-Injected:%201")
    assert answer.headers["location"] == "https://example.com/%0d%0aSet-Cookie:%20x=y?a=%0d%0aX-Injected:%201"
    assert "x-injected" not in answer.headers
    assert "set-cookie" not in answer.headers


def test_other_letters_are_shown_both_ways(api: httpx.Client) -> None:
    made = make(api, url="https://аpple.example/")  # the first letter is Cyrillic
    assert made["url"] == "https://xn--pple-43d.example/"
    assert made["host"] == "аpple.example"
    assert make(api)["host"] == "example.com"
    page = httpx.get(made["short_url"] + "+").text
    assert "xn--pple-43d.example" in page
    assert "аpple.example" in page


def test_no_circles(api: httpx.Client, server: Served) -> None:
    first = make(api)["short_url"]
    for url in (first, f"{server.url}/", first.replace("http://", "HTTP://")):
        assert "itself" in is_problem(api.post("/api/links", json={"url": url}), 422)["detail"]
    make(api, url=first.replace("http://127.0.0.1", "https://127.0.0.1.example"))


@pytest.fixture(scope="module")
def blocking(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    flags = ("--blocked-hosts", "evil.example,Bücher.example", "--no-preview-pages")
    served = Served(data_folder("blocking"), *flags).start()
    yield served
    served.kill()


def test_the_operator_blocks_hosts(blocking: Served) -> None:
    with blocking.client() as api:
        for url in (
            "https://evil.example/",
            "http://a.b.EVIL.example:8080/x",
            "https://evil.example./",
            "https://bücher.example",
        ):
            assert "not allowed" in is_problem(api.post("/api/links", json={"url": url}), 422)["detail"]
        make(api, url="https://notevil.example/")
        made = make(api)
        is_problem(api.patch(f"/api/links/{made['code']}", json={"url": "https://evil.example"}), 422)
    refused = command(
        "link",
        "create",
        "https://evil.example/",
        "--blocked-hosts",
        "evil.example",
        data=blocking.data,
        code=None,
    )
    assert "not allowed" in refused.stderr


def test_the_preview_shows_where_a_link_leads_and_counts_nothing(api: httpx.Client, server: Served) -> None:
    made = make(api, url='https://example.com/?q=<script>alert(1)</script>&"x"#\'y')
    answer = httpx.get(made["short_url"] + "+")
    assert answer.status_code == 200
    assert "This link leads to example.com" in answer.text
    assert "<script" not in answer.text
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "private, no-store"
    assert httpx.head(made["short_url"] + "+").content == b""
    assert httpx.get(f"{server.url}/nobody-has-this+").status_code == 404
    clicks(api, server, made["code"], 0)


def test_previews_may_be_off(blocking: Served) -> None:
    with blocking.client() as api:
        assert httpx.get(make(api)["short_url"] + "+").status_code == 404
