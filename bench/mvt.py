"""Vector tiles encoded, against the general encoder of mapbox_vector_tile."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import mapbox_vector_tile  # type: ignore[import-untyped]
import numpy as np
from shapely import Point  # type: ignore[import-untyped]

from bench import sample
from bench.table import alternate, milliseconds, row, seconds, show
from clickatlas.insight import mvt

SIZES = ((5_000, 5), (50_000, 2))  # points, alternating runs


def main() -> None:
    """Measure and print."""
    rows = []
    for points, rounds in SIZES:
        ours, peer = _encoders(points)
        if _decoded(ours()) != _decoded(peer()):
            raise AssertionError("the two encoders' tiles differ")
        figures = alternate({"peer": partial(seconds, peer), "ours": partial(seconds, ours)}, rounds)
        rows.append(row(f"mapbox_vector_tile, {points:,} points", figures["peer"], milliseconds))
        rows.append(
            row(
                f"insight.mvt, {points:,} points",
                figures["ours"],
                milliseconds,
                ("mapbox_vector_tile's time", figures["peer"]),
            )
        )
    show("Tile encoding: one layer of points with a number each (less is better)", rows)


def _encoders(points: int) -> tuple[Callable[[], bytes], Callable[[], bytes]]:
    random = np.random.default_rng(sample.SEED)
    x, y = random.integers(0, mvt.EXTENT, points), random.integers(0, mvt.EXTENT, points)
    clicks = random.geometric(0.02, points)
    # Made outside the clock: the peer is timed for encoding only.
    features = [
        {"geometry": Point(at), "properties": {"clicks": number}}
        for *at, number in zip(x.tolist(), y.tolist(), clicks.tolist(), strict=True)
    ]

    def peer() -> bytes:
        layer = {"name": "heat", "features": features}
        tile: bytes = mapbox_vector_tile.encode(layer, default_options={"y_coord_down": True})
        return tile

    return lambda: mvt.layer("heat", x, y, {"clicks": clicks}), peer


def _decoded(tile: bytes) -> list[tuple[int, int, int]]:
    layer = mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True})["heat"]
    return [(*f["geometry"]["coordinates"], f["properties"]["clicks"]) for f in layer["features"]]
