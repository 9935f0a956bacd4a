"""Two geographies: published examples, oracles, swapped sides, and campaigns in which nothing differs."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

from bench.calibration import World
from bench.calibration_differences import same, same_tags, shifted
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight import groups
from clickatlas.insight.clumping import Parts, learned
from clickatlas.insight.counts import Counts
from clickatlas.insight.distance import distance, jensen_shannon
from clickatlas.insight.divergence import contrast, divergence, location_quotient
from clickatlas.insight.divergence_cards import cards
from clickatlas.insight.resonance import resonance

pairs = st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def world(atlas: Atlas) -> World:
    return World.of(atlas, ())


def table(a: list[int], b: list[int], clump: float = 1.0):  # type: ignore[no-untyped-def]
    one, other = np.array(a), np.array(b)
    return contrast(np.arange(len(a)), one, other, int(one.sum()), int(other.sum()), np.full(len(a), clump))


def test_the_published_location_quotient() -> None:
    """Farhauer and Kröll (2013), Standorttheorien, as in the R package REAT's `locq`: 0.3847623."""
    assert location_quotient(1714, 79006, 879213, 15593224) == pytest.approx(0.3847623, abs=5e-8)
    # The same from two sides: the region's employees are the area, the industry and the nation the sides.
    found = table([1714, 879213 - 1714], [79006, 15593224 - 79006])
    assert found.quotient[0] == pytest.approx(0.3847623, abs=5e-8)
    assert np.isnan(location_quotient(1, 0, 1, 1))


def test_tests_and_intervals_are_those_of_a_ratio_of_two_shares() -> None:
    """Fisher's exact test; the delta method's and the score interval for location quotients (Beyene and Moineddin 2005)."""
    a, b = [300, 180, 2520], [200, 200, 3600]
    found = table(a, b)
    for row in range(2):
        exact = stats.fisher_exact([[a[row], 3000 - a[row]], [b[row], 4000 - b[row]]]).pvalue
        # The binomial stands in for the hypergeometric: on the safe side.
        assert exact * 0.5 <= found.p[row] <= max(exact * 3, 1e-9)
        low, high = confint_proportions_2indep(a[row], 3000, b[row], 4000, compare="ratio", method="log")
        assert np.log(found.low[row]) == pytest.approx(np.log(low), abs=0.02)
        assert np.log(found.high[row]) == pytest.approx(np.log(high), abs=0.02)
    told = ~np.isnan(found.p)
    assert found.q[told] == pytest.approx(multipletests(found.p[told], method="fdr_bh")[1])


@given(pairs, st.floats(1, 5))
def test_swapped_sides_turn_everything_round(sides: list[tuple[int, int]], clump: float) -> None:
    a, b = ([side[n] for side in sides] for n in (0, 1))
    one, other = table(a, b, clump), table(b, a, clump)
    assert one.ratio == pytest.approx(-other.ratio, abs=1e-9)
    assert one.z == pytest.approx(-other.z, abs=1e-9)
    assert one.p == pytest.approx(other.p, nan_ok=True, rel=1e-6, abs=1e-12)
    known = (one.low > 0) & np.isfinite(one.low) & np.isfinite(other.high)
    assert one.low[known] == pytest.approx(1 / other.high[known], rel=1e-6)


@given(pairs, st.integers(2, 9))
def test_clumps_are_worth_one_click(sides: list[tuple[int, int]], size: int) -> None:
    """Clicks in clumps of `size` say as much as so many fewer, whatever their number."""
    a, b = ([side[n] for side in sides] for n in (0, 1))
    one, many = table(a, b), table([size * n for n in a], [size * n for n in b], size)
    assert one.p == pytest.approx(many.p, nan_ok=True, rel=1e-6, abs=1e-12)
    both = np.isfinite(one.high)
    assert one.high[both] == pytest.approx(many.high[both], rel=1e-6)


