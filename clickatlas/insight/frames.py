"""Frames: how a campaign spreads, as one flat answer that a page plays without asking again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from clickatlas.insight.heat import gather_bits

Integers = npt.NDArray[np.int64]
DEPTH = 16  # cells of 2^-16 of the world: 600 m at the equator, and x and y fit 16 bits
MAX_POINTS = 400_000
MAX_FETCHED = 2_000_000  # rows that the store may be asked for


class Points(NamedTuple):
    """Cells of the mercator square, 2^depth wide, with clicks in a frame; in the order of frames."""

    x: npt.NDArray[np.uint16]
    y: npt.NDArray[np.uint16]
    frame: npt.NDArray[np.uint16]
    clicks: npt.NDArray[np.uint32]
    depth: int


def depth_for(codes: Integers, frames: int, clicks: int) -> int:
    """The finest depth at which places with clicks (Morton codes at `DEPTH`) can't fill too many rows."""
    codes, depth = np.unique(codes), DEPTH
    while depth > 0 and min(clicks, len(codes) * frames) > MAX_FETCHED:
        codes, depth = codes >> 2, depth - 1  # still in order
        codes = codes[np.concatenate(([True], codes[1:] != codes[:-1]))]
    return depth


def points(code: Integers, frame: Integers, clicks: Integers, depth: int, most: int = MAX_POINTS) -> Points:
    """Points from parallel arrays of Morton codes at `depth`, frame numbers and clicks.

    Cells grow, four into one, until there are no more than `most` points. Clicks stay as many.
    """
    cell = (frame.astype(np.int64) << (2 * depth)) | code
    if (cell[1:] < cell[:-1]).any():
        order = np.argsort(cell, kind="stable")
        cell, clicks = cell[order], clicks[order]
    while True:
        first = np.flatnonzero(np.concatenate(([True], cell[1:] != cell[:-1]))[: len(cell)])
        if len(first) < len(cell):
            cell, clicks = cell[first], np.add.reduceat(clicks, first)
        if len(cell) <= most or depth == 0:
            break
        cell, depth = cell >> 2, depth - 1  # still in order
    code, frame = cell & ((1 << (2 * depth)) - 1), cell >> (2 * depth)
    return Points(
        gather_bits(code).astype(np.uint16),
        gather_bits(code >> 1).astype(np.uint16),
        frame.astype(np.uint16),
        np.minimum(clicks, 0xFFFFFFFF).astype(np.uint32),
        depth,
    )


def packed(found: Points, about: Mapping[str, Any]) -> bytes:
    """The answer's bytes, all little-endian.

    A uint32 with the length H of the header (a multiple of 4); H bytes of JSON, padded with spaces: `about`
    with "points" (N), "depth" and "largest" added; then x, y and frame as uint16[N] each, zeros up to a
    multiple of 4, and clicks as uint32[N].
    """
    header = json.dumps(
        {
            **about,
            "points": len(found.x),
            "depth": found.depth,
            "largest": int(found.clicks.max(initial=0)),
        },
        separators=(",", ":"),
    ).encode()
    header += b" " * (-len(header) % 4)
    shorts = b"".join(column.astype("<u2").tobytes() for column in (found.x, found.y, found.frame))
    return b"".join(
        (
            len(header).to_bytes(4, "little"),
            header,
            shorts,
            b"\0" * (-len(shorts) % 4),
            found.clicks.astype("<u4").tobytes(),
        )
    )
