"""Parquet, written row group by row group into a stream: nothing of it waits on a disk or in memory but one of them.

The rows come as keys and codes already (see `frames`), which is what Arrow's dictionaries are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from clickatlas.formats.frames import ISO, Cell, Column, Frame, Kind, Moments, Part, Table, iso

ROWS = 50_000  # of a row group: some 15 MB while it is written
_TYPES = {
    Kind.TEXT: pa.dictionary(pa.int32(), pa.string()),  # in the file as text
    Kind.WHOLE: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.FLAG: pa.bool_(),
    Kind.TIME: pa.timestamp("ms", tz="UTC"),
}


class _Stream:
    """A file for Arrow to write into, whose bytes are taken out again as they come."""

    closed = False

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def write(self, some: bytes) -> int:
        self._waiting.append(bytes(some))
        return len(some)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Whoever takes the bytes ends the stream."""

    def taken(self) -> bytes:
        some = b"".join(self._waiting)
        self._waiting.clear()
        return some


def parquet(table: Table) -> Iterator[bytes]:
    """The file, piece by piece."""
    pool = pa.system_memory_pool()  # Arrow's own keeps 40 MB of what it once had
    pa.set_memory_pool(pool)
    stream = _Stream()
    schema = pa.schema([(column.name, _TYPES[column.kind]) for column in table.columns])
    # Without Arrow's own schema: that dictionaries are how it is written need not concern who reads it.
    with pq.ParquetWriter(stream, schema, compression="zstd", store_schema=False) as writer:
        yield stream.taken()
        for frame in table.frames(ROWS):
            _write(writer, schema, frame)
            pool.release_unused()
            yield stream.taken()
    yield stream.taken()


def _write(writer: pq.ParquetWriter, schema: pa.Schema, frame: Frame) -> None:
    arrays = [array for part in frame.parts for array in _arrays(part)]
    writer.write_table(pa.Table.from_arrays(arrays, schema=schema), frame.rows or 1)


def _arrays(part: Part) -> Iterator[pa.Array]:
    if isinstance(part, Moments):
        yield _moments(part)
        return
    made = part.lookup.made(part.keys, tuple)
    codes = pa.array(part.codes)
    for column, cells in zip(part.columns, zip(*made, strict=True), strict=True):
        yield _coded(column, cells, codes)


def _coded(column: Column, cells: Sequence[Cell], codes: pa.Array) -> pa.Array:
    if column.kind is not Kind.TEXT:
        return pa.array(cells, _TYPES[column.kind]).take(codes)
    words = pa.array((None if cell is None else str(cell) for cell in cells), pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(words.indices.take(codes), words.dictionary)


def _moments(part: Moments) -> pa.Array:
    unknown = None if part.known is None else ~part.known
    if part.column.kind is Kind.TIME:
        return pa.array(part.time, pa.int64(), mask=unknown).cast(_TYPES[Kind.TIME])
    texts = iso(part.time, part.ahead).view(f"S{ISO}").reshape(len(part.time))
    return pa.array(texts.astype(f"U{ISO}"), pa.string(), mask=unknown).dictionary_encode()
