"""The cluster tree: strictly nested, nothing lost, no two clusters on top of each other, the date line no wall."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.clusters import MAX_ZOOM
from clickatlas.atlas.gather import APART, WORLD, gather, mercator
from clickatlas.atlas.titles import Gathered, titles

ZOOMS = range(MAX_ZOOM + 1)


def nearest(x: np.ndarray, y: np.ndarray) -> float:
    """Least distance between any two points on the cylinder, the slow way round."""
    across = np.abs(x[:, None] - x)
    distance = np.hypot(np.minimum(across, 1 - across), y[:, None] - y)
    np.fill_diagonal(distance, np.inf)
    return float(distance.min())


def test_every_placed_place_is_in_one_cluster_of_every_zoom_and_no_other_is_in_any(atlas: Atlas) -> None:
    unplaced = np.asarray(atlas.places.unplaced)
    for zoom in ZOOMS:
        inside = atlas.clusters.node_of(zoom)
        assert (inside[unplaced] == -1).all()
        assert inside[~unplaced].min() == 0
        assert np.array_equal(np.unique(inside[~unplaced]), np.arange(len(atlas.clusters.nodes(zoom))))


def test_clusters_nest(atlas: Atlas) -> None:
    placed = np.flatnonzero(~np.asarray(atlas.places.unplaced))
    for zoom in range(1, MAX_ZOOM + 1):
        parent = atlas.clusters.nodes(zoom).parent
        inside = atlas.clusters.node_of(zoom)[placed]
        assert np.array_equal(parent[inside], atlas.clusters.node_of(zoom - 1)[placed])
    assert (atlas.clusters.nodes(0).parent == -1).all()


def test_a_parent_stands_where_one_of_its_children_stands(atlas: Atlas) -> None:
    for zoom in range(1, MAX_ZOOM + 1):
        outer, inner = atlas.clusters.nodes(zoom - 1), atlas.clusters.nodes(zoom)
        same = inner.key == outer.key[inner.parent]
        assert np.array_equal(np.sort(inner.parent[same]), np.arange(len(outer)))
        assert np.array_equal(inner.x[same], outer.x[inner.parent[same]])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), share=st.sampled_from([0.0, 0.0001, 0.01, 0.5, 1.0]))
def test_children_sum_to_their_parents_for_any_counts(atlas: Atlas, seed: int, share: float) -> None:
    random = np.random.default_rng(seed)
    clicks = random.integers(1, 1000, len(atlas.places)) * (random.random(len(atlas.places)) < share)
    placed = int(clicks[~np.asarray(atlas.places.unplaced)].sum())
    outer = None
    for zoom in ZOOMS:
        counts = atlas.clusters.counts(zoom, clicks)
        assert counts.dtype == np.int64
        assert counts.sum() == placed
        if outer is not None:
            parent = atlas.clusters.nodes(zoom).parent
            assert np.array_equal(np.bincount(parent, counts, minlength=outer.size), outer)
        outer = counts


def test_counts_may_be_fractions(atlas: Atlas) -> None:
    share = np.full(len(atlas.places), 0.25)
    assert atlas.clusters.counts(3, share).sum() == pytest.approx(
        0.25 * (~np.asarray(atlas.places.unplaced)).sum()
    )


def test_clusters_of_one_zoom_are_60_px_apart(atlas: Atlas) -> None:
    for zoom in range(6):
        level = atlas.clusters.nodes(zoom)
        assert nearest(level.x, level.y) * WORLD * 2**zoom >= APART


def test_expansion_is_the_first_zoom_at_which_a_cluster_falls_apart(atlas: Atlas) -> None:
    for zoom in ZOOMS:
        level = atlas.clusters.nodes(zoom)
        part = np.arange(len(level))
        for further in range(zoom + 1, MAX_ZOOM + 1):
            part = part[atlas.clusters.nodes(further).parent]
            several = np.bincount(part, minlength=len(level)) > 1
            assert np.array_equal(several, level.expansion <= further)
        assert level.expansion.min() > zoom


def test_zooms_out_of_range_are_the_nearest(atlas: Atlas) -> None:
    assert atlas.clusters.nodes(20) is atlas.clusters.nodes(MAX_ZOOM)
    assert atlas.clusters.nodes(-1) is atlas.clusters.nodes(0)
    assert len(atlas.clusters.node_of(99)) == len(atlas.places)


def test_ids_are_unique_and_lead_to_the_place_a_cluster_stands_on(atlas: Atlas) -> None:
    for zoom in (0, 6, 14):
        level = atlas.clusters.nodes(zoom)
        ids = {level.id(i) for i in range(len(level))}
        assert len(ids) == len(level)
        place = atlas.places.number_of(level.key)
        assert np.array_equal(atlas.clusters.node_of(zoom)[place], np.arange(len(level)))
        assert level.id(0) == f"z{zoom}:{int(level.key[0]):016x}"


def test_boston_is_a_metro_then_a_city_then_its_zips(atlas: Atlas) -> None:
    place = atlas.locator.place_of("18.9.22.69")
    seen = []
    for zoom in ZOOMS:
        level = atlas.clusters.nodes(zoom)
        at = int(atlas.clusters.node_of(zoom)[place])
        seen.append((level.name(at), level.kind(at)))
    assert ("Boston metro", "metro") in seen[4:8]
    assert seen[9] == ("Boston", "city")
    assert seen[MAX_ZOOM] == ("02139", "postal")
    order = [kind for _, kind in seen if kind in ("metro", "city", "postal")]
    assert order == sorted(order, key=["metro", "city", "postal"].index), "never wider again further in"


def test_a_name_is_always_where_it_belongs(atlas: Atlas) -> None:
    """A cluster is named after an area of the very place that it stands on."""
    for zoom in (0, 3, 8, 14):
        level = atlas.clusters.nodes(zoom)
        place = atlas.places.number_of(level.key)
        own = np.column_stack([column[place] for column in atlas.places.area.values()])
        assert (own == level.area[:, None]).any(axis=1).all()


def test_from_far_away_a_continent_stands_amid_its_people(atlas: Atlas) -> None:
    """Neither on the largest city at the edge (Istanbul) nor on a village in between (Labrador City)."""
    names = {atlas.clusters.nodes(0).name(i) for i in range(8)}
    assert {
        "Shanghai metro",
        "Delhi metro",
        "Essen metro",
        "New York metro",
        "São Paulo metro",
        "Lagos",
    } <= names


def test_only_one_cluster_of_a_zoom_bears_a_metros_name_out_in_the_country(atlas: Atlas) -> None:
    for zoom in range(3, 9):
        level = atlas.clusters.nodes(zoom)
        metro = [n for n in level.area.tolist() if n >= 0 and atlas.areas.level(n) is Level.METRO]
        assert len(metro) == len(set(metro))


def test_across_the_date_line_clusters_gather(atlas: Atlas) -> None:
    x, y = mercator(np.array([-16.8, -16.8, 0.0]), np.array([179.95, -179.95, 0.0]))
    tree = gather(x, y, np.array([2.0, 1.0, 1.0]))
    assert tree[6].of_spot[0] == tree[6].of_spot[1] != tree[6].of_spot[2]
    assert tree[14].of_spot[0] != tree[14].of_spot[1]


@pytest.mark.parametrize("spots", [0, 1, 2])
def test_few_spots_make_a_tree_too(spots: int) -> None:
    x, y = mercator(np.array([10.0, 10.0])[:spots], np.array([20.0, 21.0])[:spots])
    tree = gather(x, y, np.ones(spots))
    assert [gathered.spot.size for gathered in tree] == ([spots] * 15 if spots < 2 else [1] * 6 + [2] * 9)


@settings(max_examples=60, deadline=None)
@given(
    points=st.lists(
        st.tuples(st.floats(-89, 89), st.floats(-180, 180), st.integers(1, 10**6)), min_size=1, max_size=120
    )
)
def test_any_points_gather_into_clusters_60_px_apart(
    points: list[tuple[float, float, int]],
) -> None:
    lat, lon, weight = (np.array(column, float) for column in zip(*points, strict=True))
    x, y = mercator(lat, lon)
    spots = np.unique(np.column_stack([x, y]), axis=0)
    x, y, weight = spots[:, 0], spots[:, 1], weight[: len(spots)]
    for zoom, gathered in enumerate(gather(x, y, weight)):
        heads = gathered.spot
        if heads.size > 1:
            assert nearest(x[heads], y[heads]) * WORLD * 2**zoom >= APART * (1 - 1e-9)
        assert np.array_equal(gathered.of_spot[heads], np.arange(heads.size))


def test_gathering_is_the_same_however_the_spots_are_ordered() -> None:
    random = np.random.default_rng(1)
    x, y, weight = random.random(400), random.random(400), random.random(400)
    shuffled = random.permutation(400)
    one, two = gather(x, y, weight), gather(x[shuffled], y[shuffled], weight[shuffled])
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a.spot, shuffled[b.spot])
        assert np.array_equal(a.of_spot[shuffled], b.of_spot)


def test_the_poles_are_brought_to_the_edge() -> None:
    x, y = mercator(np.array([90.0, -90.0, 0.0]), np.array([0.0, 180.0, -180.0]))
    assert (y >= 0).all()
    assert (y < 1).all()
    assert x.tolist() == [0.5, 0.0, 0.0]


def test_a_cluster_is_named_after_the_area_it_comes_closest_to_being() -> None:
    none = np.full(4, -1, np.int32)
    areas = {
        Level.COUNTRY: np.zeros(4, np.int32),
        Level.REGION: none,
        Level.METRO: np.array([1, 1, 1, -1], np.int32),
        Level.COUNTY: none,
        Level.CITY: np.array([2, 2, 3, 4], np.int32),
        Level.POSTAL: np.array([5, 6, 7, 8], np.int32),
    }
    spot, head = np.arange(4, dtype=np.int32), np.arange(4)
    weight = np.array([50.0, 40.0, 30.0, 5.0])

    def named(of_spot: list[int], heads: list[int], streets: bool) -> list[int]:
        gathered = Gathered(np.array(heads), np.array(of_spot, np.int32))
        return titles([gathered] * (15 if streets else 1), spot, head, areas, weight)[-1].tolist()

    assert named([0, 0, 0, 1], [0, 3], False) == [1, 4], "the metro; a town alone"
    assert named([0, 0, 1, 2], [0, 2, 3], False) == [2, 3, 4], "cities"
    assert named([0, 1, 2, 3], [0, 1, 2, 3], True) == [5, 6, 7, 8], "postal codes"
    assert named([0, 0, 0, 0], [0], False) == [1], "the metro, though the town is in, too"
