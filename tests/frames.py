"""The bytes of `GET /api/heat/frames`, read with nothing of ours."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Frames:
    header: dict[str, Any]
    x: npt.NDArray[np.uint16]
    y: npt.NDArray[np.uint16]
    frame: npt.NDArray[np.uint16]
    clicks: npt.NDArray[np.uint32]

    def cells(self) -> dict[tuple[int, int, int], int]:
        """Clicks by x, y and frame."""
        columns = (self.x.tolist(), self.y.tolist(), self.frame.tolist())
        spots = list(zip(*columns, strict=True))
        assert len(set(spots)) == len(spots)
        return dict(zip(spots, self.clicks.tolist(), strict=True))


def read(data: bytes) -> Frames:
    [length] = struct.unpack_from("<I", data)
    header = json.loads(data[4 : 4 + length])
    count, at = header["points"], 4 + length
    x, y, frame = (np.frombuffer(data, "<u2", count, at + 2 * count * part) for part in range(3))
    at += 6 * count + (-6 * count) % 4
    clicks = np.frombuffer(data, "<u4", count, at)
    assert len(data) == at + 4 * count
    return Frames(header, x, y, frame, clicks)
