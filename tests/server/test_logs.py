"""What visitors send to a running clickatlas can't forge its log, in either format."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.server.served import Served

MARK = "forged-by-a-visitor"
EVIL = [
    f"\r\n2026-01-01T00:00:00.000Z CRITICAL clickatlas: {MARK}", f'"}}\n{{"level":"critical","message":"{MARK}"}}', f"\x1b[2J\x1b]0;{MARK}\x07",
    f"\x9b31m{MARK}", f"%0d%0a{MARK}", f"%1b%5b2J{MARK}", f"\u2028{MARK}", f"\x00{MARK}", f"%(levelname)s %s {{}} {MARK}",
]  # fmt: skip
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ +[\w.]+: .*")


def send(served: Served, request: bytes) -> None:
    """Bytes as they are; whatever is answered."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", served.port), timeout=3) as connection:
        connection.sendall(request)
        while connection.recv(65536):
            pass


@pytest.fixture(scope="module", params=["text", "json"])
def attacked(request: pytest.FixtureRequest, data_folder: Callable[[str], Path]) -> Served:
    """A server that was sent such things as code, path, query, header, body, method and destination."""
    style = request.param
    served = Served(data_folder(f"attacked-{style}"), "--log-format", style, "--log-level", "debug").start()
    token = served.token
    for evil in EVIL:
        raw = evil.encode("utf-8")
        for target in (
            b"/" + raw,
            b"/api/links/" + raw,
            b"/app/sign-in?token=" + raw,
            b"/api/" + raw + b"?" + raw,
        ):
            send(served, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        for name in (
            b"User-Agent",
            b"Referer",
            b"X-Forwarded-For",
            b"Authorization",
            b"Host",
            b"Cookie",
            raw,
        ):
            send(
                served,
                b"GET /api/session HTTP/1.1\r\n" + name + b": " + raw + b"\r\nConnection: close\r\n\r\n",
            )
        send(served, raw + b" / HTTP/1.1\r\n\r\n")
        for code in (evil, "real"):
            body = json.dumps({"url": f"https://example.com/{evil}", "code": code, "title": evil}).encode()
            head = f"POST /api/links HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            send(served, head.encode() + body)
        body = json.dumps({"name": evil, "address": evil}).encode()  # its name goes into the audit log
        head = (
            f"POST /api/views HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"
        )
        send(
            served,
            (head + f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body,
        )
    served.stop()
    return served


def test_no_control_character_is_in_the_log(attacked: Served) -> None:
    log = attacked.log.read_bytes().decode("utf-8")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]", log)
    assert "Traceback" not in log


def test_every_line_is_an_event_of_ours(attacked: Served) -> None:
    style = attacked.flags[1]
    said = attacked.log.read_text("utf-8").splitlines()
    events = [line for line in said if line and not line.startswith("  ")]  # the greeting, and tracebacks
    assert len(events) > len(EVIL)  # the audit log at least
    for line in events:
        if style == "json":
            event = json.loads(line)
            assert set(event) >= {"time", "level", "logger", "message", "process"}
            assert event["level"] != "critical"
        else:
            assert LINE.fullmatch(line), line
            assert line.split()[1] != "CRITICAL"


def test_what_was_sent_is_in_the_audit_log_as_words(attacked: Served) -> None:
    assert MARK in attacked.log.read_text("utf-8")
