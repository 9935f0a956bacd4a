"""API tokens and sessions: scopes, ends, lists, and how they are ended."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, update

from clickatlas.links import keys
from clickatlas.links.models import Key, now
from tests.server.problems import is_problem
from tests.server.served import Served, command, links_of, quickly
from tests.server.test_session import signed_in

OWN = {"sec-fetch-site": "same-origin"}


@pytest.fixture(scope="module")
def served(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    made = Served(data_folder("tokens")).start()
    yield made
    made.kill()


def actions(served: Served) -> list[tuple[str, str]]:
    with served.client() as api:
        return [(row["action"], row["subject"]) for row in api.get("/api/audit").json()["rows"]]


def test_a_token_is_made_listed_used_and_ended(served: Served) -> None:
    browser = signed_in(served)
    made = browser.post(
        "/api/tokens", json={"name": "script", "scopes": ["links:write"], "expires_days": 7}, headers=OWN
    )
    assert made.status_code == 201
    token = made.json()
    assert (token["name"], token["scopes"], token["created_by"], token["used_on"]) == (
        "script",
        ["links:write"],
        "Owner",
        None,
    )
    assert (
        timedelta(days=6)
        < datetime.fromisoformat(token["expires_at"]) - datetime.now(UTC)
        <= timedelta(days=7)
    )
    with served.client(token["token"]) as script:
        link = script.post("/api/links", json={"url": "https://example.com/"})
        assert link.status_code == 201
        problem = is_problem(script.get(f"/api/links/{link.json()['code']}"), 403)
        assert problem["scope"] == "read"
        assert "token" in problem["detail"]
        rows = browser.get("/api/tokens").raise_for_status()
        assert token["token"] not in rows.text
        row = next(row for row in rows.json()["rows"] if row["id"] == token["id"])
        assert row["used_on"] == datetime.now(UTC).date().isoformat()
        assert browser.delete(f"/api/tokens/{token['id']}", headers=OWN).status_code == 204
        is_problem(script.post("/api/links", json={"url": "https://example.com/"}), 401)
    is_problem(browser.delete(f"/api/tokens/{token['id']}", headers=OWN), 404)
    done = actions(served)
    assert ("token.create", "script") in done
    assert ("token.delete", "script") in done


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": "x", "scopes": []}, {"name": "x", "scopes": ["all"]}, {"name": "x", "expires_days": 0}, {"name": "x", "person": 1}],
    ids=str,
)  # fmt: skip
def test_a_token_that_makes_no_sense_is_refused(served: Served, body: dict[str, object]) -> None:
    with served.client() as api:
        is_problem(api.post("/api/tokens", json=body), 422)


def test_nobody_gives_more_than_they_have(served: Served) -> None:
    link = quickly(
        "person",
        "add",
        "--email",
        "viewer@example.com",
        "--role",
        "viewer",
        "--port",
        str(served.port),
        data=served.data,
    )
    with httpx.Client(base_url=served.url) as viewer:
        viewer.get(link.stdout.strip())
        for scopes in (["admin"], ["read", "links:write"]):
            is_problem(viewer.post("/api/tokens", json={"name": "x", "scopes": scopes}, headers=OWN), 403)
        own = viewer.post("/api/tokens", json={"name": "own", "scopes": ["read"]}, headers=OWN).json()
        assert [row["name"] for row in viewer.get("/api/tokens").json()["rows"]] == ["own"]  # not the owner's
    with served.client(own["token"]) as reader:
        assert reader.get("/api/links").status_code == 200
        is_problem(reader.post("/api/links", json={"url": "https://example.com/"}), 403)
        is_problem(reader.post("/api/tokens", json={"name": "child", "scopes": ["read"]}), 403)
    with served.client() as owner:
        assert owner.delete(f"/api/tokens/{own['id']}").status_code == 204  # an owner ends anybody's


def test_a_token_outlives_none_that_made_it(served: Served) -> None:
    line = ("token", "create", "--name", "short", "--scope", "admin", "--expires-days", "3")
    with served.client(quickly(*line, data=served.data).stdout.strip()) as short:
        for days in (None, 4):
            body = {"name": "child", "scopes": ["read"], "expires_days": days}
            assert is_problem(short.post("/api/tokens", json=body), 422)["field"] == "expires_days"
        assert (
            short.post(
                "/api/tokens", json={"name": "child", "scopes": ["read"], "expires_days": 2}
            ).status_code
            == 201
        )


def test_a_token_ends_when_it_should(served: Served) -> None:
    secret = quickly(
        "token", "create", "--name", "ending", "--expires-days", "1", data=served.data
    ).stdout.strip()
    database = links_of(served.data)
    with database.writing() as session:
        session.execute(update(Key).where(Key.name == "ending").values(expires_at=now()))
    database.close()
    with served.client(secret) as late:
        is_problem(late.get("/api/links"), 401)
    assert "ending" not in quickly("token", "list", data=served.data).stdout


def test_the_command_line_lists_and_ends_tokens(served: Served) -> None:
    secret = quickly("token", "create", "--name", "a\tb\nc", data=served.data).stdout.strip()
    rows = [line.split("\t") for line in quickly("token", "list", data=served.data).stdout.splitlines()]
    number, name, scopes, whose, _made, ends, last = rows[0]
    assert (name, scopes, whose, ends, last) == (
        "a b c",
        "read links:write",
        "Owner",
        "never ends",
        "never used",
    )
    assert all(secret not in cell for row in rows for cell in row)
    quickly("token", "revoke", number, data=served.data)
    with served.client(secret) as gone:
        is_problem(gone.get("/api/links"), 401)
    command("token", "revoke", number, data=served.data, code=1)
    assert actions(served)[0][0] == "token.delete"


def test_sessions_are_listed_and_ended(served: Served) -> None:
    here, there, third = signed_in(served), signed_in(served), signed_in(served)
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    link = quickly("sign-in", "--port", str(served.port), data=served.data).stdout.strip()
    httpx.get(link, headers={"user-agent": firefox})
    rows = here.get("/api/sessions").raise_for_status().json()["rows"]
    assert rows[0]["name"] == "Firefox on Linux"
    assert sum(row["current"] for row in rows) == 1
    assert here.cookies["clickatlas_session"] not in str(rows)
    other = next(row for row in there.get("/api/sessions").json()["rows"] if row["current"])
    assert here.delete(f"/api/sessions/{other['id']}", headers=OWN).status_code == 204
    is_problem(there.get("/api/session"), 401)
    is_problem(here.delete(f"/api/sessions/{other['id']}", headers=OWN), 404)
    assert here.delete("/api/sessions", headers=OWN).json()["sessions"] >= 2
    is_problem(third.get("/api/session"), 401)
    assert [row["current"] for row in here.get("/api/sessions").json()["rows"]] == [True]


def test_a_session_that_nobody_uses_ends(served: Served) -> None:
    for days, status in ((14, 200), (15, 401)):
        browser = signed_in(served)
        database = links_of(served.data)
        with database.writing() as session:
            newest = session.scalars(
                select(Key.id).where(Key.kind == keys.SESSION).order_by(Key.id.desc()).limit(1)
            ).one()
            day = now() - timedelta(days=days)
            session.execute(update(Key).where(Key.id == newest).values(created_at=day, used_on=day.date()))
        assert browser.get("/api/session").status_code == status
        with database.reading() as session:
            used = session.scalars(select(Key.used_on).where(Key.id == newest)).one()
        assert used == (now().date() if status == 200 else day.date())
        database.close()


def test_behind_tls_the_cookie_is_the_hosts_own(served: Served) -> None:
    tls = {"x-forwarded-proto": "https"}
    link = quickly("sign-in", "--port", str(served.port), data=served.data).stdout.strip()
    cookie = httpx.get(link, headers=tls).headers["set-cookie"]
    name, secret = cookie.partition(";")[0].split("=", 1)
    assert name == "__Host-clickatlas_session"
    assert "domain" not in cookie.lower()
    assert all(part in cookie.lower() for part in ("secure", "path=/", "httponly", "samesite=lax"))
    asked = f"{served.url}/api/session"
    assert httpx.get(asked, headers={"cookie": f"{name}={secret}", **tls}).status_code == 200
    # A neighbouring subdomain can set the other name, but not this one.
    is_problem(httpx.get(asked, headers={"cookie": f"clickatlas_session={secret}", **tls}), 401)
    both = {"cookie": f"{name}={secret}; clickatlas_session=cas_planted", **tls}
    assert httpx.get(asked, headers=both).status_code == 200
    gone = httpx.delete(asked, headers={"cookie": f"{name}={secret}", **tls, **OWN})
    assert gone.status_code == 204
    assert gone.headers["set-cookie"].startswith('__Host-clickatlas_session=""')
    assert "secure" in gone.headers["set-cookie"].lower()


def test_an_answer_says_how_many_requests_its_key_has_left(server: Served) -> None:
    with server.client() as mine:
        answer = mine.get("/api/atlas")
        quota = re.fullmatch(r'"key";q=(\d+);w=60', answer.headers["ratelimit-policy"])
        left = re.fullmatch(r'"key";r=(\d+);t=(\d+)', answer.headers["ratelimit"])
        assert quota
        assert left
        assert 0 < int(left[1]) <= int(quota[1])
        refused = mine.get("/api/links/nobody's")
        assert "ratelimit" in refused.headers
        assert "ratelimit" not in mine.get("/health").headers
    assert (
        "ratelimit"
        not in httpx.get(f"{server.url}/api/atlas", headers={"authorization": "Bearer cat_x"}).headers
    )
