"""Colour scales of the measures: values and their colours, on a light and on a dark map.

The page has no palette of its own for these: bubbles, areas, the surface and every legend read them from
here. Both scales run on a logarithm, and colours between two stops are mixed in between (sRGB), as the map
does. Lightness (OKLCH, Ottosson 2020) leads on each: a rate runs one way, away from the land's own
lightness; an index runs from both ends towards the land's, so the average recedes and what is unusual stands
out. Blue and orange stay apart for every common kind of colour sight. A test holds all of this.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt


class Measure(StrEnum):
    """What a colour can stand for, clicks aside."""

    RATE = "rate"
    INDEX = "index"


class Theme(StrEnum):
    """Which map lies below."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True)
class Scale:
    """Values, ascending, and a colour ("#rrggbb") for each in both themes."""

    stops: tuple[float, ...]
    light: tuple[str, ...]
    dark: tuple[str, ...]

    def colours(self, theme: Theme) -> tuple[str, ...]:
        """Those of one theme."""
        return self.light if theme is Theme.LIGHT else self.dark

    def table(self, theme: Theme, size: int) -> npt.NDArray[np.uint8]:
        """(size, 3) RGB, evenly spaced on the logarithm from the first stop to the last."""
        at = np.log(self.stops)
        rgb = np.array([_bytes(colour) for colour in self.colours(theme)], np.float64)
        where = np.linspace(at[0], at[-1], size)
        return np.rint([np.interp(where, at, rgb[:, i]) for i in range(3)]).astype(np.uint8).T


# OKLCH: lightness, chroma, hue in degrees.
Lch = tuple[float, float, float]
RATE_RAMP: dict[Theme, tuple[Lch, ...]] = {
    Theme.LIGHT: ((0.90, 0.055, 175), (0.76, 0.105, 190), (0.60, 0.11, 215), (0.45, 0.12, 250), (0.29, 0.10, 280)),
    Theme.DARK: ((0.36, 0.075, 265), (0.48, 0.095, 240), (0.62, 0.105, 205), (0.78, 0.13, 170), (0.95, 0.11, 120)),
}  # fmt: skip
# From a fifth of what was expected to five times as much.
INDEX_STOPS = (20.0, 33.0, 50.0, 75.0, 100.0, 133.0, 200.0, 300.0, 500.0)
INDEX_RAMP: dict[Theme, tuple[Lch, ...]] = {
    Theme.LIGHT: (
        (0.36, 0.125, 262), (0.48, 0.125, 258), (0.62, 0.105, 254), (0.75, 0.08, 250),
        (0.885, 0.006, 90),
        (0.79, 0.105, 68), (0.70, 0.145, 55), (0.575, 0.155, 45), (0.42, 0.12, 38),
    ),
    Theme.DARK: (
        (0.84, 0.095, 235), (0.74, 0.115, 245), (0.62, 0.12, 252), (0.515, 0.105, 254),
        (0.40, 0.012, 260),
        (0.53, 0.10, 55), (0.645, 0.13, 55), (0.765, 0.15, 65), (0.885, 0.12, 85),
    ),
}  # fmt: skip


def index_scale() -> Scale:
    """The same for every filter, so that colours can be compared."""
    light, dark = (tuple(_hex(colour) for colour in INDEX_RAMP[theme]) for theme in Theme)
    return Scale(INDEX_STOPS, light, dark)


def rate_scale(rates: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> Scale:
    """Round stops at quantiles of `rates` by `weights`, so that colours lie where the weight does.

    Evenly from the 2nd to the 98th percentile; some round rates where there are none.
    """
    stops = _round_stops(rates, weights)
    light, dark = (tuple(_ramp(RATE_RAMP[theme], len(stops))) for theme in Theme)
    return Scale(stops, light, dark)


ROUND = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)  # and ten, a hundred, a tenth of these
QUANTILES = np.linspace(0.02, 0.98, 9)
APART = 1.25  # two stops closer than this would make contrast of noise


def _round_stops(rates: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> tuple[float, ...]:
    use = (rates > 0) & (weights > 0)
    if not use.any():
        return (0.1, 1.0, 10.0)
    order = np.argsort(rates[use])
    rates, part = rates[use][order], np.cumsum(weights[use][order])
    found = rates[np.searchsorted(part, QUANTILES * part[-1])]
    low, high = float(found[0]), float(found[-1])
    middle = math.sqrt(low * high)
    low, high = min(low, middle / 2.5), max(high, middle * 2.5)  # where all are alike, no contrast is made up
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    values = np.array([float(f"{step}e{decade}") for decade in decades for step in ROUND])
    first = float(values[values <= low][-1])
    last = float(values[values >= high][0]) if (values >= high).any() else float(values[-1])
    stops = [first]
    for value in (*found[1:-1], middle):
        nearest = float(values[np.abs(np.log(values / value)).argmin()])
        if nearest >= APART * stops[-1] and last >= APART * nearest:
            stops.append(nearest)
    return (*stops, last)


def _ramp(control: tuple[Lch, ...], count: int) -> list[str]:
    """`count` colours, evenly from the first of `control` to the last."""
    at = np.linspace(0, len(control) - 1, count)
    parts = np.array(control)
    mixed = [np.interp(at, np.arange(len(control)), parts[:, i]) for i in range(3)]
    return [_hex((float(lightness), float(c), float(h))) for lightness, c, h in zip(*mixed, strict=True)]


def _hex(colour: Lch) -> str:
    """OKLCH as "#rrggbb"; what sRGB can't show loses chroma, never lightness or hue."""
    lightness, chroma, hue = colour
    while True:
        rgb = _linear(lightness, chroma, math.radians(hue))
        if all(-1e-4 <= part <= 1.0001 for part in rgb) or chroma <= 0:
            break
        chroma -= 0.002
    encoded = (
        12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055
        for v in (min(1.0, max(0.0, v)) for v in rgb)
    )
    return "#" + "".join(f"{round(255 * part):02x}" for part in encoded)


def _linear(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    """OKLCH to linear sRGB (Björn Ottosson, "A perceptual color space for image processing", 2020)."""
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _bytes(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
