"""Who lives where the clicks come from: against brute force, known weights, and what can't be known."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.audience import Estimate, estimate, profile
from clickatlas.insight.audience_cards import WHO, cards
from clickatlas.insight.counts import Counts
from clickatlas.insight.measures import Residents
from clickatlas.insight.surroundings import NAMES, Surroundings, blend

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
