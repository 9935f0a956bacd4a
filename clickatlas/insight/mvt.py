"""Point layers of a Mapbox Vector Tile (specification 2.1), encoded as arrays.

Ours because a tile of 10,000 points must cost milliseconds: building one feature at a time,
as general encoders do, costs about a hundred times more (see docs/decisions/0004-tiles.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

EXTENT = 4096
TABLE = 1 << 14  # numbers below it are one or two bytes as varints: looked up, not computed
Bytes = npt.NDArray[np.uint8]
Varints = tuple[Bytes, npt.NDArray[np.int64]]  # a matrix of bytes, a row each, and how many of a row are used


def layer(
    name: str,
    x: npt.NDArray[np.integer],
    y: npt.NDArray[np.integer],
    columns: Mapping[str, npt.NDArray[np.int64] | Sequence[str]],
) -> bytes:
    """A layer of points: `x` and `y` in 0..EXTENT-1, `columns` of integers >= 0 or strings.

    Returns the bytes of one ``layers`` field of the tile message; b"" for no points. Layers
    are joined by putting them one behind the other.
    """
    if not len(x):
        return b""
    head = _field(15, 0, b"\x02") + _string(1, name) + _field(5, 0, _varint(EXTENT))
    values: list[bytes] = []
    tags: list[Varints] = []
    for key, (text, column) in enumerate(columns.items()):
        head += _string(3, text)
        distinct, index = _distinct(column)
        tags.append(_constant(_varint(key), len(x)))
        tags.append(_varints(index + len(values)))
        values.extend(map(_value, distinct))
    body = _features(x, y, tags)
    head += b"".join(values)
    return _string(3, head + body)


def _distinct(
    column: npt.NDArray[np.int64] | Sequence[str],
) -> tuple[Sequence[int | str], npt.NDArray[np.int64]]:
    """The different values of a column, and the position among them of each."""
    if isinstance(column, np.ndarray):
        if (largest := int(column.max())) < TABLE:  # a third of what sorting costs
            position = np.zeros(largest + 1, np.int64)
            position[column] = 1
            distinct = np.flatnonzero(position)
            position[distinct] = np.arange(len(distinct))
            return distinct.tolist(), position[column]
        distinct, index = np.unique(column, return_inverse=True)
        return distinct.tolist(), index
    numbers: dict[str, int] = {}
    index = np.fromiter((numbers.setdefault(text, len(numbers)) for text in column), np.int64, len(column))
    return list(numbers), index


def _features(x: npt.NDArray[np.integer], y: npt.NDArray[np.integer], tags: list[Varints]) -> bytes:
    count = len(x)
    place = [_varints(np.asarray(x, np.int64) << 1), _varints(np.asarray(y, np.int64) << 1)]
    move = _constant(b"\x09", count)  # one MoveTo
    parts = [
        _constant(b"\x12", count), _length(tags), *tags,                        # tags, packed
        _constant(b"\x18\x01\x22", count), _length([move, *place]), move, *place,  # a point; geometry, packed
    ]  # fmt: skip
    parts = [_constant(b"\x12", count), _length(parts), *parts]
    cells = np.concatenate([part for part, _ in parts], axis=1)
    used = np.ones(cells.shape, np.bool_)
    at = 0
    for part, sizes in parts:
        for byte in range(1, part.shape[1]):
            np.greater(sizes, byte, out=used[:, at + byte])
        at += part.shape[1]
    encoded: bytes = cells[used].tobytes()
    return encoded


def _length(parts: list[Varints]) -> Varints:
    """The bytes of all parts together, row by row."""
    sizes = parts[0][1]
    for _, more in parts[1:]:
        sizes = sizes + more
    return _varints(sizes)


def _varints(values: npt.NDArray[np.integer]) -> Varints:
    """Values >= 0 as varints."""
    largest = int(values.max())
    if largest < 0x80:
        return values.astype(np.uint8)[:, None], np.ones(len(values), np.int64)
    if largest < TABLE:
        return _SMALL[0][values], _SMALL[1][values]
    return _any_varints(values)


def _any_varints(values: npt.NDArray[np.integer]) -> Varints:
    values = np.asarray(values, np.uint64)
    width = max(1, -(-int(values.max()).bit_length() // 7))
    shifted = values[:, None] >> (7 * np.arange(width, dtype=np.uint64))
    sizes = np.maximum(1, (shifted > 0).sum(axis=1))
    more = np.arange(width) < (sizes - 1)[:, None]
    return ((shifted & 0x7F).astype(np.uint8) | (more.astype(np.uint8) << 7)), sizes


_SMALL = _any_varints(np.arange(TABLE))


def _constant(value: bytes, count: int) -> Varints:
    cells = np.empty((count, len(value)), np.uint8)
    cells[:] = np.frombuffer(value, np.uint8)
    return cells, np.full(count, len(value))


@lru_cache(maxsize=50_000)
def _value(value: int | str) -> bytes:
    """One of a layer's ``values``; many tiles hold the same."""
    return _string(4, _string(1, value) if isinstance(value, str) else _field(5, 0, _varint(value)))


def _string(number: int, content: str | bytes) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return _field(number, 2, _varint(len(data)) + data)


def _field(number: int, wire: int, payload: bytes) -> bytes:
    return _varint(number << 3 | wire) + payload


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
