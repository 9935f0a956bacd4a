"""Gaps and hot spots: planted ones, invariances, esda's Gi*, what may not be named, and inputs with next to nothing in them."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from esda.getisord import G_Local
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal import io
from libpysal.examples import get_path
from libpysal.weights import W
from scipy import sparse, stats

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight import gaps, hotspots
from clickatlas.insight.baseline import Baseline, by_others, by_population, chosen
from clickatlas.insight.contiguity import Contiguity
from clickatlas.insight.counts import Counts
from clickatlas.insight.measures import Expectation, Residents
from clickatlas.insight.scan import Circles

SIDE = 12


def field(
    factor: dict[int, float] | None = None, *, mean: float = 250.0, seed: int = 1
) -> tuple[Baseline, Contiguity]:
    """A chequerboard of areas, each with about as many clicks as expected times its factor."""
    random = np.random.default_rng(seed)
    n = SIDE * SIDE
    expected = mean * random.lognormal(0, 0.5, n)
    true = expected.copy()
    for at, times in (factor or {}).items():
        true[at] *= times
    clicks = random.negative_binomial(true, 0.5)
    area = np.arange(n, dtype=np.int32)
    lat, lon = np.divmod(np.arange(n), SIDE)
    graph = Contiguity.among(area, lat.astype(float), lon.astype(float), 120)
    expected = expected * clicks.sum() / expected.sum()
    return Baseline("others", Level.COUNTY, area, clicks, expected, np.ones(n, np.bool_), expected), graph


BLOCK = {5 * SIDE + 5: 0.3, 5 * SIDE + 6: 0.3, 6 * SIDE + 5: 0.3}


def test_a_dead_zone_is_found_and_holds_together() -> None:
    baseline, graph = field({**BLOCK, 20: 0.3})
    found = gaps.gaps(baseline, graph)
    assert set(found.area[found.gap].tolist()) == {*BLOCK, 20}
    zone = {n: set(found.area[found.zone == n].tolist()) for n in (0, 1)}
    assert {frozenset(members) for members in zone.values()} == {frozenset(BLOCK), frozenset({20})}
    assert (np.diff(found.missing) <= 0).all()
    assert found.missing[found.zone == 0].sum() >= found.missing[found.zone == 1].sum()
    assert (found.low[found.gap] < 0.3 * 1.2).all()
    assert (found.high[found.gap] > 0.3 * 0.8).all()


def test_hot_spots_are_found_three_ways() -> None:
    baseline, graph = field(dict.fromkeys(BLOCK, 4.0))
    targeted = np.zeros(SIDE * SIDE, np.bool_)
    targeted[5 * SIDE + 5] = True
    found = hotspots.hotspots(baseline, graph, Circles.of(graph.spot), targeted=targeted)
    assert set(found.area[found.hot].tolist()) == set(BLOCK)
    assert set(BLOCK) <= set(found.area[found.gi_hot].tolist())
    assert set(BLOCK) <= set(found.area[found.cluster.members].tolist())
    assert found.cluster.p <= found.alpha
    assert set(found.area[found.unexpected & found.hot].tolist()) == set(BLOCK) - {5 * SIDE + 5}
    assert not hotspots.hotspots(baseline, graph).unexpected.any()


def test_as_many_as_expected_is_neither() -> None:
    baseline, graph = field()
    assert not gaps.gaps(baseline, graph).gap.any()
    found = hotspots.hotspots(baseline, graph, Circles.of(graph.spot))
    assert not found.hot.any()
    assert not found.gi_hot.any()
    assert found.cluster.p > found.alpha


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(SIDE * SIDE)))
def test_the_order_of_areas_does_not_matter(order: list[int]) -> None:
    baseline, _ = field({**BLOCK, 100: 4.0})
    mixed = replace(baseline, area=baseline.area[order], clicks=baseline.clicks[order],
                    expected=baseline.expected[order], reach=baseline.reach[order])  # fmt: skip
    for find in (gaps.gaps, hotspots.hotspots):
        one, other = find(baseline), find(mixed)  # type: ignore[operator]
        assert one.area.tolist() == other.area.tolist()
        assert np.allclose(one.p, other.p, rtol=1e-9, atol=0)
        assert np.allclose(one.ratio, other.ratio)


def test_nothing_is_named_that_may_not_be() -> None:
    baseline, graph = field({**BLOCK, 100: 4.0})
    hidden = baseline.shown.copy()
    hidden[[5 * SIDE + 5, 100]] = False
    less = replace(baseline, shown=hidden)
    found = gaps.gaps(less, graph)
    assert set(found.area[found.gap].tolist()) == set(BLOCK) - {5 * SIDE + 5}
    hot = hotspots.hotspots(less, graph, Circles.of(graph.spot))
    assert not {5 * SIDE + 5, 100} & set(hot.area.tolist())
    assert 100 not in hot.area[hot.cluster.members].tolist()


def test_gi_star_is_that_of_esda() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table, neighbours = io.open(get_path("sids2.dbf")), io.open(get_path("sids2.gal")).read()
        rate = 1000 * np.array(table.by_col("SID74")) / np.array(table.by_col("BIR74"))
        full = (neighbours.full()[0] > 0) + np.eye(rate.size)
        own = W({n: np.flatnonzero(row).tolist() for n, row in enumerate(full)}, silence_warnings=True)
        theirs = G_Local(rate, own, transform="B", star=True, permutations=0)
    ours = hotspots.getis_ord(rate, sparse.csr_array(full))
    assert np.allclose(ours, theirs.Zs, rtol=0, atol=1e-9)
    assert np.allclose(stats.norm.sf(np.abs(ours)), theirs.p_norm, rtol=0, atol=1e-9)
    # Ord and Getis's form doesn't depend on the weights' sums; esda's holds for weights of 0 and 1 only.
    rows = sparse.csr_array(full / full.sum(axis=1, keepdims=True))
    assert np.allclose(hotspots.getis_ord(rate, rows), ours, atol=1e-9)


def test_gi_star_of_equal_values_is_none() -> None:
    weights = sparse.csr_array(np.ones((4, 4)))
    assert hotspots.getis_ord(np.full(4, 3.0), weights).tolist() == [0] * 4
    assert hotspots.getis_ord(np.arange(2.0), sparse.csr_array(np.eye(2))).tolist() == [0, 0]


@given(st.floats(0.1, 100), st.floats(-50, 50))
def test_gi_star_knows_neither_unit_nor_origin(scale: float, shift: float) -> None:
    random = np.random.default_rng(3)
    values, weights = random.random(30), sparse.csr_array((random.random((30, 30)) < 0.2).astype(float))
    moved = hotspots.getis_ord(values * scale + shift, weights)
    assert np.allclose(moved, hotspots.getis_ord(values, weights), atol=1e-6)


# Next to nothing, on the real atlas


def counts(atlas: Atlas, clicks: dict[int, int]) -> Counts:
    vector = np.zeros(len(atlas.places), np.int64)
    for place, number in clicks.items():
        vector[place] = number
    return Counts(vector, {}, int(vector[np.asarray(atlas.places.unplaced)].sum()), int(vector[:2].sum()))


def some_place(atlas: Atlas, *, unplaced: bool = False, country: str = "US") -> int:
    number = atlas.areas.number(f"country:{country}")
    inside = np.asarray(atlas.places.area[Level.COUNTRY]) == number
    people = np.where(inside & (np.asarray(atlas.places.unplaced) == unplaced), atlas.places.population, -1)
    return int(people.argmax())


@pytest.mark.parametrize("clicks", ["none", "one", "one place", "unplaced", "nowhere"])
@pytest.mark.parametrize("level", [Level.COUNTRY, Level.REGION, Level.METRO, Level.POSTAL])
def test_next_to_nothing_is_no_finding(atlas: Atlas, clicks: str, level: Level) -> None:
    spot = some_place(atlas, unplaced=clicks == "unplaced")
    made = counts(atlas, {"none": {}, "one": {spot: 1}, "one place": {spot: 500}, "unplaced": {spot: 500},
                          "nowhere": {0: 500}}[clicks])  # fmt: skip
    expectation = Expectation.of(atlas, made)
    graph = Contiguity.of(atlas, level) if level is not Level.POSTAL else None
    for baseline in (by_population(expectation, level), by_others(atlas, made, counts(atlas, {}), level)):
        cards = gaps.cards(gaps.gaps(baseline, graph), atlas)
        cards += hotspots.cards(
            hotspots.hotspots(baseline, graph, Circles.of(graph.spot) if graph else None), atlas
        )
        # 500 clicks on one place of a country of 300 million is no chance; fewer are nothing.
        for card in cards:
            assert clicks in ("one place", "unplaced")
            assert "nan" not in card.sentence + card.method
            assert "inf" not in card.sentence
            assert all(value == value for value in card.numbers.values())


def test_the_baseline_is_chosen_by_how_much_is_known(atlas: Atlas) -> None:
    spot = some_place(atlas)
    expectation = Expectation.of(atlas, counts(atlas, {spot: 100}), Residents.of(atlas))
    few, many = counts(atlas, {spot: 500}), counts(atlas, {spot: 5000})
    assert chosen(expectation, Level.METRO, few).name == "population"
    assert chosen(expectation, Level.METRO).name == "population"
    assert chosen(expectation, Level.METRO, many).name == "others"
    assert chosen(expectation, Level.METRO, many, name="population").name == "population"
    assert chosen(expectation, Level.METRO, few, name="others").name == "others"


def test_expectations_add_up_to_the_clicks_of_each_country(atlas: Atlas) -> None:
    random = np.random.default_rng(4)
    places = random.choice(len(atlas.places), 4000, replace=False)
    ours = counts(atlas, dict(zip(places[:2000].tolist(), random.integers(1, 9, 2000).tolist(), strict=True)))
    theirs = counts(atlas, dict(zip(places.tolist(), random.integers(1, 9, 4000).tolist(), strict=True)))
    found = by_others(atlas, ours, theirs, Level.REGION)
    assert found.expected.sum() == pytest.approx(found.clicks.sum())
    us = atlas.areas.number("country:US")
    inside = np.array([atlas.areas.ancestors(n)[:1] == [us] for n in found.area.tolist()])
    assert found.expected[inside].sum() == pytest.approx(found.clicks[inside].sum())


def test_a_planted_state_reads_well(atlas: Atlas) -> None:
    random = np.random.default_rng(5)
    people = np.asarray(Residents.of(atlas).place, np.float64)
    country = np.asarray(atlas.places.area[Level.COUNTRY]) == atlas.areas.number("country:US")
    weight = np.where(country, people, 0)
    theirs = counts(atlas, dict(enumerate(random.poisson(400_000 * weight / weight.sum()).tolist())))
    ohio = np.asarray(atlas.places.area[Level.REGION]) == atlas.areas.number("region:US-OH")
    weight = np.where(ohio, weight * 0.3, weight)
    ours = counts(atlas, dict(enumerate(random.poisson(20_000 * weight / weight.sum()).tolist())))
    baseline = by_others(atlas, ours, theirs, Level.REGION)
    (card,) = gaps.cards(gaps.gaps(baseline, Contiguity.of(atlas, Level.REGION)), atlas)
    assert card.sentence.startswith("Ohio has 2")
    assert "clicks where your other links would give" in card.sentence
    assert card.filter == {"area": ["region:US-OH"]}
    assert card.interval is not None
    assert card.interval[0] < 0.31 < card.interval[1]
    assert card.q is not None
    assert card.q <= 0.005
    assert 0 < card.weight < 1
    assert "Benjamini-Hochberg" in card.method
