"""The heat surface: a measure smoothed over the map, as tiles of pixels that join without a seam.

At each spot it is a ratio of two kernel sums, clicks nearby over what was expected of the people nearby
(Kelsall and Diggle, "Non-parametric estimation of spatial variation in relative risk", Statistics in Medicine
14, 1995), shrunk towards the average where both are small (see `shrinkage`). It fades there, too, by the
same weight, and with the distance from the nearest spot that anything is known of: an empty sea says nothing.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from clickatlas.insight.heat import DEPTH, Heat, gather_bits, tile_range
from clickatlas.insight.png import png
from clickatlas.insight.scales import Measure, Scale, Theme
from clickatlas.insight.shrinkage import shrunk

SIZE = 256  # px of an image, drawn over a tile of 512 px
BITS = 7
CELLS = 1 << BITS  # across a tile: 4 px of the map each, which no eye sees in something this smooth
REACH = 3.5  # standard deviations at which the kernel ends
TOLD = 3.0  # clicks nearby, counted or expected, at which the surface is half as opaque as it gets
NEAR = 0.5  # the same of spots nearby that anything is known of
OPAQUE = 0.84  # at most: borders and names stay readable
COLOURS = 512
# Standard deviation of the kernel in px of the map, by zoom: the page's heat, somewhat widened, as a ratio needs more.
KERNEL = ((0, 5.0), (2, 8.0), (4, 11.0), (7, 15.0), (11, 20.0), (14, 24.0))
F64 = npt.NDArray[np.float64]


def tile(heat: Heat, zoom: int, x: int, y: int, measure: Measure, theme: Theme) -> bytes:
    """A tile of 256 × 256 px as PNG; b"" where nothing is known."""
    level, alpha = field(heat, zoom, x, y, measure)
    if not (alpha > 0.002).any():
        return b""
    scale = heat.scales[measure]
    low, high = math.log(scale.stops[0]), math.log(scale.stops[-1])
    step = np.clip((_doubled(level) - low) * ((COLOURS - 1) / (high - low)) + 0.5, 0, COLOURS - 1)
    opacity = np.rint(_doubled(alpha) * (255 * OPAQUE)).astype(np.uint32)
    # A pixel as one number, red first in memory; what can't be seen is all zero and packs well.
    packed = (_colours(scale, theme)[step.astype(np.int16)] | opacity << 24) * (opacity > 0)
    return png(packed.astype("<u4").view(np.uint8).reshape(SIZE, SIZE, 4))


def field(heat: Heat, zoom: int, x: int, y: int, measure: Measure) -> tuple[F64, F64]:
    """(logarithm of the measure, how much is known: 0 to 1) on a tile's cells and one more on each side.

    Both are (CELLS + 2, CELLS + 2), rows from the north. What a cell holds does not depend on the tile that it
    is asked for.
    """
    zooms, widths = zip(*KERNEL, strict=True)
    sigma = float(np.interp(zoom, zooms, widths)) * CELLS / 512
    margin = math.ceil(REACH * sigma) + 1
    clicks, expected = _cells(heat, zoom, x, y, margin, measure)
    base = heat.base[measure]
    known = (clicks > 0) | (expected > 0)
    if base <= 0 or not known.any():
        return np.full((CELLS + 2, CELLS + 2), math.log(100.0)), np.zeros((CELLS + 2, CELLS + 2))
    peak = 2 * math.pi * sigma**2  # the kernel weighs 1 at its middle: sums are clicks, not densities
    near_clicks, near_expected = (
        gaussian_filter(cells, sigma, truncate=REACH, mode="constant") * peak for cells in (clicks, expected)
    )
    near = gaussian_filter(known.astype(np.float64), sigma, truncate=REACH, mode="constant") * peak
    # The prior fades with the kernel, or a spot's rim would take the average's colour.
    weight = np.minimum(near, 1) + 1e-12
    ratio = np.log(shrunk(near_clicks, near_expected, heat.prior[measure][zoom] * weight) * base)
    told = (near_clicks + near_expected) / 2
    inner = slice(margin - 1, margin + CELLS + 1)
    alpha = told / (told + TOLD * weight) * near / (near + NEAR)
    return ratio[inner, inner], alpha[inner, inner]


def _cells(heat: Heat, zoom: int, x: int, y: int, margin: int, measure: Measure) -> tuple[F64, F64]:
    """Clicks and expected clicks of a tile's cells and of `margin` more on each side."""
    size = 1 << zoom
    rows = [row for row in (y - 1, y, y + 1) if 0 <= row < size]
    columns = [(x - 1) % size, x, (x + 1) % size]  # around the world
    tiles = {
        (column, row): _tile_cells(heat, zoom, column, row, measure)
        for column in set(columns)
        for row in rows
    }
    whole = np.zeros((2, 3 * CELLS, 3 * CELLS))
    for across, column in enumerate(columns):
        for row in rows:
            down = (row - y + 1) * CELLS
            for of, cells in enumerate(tiles[column, row]):
                if cells is not None:
                    whole[of, down : down + CELLS, across * CELLS : (across + 1) * CELLS] = cells
    near = slice(CELLS - margin, 2 * CELLS + margin)
    return whole[0, near, near], whole[1, near, near]


def _tile_cells(heat: Heat, zoom: int, x: int, y: int, measure: Measure) -> list[F64 | None]:
    """Clicks and expected clicks of one tile's cells, (CELLS, CELLS) each; None for nothing."""
    first, last = tile_range(zoom, x, y)
    shift = 2 * (DEPTH - zoom - BITS)
    found: list[F64 | None] = []
    for code, weight in (heat.clicked(first, last), heat.expected(first, last, measure)):
        if len(code):
            cells = np.bincount((code - first) >> shift, weight, minlength=CELLS * CELLS)
            found.append(cells[_in_rows()].astype(np.float64))
        else:
            found.append(None)
    return found


@lru_cache(maxsize=16)
def _colours(scale: Scale, theme: Theme) -> npt.NDArray[np.uint32]:
    """Red, green and blue in the lower three bytes, over the whole scale."""
    rgb = scale.table(theme, COLOURS).astype(np.uint32)
    return np.asarray(rgb[:, 0] | rgb[:, 1] << 8 | rgb[:, 2] << 16)


@cache
def _in_rows() -> npt.NDArray[np.int64]:
    """(CELLS, CELLS) of positions in Morton order."""
    code = np.arange(CELLS * CELLS)
    order = np.empty((CELLS, CELLS), np.int64)
    order[gather_bits(code >> 1), gather_bits(code)] = code
    return order


def _doubled(cells: F64) -> F64:
    """(n + 2, n + 2) cells as (2n, 2n) pixels, a pixel mixed from the four cells around its middle."""
    near, far = cells[1:-1], cells
    rows = np.empty((2 * near.shape[0], cells.shape[1]))
    rows[0::2] = 0.75 * near + 0.25 * far[:-2]
    rows[1::2] = 0.75 * near + 0.25 * far[2:]
    pixels = np.empty((rows.shape[0], 2 * near.shape[0]))
    pixels[:, 0::2] = 0.75 * rows[:, 1:-1] + 0.25 * rows[:, :-2]
    pixels[:, 1::2] = 0.75 * rows[:, 1:-1] + 0.25 * rows[:, 2:]
    return pixels
