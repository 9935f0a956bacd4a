"""Point layers of a Mapbox Vector Tile (specification 2.1), encoded as arrays.

Ours because a tile of 10,000 points must cost milliseconds: building one feature at a time,
as general encoders do, costs about a hundred times more (see docs/decisions/0004-tiles.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

EXTENT = 4096
Bytes = npt.NDArray[np.uint8]


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
    tags: list[tuple[Bytes, npt.NDArray[np.int64]]] = []
    for key, (text, column) in enumerate(columns.items()):
        head += _string(3, text)
        distinct, index = np.unique(np.asarray(column), return_inverse=True)
        tags.append(_varints(np.full(len(x), key)))
        tags.append(_varints(index + len(values)))
        values.extend(_value(value) for value in distinct.tolist())
    body = _features(x, y, tags)
    head += b"".join(_string(4, value) for value in values)
    return _string(3, head + body)


def _features(
    x: npt.NDArray[np.integer], y: npt.NDArray[np.integer], tags: list[tuple[Bytes, npt.NDArray[np.int64]]]
) -> bytes:
    count = len(x)
    place = [_varints(np.asarray(x, np.int64) << 1), _varints(np.asarray(y, np.int64) << 1)]
    tag_size = sum((sizes for _, sizes in tags), start=np.zeros(count, np.int64))
    place_size = 1 + place[0][1] + place[1][1]
    parts = [
        _constant(0x12, count), _varints(tag_size), *tags,        # tags, packed
        _constant(0x18, count), _constant(0x01, count),           # type: point
        _constant(0x22, count), _varints(place_size),             # geometry, packed:
        _constant(0x09, count), *place,                           # one MoveTo
    ]  # fmt: skip
    size = sum((sizes for _, sizes in parts), start=np.zeros(count, np.int64))
    parts = [_constant(0x12, count), _varints(size), *parts]
    cells = np.concatenate([part for part, _ in parts], axis=1)
    used = np.concatenate([np.arange(part.shape[1]) < sizes[:, None] for part, sizes in parts], axis=1)
    encoded: bytes = cells[used].tobytes()
    return encoded


def _varints(values: npt.NDArray[np.integer]) -> tuple[Bytes, npt.NDArray[np.int64]]:
    """Values >= 0 as varints: a matrix of bytes, a row each, and how many of a row are used."""
    values = np.asarray(values, np.uint64)
    width = max(1, -(-int(values.max()).bit_length() // 7))
    shifted = values[:, None] >> (7 * np.arange(width, dtype=np.uint64))
    sizes = np.maximum(1, (shifted > 0).sum(axis=1))
    more = np.arange(width) < (sizes - 1)[:, None]
    return ((shifted & 0x7F).astype(np.uint8) | (more.astype(np.uint8) << 7)), sizes


def _constant(value: int, count: int) -> tuple[Bytes, npt.NDArray[np.int64]]:
    return np.full((count, 1), value, np.uint8), np.ones(count, np.int64)


def _value(value: int | str) -> bytes:
    return _string(1, value) if isinstance(value, str) else _field(5, 0, _varint(value))


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
