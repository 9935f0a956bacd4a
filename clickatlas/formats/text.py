"""CSV, NDJSON and GeoJSON: rows put together from pieces of text that are made once per key."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from clickatlas.formats.frames import ISO, Cell, Coded, Column, Frame, Moments, Objects, Table, iso

# What a spreadsheet would run, in any width of letters, and what it would step over on the way there.
_FORMULA = re.compile(r"[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_PLAIN = re.compile(r'[a-zA-Z0-9][^,"\r\n]*\Z')  # most cells: nothing to do
_QUOTED = re.compile(r'[",\r\n]')
ROWS = 8_000  # put together at once: up to 6 MB
HALF = b"\0"  # in no JSON
Texts = list[bytes]
Cells = tuple[Cell, ...]


class _Style(NamedTuple):
    """How cells stand beside each other: a row's begin and end, and cells as text."""

    begin: bytes
    between: bytes
    end: bytes
    cells: Callable[[Sequence[Column], Cells], bytes]
    quote: bytes  # around a time


def csv(table: Table) -> Iterator[bytes]:
    """A header, then a line per row; what is not known is empty."""
    yield b",".join(_cell(column.name) for column in table.columns) + b"\r\n"
    style = _Style(b"", b",", b"\r\n", lambda _, cells: b",".join(map(_cell, cells)), b"")
    for frame in table.frames(ROWS):
        yield _joined(_pieces(frame, style))


def inert(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula gets a leading apostrophe."""
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return value


def _cell(value: Cell) -> bytes:
    if value is None:
        return b""
    if isinstance(value, str):
        if _PLAIN.match(value):
            return value.encode()
        text = str(inert(value))
        return (f'"{text.replace(chr(34), chr(34) * 2)}"' if _QUOTED.search(text) else text).encode()
    return str(value).encode()


def ndjson(table: Table) -> Iterator[bytes]:
    """A JSON document per line; what is not known is null."""
    style = _Style(b"{", b", ", b"}\n", _members, b'"')
    for frame in table.frames(ROWS):
        yield _joined(_pieces(frame, style))


def geojson(table: Table) -> Iterator[bytes]:
    """A FeatureCollection, a line per feature; a row without a position has no geometry (null)."""
    yield b'{"type": "FeatureCollection", "features": ['
    style = _Style(b', "properties": {', b", ", b"}}", _members, b'"')
    comma = 0  # before every feature but the first
    for frame in table.frames(ROWS):
        joined = _joined(_pieces(frame, style, table.spot))
        yield joined if comma else joined[1:]
        comma = 1
    yield b"\n]}\n"


def _members(columns: Sequence[Column], cells: Cells) -> bytes:
    named = zip(columns, cells, strict=True)
    return ", ".join(f'"{column.name}": {json.dumps(cell)}' for column, cell in named).encode()


def _joined(pieces: Sequence[Texts]) -> bytes:
    return b"".join(chain.from_iterable(zip(*pieces, strict=True)))


def _pieces(frame: Frame, style: _Style, spot: tuple[str, str] | None = None) -> list[Texts]:
    """Per part of the frame the text of each row; with `spot` a feature's geometry comes first."""
    found: list[Texts] = []
    first = [_feature(None, None)] * frame.rows
    for at, part in enumerate(frame.parts):
        before = b"" if at else style.begin
        after = style.between if at < len(frame.parts) - 1 else style.end
        if isinstance(part, Moments):
            found.append(_times(part, style, before, after))
            continue
        names = [column.name for column in part.columns]
        lon, lat = (names.index(name) for name in spot) if spot and {*spot} <= {*names} else (-1, -1)
        made = part.lookup.made(part.keys, _maker(part, style, before, after, lon, lat))
        if lon >= 0:
            first, own = _halves(made, part)
            found.append(own)
        else:
            found.append(made[part.codes].tolist())
    return [first, *found] if spot else found


def _maker(
    part: Coded, style: _Style, before: bytes, after: bytes, lon: int, lat: int
) -> Callable[[Cells], bytes]:
    """A key's cells become its text; after a feature's beginning and `HALF` where its position is among them."""

    def make(cells: Cells) -> bytes:
        text = before + style.cells(part.columns, cells) + after
        return _feature(cells[lon], cells[lat]) + HALF + text if lon >= 0 else text

    return make


def _halves(made: Objects, part: Coded) -> tuple[Texts, Texts]:
    """One text for both takes a third less memory than two and a pair of them."""
    halves = np.empty((2, len(made)), object)
    for at, text in enumerate(made.tolist()):
        halves[:, at] = text.split(HALF)
    return halves[0, part.codes].tolist(), halves[1, part.codes].tolist()


def _feature(lon: Cell, lat: Cell) -> bytes:
    known = lon is not None and lat is not None
    geometry = f'{{"type": "Point", "coordinates": [{lon}, {lat}]}}' if known else "null"
    return f',\n{{"type": "Feature", "geometry": {geometry}'.encode()


def _times(part: Moments, style: _Style, before: bytes, after: bytes) -> Texts:
    if style.quote:
        before += f'"{part.column.name}": '.encode()
    begin, end = before + style.quote, style.quote + after
    letters = np.empty((len(part.time), len(begin) + ISO + len(end)), np.uint8)
    letters[:, : len(begin)] = np.frombuffer(begin, np.uint8)
    letters[:, len(begin) : len(begin) + ISO] = iso(part.time, part.ahead)
    letters[:, len(begin) + ISO :] = np.frombuffer(end, np.uint8)
    texts = letters.view(f"S{letters.shape[1]}").ravel()
    if part.known is not None:
        texts[~part.known] = before + (b"null" if style.quote else b"") + after
    return list(texts.tolist())
