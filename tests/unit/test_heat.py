"""Tiles, tables and clusters against brute force over the real atlas."""

from dataclasses import replace

import mapbox_vector_tile
import numpy as np
import pytest

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.files import current
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.insight.areas import by_area, rows, within
from clickatlas.insight.counts import Counts, count
from clickatlas.insight.heat import GRID, MAX_ZOOM, Ground, Heat, gather_bits, mercator, morton, spread_bits
from clickatlas.insight.measures import Expectation
from tests.atlas_fixtures import built_atlas


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    folder = current(built_atlas())
    assert folder is not None
    return Atlas.open(folder)


@pytest.fixture(scope="module")
def ground(atlas: Atlas) -> Ground:
    return Ground.of(atlas)


def some_counts(atlas: Atlas, seed: int, size: int = 30_000) -> Counts:
    random = np.random.default_rng(seed)
    places = random.integers(0, len(atlas.places), size).astype(np.int32)
    kinds = random.choice([0, 0, 0, 1, 5], size).astype(np.uint8)
    return count(
        atlas.places, places, kinds, random.integers(1, 50, size), networks=[NetworkKind.RESIDENTIAL]
    )


def test_bits_spread_and_gather() -> None:
    values = np.random.default_rng(1).integers(0, 1 << 22, 10_000)
    assert np.array_equal(gather_bits(spread_bits(values)), values)
    assert spread_bits(np.array([0b1011]))[0] == 0b1000101


def test_morton_order_keeps_a_tile_together() -> None:
    random = np.random.default_rng(2)
    x, y = random.random(5000), random.random(5000)
    code = morton(x, y)
    for zoom in (1, 5, 9):
        tile = (x * 2**zoom).astype(int) + (y * 2**zoom).astype(int) * 2**zoom
        assert len(np.unique(code >> (2 * (22 - zoom)))) == len(np.unique(tile))


def test_mercator_has_the_corners_where_they_belong() -> None:
    x, y = mercator(
        np.array([0.0, 85.0511287, -85.0511287, 89.9]), np.array([0.0, -180.0, 179.999999, 180.0])
    )
    assert x.tolist() == pytest.approx([0.5, 0, 1, 0], abs=1e-6)
    assert y.tolist() == pytest.approx([0.5, 0, 1, 0], abs=1e-6)


@pytest.mark.parametrize(
    ("zoom", "x", "y"), [(0, 0, 0), (2, 1, 1), (5, 9, 11), (7, 66, 42), (14, 4956, 6059)]
)
def test_a_tiles_cells_are_those_of_brute_force(
    atlas: Atlas, ground: Ground, zoom: int, x: int, y: int
) -> None:
    counts = some_counts(atlas, 3)
    placed = ~np.asarray(atlas.places.unplaced)
    px, py = mercator(np.asarray(atlas.places.lat)[placed], np.asarray(atlas.places.lon)[placed])
    clicks = counts.clicks[placed]
    size = 1 << (zoom + GRID)
    column, row = np.floor(px * size).astype(int) - (x << GRID), np.floor(py * size).astype(int) - (y << GRID)
    inside = (column >= 0) & (column < 256) & (row >= 0) & (row < 256) & (clicks > 0)
    expected = np.zeros((256, 256), np.int64)
    np.add.at(expected, (row[inside], column[inside]), clicks[inside])

    found = np.zeros((256, 256), np.int64)
    columns, rows_, sums = Heat(ground, counts).cells(zoom, x, y)
    found[rows_, columns] = sums
    assert np.array_equal(found, expected)


def test_every_zoom_shows_every_placed_click_once(atlas: Atlas, ground: Ground) -> None:
    counts = some_counts(atlas, 4)
    heat = Heat(ground, counts)
    placed = counts.total - counts.unplaced
    for zoom in range(4):
        sums = {"heat": 0, "clusters": 0}
        for x in range(1 << zoom):
            for y in range(1 << zoom):
                if data := heat.tile(zoom, x, y):
                    for name, layer in mapbox_vector_tile.decode(data).items():
                        sums[name] += sum(feature["properties"]["clicks"] for feature in layer["features"])
        assert sums == {"heat": placed, "clusters": placed}
    for zoom in range(MAX_ZOOM + 1):
        assert int(heat._cluster_clicks[zoom].sum()) == placed


def test_a_cluster_shows_as_more_than_one_at_its_expansion_zoom_and_not_before(
    atlas: Atlas, ground: Ground
) -> None:
    heat = Heat(ground, some_counts(atlas, 5, size=3000))
    tree = atlas.clusters
    random = np.random.default_rng(6)
    for zoom in (1, 4, 8):
        alive = np.flatnonzero(heat._cluster_clicks[zoom])
        for node in random.choice(alive, min(30, len(alive)), replace=False):
            expansion = int(heat._expansion[zoom][node])
            members = np.flatnonzero((np.asarray(tree.node_of(zoom)) == node) & (heat._counts.clicks > 0))
            for deeper in range(zoom, MAX_ZOOM + 1):
                shown = len(np.unique(np.asarray(tree.node_of(deeper))[members]))
                assert (shown > 1) == (deeper >= expansion)


def test_bounds_hold_the_clicks(atlas: Atlas, ground: Ground) -> None:
    boston = atlas.areas.number("metro:14460")
    clicks = np.where(np.asarray(atlas.places.area[Level.METRO]) == boston, 5, 0).astype(np.int64)
    bounds = Heat(ground, Counts(clicks, {}, 0, 0)).bounds
    assert bounds is not None
    west, south, east, north = bounds
    assert -72 < west < east < -70
    assert 41.5 < south < north < 43.5
    assert Heat(ground, Counts(clicks * 0, {}, 0, 0)).bounds is None


@pytest.mark.parametrize("level", list(Level))
def test_tables_add_up(atlas: Atlas, level: Level) -> None:
    counts = some_counts(atlas, 7)
    table = by_area(counts, atlas, level)
    assert int(table.clicks.sum()) + table.unlisted == counts.total
    assert np.all(np.diff(table.clicks) <= 0)
    area = int(table.area[len(table.area) // 2])
    mine = np.asarray(atlas.places.area[level]) == area
    assert int(counts.clicks[mine].sum()) == int(table.clicks[len(table.area) // 2])
    first = rows(table, Expectation.of(atlas, counts), 1)[0]
    assert first["share"] == first["clicks"] / counts.total


def test_an_area_filter_keeps_what_lies_in_it(atlas: Atlas) -> None:
    mask = within(atlas, ("region:US-MA", "country:NZ"))
    assert mask is not None
    counts = some_counts(atlas, 8)
    kept = replace(counts, clicks=np.where(mask, counts.clicks, 0))
    table = rows(by_area(kept, atlas, Level.COUNTRY), Expectation.of(atlas, kept))
    codes = {row["country"] for row in table}
    assert codes == {"US", "NZ"}
    with pytest.raises(KeyError):
        within(atlas, ("region:US-ZZ",))


def test_left_out_kinds_are_counted_and_not_drawn(atlas: Atlas) -> None:
    number = np.array([500, 500, 0, -1], np.int32)
    kind = np.array([0, 1, 0, 5], np.uint8)
    counts = count(atlas.places, number, kind, np.array([3, 4, 5, 6]), networks=[NetworkKind.RESIDENTIAL])
    assert counts.total == 8
    assert counts.left_out == {"hosting": 4, "vpn": 0, "tor": 0, "cdn": 0, "bot": 6}
    assert counts.unknown == 5
