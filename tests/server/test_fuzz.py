"""Whatever comes in, nothing answers with a 500, and the server goes on."""

from __future__ import annotations

import json
import socket

import httpx
import pytest

from tests.server.making import make
from tests.server.problems import is_problem
from tests.server.served import Served

HOST = "Host: x\r\nConnection: close\r\n"


def answers(server: Served, request: bytes, *, cut: bool = False) -> list[int]:
    """The statuses of all answers to raw bytes; `cut` says no more, so that a half request ends."""
    data = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as line:
        try:
            line.sendall(request)
            if cut:
                line.shutdown(socket.SHUT_WR)
            while piece := line.recv(65536):
                data += piece
        except OSError:
            pass
    return [
        int(part[:3])
        for part in data.replace(b"HTTP/1.1 ", b"\0").replace(b"HTTP/1.0 ", b"\0").split(b"\0")[1:]
        if part[:3].isdigit()
    ]


def line(path: bytes | str, *headers: str, method: str = "GET", body: bytes = b"") -> bytes:
    path = path if isinstance(path, bytes) else path.encode()
    more = "".join(f"{header}\r\n" for header in headers).encode("latin-1")
    return method.encode() + b" " + path + b" HTTP/1.1\r\n" + HOST.encode() + more + b"\r\n" + body


PATHS = [
    "/%00", "/%ff", "/%c3%28", "/%ed%a0%80", "/a%00b", "/%0d%0aset-cookie:x", "/" + "a" * 60_000, "/" + "%41" * 9000, "/" + "a/" * 5000,
    "/" + "/" * 3000, "/?" + "a=b&" * 10_000, "/?%ff=%ff", "/api/links/%00", "/api/links/%ff", "/api/links/%ed%a0%80", "/api/links/..%2f..",
    "/api/links?search=%00", "/api/links?search=%ff", "/api/links?cursor=%00", "/api/links?limit=%00", "/api/links?tag=%ff&tag=%00",
    "/api/analytics/geo/%ff", "/api/analytics/geo/%00/cities", "/api/analytics/geo/countries?area=%00", "/api/analytics/geo/countries?area=%ff",
    "/api/analytics/geo/countries?link=" + "x" * 9000, "/api/analytics/geo/countries?" + "link=x&" * 1500, "/api/analytics/geo/countries?tz=%ff",
    "/api/analytics/geo/countries?from=%ff", "/api/analytics/geo/countries?limit=" + "9" * 400, "/api/heat/tiles/0/0/0.mvt?v=%ff",
    "/api/heat/tilejson?" + "area=country:US&" * 900, "/api/heat/tilejson?x=%ff%00", "/api/export/clicks.%00", "/api/export/clicks.%ff",
    "/api/views/%00", "/api/views/%ff", "/api/views/" + "9" * 400, "/api/heat/frames?within=%ff", "/api/heat/frames?bucket=%00",
    "/api/heat/frames?" + "within=0,0,1,1&" * 900, "/api/heat/frames?within=" + "1," * 9000, "/api/analytics/hours?clock=%ff",
    "/api/analytics/breakdown?by=%00", "/api/analytics/breakdown?by=tag&limit=" + "9" * 400, "/api/compare/areas?b.tz=%00&b.link=%ff",
    "/api/compare/tiles/0/0/0.mvt?v=%ff.%00&b.from=%ff", "/api/compare/tilejson?b.x=%ff&" + "b.area=x&" * 900,
    "/api/areas/%00", "/api/areas/%ff", "/api/areas?search=%ed%a0%80", "/app/%00", "/app/%ff", "/app/sign-in?token=%ff", "/static/%00",
    "/static/%ff", "/static/" + "a" * 5000, "/static/..%2f..%2fcli.py", "/static/%2e%2e/cli.py", "/static/../../cli.py", "/static/a%00.pbf",
    "/static/basemap/tiles/%00.pbf", "/docs%00", "/health?%ff", "/api%2flinks", "/api\\links", "/;/api", "/.", "/..", "/~", "/*",
]  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_paths(server: Served, method: str) -> None:
    key = f"Authorization: Bearer {server.token}"
    for path in PATHS:
        for headers in ((), (key,)):
            found = answers(server, line(path, *headers, method=method))
            assert all(200 <= status < 500 for status in found), (method, path[:80], found)
            assert found or len(path) > 5000, (method, path[:80])


LINES = [
    b"", b"\0", b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", b"GET http://other.example/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: \xff\r\nConnection: close\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nConnection: close\r\n\r\n", line("/api/links", "Content-Length: -1", method="POST"),
    line("/api/links", "Content-Length: 99999999999999999999", method="POST"), line("/api/links", "Content-Length: 5", "Content-Length: 6", method="POST"),
    line("/api/links", "Transfer-Encoding: chunked", method="POST", body=b"zz\r\n"),
    line("/api/links", "Transfer-Encoding: chunked", "Content-Length: 4", method="POST", body=b"0\r\n\r\n"),
    line("/health", "X: " + "y" * 100_000), line("/health", *("X: y" for _ in range(300))), line("/health", "Cookie: " + "a=b;" * 3000),
    line("/health", "Upgrade: websocket", "Sec-WebSocket-Key: x", "Sec-WebSocket-Version: 13"), line("/health", "Accept-Encoding: \xff"),
]  # fmt: skip


