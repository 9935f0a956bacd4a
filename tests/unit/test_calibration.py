"""Insights are as often wrong as they say: the short form of `python -m bench calibration`."""

import pytest

from bench.calibration import World, coverage, found, nothing
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.card import BUDGET, LEVEL, Kind

CAMPAIGNS = 40


@pytest.fixture(scope="module")
def world(atlas: Atlas) -> World:
    return World.of(atlas)


def test_the_shares_of_all_kinds_stay_within_the_budget() -> None:
    assert sum(LEVEL.values()) <= BUDGET


@pytest.mark.parametrize("others", [True, False])
def test_where_nothing_is_hardly_anything_is_found(world: World, others: bool) -> None:
    # Two in a hundred campaigns may have one; more than three of 40 would be rarer than 1 in 100.
    result = nothing(world, CAMPAIGNS, others=others)
    assert result.hits <= 3, result.examples


@pytest.mark.parametrize("others", [True, False])
@pytest.mark.parametrize(
    ("kind", "level", "factor"), [(Kind.HOTSPOT, Level.METRO, 3.0), (Kind.GAP, Level.REGION, 0.3)]
)
def test_what_was_planted_is_found(
    world: World, kind: Kind, level: Level, factor: float, others: bool
) -> None:
    # At 95 % fewer than 16 of 20 would be rarer than 1 in 300.
    result = found(world, CAMPAIGNS // 2, kind, level, factor, others=others)
    assert result.hits >= 16, result.examples


def test_intervals_hold_the_truth(world: World) -> None:
    for result in coverage(world, CAMPAIGNS):
        many = result.campaigns > 1000
        least = 0.925 if many else 0.85
        assert least <= result.share <= (0.975 if many else 1), result.name
