"""Web servers' access logs: the common and the combined format, as Apache, nginx and most others write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_LINE = re.compile(
    rf"(?:(\S+:\d+) )?(\S+) \S+ (?:[^\[]*?) ?\[([^\]]+)\] {_QUOTED} (\d{{3}}) (\S+)(?: {_QUOTED}(?: {_QUOTED})?)?"
)
_ESCAPED = re.compile(r"\\(x[0-9a-fA-F]{2}|.)")


def is_one(text: str) -> bool:
    """Whether a text's first lines are a log's."""
    lines = [line for line in text.split("\n")[:5] if line.strip()]
    return bool(lines) and any(_LINE.match(line) for line in lines[:3])


def rows(lines: Iterator[str], refuse: Callable[[int, str], None]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, cells) of each request."""
    for number, line in enumerate(lines, 1):
        found = _LINE.match(line)
        if found is None:
            if line.strip():
                refuse(number, "is no line of an access log")
            continue
        _host, address, time, request, status, _size, referrer, agent = found.groups()
        method, _, rest = request.partition(" ")
        yield number, {
            "ip": address, "time": time, "method": method, "path": rest.rpartition(" ")[0] or rest, "status": status,
            "referrer": "" if referrer in (None, "-") else _plain(referrer), "user_agent": "" if agent in (None, "-") else _plain(agent),
        }  # fmt: skip


def _plain(text: str) -> str:
    return (
        _ESCAPED.sub(lambda m: chr(int(m[1][1:], 16)) if len(m[1]) == 3 else m[1], text)
        if "\\" in text
        else text
    )