@pytest.mark.parametrize("request_line", LINES, ids=lambda value: repr(value[:40]))
def test_lines_that_are_no_requests(server: Served, request_line: bytes) -> None:
    assert all(status < 500 for status in answers(server, request_line, cut=True))
    assert httpx.get(f"{server.url}/health").status_code == 200


HEADERS = [
    "User-Agent: \xff\xfe", "User-Agent: " + "x" * 50_000, "User-Agent:", "User-Agent: a\tb", "User-Agent: (((((((((((((((", "Referer: \xff",
    "Referer: http://[", "Referer: //\xe9", "Referer: " + "https://" + "a." * 5000, "Referer: http://a:b@c:d", "Referer: javascript:x",
    "Accept-Language: \xff", "Accept-Language: " + "en," * 9000, "Accept-Language: *", "Accept: \xff", "Accept:", "X-Forwarded-For: \xff",
    "X-Forwarded-For: [", "X-Forwarded-For: [::1", "X-Forwarded-For: ::ffff:999.1.1.1", "X-Forwarded-For: fe80::1%\xe9", "Forwarded: \xff", "Forwarded: for=[",
    'Forwarded: for="[::1', "Sec-Purpose: \xff", "Range: bytes=0-1", "If-None-Match: \xff", "Expect: 100-continue",
]  # fmt: skip


@pytest.mark.parametrize("header", HEADERS, ids=lambda value: repr(value[:40]))
def test_strange_headers_still_lead_on_and_are_counted(
    api: httpx.Client, server: Served, header: str
) -> None:
    made = make(api)
    assert answers(server, line(f"/{made['code']}", header)) == [302]
    server.settled(api, 1)
    found = api.get(f"/api/analytics/geo/{made['code']}/countries", params={"network": "all"})
    assert found.json()["total"] == 1
    api.get("/api/export/clicks.csv", params={"link": made["code"], "network": "all"}).raise_for_status()


BODIES = [
    b"", b"{", b"\xff\xfe\x00", b"null", b"[[[[" * 20_000, b'{"url": "\\ud800"}', b'{"\\ud800": 1}', b'{"url": "https://a.example/", "title": "\\ud800"}',
    b'{"url": "https://a.example/\\u0000"}', b'{"url": 1e999}', b'{"url": NaN}', b'{"url": ' + b"9" * 5000 + b"}", b'{"a":' * 5000 + b"1" + b"}" * 5000,
    json.dumps({"url": "https://a.example/", "title": "x" * 2_000_000}).encode(), json.dumps({"url": "https://a.example/", "tags": ["x"] * 100_000}).encode(),
    b'{"url": "https://a.example/", "url": 5}', b"\xef\xbb\xbf{}", '{"url": "https://a.example/"}'.encode("utf-16"), b"url=https://a.example/",
    b'{"url": "https://a.example/", "code": "' + b"a" * 100_000 + b'"}', b'{"url": "https://a.example/", "campaign": "\\ud800"}', b'{"url": "https://\\ud800.example/"}',
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=lambda value: repr(value[:40]))
@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json; charset=utf-16",
        "\xff",
        "",
    ],
)
def test_bodies(api: httpx.Client, body: bytes, kind: str) -> None:
    for method, path in (
        ("POST", "/api/links"),
        ("PATCH", "/api/links/nobody"),
        ("DELETE", "/api/links/nobody"),
    ):
        answer = api.request(method, path, content=body, headers={"content-type": kind.encode("latin-1")})
        if answer.status_code == 201:  # JSON may be UTF-16, too
            assert body.startswith(b"\xff\xfe{")
            continue
        is_problem(answer, 400, 404, 413, 422)


def test_a_body_may_be_large_but_not_huge(api: httpx.Client) -> None:
    fitting = {
        "url": "https://example.com/" + "a" * 8000,
        "title": "é" * 500,
        "tags": [f"{n:064}" for n in range(50)],
    }
    assert api.post("/api/links", json=fitting).status_code == 201
    for size in (200_000, 5_000_000):
        for method, path in (("POST", "/api/links"), ("DELETE", "/api/links/nobody"), ("GET", "/api/links")):
            is_problem(api.request(method, path, content=b"x" * size), 413)
            is_problem(api.request(method, path, content=iter([b"x" * size])), 413)
    assert api.get("/api/links", params={"limit": 1}).status_code == 200


def test_the_log_has_no_fault(server: Served) -> None:
    """Last in this file: what the tests before it made of the server."""
    log = server.log.read_text("utf-8", "replace")
    assert "Traceback" not in log, log[log.index("Traceback") - 500 :][:3000]
    assert "fault while answering" not in log
