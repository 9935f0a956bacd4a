"""Whose word on an address is taken: proxies that are trusted, and the right-most hop that is not one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.making import make
from tests.server.served import Served
from tests.server.test_redirects import clicks
from tests.server.visitors import record_of

MIT, DENMARK = "18.9.22.69", "130.225.0.1"
SIX = "2a02:8100::1"  # Germany

TRUSTED = [
    ({"x-forwarded-for": DENMARK}, DENMARK),
    ({"x-forwarded-for": f"{MIT}, {DENMARK}"}, DENMARK),
    ({"x-forwarded-for": f"{DENMARK}, 127.0.0.1"}, DENMARK),
    ({"x-forwarded-for": f"{MIT} , {DENMARK} , 127.0.0.1, 127.0.0.1"}, DENMARK),
    ({"x-forwarded-for": f"{DENMARK}:51234"}, DENMARK),
    ({"x-forwarded-for": f"[{SIX}]:443"}, SIX),
    ({"x-forwarded-for": SIX}, SIX),
    ({"x-forwarded-for": f"::ffff:{DENMARK}"}, DENMARK),
    ({"x-forwarded-for": f"{MIT}, {DENMARK},"}, DENMARK),
    ({"x-forwarded-for": f"{MIT},,{DENMARK}, ,"}, DENMARK),
    ({"forwarded": f"for={DENMARK}"}, DENMARK),
    ({"forwarded": f'For="[{SIX}]:4711";proto=https;by=10.0.0.1'}, SIX),
    ({"forwarded": f"for={MIT}, for={DENMARK};host=x.example"}, DENMARK),
    ({"forwarded": f'for="{DENMARK}:80", for=127.0.0.1'}, DENMARK),
    ({"forwarded": f"for={MIT}", "x-forwarded-for": DENMARK}, DENMARK),
    ({"x-forwarded-for": ""}, None),
    ({"x-forwarded-for": "unknown"}, None),
    ({"x-forwarded-for": "' OR 1=1 --"}, None),
    ({"x-forwarded-for": "1.2.3.4.5.6.7.8"}, None),
    ({"x-forwarded-for": "999.1.1.1"}, None),
    ({"x-forwarded-for": "a" * 20000}, None),
    ({"x-forwarded-for": "," * 5000}, None),
    ({"forwarded": "for=_hidden"}, None),
    ({"forwarded": 'for="'}, None),
    ({"forwarded": ";;;,,,==="}, None),
    ({}, None),
]  # fmt: skip


def country(address: str | None) -> str | None:
    return record_of(address)["country"]["iso_code"] if address else None


def test_the_draw_can_tell() -> None:
    assert {country(MIT), country(DENMARK), country(SIX)} == {"US", "DK", "DE"}


def test_a_trusted_proxy_is_believed(api: httpx.Client, server: Served) -> None:
    codes = [make(api)["code"] for _ in TRUSTED]
    for code, (headers, _address) in zip(codes, TRUSTED, strict=True):
        assert httpx.get(f"{server.url}/{code}", headers=headers).status_code == 302
    for code, (headers, address) in zip(codes, TRUSTED, strict=True):
        (row,) = clicks(api, server, code, 1)
        assert row["country"] == country(address), headers


def test_several_headers_are_one_list(api: httpx.Client, server: Served) -> None:
    made = make(api)
    headers = [("x-forwarded-for", MIT), ("x-forwarded-for", DENMARK)]
    assert httpx.get(made["short_url"], headers=headers).status_code == 302
    (row,) = clicks(api, server, made["code"], 1)
    assert row["country"] == "DK"


@pytest.fixture(scope="module")
def distrustful(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    """A server that trusts no proxy that is there."""
    served = Served(data_folder("distrustful"), "--trusted-proxies", "10.0.0.0/8").start()
    yield served
    served.kill()


def test_nobody_else_is_believed(distrustful: Served) -> None:
    with distrustful.client() as client:
        made = make(client)
        forged = [headers for headers, _ in TRUSTED if headers]
        for headers in forged:
            assert httpx.get(made["short_url"], headers=headers).status_code == 302
        rows = clicks(client, distrustful, made["code"], len(forged))
        assert {row["country"] for row in rows} == {None}
        status = distrustful.settled(client, len(forged))
        assert status["store"]["private"] == len(forged)
