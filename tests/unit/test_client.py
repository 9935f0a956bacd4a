"""The Python client by itself: what it sends, sends again, and makes of answers."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from unittest.mock import patch

import httpx
import pytest

from clickatlas.client import (
    ClickatlasError,
    Client,
    Columns,
    Filter,
    Invalid,
    MissingLibrary,
    NotFound,
    SignatureError,
    TooManyRequests,
    Unreachable,
    verify,
)
from clickatlas.client.transport import Transport, wait_of
from clickatlas.webhooks.signature import headers as signed
from clickatlas.webhooks.signature import new_secret

PROBLEM = {
    "type": "about:blank",
    "title": "Too many requests",
    "status": 429,
    "detail": "120 a minute.",
    "remedy": "Wait 7 s.",
}
Answer = Callable[[httpx.Request], httpx.Response]


def asking(
    *answers: httpx.Response | Exception, patience: float = 60
) -> tuple[Transport, list[httpx.Request], list[float]]:
    sent: list[httpx.Request] = []
    slept: list[float] = []
    left = iter(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        found = next(left)
        if isinstance(found, Exception):
            raise found
        return found

    made = Transport(
        "https://go.example",
        "t",
        patience=patience,
        sleep=slept.append,
        transport=httpx.MockTransport(answer),
    )
    return made, sent, slept


def test_it_brings_nothing_of_the_server_along() -> None:
    heavy = (
        "{'numpy', 'fastapi', 'duckdb', 'sqlalchemy', 'pyarrow', 'pandas', 'polars', 'geopandas', 'pydantic'}"
    )
    subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys, clickatlas.client; found = {heavy} & set(sys.modules); assert not found, found",
        ],
        check=True,
    )


def test_a_request_that_may_be_sent_again_waits_as_long_as_the_server_says() -> None:
    busy = httpx.Response(429, json=PROBLEM, headers={"retry-after": "7"})
    transport, sent, slept = asking(
        busy, httpx.Response(503, headers={"ratelimit": '"key";r=0;t=3'}), httpx.Response(200, json=1)
    )
    assert transport.ask("GET", "/") == 1
    assert slept == [7.0, 3.0]
    assert len(sent) == 3


def test_a_request_that_must_not_be_sent_twice_is_not() -> None:
    for method in ("POST", "PATCH"):
        transport, sent, _slept = asking(httpx.Response(429, json=PROBLEM, headers={"retry-after": "1"}))
        with pytest.raises(TooManyRequests, match=r"Too many requests: 120 a minute\. Wait 7 s\."):
            transport.ask(method, "/")
        assert len(sent) == 1
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        transport, sent, _slept = asking(httpx.ReadError("gone"))
        with pytest.raises(Unreachable):
            transport.ask(method, "/")


def test_with_a_key_it_may() -> None:
    transport, sent, _slept = asking(httpx.ReadError("gone"), httpx.Response(201, json={}))
    assert transport.ask("POST", "/api/links", json={}, headers={"idempotency-key": "k"}) == {}
    assert [request.headers["idempotency-key"] for request in sent] == ["k", "k"]


def test_patience_ends() -> None:
    busy = httpx.Response(429, json=PROBLEM, headers={"retry-after": "61"})
    transport, sent, slept = asking(busy)
    with pytest.raises(TooManyRequests):
        transport.ask("GET", "/")
    assert (len(sent), slept) == (1, [])
    transport, sent, _slept = asking(*[httpx.ConnectError("refused")] * 5)
    with pytest.raises(Unreachable):
        transport.ask("GET", "/")
    assert len(sent) == 3
    transport, sent, _slept = asking(httpx.ReadTimeout("slow"))
    with pytest.raises(Unreachable, match="in time"):
        transport.ask("GET", "/")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "12"}, 12.0),
        ({"retry-after": "Sun, 01 Mar 2026 00:00:30 GMT"}, 30.0),
        ({"retry-after": "Sat, 28 Feb 2026 00:00:00 GMT"}, 0.0),
        ({"ratelimit": '"key";r=0;t=9'}, 9.0),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float) -> None:
    assert wait_of(headers, 1, datetime(2026, 3, 1, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    "headers", [{}, {"retry-after": "soon"}, {"retry-after": "-1"}, {"ratelimit": "nonsense"}]
)
def test_what_can_not_be_read_is_guessed(headers: dict[str, str]) -> None:
    assert 0 < wait_of(headers, 1) < 1 < wait_of(headers, 4) < 8


def test_refusals_say_what_to_do() -> None:
    document = {
        "title": "Invalid request",
        "detail": "'tz' is no zone.",
        "remedy": "Use an IANA zone.",
        "field": "tz",
        "status": 422,
    }
    transport, *_ = asking(httpx.Response(422, json=document))
    with pytest.raises(Invalid) as caught:
        transport.ask("GET", "/")
    assert (caught.value.field, caught.value.remedy, caught.value.status) == ("tz", "Use an IANA zone.", 422)
    for answer in (
        httpx.Response(502, text="<h1>Bad gateway</h1>"),
        httpx.Response(500, json=[1]),
        httpx.Response(302),
    ):
        transport, *_ = asking(answer)
        with pytest.raises(ClickatlasError, match="HTTP"):
            transport.ask("GET", "/")
    transport, *_ = asking(httpx.Response(404))
    with pytest.raises(NotFound):
        transport.ask("GET", "/")


def test_a_filter_has_the_apis_names() -> None:
    wanted = Filter(
        link="a", area=["country:US", "zip:02139"], within=(-10, 35, 30, 60.5), from_=date(2026, 3, 1),
        to="2026-03-31", tz="Europe/Berlin", min_cell=5,
    )  # fmt: skip
    assert wanted.params() == [
        ("link", "a"), ("area", "country:US"), ("area", "zip:02139"), ("within", "-10,35,30,60.5"),
        ("from", "2026-03-01"), ("to", "2026-03-31"), ("tz", "Europe/Berlin"), ("min_cell", "5"),
    ]  # fmt: skip
    assert wanted.params("b.")[-1] == ("b.tz", "Europe/Berlin")
    assert Filter(within=[(0, 0, 1, 1), "2,2,3,3"]).within == ("0,0,1,1", "2,2,3,3")
    assert Filter(link="a") == Filter(link=["a"])
    assert hash(Filter(link=["a"])) == hash(Filter(link=("a",)))
    with pytest.raises(TypeError, match="link takes words"):
        Filter(link=[1])  # type: ignore[list-item]


def test_codes_are_written_into_paths_safely() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path.decode())
        return httpx.Response(404)

    with Client("https://go.example", "t", transport=httpx.MockTransport(answer)) as client:
        for wrong in ("../session", "a/b", "a?b", "ü"):
            with pytest.raises(NotFound):
                client.links.get(wrong)
    assert seen == ["/api/links/..%2Fsession", "/api/links/a%2Fb", "/api/links/a%3Fb", "/api/links/%C3%BC"]
    with pytest.raises(ValueError, match="no address"):
        Client("go.example", "t")


def test_columns_are_told_from_facts() -> None:
    found = Columns.read(
        {"total": 9, "ids": ["a", "b"], "q": [None, 0.1], "lorenz": [[0, 0], [1, 1]], "caveats": ["x", "y"]}
    )
    assert dict(found.values) == {"ids": ("a", "b"), "q": (None, 0.1)}
    assert found.facts["total"] == 9
    assert len(found) == 2


def test_a_library_that_is_missing_is_named() -> None:
    table = Columns({"lat": (1.0,), "lon": (2.0,)}, {})
    with (
        patch.dict(sys.modules, {"polars": None}),
        pytest.raises(MissingLibrary, match=r"clickatlas\[polars\]"),
    ):
        table.to_polars()
    with (
        patch.dict(sys.modules, {"geopandas": None}),
        pytest.raises(ImportError, match=r"clickatlas\[geopandas\]"),
    ):
        table.to_geopandas()


def delivery(secret: str, event: Any, at: int) -> tuple[bytes, dict[str, str]]:
    body = json.dumps(event).encode()
    return body, signed([new_secret(), secret], "msg_1", at, body)


def test_a_delivery_is_genuine() -> None:
    secret, event = new_secret(), {"type": "click", "data": {}}
    body, headers = delivery(secret, event, int(time.time()))
    assert verify(body, headers, secret) == event
    assert verify(body.decode(), {name.title(): value for name, value in headers.items()}, secret) == event


def test_a_forged_delivery_is_not() -> None:
    secret, now = new_secret(), int(time.time())
    body, headers = delivery(secret, {"type": "click"}, now)
    wrong: list[tuple[bytes, dict[str, str], str]] = [
        (body + b" ", headers, secret),
        (body, headers, new_secret()),
        (body, headers, "whsec_"),
        (body, headers, "no base64!"),
        (body, {}, secret),
        (body, headers | {"webhook-id": "msg_2"}, secret),
        (body, headers | {"webhook-timestamp": str(now - 1)}, secret),
        (body, headers | {"webhook-timestamp": "²"}, secret),
        (body, headers | {"webhook-timestamp": "9" * 4000}, secret),
        (body, headers | {"webhook-signature": "v1,\ud800 v2,x"}, secret),
        (*delivery(secret, {"type": "click"}, now - 301), secret),
        (*delivery(secret, {"type": "click"}, now + 330), secret),
        (*delivery(secret, ["click"], now), secret),
    ]
    for given, said, key in wrong:
        with pytest.raises(SignatureError):
            verify(given, said, key)
