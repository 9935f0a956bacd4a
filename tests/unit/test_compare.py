"""Two filters beside each other: chance, known shifts, and swapped sides."""

import mapbox_vector_tile
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.compare import difference
from clickatlas.insight.comparison import ZERO, Comparison
from clickatlas.insight.counts import Counts
from clickatlas.insight.heat import Ground

counts = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=30)


@given(counts, st.integers(0, 10**6), st.integers(0, 10**6))
def test_swapped_sides_change_signs_only(pairs: list[tuple[int, int]], more_a: int, more_b: int) -> None:
    a, b = (np.array(side) for side in zip(*pairs, strict=True))
    total_a, total_b = int(a.sum()) + more_a, int(b.sum()) + more_b
    one, other = difference(a, b, total_a, total_b), difference(b, a, total_b, total_a)
    assert np.isfinite(one.ratio).all()
    assert np.isfinite(one.z).all()
    assert one.ratio == pytest.approx(-other.ratio, abs=1e-9)
    assert one.z == pytest.approx(-other.z, abs=1e-9)


@given(counts)
def test_a_side_without_clicks_differs_nowhere(pairs: list[tuple[int, int]]) -> None:
    a = np.array([pair[0] for pair in pairs])
    for found in (difference(a, a * 0, int(a.sum()), 0), difference(a, a, int(a.sum()), int(a.sum()))):
        assert found.ratio == pytest.approx(0, abs=1e-9)
        assert found.z == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("size_a", "size_b"), [(20_000, 20_000), (20_000, 3_000), (2_000, 200_000)])
def test_two_samples_of_one_distribution_differ_in_one_of_twenty(size_a: int, size_b: int) -> None:
    chance = np.random.default_rng(5)
    shares = chance.pareto(1.2, 150) + 0.05
    shares /= shares.sum()
    tally = {True: [0, 0], False: [0, 0]}  # areas with clicks enough or not: beyond chance, all
    for _ in range(200):
        a, b = chance.multinomial(size_a, shares), chance.multinomial(size_b, shares)
        enough = shares * min(size_a, size_b) >= 10
        found = difference(a, b, size_a, size_b)
        for which in (True, False):
            mine = np.abs(found.z)[enough == which]
            tally[which][0] += int((mine > 1.96).sum())
            tally[which][1] += len(mine)
    assert 0.035 < tally[True][0] / tally[True][1] < 0.06
    assert tally[False][0] / tally[False][1] < 0.05  # where clicks are few, chance is not taken for more


def test_a_known_shift_is_found_and_is_as_large_as_it_was_made() -> None:
    chance = np.random.default_rng(6)
    shares = np.full(100, 0.01)
    shifted = shares.copy()
    shifted[:5] *= 2
    shifted[5:10] /= 2
    shifted /= shifted.sum()
    a, b = chance.multinomial(200_000, shifted), chance.multinomial(200_000, shares)
    found = difference(a, b, 200_000, 200_000)
    assert found.ratio[:5] == pytest.approx(np.log2(shifted[0] / 0.01), abs=0.2)
    assert found.ratio[5:10] == pytest.approx(np.log2(shifted[5] / 0.01), abs=0.2)
    assert (found.z[:5] > 10).all()
    assert (found.z[5:10] < -10).all()
    assert (np.abs(found.z[10:]) < 5).all()


def test_a_handful_of_clicks_makes_no_large_difference() -> None:
    few = difference(np.array([3, 900]), np.array([0, 900]), 1000, 1000)
    many = difference(np.array([300, 600]), np.array([0, 900]), 1000, 1000)
    assert 0 < few.z[0] < 1.96 < many.z[0]
    assert np.isfinite(many.ratio[0])


def test_the_published_formula() -> None:
    """Monroe et al. (2008), equation 16, worked out by hand for one word."""
    found = difference(np.array([30]), np.array([10]), 1000, 2000)
    prior, of = 50 * 40 / 3000, 50.0  # 5 % of the smaller side
    a = np.log((30 + prior) / (1000 + of - 30 - prior))
    b = np.log((10 + prior) / (2000 + of - 10 - prior))
    assert found.z[0] == pytest.approx(
        (a - b)
        / np.sqrt(
            1 / (30 + prior) + 1 / (10 + prior) + 1 / (1000 + of - 30 - prior) + 1 / (2000 + of - 10 - prior)
        )
    )


def some(atlas: Atlas, seed: int) -> Counts:
    chance = np.random.default_rng(seed)
    clicks = np.zeros(len(atlas.places), np.int64)
    np.add.at(clicks, chance.integers(2, len(clicks), 4000), chance.integers(1, 30, 4000))
    unplaced = int(clicks[np.asarray(atlas.places.unplaced)].sum())
    return Counts(clicks, {}, unplaced, 0)


@pytest.fixture(scope="module")
def compared(atlas: Atlas) -> Comparison:
    return Comparison(Ground.of(atlas), some(atlas, 1), some(atlas, 2))


def test_areas_hold_both_sides(atlas: Atlas, compared: Comparison) -> None:
    for level in Level:
        found = compared.areas(level)
        of = np.asarray(atlas.places.area[level])
        for side, total in ((found.a, compared.a), (found.b, compared.b)):
            assert int(side.sum()) == int(total.clicks[of >= 0].sum())
        at = len(found.area) // 2
        assert found.a[at] == compared.a.clicks[of == found.area[at]].sum()
        assert (np.diff(found.a + found.b) <= 0).all()


@pytest.mark.parametrize("zoom", [0, 1, 3])
def test_tiles_hold_every_placed_click_of_both_sides(compared: Comparison, zoom: int) -> None:
    sums = [0, 0]
    for x in range(1 << zoom):
        for y in range(1 << zoom):
            data = compared.tile(zoom, x, y)
            for feature in mapbox_vector_tile.decode(data)["clusters"]["features"] if data else []:
                said = feature["properties"]
                assert set(said) == {
                    "a",
                    "b",
                    "name",
                    "kind",
                    "id",
                    "expansion_zoom",
                    "difference",
                    "z",
                    "differs",
                }
                [expected] = difference(
                    np.array([said["a"]]), np.array([said["b"]]), compared.a.total, compared.b.total
                ).ratio
                assert (said["difference"] - ZERO) / 100 == pytest.approx(expected, abs=0.0051)
                sums[0] += said["a"]
                sums[1] += said["b"]
    assert sums == [side.total - side.unplaced for side in (compared.a, compared.b)]
