"""Concentration: Lorenz and Gini against brute force, invariances, sentences, and inputs with next to nothing in them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.concentration import _gini, cards, concentration, gini, lorenz
from clickatlas.insight.held import hold
from clickatlas.insight.herfindahl import herfindahl
from clickatlas.insight.measures import Expectation
from clickatlas.insight.ranking import ranked
from tests.unit.test_gaps_and_hotspots import counts, some_place

FEW = st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 100_000)), min_size=1, max_size=30)


@given(FEW)
def test_gini_is_half_the_mean_difference(pairs: list[tuple[int, int]]) -> None:
    clicks, people = (np.array(column, float) for column in zip(*pairs, strict=True))
    if clicks.sum() == 0:
        assert gini(lorenz(clicks, people)) == pytest.approx(0)
        return
    rate, share = clicks / people, people / people.sum()
    apart = np.abs(rate[:, None] - rate[None, :]) * share[:, None] * share[None, :]
    brute = apart.sum() / 2 / (rate * share).sum()
    assert gini(lorenz(clicks, people)) == pytest.approx(brute, abs=1e-9)
    assert _gini(clicks, people) == pytest.approx(brute, abs=0.006)


@given(FEW, st.integers(1, 50), st.randoms())
def test_neither_order_nor_scale_matters(pairs: list[tuple[int, int]], scale: int, random: object) -> None:
    clicks, people = (np.array(column, float) for column in zip(*pairs, strict=True))
    order = np.random.default_rng(scale).permutation(clicks.size)
    curve = lorenz(clicks, people)
    assert gini(lorenz(clicks[order] * scale, people[order])) == pytest.approx(gini(curve), abs=1e-9)
    assert (np.diff(curve, axis=0) >= -1e-12).all()
    assert curve[0].tolist() == [0, 0]
    assert curve[-1] == pytest.approx([1, 1])
    assert (curve[:, 1] <= curve[:, 0] + 1e-9).all()


def test_known_ginis() -> None:
    assert gini(lorenz(np.ones(10), np.ones(10))) == pytest.approx(0)
    assert gini(lorenz(np.array([0.0] * 9 + [5.0]), np.ones(10))) == pytest.approx(0.9)
    assert gini(lorenz(np.array([3.0, 7.0]), np.array([1.0, 0.0]))) == pytest.approx(
        0.7
    )  # clicks where nobody lives


def test_herfindahl_has_no_part_of_chance() -> None:
    random, share = np.random.default_rng(1), np.array([0.4, 0.3, 0.2, 0.1])
    drawn = [herfindahl(random.multinomial(30, share)) for _ in range(20_000)]
    assert np.mean(drawn) == pytest.approx((share**2).sum(), abs=0.002)
    assert herfindahl(np.array([7])) == 1
    assert np.isnan(herfindahl(np.array([0, 0])))


@pytest.mark.parametrize("clicks", ["none", "one", "one place", "unplaced", "nowhere"])
@pytest.mark.parametrize("level", list(Level))
def test_next_to_nothing_reads_well(atlas: Atlas, clicks: str, level: Level) -> None:
    spot = some_place(atlas, unplaced=clicks == "unplaced")
    made = counts(atlas, {"none": {}, "one": {spot: 1}, "one place": {spot: 500}, "unplaced": {spot: 500},
                          "nowhere": {0: 500}}[clicks])  # fmt: skip
    result = concentration(Expectation.of(atlas, made), level)
    found = cards(result, atlas)
    assert len(found) == (result.sample > 0)
    if clicks in ("none", "nowhere"):
        assert not found
    if clicks == "one" and found:
        assert found[0].sentence.startswith("Too few clicks to say where they concentrate: 1 in one ")
        assert found[0].note
        assert not ranked(found), "a note, and no finding"
    for card in found:
        assert "nan" not in card.sentence + card.method
        assert all(value == value for value in card.numbers.values())
        assert 0 <= card.weight <= 1


def test_the_sentence(atlas: Atlas) -> None:
    random = np.random.default_rng(2)
    column = np.asarray(atlas.places.area[Level.REGION])
    known = np.asarray(atlas.places.population) * ~np.asarray(atlas.places.unplaced)
    country = np.asarray(atlas.places.area[Level.COUNTRY]) == atlas.areas.number("country:US")
    weight = np.where(country & (column >= 0), known, 0).astype(float)
    ohio = column == atlas.areas.number("region:US-OH")
    weight *= np.where(ohio, 30, 1)
    made = counts(atlas, dict(enumerate(random.poisson(20_000 * weight / weight.sum()).tolist())))
    result = concentration(Expectation.of(atlas, made), Level.REGION)
    (card,) = cards(result, atlas)
    share = made.clicks[ohio].sum() / made.clicks.sum()
    assert (
        card.sentence
        == f"{round(100 * share)} % of your clicks come from one state, Ohio, where 3.5 % of the population lives."
    )
    assert card.interval is not None
    assert card.interval[0] < share < card.interval[1]
    assert card.filter == {"area": ["region:US-OH"]}
    assert result.gini.low < result.gini.value < result.gini.high
    assert 1 / result.hhi.value < 6


def test_only_what_may_be_named(atlas: Atlas) -> None:
    random = np.random.default_rng(3)
    people = np.asarray(atlas.places.population) * ~np.asarray(atlas.places.unplaced)
    made = counts(atlas, dict(enumerate(random.poisson(30_000 * people / people.sum()).tolist())))
    shown = np.ones(len(atlas.areas), np.bool_)
    whole = concentration(Expectation.of(atlas, made), Level.METRO)
    shown[whole.area[:3]] = False
    less = concentration(Expectation.of(atlas, made), Level.METRO, shown=shown)
    assert less.area.tolist() == whole.area[3:].tolist()
    assert not set(whole.area[:3].tolist()) & set(cards(less, atlas)[0].areas)


def test_countries_that_may_not_be_named_are_not(atlas: Atlas) -> None:
    """Their clicks were moved to a place that stands for them all, which may be of any of them, or of another."""
    spots = [some_place(atlas)] + [
        some_place(atlas, country=code) for code in ("DE", "FR", "MT", "IS", "EE", "LU", "LV")
    ]
    clicks = np.zeros(len(atlas.places), np.int64)
    clicks[spots] = [300] + 7 * [3]
    held = hold(atlas, clicks, 5)
    assert held is not None
    moved = np.bincount(held.place, clicks, clicks.size).astype(np.int64)
    made = replace(counts(atlas, dict(enumerate(moved.tolist()))), held=held)
    for level in Level:
        result = concentration(Expectation.of(atlas, made), level)
        assert [atlas.areas.id(n) for n in result.countries.tolist()] == ["country:US"]
        for card in cards(result, atlas):
            assert "Andorra" not in "".join((card.sentence, card.method, *card.caveats))
