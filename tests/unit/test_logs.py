"""The log can't be forged, names nobody, and can't be flooded."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickatlas import logs
from clickatlas.settings import Settings

ADDRESSES = [
    "83.137.211.173",
    "2a02:8100:83b7:91c3:a5d7:e9f1:b3c5:d7e9",
    "2600:1700::8e1f",
    "::ffff:83.137.211.173",
]
FORGED = [
    "x\n2026-01-01T00:00:00.000Z INFO    clickatlas: all is well",
    "x\r\nadmin signed in", "\x1b[2J\x1b[1;31mred", "\x9b2J", "a\x85b\u2028c\u2029d", "\u202egnp.exe", "\x00", "\x7f\x08",
    '"}\n{"level":"info"',
]  # fmt: skip
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ +[\w.]+: .*")


class Written:
    """A log set up as a process sets it up, and what it wrote."""

    def __init__(self, style: str, **more: Any) -> None:
        self.stream = io.StringIO()
        sys.stderr, before = self.stream, sys.stderr
        try:
            logs.configure(Settings(log_format=style, **more))  # type: ignore[arg-type]
        finally:
            sys.stderr = before
        self.log = logging.getLogger("clickatlas.tested")

    def __str__(self) -> str:
        return self.stream.getvalue()

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in str(self).splitlines()]


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    level, handlers, raising = root.level, list(root.handlers), logging.raiseExceptions
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
    sys.excepthook, threading.excepthook = hooks
    logging.raiseExceptions = raising
    logging.captureWarnings(capture=False)


def fail(words: str) -> None:
    raise ValueError(words)


@pytest.mark.parametrize("style", ["text", "json"])
@pytest.mark.parametrize("sent", FORGED)
def test_what_is_sent_stays_in_its_line(style: str, sent: str) -> None:
    written = Written(style)
    written.log.warning("no such code: %s", sent, extra={"code": sent})
    written.log.error(sent)
    try:
        fail(sent)
    except ValueError:
        written.log.exception("at %s", sent)
    lines = str(written).split("\n")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e]", str(written))
    if style == "json":
        assert [event["level"] for event in written.events()] == ["warning", "error", "error"]
        assert all(line.isascii() for line in lines)
        assert "ValueError" in written.events()[2]["exception"]
    else:
        events = [line for line in lines if line and not line.startswith("    | ")]
        assert len(events) == 3
        assert all(LINE.fullmatch(line) for line in events)


@given(st.text())
def test_any_text_is_one_line(text: str) -> None:
    said = logs.plain(text)
    assert said.isprintable() or not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", said)
    assert len(said.splitlines()) <= 1


@pytest.mark.parametrize("style", ["text", "json"])
def test_an_event_has_time_level_logger_message_and_fields(style: str) -> None:
    written = Written(style)
    before = datetime.now(UTC)
    written.log.info("links %d", 3, extra={"clicks": 12, "ratio": 0.5, "done": True, "kind": "a b"})
    if style == "json":
        [event] = written.events()
        assert event["level"] == "info"
        assert event["logger"] == "clickatlas.tested"
        assert event["message"] == "links 3"
        assert (event["clicks"], event["ratio"], event["done"], event["kind"]) == (12, 0.5, True, "a b")
        assert abs((datetime.fromisoformat(event["time"]) - before).total_seconds()) < 5
        assert event["time"].endswith("Z")
    else:
        assert 'INFO    clickatlas.tested: links 3 clicks=12 ratio=0.5 done=true kind="a b"' in str(written)


def test_a_field_can_not_stand_in_for_what_the_event_is() -> None:
    written = Written("json")
    written.log.info("real", extra={"level": "critical", "time": "never", "logger": "other"})
    [event] = written.events()
    assert (event["level"], event["logger"], event["message"]) == ("info", "clickatlas.tested", "real")


@pytest.mark.parametrize("style", ["text", "json"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_no_address_is_written(style: str, address: str) -> None:
    written = Written(style)
    written.log.warning("from %s", address)
    written.log.warning("from [%s]:443, (%s) %s.", address, address, address, extra={"peer": (address, 80)})
    written.log.warning("peer:%s %s:443", address, address)
    try:
        fail(f"Cannot connect to {address}: refused")
    except ValueError:
        written.log.exception("x")
    assert address not in str(written)
    assert "[address]" in str(written)


@pytest.mark.parametrize("text", ["127.0.0.1:8000", "[::1]:80", "10.0.0.7", "12:30:45", "std::vector", "1.2.3", "version 1.2.3.4.5", "a::b"])  # fmt: skip
def test_what_is_no_visitors_address_stays(text: str) -> None:
    assert logs.plain(text) == text


@pytest.mark.parametrize("name", ["uvicorn", "uvicorn.error", "asyncio"])
def test_servers_write_into_the_same_log(name: str) -> None:
    own = logging.getLogger(name)
    own.addHandler(logging.StreamHandler())
    written = Written("json")
    own.warning("hello\nthere")
    assert [(event["logger"], event["message"]) for event in written.events()] == [(name, "hello\\nthere")]


@pytest.mark.parametrize("name", ["uvicorn.access", "aiohttp.access"])
def test_access_logs_stay_shut(name: str) -> None:
    written = Written("text", log_level="debug")
    logging.getLogger(name).error("83.137.211.173 GET /")
    assert str(written) == ""


def test_a_flood_is_counted() -> None:
    now = 0.0
    flood = logs.Flood(most=3, window=60, clock=lambda: now)

    def record(line: int, level: int = logging.ERROR) -> logging.LogRecord:
        return logging.LogRecord("x", level, "file.py", line, "disk full", (), None)

    assert sum(flood.filter(record(1)) for _ in range(100)) == 3
    assert flood.filter(record(2))  # another place in the code
    assert all(flood.filter(record(1, logging.INFO)) for _ in range(100))
    now = 61.0
    late = record(1)
    assert flood.filter(late)
    assert "disk full (and 97 times more" in logs.Text().format(late)
    assert "97 times" not in logs.Text().format(record(1))


def test_a_long_message_is_cut() -> None:
    assert len(logs.plain("x" * 1_000_000)) < 9000


def test_an_uncaught_fault_is_an_event() -> None:
    written = Written("json")
    thread = threading.Thread(target=fail, args=("from 83.137.211.173\nforged",))
    thread.start()
    thread.join()
    [event] = written.events()
    assert event["level"] == "critical"
    assert "ValueError" in event["exception"]
    assert "83.137" not in event["exception"]
