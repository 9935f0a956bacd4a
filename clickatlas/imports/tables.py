"""Tables of any make, read in batches of columns: CSV, NDJSON, JSON, Parquet, SQL dumps, web servers' logs, gzipped or not.

Nothing is written to a disk. Only Parquet and a JSON document are needed whole, and held in memory where they come
over the network.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from clickatlas.errors import Problem
from clickatlas.imports import access_logs, sql_dumps
from clickatlas.imports.nested import flat, records_in, with_others

BATCH = 1 << 16  # rows
MAX_LINE = 1 << 20  # characters: longer ones are refused
WHOLE = 1 << 30  # bytes
HEAD = 64 << 10  # bytes that are looked at to see what a file is
MOST_COLUMNS = 500
Refuse = Callable[[int, str], None]


@dataclass
class Batch:
    """Some rows: their numbers in the file, and their columns, each of as many cells."""

    rows: npt.NDArray[np.int64]
    columns: dict[str, Any]  # pyarrow arrays


@dataclass
class Table:
    """An open table. Its batches can be read once."""

    kind: str
    names: list[str]
    batches: Iterator[Batch]
    service: str = ""
    links: bool = False  # rows are links for certain, whatever columns they have
    rows: int | None = None  # how many, where the file says so
    notes: list[str] = field(default_factory=list)


def unreadable(why: str, remedy: str) -> Problem:
    """What is said of a file that is none."""
    return Problem(422, "File", why, remedy=remedy)


class Peeked(io.RawIOBase):
    """A stream whose beginning was read already."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = memoryview(head), rest

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As for every raw stream."""
        if self._head:
            size = min(len(buffer), len(self._head))
            buffer[:size], self._head = self._head[:size], self._head[size:]
            return size
        piece = self._rest.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def open_table(source: Any, name: str, refuse: Refuse, *, part: bool = False, whole: int = WHOLE) -> Table:
    """See what `source` is and read its names. Raises `Problem` (422).

    `part`: it is only a file's beginning, and may end anywhere. `whole`: bytes that may be held where a format must be
    had whole (Parquet from a stream, a JSON document).
    """
    head = _some(source)
    if head[:2] == b"\x1f\x8b":
        source, name = _Unzipped(Peeked(head, source)), name.removesuffix(".gz")
        try:
            head = _some(source)
        except (OSError, EOFError, zlib.error) as error:
            raise unreadable(
                f"The gzip file can't be read: {error}.", "Send it again, or unpacked."
            ) from None
    if head[:4] == b"PAR1":
        return _parquet(source if _is_seekable(source) else Peeked(head, source), whole)
    if head[:4] == b"PK\x03\x04":
        raise unreadable(
            "The file is a spreadsheet or an archive.", "Save the sheet as CSV (UTF-8), or unpack it."
        )
    if _is_seekable(source):
        source.seek(0)
    stream = source if _is_seekable(source) else Peeked(head, source)
    text = _text(head, part=part or len(head) >= HEAD)
    lines = io.TextIOWrapper(io.BufferedReader(stream, 1 << 18), "utf-8-sig", errors="replace", newline="")
    start = text.lstrip()[:1]
    if sql_dumps.is_one(name, text):
        return _of_dicts("sql", sql_dumps.rows(lines, refuse, part=part), sql_dumps.YOURLS)
    if start in ("{", "["):
        first = text.lstrip().partition("\n")[0]
        if start == "{" and _is_object(first):
            return _of_dicts("ndjson", _ndjson(lines, refuse, part=part))
        return _of_dicts("json", _document(lines, part=part, whole=whole))
    if access_logs.is_one(text):
        return _of_dicts("log", access_logs.rows(_lines(lines, refuse), refuse))
    return _csv(lines, text, refuse)


def _some(source: BinaryIO) -> bytes:
    head = b""
    while len(head) < HEAD and (piece := source.read(HEAD - len(head))):
        head += piece
    return head


def _is_seekable(source: Any) -> bool:
    return not isinstance(source, gzip.GzipFile) and bool(getattr(source, "seekable", lambda: False)())


class _Unzipped(gzip.GzipFile):
    def __init__(self, raw: io.RawIOBase) -> None:
        super().__init__(fileobj=io.BufferedReader(raw), mode="rb")

    def readinto(self, buffer: Any) -> int:
        try:
            return super().readinto(buffer)
        except (OSError, EOFError, zlib.error) as error:
            raise unreadable(
                f"The gzip file is damaged or cut off: {error}.", "Send all of it again."
            ) from None


def _text(head: bytes, *, part: bool) -> str:
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not (part and error.start > len(head) - 4):
            raise unreadable(
                "The file is not UTF-8 text.", "Save it as UTF-8 (CSV UTF-8 in spreadsheets)."
            ) from None
        text = head[: error.start].decode("utf-8-sig")
    if not text.strip("\0 \r\n\t"):
        raise unreadable(
            "The file is empty.",
            "Its first line names the columns: time, code, and ip or lat and lon, for instance.",
        )
    return text


def _lines(source: io.TextIOBase, refuse: Refuse, skipped: list[int] | None = None) -> Iterator[str]:
    """Lines with their ends; one of over a million characters is refused, not held."""
    number = 0
    while line := source.readline(MAX_LINE):
        number += 1
        if len(line) >= MAX_LINE and not line.endswith("\n"):
            while (more := source.readline(MAX_LINE)) and not more.endswith("\n"):
                pass
            refuse(number, "is longer than a million characters")
            if skipped is not None:
                skipped[0] += 1
            else:
                yield "\n"
            continue
        yield line


def _csv(source: io.TextIOBase, text: str, refuse: Refuse) -> Table:
    first = text.partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    skipped = [0]
    reader = csv.reader(_lines(source, refuse, skipped), delimiter=delimiter)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise unreadable(f"The first line can't be read: {error}.", "Save the file as CSV UTF-8.") from None
    names = _unlike([name.strip().strip("\ufeff") for name in header][:MOST_COLUMNS])
    return Table("csv", names, _csv_batches(reader, names, skipped, refuse))


def _unlike(names: Sequence[str]) -> list[str]:
    """Names of columns, each once: the second `date` is `date 2`."""
    found: dict[str, None] = {}
    for at, name in enumerate(names, 1):
        given, times = name or f"column {at}", 2
        while given in found:
            given, times = f"{name or 'column'} {times}", times + 1
        found[given] = None
    return list(found)


def _csv_batches(reader: Any, names: list[str], skipped: list[int], refuse: Refuse) -> Iterator[Batch]:
    width = len(names)
    rows: list[list[str]] = []
    numbers: list[int] = []
    while True:
        try:
            for row in reader:
                if not row:
                    continue
                if len(row) != width:
                    row = [*row, *[""] * (width - len(row))][:width]
                rows.append(row)
                numbers.append(reader.line_num + skipped[0])
                if len(rows) >= BATCH:
                    yield _batch(names, numbers, list(zip(*rows, strict=True)))
                    rows, numbers = [], []
            break
        except csv.Error as error:
            refuse(reader.line_num + skipped[0], f"can't be read: {error}")
    if rows:
        yield _batch(names, numbers, list(zip(*rows, strict=True)))


def _batch(names: Sequence[str], numbers: Sequence[int], columns: Sequence[Sequence[Any]]) -> Batch:
    return Batch(np.array(numbers, np.int64), {n: text_array(c) for n, c in zip(names, columns, strict=True)})


def text_array(cells: Sequence[Any]) -> Any:
    """Cells as an Arrow array of texts, null where there is none; whatever isn't text is written as JSON."""
    try:
        return pa.array(cells, pa.string())
    except (pa.ArrowException, UnicodeError, TypeError, ValueError):
        return pa.array([None if c is None else _cell(c) for c in cells], pa.string())


