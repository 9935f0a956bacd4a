"""Signing in and out, tokens, cookies, and what a foreign page may not do with them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.server.making import make
from tests.server.problems import is_problem
from tests.server.served import Served, command


@pytest.fixture(scope="module")
def browser(server: Served) -> httpx.Client:
    """Signed in as a browser is: by a one-time link, with a cookie."""
    return signed_in(server)


def signed_in(server: Served) -> httpx.Client:
    link = command("sign-in", "--port", str(server.port), data=server.data).stdout.strip()
    client = httpx.Client(base_url=server.url, timeout=30)
    answer = client.get(link)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/app"
    return client


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"authorization": "Bearer"}, {"authorization": "Bearer cat_wrong"}, {"authorization": "Basic YTpi"},
        {"cookie": "clickatlas_session=cas_wrong"}, {"authorization": "Bearer ' OR 1=1 --"}, {"authorization": "x" * 9000},
    ],
    ids=lambda headers: str(headers)[:40],
)  # fmt: skip
def test_who_has_no_key_is_told_how_to_get_one(server: Served, headers: dict[str, str]) -> None:
    """That this holds for every endpoint is shown in `test_access.py`."""
    answer = httpx.get(f"{server.url}/api/links", headers=headers)
    problem = is_problem(answer, 401)
    assert "token" in problem["remedy"]
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_session_key_is_no_token_and_the_other_way_round(server: Served, browser: httpx.Client) -> None:
    session = browser.cookies["clickatlas_session"]
    is_problem(httpx.get(f"{server.url}/api/links", headers={"authorization": f"Bearer {session}"}), 401)
    is_problem(
        httpx.get(f"{server.url}/api/links", headers={"cookie": f"clickatlas_session={server.token}"}), 401
    )


def test_the_link_that_serve_printed_signs_in_once(server: Served) -> None:
    link = server.sign_in_link()
    assert link.startswith(server.url)
    assert httpx.head(link).status_code != 303  # a chat's link preview does not use it up
    first = httpx.get(link)
    assert (first.status_code, first.headers["location"]) == (303, "/app")
    cookie = first.headers["set-cookie"].lower()
    for part in ("httponly", "samesite=lax", "path=/", "max-age="):
        assert part in cookie
    second = httpx.get(link)
    assert (second.status_code, second.headers["location"]) == (303, "/app?signin=expired")
    assert "set-cookie" not in second.headers
    assert "no-store" in first.headers["cache-control"]


@pytest.mark.parametrize("token", ["", "x", "a" * 300, "%00", "%F0%9F", "../../app"])
def test_other_links_sign_nobody_in(server: Served, token: str) -> None:
    answer = httpx.get(f"{server.url}/app/sign-in?token={token}")
    assert answer.status_code in (303, 422)
    assert "set-cookie" not in answer.headers


def test_two_at_once_get_one_session(server: Served) -> None:
    from concurrent.futures import ThreadPoolExecutor

    link = command("sign-in", "--port", str(server.port), data=server.data).stdout.strip()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: httpx.get(link, timeout=30), range(8)))
    assert sum("set-cookie" in answer.headers for answer in answers) == 1
    assert {answer.status_code for answer in answers} == {303}


def test_the_session_tells_who_and_where(server: Served, browser: httpx.Client) -> None:
    found = browser.get("/api/session").raise_for_status().json()
    assert set(found["user"]) == {"name", "email", "has_password"}
    assert found["workspace"]["name"]
    assert found["sample"] is None
    assert found["public_url"] == server.url
    assert found["version"]


SAME = [{"sec-fetch-site": "same-origin"}, {"origin": "own"}]
FOREIGN = [
    {}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "none"}, {"origin": "https://evil.example"},
    {"origin": "null"}, {"origin": "own", "sec-fetch-site": "cross-site"}, {"origin": "https://evil.example/own"},
    {"origin": "own0"}, {"origin": "own.evil.example"}, {"origin": "http://["}, {"origin": ""}, {"origin": "own/"}, {"origin": "own, own"},
    {"sec-fetch-site": "Same-Origin"}, {"sec-fetch-site": "same-origin, cross-site"}, {"referer": "own/app"}, {"host": "evil.example", "origin": "own"},
]  # fmt: skip


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_another_page_changes_nothing_by_the_cookie(
    api: httpx.Client, browser: httpx.Client, server: Served, headers: dict[str, str]
) -> None:
    made = make(api)
    own = {name: value.replace("own", server.url) for name, value in headers.items()}
    body = {"url": "https://evil.example/"}
    is_problem(browser.post("/api/links", json=body, headers=own), 403)
    is_problem(browser.patch(f"/api/links/{made['code']}", json=body, headers=own), 403)
    is_problem(browser.delete(f"/api/links/{made['code']}", headers=own), 403)
    is_problem(browser.delete("/api/session", headers=own), 403)
    for kind in ({"content-type": "text/plain"}, {"content-type": "application/x-www-form-urlencoded"}, {}):
        text = b'{"url":"https://evil.example/"}'
        is_problem(browser.post("/api/links", content=text, headers=own | kind), 403)
    assert api.get(f"/api/links/{made['code']}").json() == made
    assert browser.get("/api/session").status_code == 200


@pytest.mark.parametrize("headers", SAME, ids=str)
def test_the_own_page_changes_what_it_likes(
    browser: httpx.Client, server: Served, headers: dict[str, str]
) -> None:
    own = {
        name: value.replace("own", server.url) if name == "origin" else value
        for name, value in headers.items()
    }
    made = browser.post("/api/links", json={"url": "https://example.com/"}, headers=own)
    assert made.status_code == 201
    assert browser.delete(f"/api/links/{made.json()['code']}", headers=own).status_code == 204


def test_signing_out_ends_the_session_at_once(server: Served) -> None:
    browser = signed_in(server)
    secret = browser.cookies["clickatlas_session"]
    answer = browser.delete("/api/session", headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == 204
    assert 'clickatlas_session=""' in answer.headers["set-cookie"]
    is_problem(
        httpx.get(f"{server.url}/api/session", headers={"cookie": f"clickatlas_session={secret}"}), 401
    )


def test_secrets_are_kept_hashed(server: Served, browser: httpx.Client) -> None:
    secrets = [server.token, browser.cookies["clickatlas_session"]]
    for file in Path(server.data).glob("links.sqlite*"):
        content = file.read_bytes()
        assert not any(secret.encode() in content for secret in secrets)
