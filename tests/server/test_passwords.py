"""Signing in by e-mail address and password, and one's own password."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher

from clickatlas.links import passwords
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Password
from tests.server.problems import is_problem
from tests.server.served import Served, command, quickly
from tests.server.test_session import signed_in

OWN = {"sec-fetch-site": "same-origin"}
EMAIL, FIRST, SECOND = "owner@example.com", "marble otter staircase", "copper lantern meadow"


@pytest.fixture(scope="module")
def served(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    made = Served(data_folder("passwords")).start()
    yield made
    made.kill()


def sign_in(served: Served, email: str = EMAIL, password: str = FIRST, **headers: str) -> httpx.Response:
    return httpx.post(f"{served.url}/api/session", json={"email": email, "password": password},
                      headers=OWN | headers, timeout=60)  # fmt: skip


def somewhere(number: int) -> dict[str, str]:
    return {"x-forwarded-for": f"81.2.69.{number}"}


def test_a_first_password_then_signing_in_by_it(served: Served) -> None:
    """In order, as somebody would: by link, a first password, by password, a second one."""
    by_link, elsewhere = signed_in(served), signed_in(served)
    unused = quickly("sign-in", "--port", str(served.port), data=served.data).stdout.strip()
    put = "/api/session/password"
    assert by_link.get("/api/session").json()["user"] == {
        "name": "Owner",
        "email": None,
        "has_password": False,
    }
    assert is_problem(by_link.put(put, json={"new": FIRST}, headers=OWN), 422)["field"] == "email"
    assert (
        is_problem(by_link.put(put, json={"new": FIRST, "email": "x"}, headers=OWN), 422)["field"] == "email"
    )
    weak = by_link.put(put, json={"new": "password1234", "email": EMAIL}, headers=OWN)
    assert is_problem(weak, 422)["field"] == "new"
    before = by_link.cookies["clickatlas_session"]
    assert by_link.put(put, json={"new": FIRST, "email": "Owner@Example.com"}, headers=OWN).status_code == 204
    assert by_link.cookies["clickatlas_session"] != before  # rotated
    assert by_link.get("/api/session").json()["user"] == {
        "name": "Owner",
        "email": EMAIL,
        "has_password": True,
    }
    is_problem(elsewhere.get("/api/session"), 401)
    old = {"cookie": f"clickatlas_session={before}"}
    is_problem(httpx.get(f"{served.url}/api/session", headers=old), 401)
    assert httpx.get(unused).headers["location"] == "/app?signin=expired"

    answer = sign_in(served, " OWNER@example.com")
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"].lower()
    for part in ("httponly", "samesite=lax", "path=/", "max-age=2592000"):
        assert part in cookie
    by_password = httpx.Client(base_url=served.url, cookies=answer.cookies)
    assert by_password.get("/api/session").status_code == 200

    assert is_problem(by_password.put(put, json={"new": SECOND}, headers=OWN), 422)["field"] == "current"
    wrong = by_password.put(put, json={"current": SECOND, "new": SECOND}, headers=OWN)
    assert is_problem(wrong, 422)["field"] == "current"
    other = by_password.put(
        put, json={"current": FIRST, "new": SECOND, "email": "b@example.com"}, headers=OWN
    )
    assert is_problem(other, 422)["field"] == "email"
    is_problem(by_password.put(put, json={"current": FIRST, "new": SECOND}), 403)  # another site's page
    assert by_password.put(put, json={"current": FIRST, "new": SECOND}, headers=OWN).status_code == 204
    assert by_password.get("/api/session").status_code == 200
    is_problem(by_link.get("/api/session"), 401)
    is_problem(sign_in(served), 401)
    assert sign_in(served, password=SECOND).status_code == 204
    with served.client() as api:  # tokens stay
        actions = [row["action"] for row in api.get("/api/audit").json()["rows"]]
    assert actions.count("password.change") == 2


def test_signing_in_again_ends_the_session_before(served: Served) -> None:
    quickly_set(served, FIRST)
    first = sign_in(served).cookies["clickatlas_session"]
    second = sign_in(served, cookie=f"clickatlas_session={first}").cookies["clickatlas_session"]
    is_problem(httpx.get(f"{served.url}/api/session", cookies={"clickatlas_session": first}), 401)
    assert httpx.get(f"{served.url}/api/session", cookies={"clickatlas_session": second}).status_code == 200


def quickly_set(served: Served, password: str) -> None:
    database = LinksDatabase(served.data)
    with database.writing() as session:
        person = passwords.person_of(session, EMAIL)
        assert person is not None
        passwords.store(session, person.id, passwords.hashed(password))
    database.close()


def test_a_wrong_password_and_an_unknown_address_are_one_answer(served: Served) -> None:
    quickly_set(served, FIRST)
    wrong = sign_in(served, password="wrong", **somewhere(1))
    unknown = sign_in(served, "nobody@example.com", **somewhere(1))
    assert is_problem(wrong, 401) == is_problem(unknown, 401)
    assert "set-cookie" not in [*wrong.headers, *unknown.headers]
    for email, password in (
        (EMAIL, ""),
        ("", FIRST),
        (EMAIL, FIRST + "\0"),
        ("%", FIRST),
        (EMAIL + "\n", "x"),
    ):
        is_problem(sign_in(served, email, password, **somewhere(1)), 401)
    is_problem(sign_in(served, EMAIL, "x" * 1001, **somewhere(1)), 422)


def test_no_other_page_signs_a_browser_in(served: Served) -> None:
    quickly_set(served, FIRST)
    text = f'{{"email": "{EMAIL}", "password": "{FIRST}"}}'
    for headers in (
        {}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "none"}, {"origin": "null"},
        {"origin": "http://evil.example"}, {"origin": f"http://127.0.0.1:{served.port + 1}"}, {"origin": f"https://127.0.0.1:{served.port}"},
        {"origin": f"http://a.127.0.0.1:{served.port}"}, {"origin": "http://["}, {"origin": f"{served.url}.evil.example"},
        {"origin": f"http://evil.example@127.0.0.1:{served.port}"}, {"origin": f"{served.url}/"},
    ):  # fmt: skip
        for kind in ({"content-type": "application/json"}, {"content-type": "text/plain"}, {}):
            answer = httpx.post(f"{served.url}/api/session", content=text, headers={**headers, **kind})
            is_problem(answer, 403, 422)
            assert "set-cookie" not in answer.headers
    fine = httpx.post(f"{served.url}/api/session", json={"email": EMAIL, "password": FIRST},
                      headers={"origin": served.url})  # fmt: skip
    assert fine.status_code == 204


def test_older_parameters_are_renewed_on_signing_in(served: Served) -> None:
    quickly_set(served, FIRST)
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(FIRST)
    database = LinksDatabase(served.data)
    with database.writing() as session:
        person = passwords.person_of(session, EMAIL)
        assert person is not None
        session.get_one(Password, person.id).digest = weak
    is_problem(sign_in(served, password="wrong", **somewhere(2)), 401)
    with database.reading() as session:
        assert passwords.stored_for(session, person.id) == weak
    assert sign_in(served).status_code == 204
    with database.reading() as session:
        renewed = passwords.stored_for(session, person.id)
    assert renewed is not None
    assert not passwords.is_outdated(renewed)
    database.close()
    assert sign_in(served).status_code == 204


def test_guesses_are_few_per_address_and_per_account_and_many_at_once_are_no_way_around(
    data_folder: Callable[[str], Path],
) -> None:
    strict = Served(data_folder("guesses"), "--sign-in-rate", "5").start()
    try:
        link = command("person", "add", "--email", EMAIL, data=strict.data).stdout
        assert "/app/sign-in?token=" in link
        quickly_set(strict, FIRST)
        for _ in range(8):  # right ones cost nothing
            assert sign_in(strict, **somewhere(9)).status_code == 204
        with ThreadPoolExecutor(20) as pool:  # one address, many accounts
            codes = list(
                pool.map(lambda n: sign_in(strict, f"{n}@x.example", **somewhere(1)).status_code, range(20))
            )
        assert codes.count(401) == 5
        assert codes.count(429) == 15
        with ThreadPoolExecutor(20) as pool:  # one account, many addresses
            answers = list(pool.map(lambda n: sign_in(strict, password="x", **somewhere(n + 20)), range(20)))
        assert [a.status_code for a in answers].count(401) == 5
        assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 429)
        is_problem(sign_in(strict, **somewhere(99)), 429)
        assert sign_in(strict, "other@x.example", **somewhere(99)).status_code == 401  # the others' go on
    finally:
        strict.kill()


def test_passwords_are_neither_stored_nor_logged(served: Served) -> None:
    quickly_set(served, FIRST)
    sign_in(served)
    sign_in(served, "somebody@example.com", "typed by mistake", **somewhere(3))
    written = [
        file.read_bytes()
        for file in served.data.rglob("*")
        if file.is_file() and file.stat().st_size < 1 << 26
    ]
    for secret in (FIRST, SECOND, "typed by mistake"):
        assert not any(secret.encode() in content for content in [*written, served.log.read_bytes()])


def test_the_command_line_sets_a_password_from_its_input(served: Served) -> None:
    import subprocess

    from tests.server.served import PROGRAM, environment

    before = sign_in(served, password=FIRST)

    def run(password: str, who: str) -> subprocess.CompletedProcess[str]:
        line = [PROGRAM, "person", "password", who, "--data", str(served.data)]
        return subprocess.run(
            line, input=password, env=environment(), capture_output=True, text=True, timeout=60
        )

    assert run(SECOND + "\n", EMAIL).returncode == 0
    assert run("short\n", EMAIL).returncode == 1
    assert run(SECOND + "\n", "nobody@example.com").returncode == 1
    assert sign_in(served, password=SECOND).status_code == 204
    cookies = {"clickatlas_session": before.cookies["clickatlas_session"]}
    assert httpx.get(f"{served.url}/api/links", cookies=cookies).status_code in (
        200,
        401,
    )  # known for 5 s more
    listed = command("person", "list", data=served.data).stdout
    assert EMAIL in listed
    assert "password of" in listed
