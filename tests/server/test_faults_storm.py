"""Storms: on one link, of codes that lead nowhere, over 100,000 links. Right, each click once, in bounded memory."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from sqlalchemy import insert

from clickatlas.links import keys
from clickatlas.links.database import LinksDatabase
from clickatlas.links.models import Link
from tests.server.served import Served

LINKS = 100_000


@pytest.fixture(scope="module")
def served(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    """A server of two workers with 100,000 links."""
    data = data_folder("storm")
    database = LinksDatabase(data)
    database.migrate()
    with database.writing() as session:
        workspace = keys.owner(session)[1]
        rows = [
            {"workspace_id": workspace, "code": f"l{n}", "url": f"https://example.com/{n}"}
            for n in range(LINKS)
        ]
        session.execute(insert(Link), rows)
    database.close()
    served = Served(data, "--workers", "2")
    began = time.monotonic()
    served.start()
    assert time.monotonic() - began < 90  # 2 s on a machine of its own
    yield served
    served.kill()


def megabytes(pids: list[int]) -> float:
    """Memory that these processes hold."""
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def storm(served: Served, codes: Callable[[], str], seconds: float, threads: int) -> dict[int, int]:
    """Ask for codes on so many connections; answers by status."""
    answers: dict[int, int] = {}
    lock, end = threading.Lock(), time.monotonic() + seconds

    def ask() -> None:
        connection, mine = HTTPConnection("127.0.0.1", served.port, timeout=30), dict[int, int]()
        while time.monotonic() < end:
            connection.request("GET", f"/{codes()}", headers={"X-Forwarded-For": "18.9.22.69"})
            answer = connection.getresponse()
            answer.read()
            mine[answer.status] = mine.get(answer.status, 0) + 1
        connection.close()
        with lock:
            for status, times in mine.items():
                answers[status] = answers.get(status, 0) + times

    asking = [threading.Thread(target=ask) for _ in range(threads)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    return answers


def location(served: Served, code: str) -> str | None:
    """Where a new connection, to whichever worker, is sent."""
    connection = HTTPConnection("127.0.0.1", served.port, timeout=30)
    try:
        connection.request("GET", f"/{code}")
        return connection.getresponse().getheader("location")
    finally:
        connection.close()


def test_the_first_click_on_any_of_100_000_links_is_right(served: Served) -> None:
    for number in range(0, LINKS, 499):
        assert location(served, f"l{number}") == f"https://example.com/{number}"
    assert location(served, f"l{LINKS}") is None


def test_a_change_to_one_of_them_holds_everywhere_within_a_second(served: Served) -> None:
    with served.client() as client:
        for turn in range(5):
            wanted = f"https://example.com/changed/{turn}"
            client.patch("/api/links/l77", json={"url": wanted}).raise_for_status()
            changed = time.monotonic()
            seen = [location(served, "l77") for _ in range(20)]  # both workers
            assert time.monotonic() - changed < 10
            assert set(seen) == {wanted}  # from the answer on: no second is needed


def test_a_storm_on_one_link(served: Served) -> None:
    with served.client() as client:
        client.post("/api/links", json={"url": "https://example.com/", "code": "one"}).raise_for_status()
        storm(served, lambda: "one", 1, 4)
        before = megabytes(served.street_pids()), megabytes(served.app_pids())
        counted = _clicks(served, client, "one", 1)
        answers = storm(served, lambda: "one", 5, 32)
        assert list(answers) == [302]
        assert _clicks(served, client, "one", counted + answers[302]) == counted + answers[302]
    street, app = megabytes(served.street_pids()) - before[0], megabytes(served.app_pids()) - before[1]
    assert street < 30, f"{street:.0f} MB more after {answers[302]} clicks"
    assert app < 200, f"{app:.0f} MB more"


def _clicks(served: Served, client: object, code: str, at_least: int) -> int:
    served.settled(client, at_least)  # type: ignore[arg-type]
    answer = client.get("/api/analytics/geo/countries", params={"link": code, "network": "all"})  # type: ignore[attr-defined]
    return int(answer.raise_for_status().json()["total"])


def test_a_storm_of_codes_that_lead_nowhere(served: Served) -> None:
    storm(served, lambda: secrets.token_urlsafe(6), 1, 4)
    before = megabytes(served.street_pids())
    answers = storm(served, lambda: secrets.token_urlsafe(6), 5, 32)
    assert set(answers) == {404}
    more = megabytes(served.street_pids()) - before
    assert more < 20, f"{more:.0f} MB more after {answers[404]} codes"
    assert location(served, "l5") == "https://example.com/5"
