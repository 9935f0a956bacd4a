"""Who did what: noted with the change itself, paged, and never more than one line in a log."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.problems import is_problem
from tests.server.served import Served, command

FORGED = "x\n2026-01-01 00:00:00,000 INFO    clickatlas.audit: link.delete by person 1\r\u2028\x1b[31m"


@pytest.fixture(scope="module")
def audited(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    served = Served(data_folder("audit")).start()
    yield served
    served.kill()


def entries(api: httpx.Client) -> list[tuple[str, str]]:
    rows = api.get("/api/audit").raise_for_status().json()["rows"]
    assert all(row["who"] == "Owner" and row["at"] for row in rows)
    return [(row["action"], row["subject"]) for row in rows]


def test_changes_are_noted_and_refusals_are_not(audited: Served) -> None:
    with audited.client() as api:
        api.post("/api/links", json={"url": "https://example.com/", "code": "first"}).raise_for_status()
        api.patch("/api/links/first", json={"title": "x"}).raise_for_status()
        api.patch("/api/links/first", json={"code": "second"}).raise_for_status()
        assert (
            api.post("/api/links", json={"url": "https://example.com/", "code": "second"}).status_code == 409
        )
        assert api.patch("/api/links/none", json={"title": "x"}).status_code == 404
        api.delete("/api/links/second").raise_for_status()
        view = api.post("/api/views", json={"name": "Spring", "address": ""}).raise_for_status().json()
        assert api.post("/api/views", json={"name": "Spring", "address": ""}).status_code == 409
        api.patch(f"/api/views/{view['id']}", json={"name": "Summer"}).raise_for_status()
        api.delete(f"/api/views/{view['id']}").raise_for_status()
        assert entries(api) == [
            ("view.delete", "Summer"), ("view.change", "Summer"), ("view.create", "Spring"), ("link.delete", "second"),
            ("link.change", "first → second"), ("link.change", "first"), ("link.create", "first"), ("token.create", "test"),
        ]  # fmt: skip


def test_signing_in_and_out_and_the_command_line_are_noted(audited: Served) -> None:
    link = command("sign-in", "--port", str(audited.port), data=audited.data).stdout.strip()
    with httpx.Client(base_url=audited.url) as browser:
        browser.get(link)
        browser.get(link)  # used up: signs nobody in
        browser.delete("/api/session", headers={"sec-fetch-site": "same-origin"}).raise_for_status()
    command("link", "create", "https://example.com/", "--code", "cli", data=audited.data)
    with audited.client() as api:
        assert entries(api)[:3] == [("link.create", "cli"), ("session.delete", ""), ("session.create", "")]


def test_pages_of_the_log(audited: Served) -> None:
    with audited.client() as api:
        whole = api.get("/api/audit").json()["rows"]
        first = api.get("/api/audit", params={"limit": 2}).json()
        rest = api.get("/api/audit", params={"cursor": first["next_cursor"]}).json()
        assert first["rows"] + rest["rows"] == whole
        assert rest["next_cursor"] is None
        is_problem(api.get("/api/audit", params={"cursor": "x"}), 422)


def test_no_line_of_a_log_can_be_forged(audited: Served) -> None:
    with audited.client() as api:
        for headers in ({"user-agent": "x\ty"}, {"referer": "a\x1b"}):
            httpx.get(f"{audited.url}/first", headers=headers)
        api.post("/api/views", json={"name": FORGED, "address": ""})  # refused: control characters
        command("token", "create", "--name", FORGED, data=audited.data)
        made = api.post("/api/links", json={"url": "https://example.com/", "title": FORGED}).json()
        api.post("/api/views", json={"name": "new\u2028line \u202e", "address": ""}).raise_for_status()
        for path in (
            "/api/links/%0a2026-01-01",
            f"/api/links/{made['code']}%0d%0aX",
            "/%0a2026",
            "/app/sign-in?token=%0a2026",
        ):
            api.get(path)
        assert entries(api)[0] == ("view.create", "new\u2028line \u202e")
    log = audited.log.read_text("utf-8")
    lines = [line for line in log.splitlines() if "clickatlas.audit" in line]
    assert len(lines) == log.count("clickatlas.audit: ") > 5
    assert all(re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S* +INFO", line) for line in lines)
    assert not any(line.startswith("2026-01-01") for line in log.splitlines())
    assert "\u2028" not in log
    assert "\x1b" not in log
