"""Where links may lead, as the API decides it, and the page that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.server.making import make
from tests.server.problems import is_problem
from tests.server.served import Served, command, quickly
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


@pytest.fixture(scope="module")
def apps(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    flags = ("--app-schemes", "MyApp,tel", "--blocked-hosts", "open", "--fetch-titles")
    served = Served(data_folder("apps"), *flags).start()
    yield served
    served.kill()


def where(url: str, **headers: str) -> str | None:
    """Where a short link leads, asked by a client that doesn't read it: httpx refuses `tel:`."""
    parts = urlsplit(url)
    line = HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    line.request("GET", f"{parts.path}?{parts.query}" if parts.query else parts.path, headers=headers)
    answer = line.getresponse()
    assert (answer.status, answer.read()) == (302, b"")
    line.close()
    return answer.headers["location"]


def test_links_open_apps_that_the_operator_allows(apps: Served) -> None:
    with apps.client() as api:
        assert api.get("/api/session").json()["app_schemes"] == ["myapp", "tel"]
        made = make(api, url="MYAPP://open/7?a=b c#ü")
        assert (made["url"], made["host"]) == ("myapp://open/7?a=b%20c#%C3%BC", "myapp:")
        assert where(made["short_url"]) == made["url"]
        api.patch(f"/api/links/{made['code']}", json={"url": "tel:+15550100"}).raise_for_status()
        assert where(made["short_url"]) == "tel:+15550100"
        for url in (
            "other://x",
            "javascript:alert(1)",
            "JavaScript:myapp://x",
            "java\tscript:x",
            "data:text/html,x",
        ):
            for answer in (
                api.post("/api/links", json={"url": url}),
                api.patch(f"/api/links/{made['code']}", json={"url": url}),
            ):
                assert is_problem(answer, 422)["field"] == "url"
        said = is_problem(api.post("/api/links", json={"url": "other://x"}), 422)["detail"]
        assert "http://, https://, myapp: or tel:" in said
        is_problem(api.post("/api/links", json={"url": "myapp://a/\r\nSet-Cookie: x=y"}), 422)
        is_problem(api.post("/api/links", json={"url": "myapp://user:word@a/"}), 422)
        assert where(made["short_url"]) == "tel:+15550100"


def test_rules_splits_tables_and_imports_open_apps_too(apps: Served, tmp_path: Path) -> None:
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Version/17.4 Mobile/15E148 Safari/604.1"
    with apps.client() as api:
        rules = [{"name": "phones", "url": "myapp://open/8", "devices": ["mobile"]}]
        split = [{"name": "all", "url": "tel:1", "weight": 1}]
        made = make(api, rules=rules, split=split)
        assert where(made["short_url"], **{"user-agent": phone}) == "myapp://open/8"
        assert where(made["short_url"]) == "tel:1"
        for kind, way in (("rules", rules[0]), ("split", split[0])):
            for url in ("javascript:x", "other:x"):
                refused = api.post(
                    "/api/links", json={"url": "https://a.example/", kind: [way | {"url": url}]}
                )
                assert is_problem(refused, 422)["field"] == f"{kind}.0.url"
        rows = [{"url": "myapp://x"}, {"url": "vbscript:x"}, {"url": "tel:2", "utm": {"source": "s"}}]
        told = api.post("/api/links/bulk", json={"links": rows}).raise_for_status().json()
        assert [row["url"] for row in told["made"]] == ["myapp://x", "tel:2"]
        assert [(row["row"], row["field"]) for row in told["refused"]] == [(2, "url")]
        api.post("/api/links", json={"url": "tel:3"}).raise_for_status()
    table = tmp_path / "links.csv"
    table.write_text("code,url\napp-a,myapp://a\napp-b,file:///etc/passwd\napp-c,other:x\n")
    refused = tmp_path / "refused.csv"
    flags = ("--app-schemes", "myapp", "--refused", refused)
    command("import", table, *flags, data=apps.data)
    assert where(f"{apps.url}/app-a") == "myapp://a"
    assert httpx.get(f"{apps.url}/app-b").status_code == httpx.get(f"{apps.url}/app-c").status_code == 404
    assert refused.read_text().count("does not start with") == 2
    made_here = command("link", "create", "tel:4", "--app-schemes", "tel", data=apps.data).stdout.strip()
    assert where(f"{apps.url}/{made_here.rpartition('/')[2]}") == "tel:4"
    assert "does not start with" in command("link", "create", "tel:5", data=apps.data, code=None).stderr


def test_the_preview_of_an_app_s_link_and_its_password(apps: Served) -> None:
    with apps.client() as api:
        made = make(api, url='myapp://x/"><script>alert(1)</script>')
        text = httpx.get(made["short_url"] + "+").text
        assert "This link leads to an app, by myapp:" in text
        assert "<script" not in text
        assert 'href="myapp://x/%22%3E%3Cscript%3Ealert(1)%3C/script%3E"' in text
        locked = make(api, url="tel:6", password="open sesame")
        asked = httpx.get(locked["short_url"])
        assert asked.status_code == 401
        policy = "form-action 'self' http: https: myapp: tel:;"
        assert policy in asked.headers["content-security-policy"] + ";"
        form = f"{apps.url}/app/unlock/{locked['code']}"
        wrong = httpx.post(form, data={"password": "x", "query": ""})
        assert policy in wrong.headers["content-security-policy"] + ";"
        opened = httpx.post(form, data={"password": "open sesame", "query": ""})
        assert opened.status_code == 303
        assert where(apps.url + opened.headers["location"]) == "tel:6"


@pytest.mark.parametrize("scheme", ["javascript", "FILE", "view-source", "my app", "myapp:"])
def test_no_operator_allows_what_reaches_into_a_browser(scheme: str) -> None:
    said = quickly(
        "link", "create", "https://a.example/", "--app-schemes", scheme, data=Path("nowhere"), code=None
    )
    assert "app_schemes: " in said.stderr
