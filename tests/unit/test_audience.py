"""Who lives where the clicks come from: against brute force, known weights, and what can't be known."""

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.calibration import World
from bench.calibration_audience import Homes, at_home, misplaced, nothing
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.files import load
from clickatlas.insight.audience import Estimate, estimate, profile
from clickatlas.insight.audience_cards import WHO, cards
from clickatlas.insight.counts import Counts
from clickatlas.insight.leeway import Placed, uneven
from clickatlas.insight.leeway import misplaced as by_radius
from clickatlas.insight.measures import Residents
from clickatlas.insight.surroundings import NAMES, Surroundings, blend, positions, zip_figures
from clickatlas.insight.target import away

F64 = npt.NDArray[np.float64]


def counts(clicks: npt.NDArray[np.generic]) -> Counts:
    return Counts(clicks.astype(np.int64), {}, 0, 0)


@pytest.fixture(scope="module")
def around(atlas: Atlas) -> Surroundings:
    return Surroundings.of(atlas)


@pytest.fixture(scope="module")
def weight(atlas: Atlas, around: Surroundings) -> F64:
    """How likely a place is when clicks come as residents of the United States would give them."""
    people = np.where(around.cell >= 0, Residents.of(atlas).place, 0).astype(np.float64)
    return people / people.sum()