def test_how_clicks_clump_is_learned() -> None:
    chance = np.random.default_rng(1)
    rate = chance.gamma(0.5, 20, 3000)
    within = np.arange(3000) // 60
    share = np.repeat(chance.uniform(0.2, 0.8, 50), 60)  # regions differ, for good
    clumps = [
        np.bincount(np.repeat(np.arange(3000), n), minlength=3000)
        for n in chance.poisson((share * rate, (1 - share) * rate))
    ]
    alone, sure = learned(*(side.astype(float) for side in clumps), within)
    assert 0.9 < alone.phi < 1.1
    assert 1 < sure < 1.2
    sized = [
        np.bincount(np.repeat(np.arange(3000), side), chance.geometric(0.4, side.sum()), 3000)
        for side in clumps
    ]
    spread, _ = learned(*(side.astype(float) for side in sized), within)
    expected = (2 - 0.4) / 0.4**2 / (1 / 0.4)  # E S² / E S
    assert spread.phi == pytest.approx(expected, rel=0.12)
    few, unknown = learned(np.array([5.0, 3.0]), np.array([4.0, 4.0]), np.array([0, 0]))
    assert few.areas == 0
    assert np.isnan(unknown)


@given(pairs.filter(lambda sides: all(sum(side[n] for side in sides) for n in (0, 1))))
def test_the_distance_is_scipys(sides: list[tuple[int, int]]) -> None:
    a, b = (np.array([side[n] for side in sides], float) for n in (0, 1))
    assert np.sqrt(max(0.0, float(jensen_shannon(a, b)))) == pytest.approx(
        float(jensenshannon(a, b, 2)), abs=1e-7
    )


def test_the_distance_of_two_samples_is_what_chance_makes_it() -> None:
    """Over three geographies; a little on the safe side in the tail."""
    clump, p, values, expected = 3, [], [], []
    for seed in (2, 3, 4):
        chance = np.random.default_rng(seed)
        share = chance.dirichlet(np.full(120, 0.7))
        for draw in range(150):
            a, b = (clump * chance.multinomial(1500, share) for _ in range(2))
            found = distance(a, b, np.full(120, float(clump)), seed=draw)
            p.append(found.p)
            values.append(found.value**2)
            expected.append(found.by_chance**2)
    assert 0.015 <= np.mean(np.array(p) < 0.05) <= 0.07
    assert np.mean(np.array(p) < 0.5) == pytest.approx(0.5, abs=0.07)
    assert np.mean(values) == pytest.approx(np.mean(expected), rel=0.05)
    other = clump * chance.multinomial(1500, np.roll(share, 1))
    far = distance(a, other, np.full(120, float(clump)))
    assert far.p < 1e-6
    assert far.beyond > 0.3
    assert far == distance(a, other, np.full(120, float(clump)))  # seeded


def test_nothing_and_everything_differ_sanely(world: World) -> None:
    atlas = world.atlas
    some = world.draw(5000, np.random.default_rng(3))
    none = world.counts(some.clicks * 0)
    one = none.clicks.copy()
    one[int(np.argmax(some.clicks))] = 1
    for sides in ((none, none), (some, none), (none, some), (some, some), (some, world.counts(one))):
        found = divergence(*sides, atlas)
        assert not cards(found, atlas)
        assert found.areas.ratio == pytest.approx(0, abs=0.01) or sides[1].total == 1
        assert np.isfinite(found.areas.ratio).all()
    us = np.asarray(atlas.places.area[Level.COUNTRY]) == atlas.areas.number("country:US")
    apart = divergence(
        world.counts(some.clicks * us), world.counts(some.clicks * ~us), atlas, names=("Here", "There")
    )
    assert apart.distance.value == pytest.approx(1)
    assert any("“Here” lights up Northern America" in card.sentence for card in cards(apart, atlas))


def test_email_lights_up_the_midwest_and_instagram_the_west(world: World) -> None:
    atlas, chance = world.atlas, np.random.default_rng(4)
    region = np.asarray(atlas.places.area[Level.REGION])
    named = {group.name: group.areas for group in groups.states(atlas)}
    tilted = [
        world.weight * np.where(np.isin(region, named[name]), 1.6, 1) for name in ("the Midwest", "the West")
    ]
    sides = [world.draw(20_000, chance, weight) for weight in tilted]
    found = divergence(*sides, atlas, names=("Email", "Instagram"))
    card = next(card for card in cards(found, atlas) if "US" in card.sentence)
    assert card.sentence.startswith("“Email” lights up the Midwest (")
    assert "“Instagram” lights up the West (" in card.sentence
    assert set(named["the Midwest"].tolist()) <= set(card.areas)
    assert card.filter["area"][0].startswith("region:US-")
    assert card.interval
    assert 1 < card.interval[0] < float(card.numbers["quotient"]) < card.interval[1]
    assert card.sample > 20_000
    assert found.distance.p < 1e-6
    # An area that may not be shown is in no sentence and no number.
    shown = np.ones(len(atlas.areas), np.bool_)
    shown[named["the Midwest"]] = False
    shown[named["the West"][::3]] = False
    hidden = divergence(*sides, atlas, names=("Email", "Instagram"), shown=shown)
    assert not set(named["the Midwest"].tolist()) & set(hidden.areas.area.tolist())
    for card in cards(hidden, atlas):
        assert "Midwest" not in card.sentence
        assert shown[list(card.areas)].all()


