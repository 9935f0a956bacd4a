"""The smoothed surface's tiles, against the vector tiles of the same spots; its PNGs against Pillow's."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image

from bench import sample
from bench.table import Row, alternate, milliseconds, row, seconds, show
from bench.views import PAN, WORLD, Tile
from clickatlas.insight import surface
from clickatlas.insight.counts import Counts
from clickatlas.insight.heat import Ground, Heat
from clickatlas.insight.png import png
from clickatlas.insight.scales import Measure, Theme

CLICKS = 1_000_000
ROUNDS = 7
CITY = [Tile(9, x, y) for x in range(152, 156) for y in range(187, 190)]  # around Boston


def main() -> None:
    """Measure and print."""
    ground = Ground.of(sample.atlas())
    places = sample.places(CLICKS, np.random.default_rng(sample.SEED))
    clicks = np.bincount(places, minlength=len(ground.atlas.places))
    rows = _preparing(ground, clicks)
    heat = Heat(ground, Counts(clicks, {}, 0, 0))
    _ = heat.scales, heat.prior
    for name, tiles in (("the world, zoom 2", WORLD), ("Europe, zoom 5", PAN), ("Boston, zoom 9", CITY)):
        rows += _tiles(heat, name, tiles)
    rows += _encoding(heat)
    show(
        f"Surface: a tile of 256 px from {CLICKS:,} clicks, kernel sums, colours and PNG (less is better)",
        rows,
        (f"per tile, a dozen tiles a run, {ROUNDS} alternating runs; the vector tile has heat and clusters",),
    )


def _preparing(ground: Ground, clicks: np.ndarray) -> list[Row]:
    """What a filter's first tile costs more than the others: clusters' clicks, and what they are held against."""

    def vector() -> None:
        Heat(ground, Counts(clicks, {}, 0, 0)).tile(2, 1, 1)

    def first() -> None:
        heat = Heat(ground, Counts(clicks, {}, 0, 0))
        heat.tile(2, 1, 1)
        surface.tile(heat, 2, 1, 1, Measure.INDEX, Theme.LIGHT)

    vector()  # names are read once per atlas
    figures = alternate({"vector": partial(seconds, vector), "first": partial(seconds, first)}, ROUNDS)
    peer = ("the vector tile alone", figures["vector"])
    return [
        row("a filter's first tile, vector", figures["vector"], milliseconds),
        row("a filter's first tile, vector and surface", figures["first"], milliseconds, peer),
    ]


def _tiles(heat: Heat, name: str, tiles: list[Tile]) -> list[Row]:
    def vector() -> None:
        for tile in tiles:
            heat.tile(*tile)

    def raster() -> None:
        for tile in tiles:
            surface.tile(heat, *tile, Measure.INDEX, Theme.LIGHT)

    vector()
    raster()
    contestants = {"vector": vector, "raster": raster}
    figures = alternate({key: partial(_each, work, len(tiles)) for key, work in contestants.items()}, ROUNDS)
    return [
        row(f"vector tile, {name}", figures["vector"], milliseconds),
        row(f"surface tile, {name}", figures["raster"], milliseconds, ("the vector tile", figures["vector"])),
    ]


def _each(work: Callable[[], None], count: int) -> float:
    return seconds(work) / count


def _encoding(heat: Heat) -> list[Row]:
    data = surface.tile(heat, 5, 16, 10, Measure.INDEX, Theme.LIGHT)
    pixels = np.asarray(Image.open(io.BytesIO(data)))

    def peer() -> bytes:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "png", compress_level=1)
        return file.getvalue()

    figures = alternate({"peer": lambda: seconds(peer), "ours": lambda: seconds(lambda: png(pixels))}, ROUNDS)
    return [
        row(f"Pillow, the same level of compression, {len(peer()):,} bytes", figures["peer"], milliseconds),
        row(
            f"insight.png, {len(png(pixels)):,} bytes",
            figures["ours"],
            milliseconds,
            ("Pillow's time", figures["peer"]),
        ),
    ]