def made(cells: int = 60, per_zip: int = 2, seed: int = 1) -> Surroundings:
    """A small land of `cells` cells, `per_zip` to a ZIP code, ten ZIP codes to a county."""
    chance = np.random.default_rng(seed)
    zips = cells // per_zip
    return Surroundings(
        names=("one", "two"),
        cell=np.arange(cells, dtype=np.int32),
        county_cell=np.full(cells, -1, np.int32),
        cluster=np.repeat(np.arange(zips), per_zip).astype(np.int32),
        area=np.arange(zips, dtype=np.int32),
        county=(np.arange(zips) // 10).astype(np.int32),
        state=np.zeros(zips, np.int32),
        residents=chance.integers(50, 5000, cells).astype(np.float64),
        addresses=chance.integers(50, 5000, cells).astype(np.float64),
        figures=np.column_stack((chance.uniform(0.1, 0.6, cells), chance.uniform(20_000, 90_000, cells))),
        spread=np.zeros((cells, 2)),
        error=None,
    )


def clicked(found: Surroundings, visitors: int, chance: np.random.Generator) -> F64:
    """Visitors by residents, in clumps of two on average."""
    share = found.residents / found.residents.sum()
    where = chance.choice(len(share), visitors, p=share)
    return np.bincount(where, chance.geometric(0.5, visitors), len(share)).astype(np.float64)


def test_means_are_those_of_every_click_listed() -> None:
    land = made()
    clicks = clicked(land, 500, np.random.default_rng(2))
    land.figures[5, 0] = np.nan  # not known there
    listed = np.repeat(np.arange(len(clicks)), clicks.astype(int))
    found = estimate(clicks, [land.residents], land)
    assert found.mean == pytest.approx(np.nanmean(land.figures[listed], 0))
    assert found.told == pytest.approx((~np.isnan(land.figures[listed])).sum(0))


def test_the_variance_is_the_sandwich_of_a_regression_on_nothing_but_a_mean() -> None:
    """With one cell to a ZIP code and no clicks usual anywhere: statsmodels' cluster-robust variance, uncorrected."""
    land = made(per_zip=1)
    clicks = clicked(land, 800, np.random.default_rng(3))
    listed = np.repeat(np.arange(len(clicks)), clicks.astype(int))
    found = estimate(clicks, [np.zeros(len(clicks))], land)
    for figure in (0, 1):
        fitted = sm.OLS(land.figures[listed, figure], np.ones(len(listed))).fit()
        robust = sm.stats.sandwich_covariance.cov_cluster(fitted, listed, use_correction=False)
        assert found.variance[figure] == pytest.approx(float(robust[0, 0]), rel=1e-9)


def test_clicks_that_come_as_residents_do_have_an_index_of_100(atlas: Atlas, weight: F64) -> None:
    found = profile(counts(np.rint(weight * 1e8)), atlas)
    assert found.index == pytest.approx(100, abs=0.1)
    assert not cards(found, atlas)
    national = atlas.people.figures("country:US")
    assert national
    assert found.reference[found.number("bachelors_or_higher")] == pytest.approx(
        national["shares"]["bachelors_or_higher"], abs=0.01
    )


@pytest.mark.parametrize("visitors", [700, 10_000])
def test_intervals_hold_the_truth(around: Surroundings, weight: F64, visitors: int) -> None:
    """Clicks in clumps over the real places; the truth is that of their weights. 150 campaigns, 18 figures."""
    chance = np.random.default_rng(visitors)
    by_cell = np.bincount(around.cell + 1, weight, len(around.cluster) + 1)[1:]
    truth = estimate(by_cell, [around.residents], around).mean
    held = []
    for _ in range(150):
        where = chance.choice(len(by_cell), visitors, p=by_cell)
        clicks = np.bincount(where, chance.geometric(0.6, visitors), len(by_cell)).astype(np.float64)
        found = estimate(clicks, around.bases, around)
        held.append(np.abs(found.mean - truth) <= 1.96 * np.sqrt(found.variance))
    assert 0.93 <= np.mean(held) <= 0.97


def test_clumps_and_few_zip_codes_make_it_less_sure() -> None:
    land = made(cells=200)
    alone = (
        np.random.default_rng(4).multinomial(4000, land.residents / land.residents.sum()).astype(np.float64)
    )
    one, tenfold = (estimate(of, [land.residents], land) for of in (alone, 10.0 * alone))
    assert (one.effective > 0.6 * one.told).all()
    assert (tenfold.effective < 0.2 * tenfold.told).all()  # ten times as many clicks, and no wiser
    few = np.zeros(200)
    few[:6] = 500
    assert np.isnan(estimate(few, [land.residents], land).variance).all()


def test_margins_of_error_widen_the_interval() -> None:
    land = made()
    clicks = clicked(land, 2000, np.random.default_rng(5))
    plain = estimate(clicks, [land.residents], land)
    error = np.full(land.figures.shape, 0.05)
    surveyed = estimate(clicks, [land.residents], replace(land, error=error))
    share = np.add.reduceat(clicks, land.starts) / clicks.sum()
    assert surveyed.variance - plain.variance == pytest.approx((share**2).sum() * 0.05**2, rel=1e-6)


def test_a_wide_radius_blends_a_zip_code_with_what_is_around() -> None:
    lat, lon = np.array([40.0, 40.1, 48.0]), np.array([-100.0, -100.0, -100.0])  # 11 km, 900 km
    figures, residents = np.array([[0.2], [0.6], [0.9]]), np.array([1000.0, 3000.0, 9000.0])
    at = np.array([0, 2], np.int32)
    assert blend(figures, residents, lat, lon, at, 0) == pytest.approx(figures[at])
    assert blend(figures, residents, lat, lon, at, 1) == pytest.approx(figures[at])
    wide = blend(figures, residents, lat, lon, at, 200)
    assert wide[:, 0] == pytest.approx([0.5, 0.9], abs=0.01)  # by residents; the far one stays alone
    sigma = 20 / np.sqrt(-2 * np.log(0.33))
    near = np.exp(-(11.12**2) / (2 * sigma**2))
    assert blend(figures, residents, lat, lon, at, 20)[0, 0] == pytest.approx(
        (0.2 * 1000 + 0.6 * 3000 * near) / (1000 + 3000 * near), abs=0.01
    )


def test_figures_and_their_spread_are_those_of_everybody_within_the_radius(
    atlas: Atlas, around: Surroundings
) -> None:
    """Every ZIP code of the nation spelled out, under a normal kernel with 67 % of itself within the radius."""
    figures, living, _ = zip_figures(atlas.folder)
    _, lat, lon = positions(atlas.areas, load(atlas.folder, "people_zip"))
    radius = np.asarray(atlas.places.radius)
    income = NAMES.index("median_household_income")
    means, spreads = [], []
    for km in (5, 20, 50, 100):
        places = np.flatnonzero((radius == km) & (around.cell >= 0))
        for place in np.random.default_rng(km).choice(places, 12, False).tolist():
            cell = around.cell[place]
            row = around.cluster[cell]
            far = away(lat, lon, float(lat[row]), float(lon[row]))
            near = living * np.exp(np.log(1 - 0.67) * (far / km) ** 2)
            told = (near > 0) & ~np.isnan(figures[:, income])
            mean = np.average(figures[told, income], weights=near[told])
            spread = np.average((figures[told, income] - mean) ** 2, weights=near[told])
            means.append(around.figures[cell, income] / mean)
            spreads.append(around.spread[cell, income] / max(spread, 1.0) if spread > 1 else 1.0)
    assert np.median(means) == pytest.approx(1, abs=0.01)
    assert np.median(spreads) == pytest.approx(1, abs=0.05)
    assert np.quantile(np.abs(np.log(np.maximum(spreads, 1e-3))), 0.8) < 0.25
    assert (around.spread[around.cell[(radius == 0) & (around.cell >= 0)]] == 0).all()


def test_what_the_radius_adds_is_that_of_places_that_are_wrong_together() -> None:
    """Drawn again and again: audiences whose places' true figures are others, and clicks in clumps."""
    chance, places = np.random.default_rng(8), 300
    land = made(cells=places, per_zip=1)
    land = replace(land, spread=np.column_stack((np.full(places, 0.1**2), np.full(places, 8_000.0**2))))
    part = chance.dirichlet(np.full(places, 0.3))
    cell = np.arange(places, dtype=np.int32)
    found, wrong = [], []
    for _ in range(400):
        clicks = 2 * chance.poisson(part * 3000)  # each visitor twice: a design effect of 2
        total = clicks @ land.figures
        found.append(by_radius(land, (Placed(cell, clicks, 2.0), total)))
        true = land.figures + np.sqrt(land.spread) * chance.standard_normal((places, 2))
        wrong.append(np.log(part @ true) - np.log(part @ land.figures))
    assert np.mean(found, axis=0) == pytest.approx(np.var(wrong, axis=0), rel=0.2)
    same = Placed(cell, clicks, 0.0)
    assert by_radius(land, (same, total), (same, total)) == pytest.approx(0), "both are wrong alike"
    apart = Placed(np.roll(cell, 1), clicks, 0.0)
    both = by_radius(land, (same, total), (apart, total))
    assert (both > by_radius(land, (same, total))).all()
    assert (by_radius(land, (Placed(cell, 0 * clicks, 1.0), 0 * total)) == 0).all()


@pytest.fixture(scope="module")
def world(atlas: Atlas) -> World:
    return World.of(atlas, ())


def test_intervals_hold_where_clickers_live_elsewhere_within_the_radius(world: World) -> None:
    """Short form of `python -m bench calibration_audience`, of one state, where many clicks share a place."""
    state = np.asarray(world.atlas.places.area[Level.REGION]) == world.atlas.areas.number("region:US-MA")
    weight = at_home(world, np.where(state, world.weight, 0.0))
    homes = Homes(world, weight, np.random.default_rng(1))
    together, apart = misplaced(homes, 25, 20_000, weight)
    assert together.campaigns > 400
    assert 0.92 <= together.share <= 0.995, (
        together
    )  # of figures that go together: few campaigns tell it roughly
    assert apart.share >= 0.93, apart


@pytest.mark.parametrize("against", ["nation", "state", "others"])
def test_an_audience_like_everybody_hardly_ever_gets_a_card(world: World, against: str) -> None:
    """Places are clicked as often as the database leads there: more in cities, by nobody's choice."""
    result = nothing(world, 8, 20_000, at_home(world, world.weight), "usual", against=against)
    assert result.hits <= 2, result.examples


def test_a_profile_against_a_region_is_against_its_residents(
    atlas: Atlas, around: Surroundings, weight: F64
) -> None:
    """Against place after place added up, and against what the state's own figures are."""
    clicks = np.random.default_rng(9).multinomial(20_000, weight)
    number = atlas.areas.number("region:US-MA")
    assert number is not None
    found, nation = profile(counts(clicks), atlas, number), profile(counts(clicks), atlas)
    living, region = Residents.of(atlas).place, np.asarray(atlas.places.area[Level.REGION])
    mine = np.flatnonzero((region == number) & (around.cell >= 0) & (living > 0)).tolist()
    told = atlas.people.figures("region:US-MA")
    assert told
    for name in ("median_household_income", "bachelors_or_higher", "owner_occupied", "median_age"):
        at = found.number(name)
        rows = [(float(living[n]), float(around.figures[around.cell[n], at])) for n in mine]
        rows = [(people, figure) for people, figure in rows if not math.isnan(figure)]
        mean = sum(people * figure for people, figure in rows) / sum(people for people, _ in rows)
        assert found.reference[at] == pytest.approx(mean, rel=1e-6)
        assert found.value[at] == nation.value[at], "the clicks are the same"
        assert found.index[at] == pytest.approx(100 * found.value[at] / mean, rel=1e-6)
        assert found.low[at] < found.index[at] < found.high[at]
        if name in told["shares"]:
            assert mean == pytest.approx(told["shares"][name], rel=0.03)
    assert found.against == "Massachusetts"
    assert found.index[found.number("bachelors_or_higher")] < 85, "more have one there than in the nation"


def test_what_the_database_makes_of_an_even_audience_is_no_finding(
    around: Surroundings,
) -> None:
    low, high = uneven(around.residents, around.addresses, around, by_addresses=False)
    wide = uneven(around.residents, around.addresses, around, by_addresses=True)
    assert (low <= 1).all()
    assert (high >= 1).all()
    assert ((wide[0] <= low) & (wide[1] >= high)).all()
    assert high[NAMES.index("dense_urban")] > 1.05
    assert low[NAMES.index("rural")] < 0.95
    assert uneven(around.residents, around.residents, around, by_addresses=True) == pytest.approx(1)


def test_a_metro_stands_out_and_the_card_says_of_whom_it_speaks(atlas: Atlas, weight: F64) -> None:
    boston = atlas.areas.number("metro:14460")
    inside = np.asarray(atlas.places.area[Level.METRO]) == boston
    chance = np.random.default_rng(6)
    clicks = chance.multinomial(3000, np.where(inside, weight, 0) / weight[inside].sum())
    clicks[:2] += 50  # known to no country
    found = profile(counts(clicks), atlas)
    assert (found.clicks, found.abroad, found.untold) == (3000, 100, 0)
    degree = found.number("bachelors_or_higher")
    assert found.low[degree] > 110
    assert found.low[degree] < found.index[degree] < found.high[degree]
    assert found.parts.sum(0) == pytest.approx(found.value - found.reference, rel=1e-6, abs=1e-9)
    told = cards(found, atlas)
    assert any("bachelor" in card.sentence for card in told)
    assert all(card.caveats[0] == WHO and card.sample == 3000 for card in told)
    assert all(atlas.areas.id(n).startswith("zip:") for card in told for n in card.areas)
    # Against its own state it stands out less, against itself not at all.
    state = profile(counts(clicks), atlas, atlas.areas.number("region:US-MA"))
    assert abs(np.log(state.index[degree] / 100)) < abs(np.log(found.index[degree] / 100))
    itself = profile(counts(clicks), atlas, counts(clicks))
    assert itself.index == pytest.approx(100)
    assert not cards(itself, atlas)


def test_only_areas_that_may_be_shown_are_told_of(atlas: Atlas, weight: F64) -> None:
    clicks = np.random.default_rng(7).multinomial(20_000, weight)
    shown = np.zeros(len(atlas.areas), np.bool_)
    county = np.asarray(atlas.places.area[Level.COUNTY])
    shown[county[(county >= 0) & (np.asarray(atlas.places.lat) > 40)]] = True
    found = profile(counts(clicks), atlas, shown=shown)
    assert shown[found.areas].all()
    assert {atlas.areas.level(n) for n in found.areas.tolist()} == {Level.COUNTY}
    assert found.untold == 20_000 - found.clicks > 0


def test_nothing_is_said_of_nothing(atlas: Atlas, weight: F64) -> None:
    none = np.zeros(len(weight), np.int64)
    one = none.copy()
    one[int(np.argmax(weight))] = 1
    for clicks in (none, one):
        found = profile(counts(clicks), atlas)
        assert found.clicks == clicks.sum()
        assert np.isnan(found.low).all()
        assert not cards(found, atlas)
        assert not cards(profile(counts(clicks), atlas, counts(none)), atlas)
    assert len(found.names) == len(NAMES) == len(found.index)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 50), st.integers(0, 1000))
def test_clicks_in_equal_clumps_leave_the_index_and_an_order_of_cells_doesn_t_matter(
    times: int, seed: int
) -> None:
    land = made(seed=seed)
    clicks = clicked(land, 300, np.random.default_rng(seed))
    one, many = (estimate(of, [land.residents], land) for of in (clicks, times * clicks))
    assert many.mean == pytest.approx(one.mean)
    assert isinstance(one, Estimate)
    known = ~np.isnan(many.variance) & ~np.isnan(one.variance)
    assert (many.variance[known] >= 0.2 * one.variance[known]).all()  # clumps aren't taken for more visitors
