"""A picture of the map for a letter: bubbles over land, light, with a legend and what it doesn't show. A PNG of some 60 kB."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from clickatlas.atlas.mercator import mercator
from clickatlas.atlas.places import Places
from clickatlas.digests.land import tile
from clickatlas.insight.card import count
from clickatlas.insight.counts import Counts

WIDTH, HEIGHT, FOOT = 1200, 600, 84  # pixels; shown at half the size, as screens are fine today
FINE = 2  # drawn so many times as large, then made smooth
GRID = 14  # pixels: places closer than this are one bubble
LARGEST, SMALLEST = 38.0, 3.2  # radius in pixels
NORTH = 0.16  # of the mercator square: 76 degrees north; the picture then goes to 48 south
LEAST_SPAN = 0.012  # of the square's width: about 4 degrees
SEA, GROUND, BORDER, REGION = "#eef2f5", "#fbfaf7", "#c3c9cf", "#e2e5e8"
COAST, INK, QUIET = "#cfd5da", "#1d2733", "#5b6773"
BUBBLE, RIM = (46, 92, 214, 150), (24, 58, 150, 220)
MOST_ZOOM = 6
F64 = npt.NDArray[np.float64]


class Frame(NamedTuple):
    """What of the mercator square is shown: its left and upper edge, and its width; twice as wide as high."""

    left: float
    top: float
    width: float


def picture(counts: Counts, places: Places, basemap: Path) -> bytes:
    """The clicks that may be drawn, as a PNG of `WIDTH` x (`HEIGHT` + `FOOT`); half a second."""
    shown = np.flatnonzero((counts.drawn > 0) & ~np.asarray(places.unplaced))
    x, y = mercator(np.asarray(places.lat)[shown], np.asarray(places.lon)[shown])
    clicks = counts.drawn[shown].astype(np.float64)
    frame = framed(x, y, clicks)
    image = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE), SEA)
    _draw_land(image, frame, basemap)
    horizontal = (x - frame.left) / frame.width * WIDTH
    vertical = (y - frame.top) / frame.width * WIDTH
    most = _draw_bubbles(image, *gathered(horizontal, vertical, clicks))
    whole = Image.new("RGB", (WIDTH, HEIGHT + FOOT), "white")
    whole.paste(image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS))
    _draw_foot(whole, counts, int(clicks.sum()), most)
    out = io.BytesIO()
    whole.quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        out, "PNG", optimize=True
    )
    return out.getvalue()


def framed(x: F64, y: F64, clicks: F64) -> Frame:
    """The part of the world where 98 % of the clicks are, with some room; all of it where that is most of it."""
    share = HEIGHT / WIDTH
    if not clicks.size:
        return Frame(0.0, NORTH, 1.0)
    left, right = _between(x, clicks)
    top, bottom = _between(y, clicks)
    width = max((right - left) * 1.3, (bottom - top) * 1.4 / share, LEAST_SPAN)
    if width > 0.75:
        return Frame(0.0, NORTH, 1.0)
    middle, centre = (left + right) / 2, (top + bottom) / 2
    return Frame(
        min(max(middle - width / 2, 0.0), 1 - width),
        min(max(centre - width * share / 2, 0.0), 1 - width * share),
        width,
    )


def _between(values: F64, weights: F64) -> tuple[float, float]:
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    low, high = np.searchsorted(reached, (0.01, 0.99))
    return float(values[order[low]]), float(values[order[min(high, len(order) - 1)]])


def gathered(x: F64, y: F64, clicks: F64) -> tuple[F64, F64, F64]:
    """Places in pixels gathered on a grid: where each lot's middle is, and its clicks."""
    inside = (x >= -GRID) & (x < WIDTH + GRID) & (y >= -GRID) & (y < HEIGHT + GRID)
    x, y, clicks = x[inside], y[inside], clicks[inside]
    cell = np.floor(y / GRID).astype(np.int64) * 10_000 + np.floor(x / GRID).astype(np.int64)
    _, of = np.unique(cell, return_inverse=True)
    sums = np.bincount(of, clicks).astype(np.float64)
    with np.errstate(invalid="ignore"):
        return np.bincount(of, x * clicks) / sums, np.bincount(of, y * clicks) / sums, sums


