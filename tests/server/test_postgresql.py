"""Two machines on one PostgreSQL, as they are run: two data folders, two servers, real redirects, and PostgreSQL gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.postgres import ESCAPED, PASSWORD, Databases
from tests.server.making import word
from tests.server.served import Served, command, free_port, until


def location(served: Served, code: str) -> str | None:
    answer = httpx.get(f"{served.url}/{code}", timeout=10)
    return answer.headers.get("location")


def test_two_machines_and_postgresql_gone_and_back(
    data_folder: Callable[[str], Path], databases: Databases, postgres_url: str
) -> None:
    env = {"CLICKATLAS_DATABASE_URL": postgres_url}
    one, two = Served(data_folder("one")), Served(data_folder("two"))
    try:
        for served in (one, two):
            served.launch(**env)
        for served in (one, two):
            served.wait()
        token = command(
            "token", "create", "--name", "t", "--scope", "admin", data=one.data, **env
        ).stdout.strip()
        with one.client(token) as here, two.client(token) as there:
            _follow_each_other(one, two, here, there)
            code = word()
            here.post(
                "/api/links", json={"url": "https://example.com/known", "code": code}
            ).raise_for_status()
            until(lambda: location(two, code), "known there", 1.0)
            with databases.away(postgres_url):
                _go_on_without(one, two, code, env, here)
            until(lambda: here.get("/health").status_code == 200, "well again")
            until(lambda: there.get("/health").json().get("ready"), "open again, after a start without it")
            assert (
                here.post("/api/links", json={"url": "https://example.com/", "code": f"{code}b"}).status_code
                == 201
            )
            until(lambda: location(two, f"{code}b"), "told again", 3.0)
            two.settled(there, 3)  # what was answered meanwhile is counted
        for served in (one, two):
            log = served.log.read_text()
            assert "PostgreSQL" in log
            for secret in (PASSWORD, ESCAPED):
                assert secret not in log
    finally:
        for served in (one, two):
            served.stop()


def _follow_each_other(one: Served, two: Served, here: httpx.Client, there: httpx.Client) -> None:
    code, took = word(), 0.0
    here.post("/api/links", json={"url": "https://example.com/0", "code": code}).raise_for_status()
    assert location(one, code) == "https://example.com/0"  # the very next redirect
    until(lambda: location(two, code) == "https://example.com/0", "made there", 1.0)
    for number in range(1, 6):
        wanted = f"https://example.com/{number}"
        side, other, redirects = (here, two, one) if number % 2 else (there, one, two)
        side.patch(f"/api/links/{code}", json={"url": wanted}).raise_for_status()
        began = time.monotonic()
        assert location(redirects, code) == wanted
        until(lambda: location(other, code) == wanted, "changed there", 1.0)  # noqa: B023
        took = max(took, time.monotonic() - began)
    print(f"longest {took * 1000:.0f} ms")
    there.delete(f"/api/links/{code}").raise_for_status()
    until(lambda: location(one, code) is None, "gone there", 1.0)


def _go_on_without(one: Served, two: Served, code: str, env: dict[str, str], here: httpx.Client) -> None:
    assert location(one, code) == "https://example.com/known"
    two.stop()
    two.launch(**env)
    unsure = until(lambda: _answer(two, code), "answers after a start without PostgreSQL")
    assert unsure.headers["location"] == "https://example.com/known"
    for served in (one, two):
        until(lambda: _answer(served, word()).status_code == 503, "unsure of what it doesn't know")  # noqa: B023
        answer = _answer(served, word())
        assert answer is not None
        assert answer.headers["retry-after"] == "5"
        assert "be looked up" in answer.text
    assert location(two, code) == "https://example.com/known"
    said = here.get("/api/links")
    assert said.status_code == 503
    assert "PostgreSQL" in said.json()["title"]
    assert "127.0.0.1" not in said.text
    health = until(lambda: _health(two), "the app says why")
    assert "PostgreSQL" in health["faults"][0]["what"]
    doctor = command("doctor", data=one.data, code=2, **env)
    assert "PostgreSQL" in doctor.stdout
    assert ESCAPED not in doctor.stdout + doctor.stderr


def _answer(served: Served, code: str) -> httpx.Response | None:
    try:
        return httpx.get(f"{served.url}/{code}", timeout=10)
    except httpx.TransportError:
        return None


def _health(served: Served) -> dict[str, object] | None:
    answer = httpx.get(f"{served.url}/health", timeout=10)
    found: dict[str, object] = answer.json()
    return found if any(fault["name"] == "opening" for fault in found["faults"]) else None  # type: ignore[attr-defined]


def test_a_first_start_without_postgresql_says_what_is_wrong(data_folder: Callable[[str], Path]) -> None:
    url = "postgresql://nobody:secret-word@127.0.0.1:1/none"
    port = ("--port", str(free_port()))  # whatever else runs on this machine has the usual one
    ended = command("serve", *port, data=data_folder("none"), code=1, CLICKATLAS_DATABASE_URL=url)
    assert "does not answer" in ended.stderr
    assert "secret-word" not in ended.stderr
