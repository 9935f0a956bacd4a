"""Headers of every answer, what is known of TLS in front, and how often one may ask."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.making import make, word
from tests.server.problems import is_problem
from tests.server.served import Served, command

PAGES = [
    "/app",
    "/docs",
    "/api/links",
    "/api/nothing",
    "/health",
    "/",
    "/robots.txt",
    "/api/openapi.json",
    "/app/sign-in",
]


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_of_the_app_is_armoured(api: httpx.Client, path: str) -> None:
    headers = api.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] in ("same-origin", "no-referrer")
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"
    assert "geolocation=()" in headers["permissions-policy"]
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert re.match(r"default-src '(self|none)'", policy)
    assert "strict-transport-security" not in headers  # not over TLS


def test_the_streets_own_pages_too(server: Served) -> None:
    answer = httpx.get(f"{server.url}/{word()}", headers={"accept": "text/html"})
    assert answer.status_code == 404
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "<script" not in answer.text
    assert " style=" not in answer.text


TLS = [
    ({"x-forwarded-proto": "https"}, True), ({"x-forwarded-proto": "http, https"}, True), ({"forwarded": "for=1.2.3.4;proto=https"}, True),
    ({"x-forwarded-proto": "http"}, False), ({"x-forwarded-proto": "https, http"}, False), ({"forwarded": "proto=http"}, False), ({}, False),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "tls"), TLS, ids=str)
def test_behind_tls_cookies_are_secure_and_browsers_stay_there(
    server: Served, headers: dict[str, str], tls: bool
) -> None:
    assert ("strict-transport-security" in httpx.get(f"{server.url}/app", headers=headers).headers) == tls
    link = command("sign-in", "--port", str(server.port), data=server.data).stdout.strip()
    cookie = httpx.get(link, headers=headers).headers["set-cookie"].lower()
    assert ("; secure" in cookie) == tls
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


@pytest.fixture(scope="module")
def strict(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    """Few tries, few requests, and no proxy that is trusted."""
    flags = ("--sign-in-rate", "5", "--api-rate", "60", "--trusted-proxies", "10.0.0.0/8")
    served = Served(data_folder("strict"), *flags).start()
    yield served
    served.kill()


def test_nobody_else_is_believed_about_tls(strict: Served) -> None:
    headers = {"x-forwarded-proto": "https", "forwarded": "proto=https"}
    assert "strict-transport-security" not in httpx.get(f"{strict.url}/app", headers=headers).headers


def test_wrong_keys_and_links_are_few_a_minute(strict: Served) -> None:
    good = {"authorization": f"Bearer {strict.token}"}
    assert httpx.get(f"{strict.url}/api/session", headers=good).status_code == 200
    codes = []
    for number in range(8):
        # What an untrusted peer says of its address changes nothing.
        headers = {"authorization": f"Bearer cat_{number}", "x-forwarded-for": f"18.9.22.{number}"}
        answer = httpx.get(f"{strict.url}/api/session", headers=headers)
        codes.append(answer.status_code)
    assert codes == [401] * 5 + [429] * 3
    problem = is_problem(answer, 429)
    assert 1 <= int(answer.headers["retry-after"]) <= 13
    assert answer.headers["retry-after"] in problem["remedy"]
    is_problem(httpx.get(f"{strict.url}/app/sign-in?token=x"), 429)
    assert httpx.get(f"{strict.url}/api/session", headers=good).status_code == 200  # known a moment ago
    assert httpx.get(f"{strict.url}/app").status_code == 200  # no key, no guess
    is_problem(httpx.get(f"{strict.url}/api/session"), 401)


def test_one_key_asks_so_often_and_no_more(strict: Served) -> None:
    with strict.client() as api:
        answers = [api.get("/api/session") for _ in range(70)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert 5 <= len(refused) <= 15
    is_problem(refused[0], 429)


def test_each_address_has_tries_of_its_own(data_folder: Callable[[str], Path]) -> None:
    served = Served(data_folder("addresses"), "--sign-in-rate", "2").start()

    def guess(address: str) -> int:
        headers = {"authorization": "Bearer cat_x", "x-forwarded-for": address}
        return httpx.get(f"{served.url}/api/session", headers=headers).status_code

    try:
        for first, second in (("18.9.22.1", "18.9.22.2"), ("2a02:8100::1", "2a02:8100:0:1::1")):
            assert [guess(first) for _ in range(3)] == [401, 401, 429]
            assert guess(second) == 401
        assert guess("2a02:8100::ffff") == 429  # the same household's next address
    finally:
        served.kill()


def test_signing_in_again_ends_the_session_before(server: Served) -> None:
    def link() -> str:
        return command("sign-in", "--port", str(server.port), data=server.data).stdout.strip()

    with httpx.Client(base_url=server.url) as browser:
        browser.get(link())
        first = browser.cookies["clickatlas_session"]
        browser.get(link())
        second = browser.cookies["clickatlas_session"]
    assert first != second
    cookies = {"cookie": f"clickatlas_session={first}"}
    is_problem(httpx.get(f"{server.url}/api/session", headers=cookies), 401)
    cookies = {"cookie": f"clickatlas_session={second}"}
    assert httpx.get(f"{server.url}/api/session", headers=cookies).status_code == 200


def test_links_are_not_limited(data_folder: Callable[[str], Path]) -> None:
    served = Served(data_folder("visited"), "--sign-in-rate", "2", "--api-rate", "60").start()
    try:
        with served.client() as api:
            made = make(api)
        assert {httpx.get(made["short_url"]).status_code for _ in range(100)} == {302}
    finally:
        served.kill()
