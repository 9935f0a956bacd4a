"""Connections as they come from outside: pipelined, cut in pieces, endless, or silent."""

from __future__ import annotations

import resource
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.server.making import make
from tests.server.served import Served, free_port, until

IDLE = 10_000
SLOW = 200


@pytest.fixture(scope="module")
def busy(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    served = Served(data_folder("connections")).start()
    yield served
    served.kill()


@pytest.fixture(scope="module")
def link(busy: Served) -> str:
    with busy.client() as client:
        return str(make(client, url="https://example.com/there", pass_query=True)["code"])


def said(served: Served, *pieces: bytes, patience: float = 10.0, pause: float = 0.0) -> bytes:
    """What comes back for `pieces` until the other side closes, or says nothing more for a while."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=patience) as line:
        for piece in pieces:
            line.sendall(piece)
            time.sleep(pause)
        line.shutdown(socket.SHUT_WR)
        found = b""
        while piece := line.recv(1 << 16):
            found += piece
    return found


def ask(path: str, *headers: str, method: str = "GET", version: str = "1.1", body: str = "") -> bytes:
    lines = [f"{method} {path} HTTP/{version}", "Host: x", *headers, "", body]
    return "\r\n".join(lines).encode()


LAST = "Connection: close"


def statuses(answer: bytes) -> list[int]:
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


def test_pipelined_answers_keep_their_order(busy: Served, link: str) -> None:
    wanted = [f"/{link}?n=1", "/nowhere", f"/{link}?n=2", f"/{link}?n=3", "/health", f"/{link}?n=4"]
    asked = [ask(path) for path in wanted[:-1]] + [ask(wanted[-1], LAST)]
    for pieces in ([b"".join(asked)], asked, [bytes([byte]) for byte in b"".join(asked)]):
        answer = said(busy, *pieces)
        assert statuses(answer) == [302, 404, 302, 302, 200, 302]
        at = [answer.index(f"location: https://example.com/there?n={n}\r\n".encode()) for n in (1, 2, 3, 4)]
        assert at == sorted(at)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (lambda c: ask(f"/{c}", "Content-Length: 3", LAST, body="abc"), [302]),
        (lambda c: ask(f"/{c}", "Content-Length: 3", body="abc") + ask(f"/{c}", LAST), [302, 302]),
        (lambda c: ask(f"/{c}", "Transfer-Encoding: chunked", LAST, body="3\r\nabc\r\n0\r\n\r\n"), [302]),
        (lambda c: ask(f"/{c}", "Content-Length: 3", method="POST", body="abc") + ask(f"/{c}", LAST), [405, 302]),
        (lambda c: ask(f"/{c}", method="HEAD") + ask(f"/{c}", LAST), [302, 302]),
        (lambda c: ask(f"/{c}", version="1.0"), [302]),
        (lambda c: ask(f"http://x/{c}", LAST), [302]),
        (lambda c: ask(f"/{c}/", LAST), [302]),
        (lambda c: ask(f"/%{ord(c[0]):x}{c[1:]}", LAST), [302]),
        (lambda c: ask(f"/{c}", "Connection: upgrade, close", "Upgrade: h2c"), [302]),
        (lambda c: ask(f"/{c}", "Connection: upgrade, close", "Upgrade: websocket"), [302]),
        (lambda c: ask(f"/{c}", LAST) + ask(f"/{c}"), [302]),
        (lambda c: ask(f"/{c}") + b"NONSENSE\r\n\r\n", [302, 400]),
        (lambda c: ask("x:443", method="CONNECT"), [400]),
        (lambda c: ask(f"/{c}", "Content-Length: 3", "Content-Length: 4", LAST, body="abc"), [400]),
        (lambda c: ask(f"/{c}", "Content-Length: 3", "Transfer-Encoding: chunked", LAST, body="0\r\n\r\n"), [400]),
        (lambda c: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [400]),  # TLS
        (lambda c: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]),
        (lambda c: b"GET /" + c.encode() + b"\x00 HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
        (lambda c: b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    ],
)  # fmt: skip
def test_requests_of_all_kinds(
    busy: Served, link: str, request_: Callable[[str], bytes], expected: list[int]
) -> None:
    assert statuses(said(busy, request_(link))) == expected


def test_a_head_that_is_too_large_is_refused(busy: Served) -> None:
    pieces = [b"GET / HTTP/1.1\r\nHost: x\r\nX-Large: ", *[b"a" * 8192] * 40]
    with socket.create_connection(("127.0.0.1", busy.port), timeout=10) as line:
        try:
            for piece in pieces:
                line.sendall(piece)
                time.sleep(0.01)
            answer = line.recv(1 << 16)
        except (ConnectionResetError, BrokenPipeError):  # it is not read any further
            answer = b""
    assert statuses(answer) in ([431], [])
    assert httpx.get(f"{busy.url}/health").status_code == 200


def test_who_does_not_read_does_not_fill_the_memory(busy: Served, link: str) -> None:
    """64 MB of questions without reading one answer: the kernel's buffers fill, then the sender waits."""
    before = max(_memory_kb(pid) for pid in busy.street_pids())
    with socket.create_connection(("127.0.0.1", busy.port)) as line:
        line.setblocking(False)
        one = ask(f"/{link}")
        block = one * 1000
        sent, give_up = 0, time.monotonic() + 30
        last = time.monotonic()
        while time.monotonic() < give_up and time.monotonic() - last < 2 and sent < 64 << 20:
            try:
                sent += line.send(block[sent % len(one) :])
                last = time.monotonic()
            except BlockingIOError:
                time.sleep(0.01)
        assert sent < 64 << 20, "everything was taken"
        assert max(_memory_kb(pid) for pid in busy.street_pids()) - before < 60_000
        assert httpx.get(f"{busy.url}/{link}").status_code == 302


def _memory_kb(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS"))


def test_idle_and_slow_connections_by_the_thousand(data_folder: Callable[[str], Path]) -> None:
    """10,000 that say nothing stay and disturb nobody; 200 that drip a head end after 15 s, however steadily."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = IDLE + SLOW + 300
    if files[1] != resource.RLIM_INFINITY and files[1] < wanted:
        pytest.skip(f"this user may have {files[1]} open files, and {wanted} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(files[0], wanted), files[1]))
    served = Served(data_folder("idle"), port=free_port()).start()
    with ExitStack() as lines, served.client() as client:
        code = make(client)["code"]
        pulse = served.street_pids()
        idle = [
            lines.enter_context(socket.create_connection(("127.0.0.1", served.port))) for _ in range(IDLE)
        ]
        slow = [
            lines.enter_context(socket.create_connection(("127.0.0.1", served.port))) for _ in range(SLOW)
        ]
        began = time.monotonic()
        for line in slow:
            line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            line.setblocking(False)
        longest, answered = 0.0, 0
        ended = selectors.DefaultSelector()
        for line in slow:
            ended.register(line, selectors.EVENT_READ)
        closed: dict[int, bytes] = {}
        while len(closed) < SLOW and time.monotonic() - began < 60:
            for key, _ in ended.select(0):
                line = slow[[s.fileno() for s in slow].index(key.fd)]
                closed[key.fd] = line.recv(1000)
                ended.unregister(line)
            for line in slow:
                if line.fileno() not in closed:
                    try:
                        line.send(b"a")
                    except OSError:
                        continue
            asked = time.monotonic()
            assert httpx.get(f"{served.url}/{code}").status_code == 302
            longest, answered = max(longest, time.monotonic() - asked), answered + 1
            time.sleep(0.2)
        assert len(closed) == SLOW
        assert time.monotonic() - began > 14
        assert all(statuses(answer) in ([408], []) for answer in closed.values())
        assert answered > 20
        assert longest < 5, "short links wait for silent connections"
        assert served.street_pids() == pulse, "a worker ended"
        # The silent ones are all still there, and answered as soon as they say something.
        for line in (idle[0], idle[IDLE // 2], idle[-1]):
            line.settimeout(10)
            line.sendall(ask(f"/{code}"))
            assert statuses(line.recv(1000)) == [302]
        until(lambda: served.settled(client, answered + 3), "counted")
    served.kill()
