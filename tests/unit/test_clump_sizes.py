"""Sizes of clumps read off quiet places, and the one place that a finding may not rest on."""

import numpy as np
import pytest

from bench.calibration import World
from bench.visitors import MODELS
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.baseline import by_others
from clickatlas.insight.clump_sizes import clump_sizes, design_effect, geometric, of_one_place
from clickatlas.insight.hotspots import hotspots
from clickatlas.insight.measures import Expectation
from clickatlas.insight.oddity import cards, oddities
from clickatlas.insight.seeming import dealt


@pytest.fixture(scope="module")
def world(atlas: Atlas) -> World:
    return World.of(atlas, ())


@pytest.mark.parametrize("model", ["geometric", "log-normal", "heavy offices", "Zipf"])
@pytest.mark.parametrize("clicks", [20_000, 200_000])
def test_the_design_effect_is_that_of_the_visitors(world: World, model: str, clicks: int) -> None:
    random, clumps = np.random.default_rng(1), MODELS[model]
    learned, true = [], []
    for _ in range(5):
        visitors = clumps.visitors(clicks)
        each = clumps.sizes(visitors, random)
        place = random.choice(world.weight.size, visitors, p=world.weight)
        counts = world.counts(np.bincount(place, each, world.weight.size).astype(np.int64))
        sizes = clump_sizes(Expectation.of(world.atlas, counts, world.residents))
        assert sizes is not None
        learned.append(design_effect(sizes))
        true.append(design_effect(each))
    assert np.median(learned) == pytest.approx(np.median(true), rel=0.35)


def test_too_few_clicks_tell_nothing(world: World) -> None:
    few = world.draw(40, np.random.default_rng(2))
    assert clump_sizes(Expectation.of(world.atlas, few, world.residents)) is None


@pytest.mark.parametrize("phi", [1.0, 1.5, 4.0, 20.0])
def test_assumed_clumps_have_the_design_effect_asked_for(phi: float) -> None:
    assert design_effect(geometric(phi)) == pytest.approx(phi, rel=0.05)


def test_clumps_are_dealt_with_their_mean_and_variance() -> None:
    random, rate, sizes = (
        np.random.default_rng(3),
        np.array([0.5, 6.0, 40.0, 5000.0]),
        np.array([1, 1, 1, 2, 9]),
    )
    drawn = np.array([dealt(rate, sizes, random) for _ in range(4000)])
    assert drawn.mean(axis=0) == pytest.approx(rate, rel=0.1)
    assert drawn.var(axis=0) == pytest.approx(rate * design_effect(sizes), rel=0.15)


def test_the_place_that_stands_out_is_held_against_the_others() -> None:
    column = np.array([0, 0, 0, 1, 1, -1])
    usual = np.array([10.0, 20.0, 30.0, 5.0, 5.0, 9.0])
    clicks = np.array([300, 20, 30, 15, 15, 500])
    found = of_one_place(column, clicks, usual, 3, prior=0.0)
    assert found == pytest.approx([300 - 10 * 50 / 50, 15 - 5 * 15 / 5, 0.0])


def test_one_visitor_makes_no_hot_spot_and_no_oddity(world: World) -> None:
    random, atlas = np.random.default_rng(4), world.atlas
    counts, others = world.draw(20_000, random), world.draw(400_000, random)
    metro = np.asarray(atlas.places.area[Level.METRO])
    quiet = int(np.flatnonzero((world.weight > 0) & (metro >= 0) & (others.clicks == 0))[0])
    clicks = counts.clicks.copy()
    clicks[quiet] += 400
    found = hotspots(by_others(atlas, world.counts(clicks), others, Level.METRO))
    assert metro[quiet] not in found.area[found.hot]
    area = np.array([n for n in range(len(atlas.areas)) if atlas.areas.level(n) is Level.COUNTRY][:40])
    past = random.poisson(50, (13, 40))
    past[-1, 7] += 300
    jumped = [cards(oddities(Level.COUNTRY, area, {"residential": past}, alone=alone), atlas)
              for alone in (np.zeros(40), np.where(np.arange(40) == 7, 300.0, 0.0))]  # fmt: skip
    assert [card.areas for card in jumped[0]] == [(area[7],)]
    assert jumped[1] == []
