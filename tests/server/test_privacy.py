"""The visitor's address is never on disk: every byte of the data folder and of the log is looked at."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests.server.making import make
from tests.server.served import Served, command, until

# Four bytes may be in any file by chance: an address that is written down shows with all the others.
FOUR = [f"{a}.{b}.{c}.{d}" for a, b, c, d in zip((83, 91, 109, 151, 177, 188, 201, 217), (137, 203, 91, 233, 149, 211, 177, 99), (211, 157, 241, 171, 93, 139, 229, 187), (173, 119, 201, 147, 223, 97, 131, 251), strict=True)]  # fmt: skip
SIX = ["2a02:8100:83b7:91c3:a5d7:e9f1:b3c5:d7e9", "2600:1700:9a3b:7c5d:8e1f:a2b4:c6d8:eafc"]


class Leaving:
    """What leaves the house as clicks come: a live stream, a webhook's letters. A shared map: `test_privacy_apart`."""

    def __init__(self, served: Served, client: httpx.Client) -> None:
        self._told: list[bytes] = []
        self._stream = client.build_request(
            "GET", f"{served.url}/api/analytics/live?network=all", timeout=120
        )
        threading.Thread(target=self._listen, args=(client,), daemon=True).start()
        until(lambda: self._told, "the stream is open")
        fields = {"url": "https://example.com/hook", "events": ["click"]}
        self._hook = client.post("/api/webhooks", json=fields).raise_for_status().json()["id"]

    def _listen(self, client: httpx.Client) -> None:
        with suppress(httpx.TransportError), client.stream("GET", self._stream.url, timeout=120) as answer:
            for piece in answer.iter_bytes():
                self._told += [piece]

    def said(self, client: httpx.Client) -> bytes:
        until(lambda: b"place" in b"".join(self._told), "clicks in the stream")
        letters = client.get(f"/api/webhooks/{self._hook}/deliveries").raise_for_status()
        return b"".join([*self._told, letters.content])


@pytest.fixture(scope="module", params=["text", "json"])
def used(data_folder: Callable[[str], Path], request: pytest.FixtureRequest) -> Iterator[Served]:
    """A server after clicks of all sorts, an import, refusals, faults, a backup and a kill."""
    flags = ("--log-level", "debug", "--log-format", request.param, "--metrics-token", "figures")
    served = Served(data_folder("private"), *flags).start()
    with served.client() as client:
        made = make(client)
        leaving = Leaving(served, client)
        connection = HTTPConnection("127.0.0.1", served.port, timeout=15)
        for address in [*FOUR, *SIX]:
            paths = (
                f"/{made['code']}",
                f"/{made['code']}+",
                "/unknown-code",
                "/api/links",
                "/app",
                "/health",
            )
            for path in (*paths, "/app/sign-in?token=x", "/api/nothing"):
                for name, value in (
                    ("X-Forwarded-For", address),
                    ("Forwarded", f'for="[{address}]:80"'),
                    ("X-Real-IP", address),
                ):
                    connection.request(
                        "GET",
                        path,
                        headers={
                            name: value,
                            "User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/144.0",
                            "Authorization": "Bearer cat_wrong",
                            "DNT": str(len(path) % 2),
                        },
                    )
                    connection.getresponse().read()
        connection.close()
        client.post("/api/views", json={"name": "v", "address": ""}).raise_for_status()  # into the audit log
        served.settled(client, 3 * (len(FOUR) + len(SIX)))
        rows = "".join(
            json.dumps({"time": 1.7e9, "code": made["code"], "ip": address}) + "\n"
            for address in [*FOUR, *SIX]
        )
        rows += json.dumps({"time": "nonsense", "code": made["code"], "ip": FOUR[0]}) + "\n"
        file = served.data.with_name("import.ndjson")
        file.write_text(rows)
        command("import", file, data=served.data)
        served.settled(client, 4 * (len(FOUR) + len(SIX)))
        for address in FOUR:  # IPv4 as IPv6 writes it
            for spelling in (f"::ffff:{address}", f"[::ffff:{address}]:443", _mapped(address)):
                client.get(f"/{made['code']}", headers={"x-forwarded-for": spelling})
        served.settled(client, 7 * len(FOUR) + 4 * len(SIX))
        figures = client.get("/metrics", headers={"authorization": "Bearer figures"}).raise_for_status()
        served.data.joinpath("metrics.seen").write_text(figures.text)
        served.data.joinpath("leaving.seen").write_bytes(leaving.said(client))
        command("backup", served.data / "backups", data=served.data)
    served.kill()
    served.start()
    yield served
    served.kill()