_HALVES = re.compile("[\ud800-\udfff]")


def _cell(value: Any) -> str:
    text = (
        value
        if isinstance(value, str)
        else json.dumps(value)
        if not isinstance(value, float)
        else repr(value)
    )
    return _HALVES.sub("\ufffd", text)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return line.rstrip().endswith("}") or len(line) > HEAD // 2


def _ndjson(source: io.TextIOBase, refuse: Refuse, *, part: bool) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(_lines(source, refuse), 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            if not (part and not line.endswith("\n")):
                refuse(number, "is not JSON")
            continue
        if not isinstance(fields, dict):
            refuse(number, "is not a JSON object")
            continue
        for record in records_in(fields) or [fields]:
            for one in with_others(record):
                yield number, flat(one)


def _document(source: io.TextIOBase, *, part: bool, whole: int) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        text = source.read(whole + 1)
        if len(text) > whole:
            raise _too_much(whole)
        found = records_in(json.loads(text))
    except (ValueError, RecursionError) as error:
        if part:
            raise unreadable(
                "The JSON document is too long to look at its beginning.", "Start the dry run."
            ) from None
        raise unreadable(
            f"The file is not JSON: {str(error)[:200]}.", "Send one object a line, or a list of them."
        ) from None
    if found is None:
        raise unreadable(
            "The JSON document has no list of objects.", "Send one object a line, or a list of them."
        )
    for number, record in enumerate(found, 1):
        for one in with_others(record):
            yield number, flat(one)


def _of_dicts(kind: str, rows: Iterator[tuple[int, dict[str, Any]]], known: Sequence[str] = ()) -> Table:
    """A table of rows that name their cells; the names are the `known` ones and those of the first batch."""
    first = list(islice(rows, BATCH))
    names: dict[str, None] = {}
    for _number, fields in first:
        if len(names) > MOST_COLUMNS:
            break
        names.update(dict.fromkeys(fields))
    columns = [*(name for name in known if name not in names), *names][:MOST_COLUMNS]

    def batches() -> Iterator[Batch]:
        chunk = first
        while chunk:
            cells = [[fields.get(name) for _number, fields in chunk] for name in columns]
            yield _batch(columns, [number for number, _fields in chunk], cells)
            chunk = list(islice(rows, BATCH))

    if not first:
        raise unreadable("No row of the file can be read.", "See docs/import.md for the formats that are.")
    return Table(kind, columns, batches())


def _parquet(source: Any, whole: int) -> Table:
    import pyarrow.parquet as pq

    try:
        opened = source if _is_seekable(source) else pa.BufferReader(_whole(source, whole))
        file = pq.ParquetFile(opened)
        names = list(file.schema_arrow.names)[:MOST_COLUMNS]
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise unreadable(
            f"The Parquet file can't be read: {str(error)[:200]}.", "Write it anew, or send CSV."
        ) from None
    return Table(
        "parquet",
        _flat_names(file.schema_arrow)[:MOST_COLUMNS],
        _parquet_batches(file, names),
        rows=file.metadata.num_rows,
    )


def _whole(source: Any, most: int) -> Any:
    pieces, size = [], 0
    while piece := source.read(1 << 20):
        size += len(piece)
        if size > most:
            raise _too_much(most)
        pieces.append(piece)
    return pa.py_buffer(b"".join(pieces))


def _too_much(most: int) -> Problem:
    return Problem(
        413, "Too large", f"A file of this format may have {most >> 20:,} MB here, as it must be had whole.",
        remedy="Send it as CSV or NDJSON, in parts, or use the command line.",
    )  # fmt: skip


def _flat_names(schema: Any) -> list[str]:
    return list(_flattened(pa.RecordBatch.from_pylist([], schema)).keys())


def _flattened(batch: Any) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_struct(column.type):
            for part, cells in zip(column.type, column.flatten(), strict=True):
                columns[f"{name}.{part.name}"] = cells
        else:
            columns[name] = column
    return columns


def _parquet_batches(file: Any, names: list[str]) -> Iterator[Batch]:
    at = 1
    try:
        for batch in file.iter_batches(batch_size=BATCH, use_threads=False):
            rows = np.arange(at, at + batch.num_rows, dtype=np.int64)
            at += batch.num_rows
            yield Batch(rows, _flattened(batch))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise unreadable(f"The Parquet file is damaged: {str(error)[:200]}.", "Write it anew.") from None
