"""The visitor's address is never on disk: every byte of the data folder and of the log is looked at."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.server.making import make
from tests.server.served import Served, command

# Four bytes may be in any file by chance: an address that is written down shows with all the others.
FOUR = [f"{a}.{b}.{c}.{d}" for a, b, c, d in zip((83, 91, 109, 151, 177, 188, 201, 217), (137, 203, 91, 233, 149, 211, 177, 99), (211, 157, 241, 171, 93, 139, 229, 187), (173, 119, 201, 147, 223, 97, 131, 251), strict=True)]  # fmt: skip
SIX = ["2a02:8100:83b7:91c3:a5d7:e9f1:b3c5:d7e9", "2600:1700:9a3b:7c5d:8e1f:a2b4:c6d8:eafc"]


@pytest.fixture(scope="module")
def used(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    """A server after clicks of all sorts, an import, refusals, faults and a kill."""
    served = Served(data_folder("private"), "--log-level", "debug").start()
    with served.client() as client:
        made = make(client)
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
    served.kill()
    served.start()
    yield served
    served.kill()


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
    }
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