def _mapped(address: str) -> str:
    number = int(ipaddress.ip_address(address))
    return f"::FFFF:{number >> 16:x}:{number & 0xFFFF:x}"


def files(served: Served) -> dict[str, bytes]:
    """What the system wrote; the atlas was there before anyone clicked."""
    found = {
        str(path): path.read_bytes()
        for path in served.data.rglob("*")
        if path.is_file() and "atlas" not in path.relative_to(served.data).parts
    }
    assert any(name.endswith("clicks.duckdb") for name in found)
    assert any(name.endswith("links.sqlite") for name in found)
    return found | {str(served.log): served.log.read_bytes()}


def spellings(address: str) -> set[bytes]:
    parsed = ipaddress.ip_address(address)
    texts = {
        address,
        parsed.compressed,
        parsed.exploded,
        parsed.reverse_pointer,
        str(int(parsed)),
        f"{int(parsed):x}",
        f"{int(parsed):#x}",
        str(int.from_bytes(parsed.packed, "little")),
        base64.b64encode(parsed.packed).decode(),
        quote(address, safe=""),
    }
    if parsed.version == 4:
        texts |= {_mapped(address), _mapped(address).lower(), f"{int(parsed):08x}", address.replace(".", "-")}
    # A hash without a key is as good as the address: there are too few of them.
    for name in ("md5", "sha1", "sha256", "blake2b"):
        texts |= {hashlib.new(name, kind).hexdigest() for kind in (address.encode(), parsed.packed)}
    return (
        {text.encode() for text in texts}
        | {text.upper().encode() for text in texts}
        | {text.encode("utf-16-le") for text in texts}
    )


def test_no_text_of_an_address_is_anywhere(used: Served) -> None:
    for name, content in files(used).items():
        for address in [*FOUR, *SIX]:
            for spelling in spellings(address):
                assert spelling not in content, f"{address} as {spelling!r} in {name}"


def test_no_packed_address_is_anywhere(used: Served) -> None:
    contents = files(used)
    for address in SIX:
        packed = ipaddress.ip_address(address).packed
        for part in (packed, packed[::-1], packed[:8], packed[8:], packed[:8][::-1], packed[8:][::-1]):
            for name, content in contents.items():
                assert part not in content, f"{address} in {name}"
    found = set()
    for address in FOUR:
        packed = ipaddress.ip_address(address).packed
        found |= {address for content in contents.values() if packed in content or packed[::-1] in content}
    assert len(found) < 2, found


def test_no_secret_is_in_the_log(used: Served) -> None:
    assert used.token not in used.log.read_text("utf-8", "replace")


def test_the_spool_can_not_be_read_by_others(used: Served) -> None:
    for path in (used.data / "spool").rglob("*.spool"):
        assert path.stat().st_mode & 0o077 == 0


def test_what_was_searched_is_all_there_is(used: Served) -> None:
    """Spool, store, links, log, figures and a backup are among what the tests above looked at."""
    names = " ".join(files(used))
    for part in ("clicks.duckdb", "links.sqlite", "metrics.seen", "leaving.seen", "backups", ".log"):
        assert part in names, names


def test_an_errors_report_has_no_address(data_folder: Callable[[str], Path]) -> None:
    """The links database is broken under a running server: what the street and the app say of that names nobody."""
    served = Served(data_folder("broken"), "--log-level", "debug").start()
    with served.client() as client:
        made = make(client)
        assert client.get(made["short_url"]).status_code == 302
        client.patch(f"/api/links/{made['code']}", json={"title": "told to the street"}).raise_for_status()
        for path in served.data.glob("links.sqlite*"):
            path.write_bytes(b"\xa5" * max(path.stat().st_size, 1 << 16))
        statuses = set()
        for address in [*FOUR, *SIX]:
            headers = {
                "x-forwarded-for": address,
                "forwarded": f'for="[{address}]"',
                "user-agent": f"x {address}",
            }
            for path in (f"/nobody-{address[-2:]}x", "/api/links", "/api/filters"):
                statuses.add(client.get(path, headers=headers).status_code)
        assert max(statuses) >= 500, statuses
        # What the street has in memory it answers all the same.
        assert client.get(made["short_url"]).status_code == 302
    served.kill()
    log = served.log.read_bytes()
    assert b"malformed" in log or b"not a database" in log or b"disk I/O" in log, log[-2000:]
    for address in [*FOUR, *SIX]:
        for spelling in spellings(address):
            assert spelling not in log, f"{address} as {spelling!r}"
