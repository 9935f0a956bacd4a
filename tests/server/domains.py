"""A server whose workspaces have domains: its name server, its two owners, and domains proved as people prove them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.name_server import NameServer, name_server
from tests.server.making import word
from tests.server.served import Served, command
from tests.server.test_people import OWN


@pytest.fixture(scope="module")
def running() -> Iterator[NameServer]:
    with name_server() as found:
        yield found


@pytest.fixture
def names(running: NameServer) -> NameServer:
    running.silent = running.broken = False
    return running


@pytest.fixture(scope="module")
def served(data_folder: Callable[[str], Path], running: NameServer) -> Iterator[Served]:
    flags = (
        "--dns-servers",
        f"127.0.0.1:{running.port}",
        "--public-url",
        "https://links.example",
        "--workers",
        "2",
    )
    made = Served(data_folder("domains"), *flags).start()
    yield made
    made.kill()


@pytest.fixture(scope="module")
def api(served: Served) -> Iterator[httpx.Client]:
    with served.client() as client:
        yield client


@pytest.fixture(scope="module")
def other(served: Served) -> Iterator[httpx.Client]:
    """The owner of another workspace."""
    link = command("sign-in", "--port", str(served.port), data=served.data).stdout.strip()
    path = "/app/sign-in?" + link.partition("?")[2]
    with httpx.Client(base_url=served.url, timeout=30) as client:
        cookies: dict[str, str] = {}

        def ask(method: str, path: str, **more: Any) -> httpx.Response:
            pairs = "; ".join(f"{name}={value}" for name, value in cookies.items())
            answer = client.request(method, path, headers=OWN | {"cookie": pairs}, **more)
            cookies.update(answer.cookies)
            return answer

        ask("GET", path)
        made = ask("POST", "/api/workspaces", json={"name": word()}).json()
        assert ask("PUT", "/api/session/workspace", json={"id": made["id"]}).status_code == 204
        client.headers["cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        client.headers.update(OWN)
        yield client


def add(api: httpx.Client, name: str) -> Any:
    answer = api.post("/api/domains", json={"name": name})
    assert answer.status_code == 201, answer.text
    return answer.json()


def check(api: httpx.Client, domain: Any) -> Any:
    return api.post(f"/api/domains/{domain['id']}/check").raise_for_status().json()


def prove(names: NameServer, *domains: Any) -> None:
    """Set the TXT record as the page says."""
    record = domains[0]["records"][0]
    assert record["kind"] == "TXT"
    names.says(record["name"], "TXT", *(f'"{domain["records"][0]["value"]}"' for domain in domains))


def held(api: httpx.Client, names: NameServer) -> Any:
    """A new domain that is verified."""
    domain = add(api, f"{word()}.example.com")
    prove(names, domain)
    found = check(api, domain)
    assert found["verified_at"]
    return found


def follow(served: Served, path: str, host: str) -> httpx.Response:
    return httpx.get(f"{served.url}{path}", headers={"host": host})
