"""Chance: against statsmodels, scipy's distributions, published figures and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from clickatlas.insight.chance import (
    MEAN_CUT,
    Spread,
    benjamini_hochberg,
    dispersion,
    empirical_bayes,
    lower,
    offices,
    ratios,
    scores,
    share_interval,
    upper,
)

CLUMPS = Spread(phi=2.5, tau2=0.1)
OFFICES = Spread(phi=2.5, tau2=0.1, offices=1 / 400, office=12.0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_false_discovery_rates_are_those_of_statsmodels(p: list[float]) -> None:
    _, q, _, _ = multipletests(p, method="fdr_bh")
    assert np.allclose(benjamini_hochberg(p), q, rtol=1e-12, atol=1e-15)


def test_what_was_not_tested_is_no_test() -> None:
    assert np.array_equal(benjamini_hochberg([0.01, np.nan, 0.04]), [0.02, np.nan, 0.04], equal_nan=True)
    assert benjamini_hochberg([]).size == 0
    assert np.isnan(benjamini_hochberg([np.nan])).all()


@given(st.permutations(range(12)))
def test_the_order_of_tests_does_not_matter(order: list[int]) -> None:
    p = np.linspace(0.001, 0.9, 12) ** 2
    assert np.array_equal(benjamini_hochberg(p[order]), benjamini_hochberg(p)[order])


def test_a_published_table_of_poisson_probabilities() -> None:
    # Sudden infant deaths in North Carolina 1974-84, of so many expected: int. J. Health Geographics 19:36 (2020), table 7.
    county = {"Forsyth": (10, 24.34, 8.80e-4), "Wake": (16, 28.72, 7.23e-3), "Guilford": (23, 33.57, 3.53e-2),
              "Alexander": (0, 1.92, 1.46e-1)}  # fmt: skip
    for deaths, expected, published in county.values():
        assert lower(np.array([deaths]), np.array([expected]), Spread())[0] == pytest.approx(
            published, rel=6e-3
        )


@pytest.mark.parametrize("spread", [Spread(), Spread(phi=3), CLUMPS, Spread(tau2=2.0)])
def test_tails_are_those_of_the_negative_binomial(spread: Spread) -> None:
    mean = np.repeat([0.5, 7.0, 300.0], 4)
    count = np.array([0, 1, 2, 9, 0, 3, 7, 30, 0, 100, 300, 900])
    variance = spread.variance(mean)
    if spread.phi == 1 and spread.tau2 == 0:
        below, above = stats.poisson.cdf(count, mean), stats.poisson.sf(count - 1, mean)
    else:
        size, p = mean**2 / (variance - mean), mean / variance
        below, above = stats.nbinom.cdf(count, size, p), stats.nbinom.sf(count - 1, size, p)
    assert np.allclose(lower(count, mean, spread), below, rtol=1e-9, atol=1e-300)
    assert np.allclose(upper(count, mean, spread), above, rtol=1e-9, atol=1e-300)


def test_where_nothing_is_expected_nothing_is_rare_but_a_click() -> None:
    none = np.zeros(2)
    assert lower(np.array([0, 3]), none, CLUMPS).tolist() == [1, 1]
    assert upper(np.array([0, 3]), none, CLUMPS).tolist() == [1, 0]
    assert scores(np.array([0, 3]), none, CLUMPS).tolist() == [0, 0]


def test_offices_are_allowed_for_and_never_too_little() -> None:
    random, mean, draws = np.random.default_rng(5), 40.0, 400_000
    size = mean / (CLUMPS.phi - 1 + CLUMPS.tau2 * mean)
    counts = random.negative_binomial(size, 1 / (1 + mean / size), draws).astype(float)
    counts += (random.random(draws) < mean / 400) * random.exponential(12, draws)
    for count in (60, 90, 110, 130):
        seen = float((counts >= count).mean())
        allowed = float(upper(np.array([count]), np.array([mean]), OFFICES)[0])
        assert seen * 0.9 <= allowed <= max(40 * seen, 1e-3)
    alone = upper(np.array([30]), np.array([5.0]), Spread(phi=1.5))[0]
    assert upper(np.array([30]), np.array([5.0]), Spread(1.5, offices=1 / 400, office=12.0))[0] > 100 * alone


def test_scores_are_normal_where_counts_are_as_expected() -> None:
    random, mean = np.random.default_rng(6), np.full(20_000, 60.0)
    size = mean / (CLUMPS.phi - 1 + CLUMPS.tau2 * mean)
    score = scores(random.negative_binomial(size, 1 / (1 + mean / size)), mean, CLUMPS)
    assert abs(score.mean()) < 0.03
    assert score.std() == pytest.approx(1, abs=0.03)
    assert np.isfinite(scores(np.array([0, 10**7]), np.array([10.0**6, 1.0]), CLUMPS)).all()


@pytest.mark.parametrize(("phi", "tau"), [(1.0, 0.0), (2.0, 0.0), (1.0, 0.2), (2.5, 0.3)])
def test_the_spread_is_learned_from_counts(phi: float, tau: float) -> None:
    random = np.random.default_rng(7)
    mu = np.exp(random.normal(3.5, 1.5, 3000))
    mean = mu * (random.gamma(1 / tau**2, tau**2, mu.size) if tau else 1)
    counts = random.negative_binomial(mean / (phi - 1), 1 / phi) if phi > 1 else random.poisson(mean)
    counts[:30] = 5 * mu[:30]  # one in a hundred is extraordinary: that is no spread
    found = dispersion(counts, mu)
    assert found.phi == pytest.approx(phi, rel=0.2)
    assert found.tau2**0.5 == pytest.approx(tau, abs=0.06)


def test_few_areas_teach_no_spread() -> None:
    assert dispersion(np.arange(5), np.arange(5) + 10.0) == Spread()
    assert dispersion(np.zeros(0, np.int64), np.zeros(0), ratio=0.1).phi == 1.1


def test_offices_are_learned_from_places_where_hardly_a_click_is_expected() -> None:
    random = np.random.default_rng(8)
    expected = np.full(20_000, 0.5)
    clicks = random.poisson(0.5, 20_000)
    assert offices(clicks, expected) == pytest.approx((1 / 400, 12.0), rel=0.05)
    clicks[random.choice(20_000, 200, replace=False)] += random.exponential(40, 200).astype(int)
    rate, size = offices(clicks, expected)
    assert 35 < size < 65
    assert rate == pytest.approx(200 / 10_000, rel=0.5)
    assert offices(np.zeros(0), np.zeros(0)) == (1 / 400, 12.0)


@given(st.integers(0, 500), st.integers(1, 500))
def test_intervals_of_shares_are_those_of_statsmodels(part: int, more: int) -> None:
    whole = part + more
    for exact, method in ((False, "wilson"), (True, "beta")):
        low, high = share_interval(part, whole, exact=exact)
        want = proportion_confint(part, whole, method=method)
        assert (float(low), float(high)) == pytest.approx(np.clip(want, 0, 1), abs=1e-9)


def test_clumps_widen_intervals() -> None:
    low, high = share_interval(40, 100)
    wider, further = share_interval(40, 100, phi=4)
    assert float(further - wider) == pytest.approx(2 * float(high - low), rel=0.06)
    assert [float(end) for end in share_interval(0, 0)] == [0, 1]


def test_shrunk_ratios_stay_with_what_is_sure() -> None:
    expected = np.array([10.0, 1000.0, 20.0, 50.0, 100.0, 0.0])
    found = empirical_bayes(np.array([30, 3000, 5, 60, 90, 2]), expected)
    assert 1 < found.ratio[0] < 3
    assert found.ratio[1] == pytest.approx(3, abs=0.02)
    assert found.ratio[5] > 0
    assert (found.low < found.ratio).all()
    assert (found.ratio < found.high).all()
    even = empirical_bayes(np.array([10, 1000, 20, 50, 100]), expected[:5])
    assert even.ratio == pytest.approx(1, abs=1e-6)


def test_plain_ratios_know_no_more_than_their_clicks() -> None:
    found = ratios(np.array([0, 30, 7]), np.array([10.0, 10.0, 0.0]))
    assert found.low[0] == 0 < found.high[0] < 0.5
    assert found.low[1] < 3 < found.high[1]
    assert (found.low[2], found.ratio[2], found.high[2]) == (0, 1, np.inf)


def test_the_cut_is_consistent_at_the_normal() -> None:
    z = np.random.default_rng(9).standard_normal(1_000_000)
    assert np.minimum(z**2, 2.5**2).mean() == pytest.approx(MEAN_CUT, abs=0.004)