def radius(clicks: F64 | float, most: float) -> F64:
    """By area: four times the clicks are twice as wide."""
    return np.maximum(
        SMALLEST, LARGEST * np.sqrt(np.asarray(clicks) / max(most, 1.0)) * min(1.0, math.log10(most + 9) / 2)
    )


def _draw_land(image: Image.Image, frame: Frame, basemap: Path) -> None:
    """Land at the zoom whose tiles are drawn about as large as they were made for."""
    pen = ImageDraw.Draw(image)
    zoom = min(MOST_ZOOM, max(1, math.ceil(math.log2(WIDTH / frame.width / 1024))))
    size, height = 2**zoom, frame.width * HEIGHT / WIDTH
    columns = range(int(frame.left * size), min(size - 1, int((frame.left + frame.width) * size)) + 1)
    rows = range(int(frame.top * size), min(size - 1, int((frame.top + height) * size)) + 1)
    lands = [tile(basemap, zoom, column, row) for row in rows for column in columns]
    scale = WIDTH * FINE / frame.width

    def placed(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [((h - frame.left) * scale, (v - frame.top) * scale) for h, v in ring]

    def each(kind: str) -> list[list[tuple[float, float]]]:
        return [placed(ring) for land in lands for ring in getattr(land, kind) if len(ring) > 1]

    for ring in each("countries"):
        pen.polygon(ring, fill=GROUND)
    for ring in each("lakes"):
        pen.polygon(ring, fill=SEA)
    if frame.width < 0.35:
        for line in each("regions"):
            pen.line(line, fill=REGION, width=FINE)
    for line in each("coast"):
        pen.line(line, fill=COAST, width=FINE)
    for line in each("borders"):
        pen.line(line, fill=BORDER, width=FINE + 1)


def _draw_bubbles(image: Image.Image, x: F64, y: F64, clicks: F64) -> float:
    """Large ones first, so that none is hidden; the clicks of the largest."""
    if not clicks.size:
        return 0.0
    most = float(clicks.max())
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    sizes = radius(clicks, most)
    for at in np.argsort(-clicks).tolist():
        h, v, r = x[at] * FINE, y[at] * FINE, sizes[at] * FINE
        pen.ellipse((h - r, v - r, h + r, v + r), fill=BUBBLE, outline=RIM, width=FINE)
    image.paste(layer, mask=layer.getchannel("A"))
    return most


def _draw_foot(image: Image.Image, counts: Counts, drawn: int, most: float) -> None:
    pen, middle = ImageDraw.Draw(image), HEIGHT + FOOT / 2
    large, small = ImageFont.load_default(28), ImageFont.load_default(24)
    said = f"{count(drawn)} click{'s' * (drawn != 1)} on the map"
    pen.text((24, middle), said, INK, large, "lm")
    rest = []
    if counts.unplaced:
        rest.append(f"{count(counts.unplaced)} unplaced (country or region only)")
    if counts.withheld:
        rest.append(f"{count(counts.withheld)} withheld (too few in one area)")
    if rest:
        pen.text((24 + pen.textlength(said, large) + 20, middle), "+ " + ", ".join(rest), QUIET, small, "lm")
    if most < 2:
        return
    at = WIDTH - 24.0
    for clicks in sorted({_round(most / 10), _round(most)}, reverse=True):
        words = count(clicks)
        at -= pen.textlength(words, small)
        pen.text((at, middle), words, QUIET, small, "lm")
        r = float(radius(clicks, most))
        at -= 10 + 2 * r
        pen.ellipse((at, middle - r, at + 2 * r, middle + r), fill="#aabdf0", outline="#3a5db8", width=1)
        at -= 26


def _round(clicks: float) -> int:
    """One significant digit, downwards, so that the largest bubble is no smaller than its sample."""
    if clicks < 2:
        return 1
    step = 10 ** int(math.log10(clicks))
    return int(clicks // step * step)
