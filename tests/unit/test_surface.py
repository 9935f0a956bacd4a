"""The smoothed surface: joined without seams, true to brute force, readable by another program."""

import io
import math

import numpy as np
import pytest
from PIL import Image

from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.mercator import mercator
from clickatlas.insight import surface
from clickatlas.insight.counts import Counts
from clickatlas.insight.heat import MAX_ZOOM, Ground, Heat
from clickatlas.insight.png import png
from clickatlas.insight.scales import Measure, Theme
from clickatlas.insight.shrinkage import STRONGEST, WEAKEST, shrunk, strength
from clickatlas.insight.surface import CELLS, KERNEL, REACH, field
from tests.unit.test_heat import some_counts


@pytest.fixture(scope="module")
def ground(atlas: Atlas) -> Ground:
    return Ground.of(atlas)


@pytest.fixture(scope="module")
def heat(atlas: Atlas, ground: Ground) -> Heat:
    return Heat(ground, some_counts(atlas, 1))


def inner(cells: np.ndarray) -> np.ndarray:
    return cells[1:-1, 1:-1]


@pytest.mark.parametrize("measure", list(Measure))
@pytest.mark.parametrize(
    ("zoom", "x", "y"), [(1, 0, 0), (2, 3, 1), (4, 4, 5), (6, 33, 21), (9, 154, 189), (14, 4956, 6059)]
)
def test_neighbouring_tiles_know_the_same_of_each_others_cells(
    heat: Heat, measure: Measure, zoom: int, x: int, y: int
) -> None:
    """Each tile has a cell more on every side; the date line is no end of the world."""
    here = field(heat, zoom, x, y, measure)
    east = field(heat, zoom, (x + 1) % 2**zoom, y, measure)
    south = field(heat, zoom, x, y + 1, measure)
    for mine, right, below in zip(here, east, south, strict=True):
        assert mine[1:-1, -2:] == pytest.approx(right[1:-1, :2], rel=1e-9, abs=1e-12)
        assert mine[-2:, 1:-1] == pytest.approx(below[:2, 1:-1], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("measure", list(Measure))
@pytest.mark.parametrize(("zoom", "x", "y"), [(0, 0, 0), (3, 2, 3), (5, 9, 11)])
def test_a_cell_is_the_shrunk_ratio_of_two_kernel_sums(
    atlas: Atlas, heat: Heat, measure: Measure, zoom: int, x: int, y: int
) -> None:
    """Every place weighed by its distance, one by one."""
    placed = np.flatnonzero(~np.asarray(atlas.places.unplaced))
    px, py = mercator(np.asarray(atlas.places.lat)[placed], np.asarray(atlas.places.lon)[placed])
    size = CELLS << zoom
    column, row = np.floor(px * size), np.floor(py * size)
    clicks = heat.expectation.counts.clicks[placed].astype(float)
    if measure is Measure.INDEX:
        base, expected = 100.0, heat.expectation.places[placed]
    else:
        residents = heat.expectation.residents[placed].astype(float)
        base = 10_000 * clicks.sum() / residents.sum()
        expected = residents * clicks.sum() / residents.sum()
    sigma = float(np.interp(zoom, [z for z, _ in KERNEL], [px for _, px in KERNEL])) * CELLS / 512
    radius = int(REACH * sigma + 0.5)
    ratios, alphas = (inner(part) for part in field(heat, zoom, x, y, measure))
    random = np.random.default_rng(2)
    shown = np.argwhere(alphas > 0.3)
    for i, j in shown[random.integers(0, len(shown), 15)]:
        across = np.abs(column - (x * CELLS + j))
        across = np.minimum(across, size - across)
        down = np.abs(row - (y * CELLS + i))
        near = (across <= radius) & (down <= radius)
        weight = np.exp(-(across[near] ** 2 + down[near] ** 2) / (2 * sigma**2))
        observed, hoped = (weight * clicks[near]).sum(), (weight * expected[near]).sum()
        told = clicks[near] + expected[near] > 0
        _, first = np.unique(np.stack((column[near][told], row[near][told])), axis=1, return_index=True)
        k = heat.prior[measure][zoom] * min(1, weight[told][first].sum())
        wanted = math.log(base * (observed + k) / (hoped + k))
        assert ratios[i, j] == pytest.approx(wanted, abs=0.02)


def test_where_everybody_clicks_as_often_the_surface_is_flat(atlas: Atlas, ground: Ground) -> None:
    people = np.rint(ground.people.place).astype(np.int64)
    even = Heat(ground, Counts(people, {}, 0, 0))
    for zoom, x, y in ((0, 0, 0), (4, 4, 6), (8, 77, 94)):
        ratio, alpha = field(even, zoom, x, y, Measure.INDEX)
        assert np.exp(ratio[alpha > 0.05]) == pytest.approx(100, rel=0.02)


def test_nothing_is_drawn_of_nothing(atlas: Atlas, ground: Ground) -> None:
    silent = Heat(ground, Counts(np.zeros(len(atlas.places), np.int64), {}, 0, 0))
    for measure in Measure:
        assert surface.tile(silent, 0, 0, 0, measure, Theme.LIGHT) == b""
    assert surface.tile(Heat(ground, some_counts(atlas, 3)), 5, 2, 20, Measure.INDEX, Theme.DARK) == b""


@pytest.mark.parametrize("measure", list(Measure))
@pytest.mark.parametrize("theme", list(Theme))
def test_a_tile_shows_its_cells_in_the_scales_colours(heat: Heat, measure: Measure, theme: Theme) -> None:
    image = Image.open(io.BytesIO(surface.tile(heat, 4, 4, 6, measure, theme)))
    assert (image.format, image.size, image.mode) == ("PNG", (256, 256), "RGBA")
    pixels = np.asarray(image).astype(int)
    ratio, alpha = (inner(part) for part in field(heat, 4, 4, 6, measure))
    table = heat.scales[measure].table(theme, 400).astype(int)
    stops = heat.scales[measure].stops
    at = np.interp(ratio, np.log([stops[0], stops[-1]]), [0, 399])
    seen = 0
    for i, j in np.argwhere(alpha > 0.5)[::50]:
        four = pixels[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].reshape(4, 4).mean(axis=0)
        assert four[:3] == pytest.approx(table[round(at[i, j])], abs=14)
        assert four[3] == pytest.approx(255 * surface.OPAQUE * alpha[i, j], abs=14)
        seen += 1
    assert seen > 20
    assert not pixels[pixels[..., 3] == 0].any()


def test_png_is_read_back_by_another_program() -> None:
    pixels = np.random.default_rng(4).integers(0, 256, (37, 23, 4)).astype(np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png(pixels)))), pixels)


def test_the_strength_of_the_prior_is_learned_from_the_clicks() -> None:
    random = np.random.default_rng(5)
    expected = random.uniform(5, 200, 4000)
    for k in (2.0, 8.0, 20.0):
        clicks = random.poisson(expected * random.gamma(k, 1 / k, len(expected)))
        assert strength(clicks, expected) == pytest.approx(k, rel=0.15)
    assert strength(random.poisson(expected), expected) == STRONGEST
    assert strength(random.poisson(expected * random.gamma(0.2, 5, len(expected))), expected) == WEAKEST
    assert strength(np.array([5]), np.array([1.0])) == STRONGEST


def test_little_is_drawn_to_the_average_and_much_speaks_for_itself() -> None:
    ratios = shrunk(np.array([0.0, 3.0, 3000.0]), np.array([0.0, 1.0, 1000.0]), 10.0)
    assert ratios == pytest.approx([1, 13 / 11, 3010 / 1010])


def test_every_zoom_has_a_prior(heat: Heat) -> None:
    assert all(len(heat.prior[measure]) == MAX_ZOOM + 1 for measure in Measure)