def test_one_office_is_no_finding(world: World) -> None:
    chance = np.random.default_rng(5)
    a, b = world.draw(20_000, chance), world.draw(20_000, chance)
    clicks = a.clicks.copy()
    clicks[int(np.argmax(world.weight * (clicks > 0)))] += 400
    assert not cards(divergence(world.counts(clicks), b, world.atlas), world.atlas)


def test_two_samples_of_one_baseline_rarely_yield_a_card(world: World) -> None:
    """A short form of `bench.calibration_differences`."""
    assert same(world, 200).share <= 0.02
    assert same_tags(world, 40).hits <= 1


def test_a_shifted_channel_is_found(world: World) -> None:
    assert shifted(world, 60).share >= 0.95


def test_groups_hold_every_country_and_state_once(atlas: Atlas) -> None:
    for found, level, own in (
        (groups.world(atlas), Level.COUNTRY, lambda name: name != "country:AQ"),
        (groups.states(atlas), Level.REGION, lambda name: name.startswith("region:US-")),
    ):
        finest = np.concatenate([group.areas for group in found if not group.wide])
        ids = [atlas.areas.id(n) for n in finest.tolist()]
        assert len(set(ids)) == len(ids)
        ordinal = list(Level).index(level)
        every = [
            atlas.areas.id(n) for n in np.flatnonzero(np.asarray(atlas.areas.levels()) == ordinal).tolist()
        ]
        assert set(ids) == {name for name in every if own(name)}
    assert len(groups.states(atlas)) == 4 + 9


def test_each_tag_stands_against_all_the_others(world: World) -> None:
    chance = np.random.default_rng(6)
    atlas = world.atlas
    texas = atlas.areas.number("region:US-TX")
    assert texas is not None
    offers = {
        "boots": world.draw(6000, chance, world.planted(texas, 3)),
        "shoes": world.draw(9000, chance),
        "none": world.counts(np.zeros(len(world.weight), np.int64)),
    }
    whole = world.counts(sum((c.clicks for c in offers.values()), np.zeros(len(world.weight), np.int64)))
    found = resonance(offers, whole, atlas)
    assert found.names == ("shoes", "boots")
    boots = found.against[1]
    row = int(np.flatnonzero(boots.area == texas)[0])
    inside = np.asarray(atlas.places.area[Level.REGION]) == texas
    assert boots.a[row] == offers["boots"].clicks[inside].sum()
    assert boots.b[row] == offers["shoes"].clicks[inside].sum()
    assert boots.low[row] > 2
    assert boots.q[row] < 0.001
    every = np.concatenate([table.p for table in found.against])
    told = ~np.isnan(every)
    assert np.concatenate([table.q for table in found.against])[told] == pytest.approx(
        multipletests(every[told], method="fdr_bh")[1]
    )


def test_parts_of_places_are_counted_by_hand(world: World) -> None:
    atlas = world.atlas
    clicks: npt.NDArray[np.int64] = world.draw(3000, np.random.default_rng(7)).clicks
    region, city = (np.asarray(atlas.places.area[level]) for level in (Level.REGION, Level.CITY))
    sums: dict[tuple[int, int], int] = {}
    for place in np.flatnonzero(clicks).tolist():
        key = int(region[place]), int(city[place])
        sums[key] = sums.get(key, 0) + int(clicks[place])
    rows = np.unique(region[(clicks > 0) & (region >= 0)])[:20]
    found = Parts.of(clicks, atlas).lasting(region, rows)
    for row, value in zip(rows.tolist(), found.tolist(), strict=True):
        own = [n for (at, _), n in sums.items() if at == row]
        assert value == pytest.approx(sum(n * n for n in own) / sum(own))


def test_counts_are_left_as_they_are(world: World) -> None:
    a = world.draw(1000, np.random.default_rng(8))
    before = a.clicks.copy()
    divergence(a, Counts(a.clicks[::-1].copy(), {}, 0, 0), world.atlas)
    assert (a.clicks == before).all()
