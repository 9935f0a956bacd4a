"""The rows in a MySQL or MariaDB dump, as `mysqldump` and phpMyAdmin write YOURLS' tables: INSERT statements, read as text."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any

_INSERT = re.compile(
    r"INSERT (?:IGNORE )?INTO\s+[`\"]?([A-Za-z0-9_$]+)[`\"]?\s*(?:\(([^()]*)\))?\s*VALUES\s*", re.I
)
_CREATE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?[`\"]?([A-Za-z0-9_$]+)[`\"]?\s*\(", re.I)
_COLUMN = re.compile(r"\s*[`\"]([^`\"]+)[`\"]\s")
_VALUE = re.compile(r"\s*(?:'((?:[^'\\]|\\.|'')*)'|([^,()'\s]+))\s*([,)])", re.S)
_ESCAPED = re.compile(r"\\(.)|''", re.S)
_MEANT = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "Z": "\x1a", "b": "\b"}
MAX_STATEMENT = 64 << 20  # characters; mysqldump's own limit is 16 MB


def is_one(name: str, text: str) -> bool:
    """Whether a file is a dump, by its name or its beginning."""
    return name.lower().endswith(".sql") or text.lstrip().startswith(
        ("-- phpMyAdmin", "-- MySQL dump", "-- MariaDB dump", "/*!", "/*M!")
    )


# What YOURLS' two tables have of use; a log's short code is named as the links' is.
YOURLS = [
    "keyword",
    "url",
    "title",
    "created",
    "click_id",
    "click_time",
    "referrer",
    "user_agent",
    "ip_address",
    "country_code",
]
_RENAMED = {"shorturl": "keyword"}


def rows(
    source: io.TextIOBase, refuse: Callable[[int, str], None], *, part: bool = False
) -> Iterator[tuple[int, dict[str, Any]]]:
    """(row number, cells) of the tables of links, then of clicks; other tables are left out.

    Dumps are in the order of the tables' names, and clicks may come before the links that they need: these wait, packed.
    """
    names: dict[str, list[str]] = {}
    number, waiting = 0, list[bytes]()
    for statement in _statements(source, names, refuse, part=part):
        if _is_log(statement) and not part:
            waiting.append(zlib.compress(statement.encode("utf-8", "replace"), 1))
            continue
        for cells in _cells(statement, names):
            number += 1
            yield number, cells
    for packed in waiting:
        for cells in _cells(zlib.decompress(packed).decode(), names):
            number += 1
            yield number, cells


def _statements(
    source: io.TextIOBase, names: dict[str, list[str]], refuse: Callable[[int, str], None], *, part: bool
) -> Iterator[str]:
    table, pending = "", ""
    for line in iter(lambda: source.readline(MAX_STATEMENT), ""):
        if not pending:
            if found := _CREATE.match(line):
                table = found[1]
                names[table] = []
            elif table and (column := _COLUMN.match(line)):
                names[table].append(column[1])
            elif line.startswith(")"):
                table = ""
            if not line[:7].upper().startswith("INSERT "):
                continue
        pending += line
        if len(pending) > MAX_STATEMENT:
            refuse(0, "an INSERT statement is longer than 64 million characters")
            pending = ""
        elif pending.rstrip().endswith(";"):
            yield pending
            pending = ""
    if pending and part:
        yield pending


def _is_log(statement: str) -> bool:
    found = _INSERT.match(statement)
    return found is not None and not found[1].lower().endswith(("url", "links", "link"))


def _cells(statement: str, names: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    found = _INSERT.match(statement)
    if found is None or not re.search(r"(_url|_log|links?|visits?|clicks?)$", found[1], re.I):
        return
    columns = [name.strip(' `"\n') for name in found[2].split(",")] if found[2] else names.get(found[1], [])
    at, end = found.end(), len(statement)
    while (at := statement.find("(", at)) >= 0:
        at += 1
        values: list[str | None] = []
        while at < end and (value := _VALUE.match(statement, at)):
            values.append(_meant(value))
            at = value.end()
            if value[3] == ")":
                if len(values) == len(columns):
                    yield _of_use(dict(zip(columns, values, strict=True)))
                break
        else:
            return


def _of_use(cells: dict[str, str | None]) -> dict[str, str | None]:
    if "keyword" in cells:  # of YOURLS' links: when they were made, and not who made them
        return {
            "keyword": cells["keyword"],
            "url": cells.get("url"),
            "title": cells.get("title"),
            "created": cells.get("timestamp"),
        }
    return {_RENAMED.get(name, name): value for name, value in cells.items()}


def _meant(value: re.Match[str]) -> str | None:
    text = value[1]
    if text is None:
        if value[2][:2] in ("0x", "0X"):  # a column of bytes, as Navicat and --hex-blob write it
            return _of_hex(value[2])
        return None if value[2].upper() == "NULL" else value[2]
    return _ESCAPED.sub(lambda m: _MEANT.get(m[1], m[1]) if m[1] else "'", text)


def _of_hex(literal: str) -> str:
    try:
        return bytes.fromhex(literal[2:]).decode("utf-8", "replace")
    except ValueError:
        return literal
