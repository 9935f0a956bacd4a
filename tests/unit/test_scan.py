"""The scan statistic: against a plain reading of Kulldorff's paper, on made-up data and on his own example's."""

import math
import warnings
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libpysal import io
from libpysal.examples import get_path
from scipy.spatial import cKDTree

from clickatlas.insight.chance import Spread
from clickatlas.insight.scan import NOTHING, Circles, likelihood, scan


def by_hand(
    cases: np.ndarray, expected: np.ndarray, spot: np.ndarray, low: bool = False
) -> tuple[float, set[int]]:
    """All circles of up to half of the expectation, one by one."""
    whole, best, members = float(cases.sum()), 0.0, set()
    expected = expected * whole / expected.sum()
    for centre in range(len(spot)):
        order = sorted(range(len(spot)), key=lambda j: (math.dist(spot[centre], spot[j]), j))
        for size in range(1, len(spot) + 1):
            c, e = float(cases[order[:size]].sum()), float(expected[order[:size]].sum())
            if e > whole / 2 + 1e-9 or (c <= e) != low or c == e:
                continue
            inside = c * math.log(c / e) if c else 0.0
            outside = (whole - c) * math.log((whole - c) / (whole - e)) if whole > c else 0.0
            if inside + outside > best + 1e-12:
                best, members = inside + outside, set(order[:size])
    return best, members


@cache
def sids() -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Sudden infant deaths and births in North Carolina's counties, 1974 to 1984, and where these are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table, shapes = io.open(get_path("sids2.dbf")), io.open(get_path("sids2.shp"))
        spot = np.array([shape.centroid for shape in shapes])
        column = {name: np.array(table.by_col(name)) for name in table.header}
    deaths, births = column["SID74"] + column["SID79"], column["BIR74"] + column["BIR79"]
    return deaths, births, spot * [math.cos(math.radians(35.5)), 1], column["NAME"].tolist()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 25), st.booleans())
def test_it_finds_what_trying_every_circle_finds(seed: int, areas: int, low: bool) -> None:
    random = np.random.default_rng(seed)
    spot, expected = random.random((areas, 2)), random.lognormal(2, 1, areas)
    cases = random.poisson(expected * np.where(spot[:, 0] < 0.4, 2.0, 1.0))
    found = scan(cases, expected, Circles.of(spot, every=True), low=low, replicates=9)
    llr, members = by_hand(cases, expected, spot, low)
    assert found.llr == pytest.approx(llr, abs=1e-9)
    if members and llr > 1e-9:
        assert set(found.members.tolist()) == members


def test_kulldorffs_own_example() -> None:
    # Kulldorff (1997) scanned these deaths; places here are the middles of the counties' outlines.
    deaths, births, spot, name = sids()
    assert (int(deaths.sum()), int(births.sum())) == (1503, 752354)
    found = scan(deaths, births.astype(float), Circles.of(spot, every=True), replicates=199, gumbel=False)
    llr, members = by_hand(deaths, births.astype(float), spot)
    assert found.llr == pytest.approx(llr, abs=1e-9)
    assert set(found.members.tolist()) == members
    assert {name[n] for n in members} == {"Robeson", "Scotland", "Hoke", "Bladen"}
    assert found.p == 1 / 200
    assert found.ratio == pytest.approx(1.92, abs=0.005)


def test_a_published_likelihood_ratio() -> None:
    # SaTScan 9.6 on the leukaemia cases of upstate New York (Waller and Turnbull 1993), as R's smerc tests itself against it:
    # 106 of 552 cases in the most likely cluster, where 62.13 were expected: 14.780276.
    found = likelihood(np.array([106.0]), np.array([62.13]), 552.0)[0]
    assert found == pytest.approx(14.780276, abs=0.004)  # what the rounding of 62.13 may make


def test_circles_that_skip_sizes_find_nearly_as_much() -> None:
    deaths, births, spot, _ = sids()
    exact = scan(deaths, births.astype(float), Circles.of(spot, every=True), replicates=9)
    quick = scan(deaths, births.astype(float), Circles.of(spot), replicates=9)
    assert 0.9 * exact.llr <= quick.llr <= exact.llr + 1e-9


def test_windows_add_up() -> None:
    random = np.random.default_rng(3)
    spot, values = random.random((700, 2)), random.random(700)
    circles, tree = Circles.of(spot), cKDTree(spot)
    sums = circles.sums(values)
    for window in random.choice(circles.size.size, 300, replace=False).tolist():
        members = circles.members(window)
        assert sums[window] == pytest.approx(values[members].sum())
        near = tree.query(spot[circles.centre[window]], k=[*range(1, members.size + 1)])[1]
        assert members.tolist() == near.tolist()
    assert circles.size.max() == 700


def test_p_by_few_replicates_is_that_by_many() -> None:
    random = np.random.default_rng(4)
    spot, expected = random.random((120, 2)), random.lognormal(3, 1, 120)
    circles = Circles.of(spot)
    for seed in range(4):
        cases = np.random.default_rng(seed).poisson(expected)
        quick = scan(cases, expected, circles)
        ranked = scan(cases, expected, circles, replicates=999, gumbel=False, seed=2)
        assert quick.p == pytest.approx(ranked.p, abs=0.12)


@pytest.mark.parametrize("spread", [Spread(), Spread(2.0, 0.05), Spread(2.0, 0.05, 9, 1 / 400, 12.0)])
def test_p_is_even_where_nothing_is(spread: Spread) -> None:
    random = np.random.default_rng(11)
    spot, mean = random.random((150, 2)), np.full(150, 60.0)
    circles = Circles.of(spot)
    size = mean / max(spread.phi - 1 + spread.tau2 * 60, 1e-9)
    chances = []
    for seed in range(120):
        counts = (
            random.negative_binomial(size, 1 / (1 + mean / size)) if spread.phi > 1 else random.poisson(mean)
        )
        chances.append(scan(counts, mean, circles, spread, replicates=29, seed=seed).p)
    assert float(np.mean(np.array(chances) < 0.1)) < 0.2
    assert 0.4 < float(np.mean(chances)) < (0.6 if not spread.offices else 0.9)


@given(st.permutations(range(14)), st.floats(0.1, 50))
def test_neither_order_nor_scale_of_the_expectation_matters(order: list[int], scale: float) -> None:
    random = np.random.default_rng(12)
    spot, expected = random.random((14, 2)), random.lognormal(2, 0.5, 14)
    cases = random.poisson(expected * 2)
    plain = scan(cases, expected, Circles.of(spot, every=True), replicates=5)
    mixed = scan(cases[order], expected[order] * scale, Circles.of(spot[order], every=True), replicates=5)
    assert mixed.llr == pytest.approx(plain.llr)
    assert {order[n] for n in mixed.members.tolist()} == set(plain.members.tolist())


def test_nothing_is_found_in_nothing() -> None:
    circles = Circles.of(np.random.default_rng(0).random((5, 2)))
    assert scan(np.zeros(5), np.ones(5), circles) is NOTHING
    assert scan(np.ones(5), np.zeros(5), circles) is NOTHING
    assert scan(np.array([3]), np.array([2.0]), Circles.of(np.zeros((1, 2)))) is NOTHING
    assert not math.isnan(scan(np.array([1, 0, 0, 0, 0]), np.ones(5), circles).p)
    assert likelihood(np.array([0.0, 5.0]), np.array([1.0, 0.0]), 5.0).tolist() == [0, 0]
