"""The formats by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import NamedTuple

from clickatlas.formats.frames import Frame, Table
from clickatlas.formats.parquet import parquet
from clickatlas.formats.text import csv, geojson, ndjson

SLICE = 1 << 18  # bytes handed on at once


class Format(StrEnum):
    """What a table is exported as."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"
    GEOJSON = "geojson"


class _Written(NamedTuple):
    media: str
    write: Callable[[Table], Iterator[bytes]]


FORMATS = {
    Format.CSV: _Written("text/csv; charset=utf-8", csv),
    Format.NDJSON: _Written("application/x-ndjson", ndjson),
    Format.PARQUET: _Written("application/vnd.apache.parquet", parquet),
    Format.GEOJSON: _Written("application/geo+json", geojson),
}


class Begun(NamedTuple):
    """A file that is being written: about how many bytes it will have, and all of it, in pieces."""

    about: int
    pieces: Iterator[bytes]


def begun(table: Table, kind: Format) -> Begun:
    """Begin to write the table: what fails fails here, before anything is sent, and the first rows tell its size."""
    drawn: list[int] = []

    def frames(size: int) -> Iterator[Frame]:
        for frame in table.frames(size):
            drawn.append(frame.rows)
            yield frame

    pieces = FORMATS[kind].write(table._replace(frames=frames))
    first: list[bytes] = []
    for piece in pieces:
        first.append(piece)
        if len(drawn) > 1:
            break
    about = sum(map(len, first))
    if len(drawn) > 1:  # the last piece is of the second frame
        about = (about - len(first[-1])) * table.total // drawn[0]
    return Begun(about, _sliced(first, pieces))


def _sliced(first: list[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    while first:
        yield from _slices(first.pop(0))
    for piece in rest:
        yield from _slices(piece)


def _slices(piece: bytes) -> Iterator[bytes]:
    for begin in range(0, len(piece), SLICE):
        yield piece[begin : begin + SLICE]
