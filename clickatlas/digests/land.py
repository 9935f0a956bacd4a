"""Land and borders for a picture of the map, read from the tiles of the page's own basemap (Mapbox Vector Tile 2.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

Ring = list[tuple[float, float]]  # on the mercator square, 0 to 1
MOVE, LINE, CLOSE = 1, 2, 7


@dataclass
class Land:
    """Shapes on the mercator square."""

    countries: list[Ring] = field(default_factory=list)
    lakes: list[Ring] = field(default_factory=list)
    borders: list[Ring] = field(default_factory=list)  # lines
    regions: list[Ring] = field(default_factory=list)
    coast: list[Ring] = field(default_factory=list)


LAYERS = {
    b"countries": "countries",
    b"lakes": "lakes",
    b"coast": "coast",
    b"country_borders": "borders",
    b"region_borders": "regions",
}
LINES = ("coast", "borders", "regions")


@lru_cache(maxsize=64)
def tile(path: Path, z: int, x: int, y: int) -> Land:
    """The land of one tile; none where the page was not built or the sea is all there is. Some 20 ms."""
    land = Land()
    try:
        content = path.joinpath("tiles", str(z), str(x), f"{y}.pbf").read_bytes()
    except OSError:
        return land
    for number, layer in _fields(content):
        if number == 3 and isinstance(layer, bytes):
            _layer(layer, z, x, y, land)
    return land


def _layer(layer: bytes, z: int, x: int, y: int, land: Land) -> None:
    parts = list(_fields(layer))
    name = next((value for number, value in parts if number == 1), b"")
    kind = LAYERS.get(name) if isinstance(name, bytes) else None
    if kind is None:
        return
    extent = next((value for number, value in parts if number == 5), 4096)
    assert isinstance(extent, int)
    scale, shapes = extent * 2**z, getattr(land, kind)
    for number, feature in parts:
        if number == 2 and isinstance(feature, bytes):
            geometry = next((value for of, value in _fields(feature) if of == 4), b"")
            assert isinstance(geometry, bytes)
            for ring in _rings(geometry):
                # Holes are other countries or, of a lake, islands: too small to be seen in a letter.
                if kind in LINES or _area(ring) > 0:
                    shapes.append([((x * extent + h) / scale, (y * extent + v) / scale) for h, v in ring])


def _rings(geometry: bytes) -> Iterator[list[tuple[int, int]]]:
    at, h, v = 0, 0, 0
    ring: list[tuple[int, int]] = []
    while at < len(geometry):
        command, at = _varint(geometry, at)
        if command & 7 == CLOSE:
            continue
        if command & 7 == MOVE and ring:
            yield ring
            ring = []
        for _ in range(command >> 3):
            dh, at = _varint(geometry, at)
            dv, at = _varint(geometry, at)
            h, v = h + (dh >> 1 ^ -(dh & 1)), v + (dv >> 1 ^ -(dv & 1))
            ring.append((h, v))
    if ring:
        yield ring


def _area(ring: list[tuple[int, int]]) -> int:
    """Twice the area; of an outer ring it is positive."""
    return sum(a * d - c * b for (a, b), (c, d) in zip(ring, ring[1:] + ring[:1], strict=True))


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Numbers and values of a protocol buffer's fields: integers, or bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        if key & 7 == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        size = {1: 8, 5: 4}.get(key & 7)
        if size is None:
            size, at = _varint(message, at)
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
