"""Colours that can be told apart: in order of lightness, on both maps, by every kind of colour sight."""

import math
from itertools import pairwise

import numpy as np
import pytest

from clickatlas.insight.scales import Theme, index_scale, rate_scale

LAND = {Theme.LIGHT: "#f8f8f6", Theme.DARK: "#19202a"}
# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency",
# IEEE TVCG 15 (2009), at full strength; on linear RGB.
SIGHT = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def oklab(rgb: np.ndarray) -> np.ndarray:
    cone = np.cbrt(
        np.array(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ]
        )
        @ np.clip(rgb, 0, 1)
    )
    return (
        np.array(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ]
        )
        @ cone
    )


def contrast(one: str, other: str) -> float:
    """WCAG 2."""
    dim, bright = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) + 0.05 for colour in (one, other))
    return bright / dim


def rates(low: float, high: float) -> np.ndarray:
    return np.geomspace(low, high, 500)


@pytest.mark.parametrize("theme", list(Theme))
def test_rate_runs_one_way_in_even_steps_away_from_the_land(theme: Theme) -> None:
    colours = rate_scale(rates(0.05, 5), np.ones(500)).colours(theme)
    lightness = np.array([oklab(linear(colour))[0] for colour in colours])
    steps = np.diff(lightness) * (-1 if theme is Theme.LIGHT else 1)
    assert steps.min() > 0.05
    assert steps.max() < 2 * steps.min()
    against = [contrast(colour, LAND[theme]) for colour in colours]
    assert against == sorted(against)
    assert against[0] > 1.2
    assert against[len(against) // 2] > 3


@pytest.mark.parametrize("theme", list(Theme))
def test_index_is_symmetric_and_recedes_at_100(theme: Theme) -> None:
    scale = index_scale()
    assert scale.stops[len(scale.stops) // 2] == 100
    for low, high in zip(scale.stops, reversed(scale.stops), strict=True):
        assert math.log(low / 100) == pytest.approx(-math.log(high / 100), abs=0.02)
    against = [contrast(colour, LAND[theme]) for colour in scale.colours(theme)]
    assert against[:5] == sorted(against[:5], reverse=True)
    assert against[4:] == sorted(against[4:])
    assert min(against[:3]) > 3 or theme is Theme.LIGHT
    assert min(against[0], against[1], against[-1], against[-2]) > 3
    assert against[4] > 1.25  # the average is there, too


@pytest.mark.parametrize("theme", list(Theme))
@pytest.mark.parametrize("sight", ["all", *SIGHT])
def test_more_and_less_than_expected_are_told_apart_by_every_eye(theme: Theme, sight: str) -> None:
    seen = [
        oklab(np.array(SIGHT[sight]) @ linear(colour) if sight in SIGHT else linear(colour))
        for colour in index_scale().colours(theme)
    ]
    for less, more in zip(seen[:4], reversed(seen[5:]), strict=True):
        assert np.linalg.norm(less - more) > 0.1
    for one, other in pairwise(seen):
        assert np.linalg.norm(one - other) > 0.06


@pytest.mark.parametrize(
    ("low", "high"), [(0.05, 5), (1, 1.0001), (1e-6, 1e-5), (300, 30_000), (1e-3, 1e4), (0.7, 13)]
)
def test_rate_stops_are_round_and_span_the_rates(low: float, high: float) -> None:
    stops = rate_scale(rates(low, high), np.ones(500)).stops
    assert 3 <= len(stops) <= 12
    assert stops[0] <= low * 1.2
    assert stops[-1] >= high * 0.8
    assert list(stops) == sorted(set(stops))
    assert all(float(f"{stop:.1e}") == stop for stop in stops)
    assert all(f"{stop:.1e}"[:3] in ("1.0", "1.5", "2.0", "3.0", "4.0", "5.0", "7.0") for stop in stops)


def test_rate_stops_lie_where_the_weight_is() -> None:
    # Most clicks from places of 2 to 6 in 10,000, some from a world where a tenth of that is usual.
    home, abroad = np.geomspace(2, 6, 300), np.geomspace(0.02, 0.6, 300)
    scale = rate_scale(np.concatenate([home, abroad]), np.repeat([9.0, 1.0], 300))
    assert sum(2 <= stop <= 6 for stop in scale.stops) >= 4
    assert scale.stops[0] <= 0.6


def test_rates_that_are_all_alike_get_no_contrast() -> None:
    stops = rate_scale(np.full(50, 3.0), np.ones(50)).stops
    assert stops[0] <= 1.2
    assert stops[-1] >= 7


def test_a_scale_of_no_rates_is_still_one() -> None:
    scale = rate_scale(np.array([0.0, np.nan]), np.array([1.0, 0.0]))
    assert len(scale.stops) == len(scale.light) == len(scale.dark) >= 3
    table = scale.table(Theme.DARK, 64)
    assert table.shape == (64, 3)
    assert table.dtype == np.uint8
