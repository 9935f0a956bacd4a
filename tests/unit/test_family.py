"""All kinds of cards together, as the API makes them: the short form of `python -m bench family planted`."""

from dataclasses import replace

import pytest

from bench.calibration import World
from bench.family import WAYS, alike, family, workspace
from bench.planted import EFFECTS, OTHERS, chances, planted, power
from bench.visitors import MODELS
from clickatlas.api.deck import cards_of
from clickatlas.api.questions import Questions
from clickatlas.api.tongues import languages_of
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.card import Kind
from clickatlas.insight.chance import share_interval

CAMPAIGNS = 20


@pytest.fixture(scope="module")
def world(atlas: Atlas) -> World:
    return World.of(atlas, ())


@pytest.mark.parametrize("model", ["geometric", "Zipf"])
def test_where_nothing_happened_hardly_any_campaign_has_a_card_that_says_otherwise(
    world: World, model: str
) -> None:
    # At one campaign in twenty, more than three of 20 would be rarer than 1 in 60.
    with workspace(world, CAMPAIGNS, alike(world, MODELS[model])) as house:
        for way in WAYS[: 3 if model == "geometric" else 1]:
            result = family(house, CAMPAIGNS, way, model)
            assert result.hits <= 3, result.examples


def test_what_was_planted_is_found_and_the_same_clicks_yield_the_same_cards(world: World) -> None:
    effects = chances(world, 4)
    with workspace(world, len(effects), planted(world, effects, MODELS["geometric"]), seed=4) as house:
        for result, effect in zip(power(house, effects, OTHERS), EFFECTS, strict=True):
            # At 95 % three or more misses of four would be rarer than 1 in 2000.
            assert result.hits >= (3 if effect.kind in (Kind.GAP, Kind.HOTSPOT) else 2), result
        told = languages_of(OTHERS.about(house, "0"))
        assert told.phi > 1.1, "clumps are learned"
        low, high = share_interval(told.clicks, told.whole, phi=told.phi)
        assert (told.low.tolist(), told.high.tolist()) == (low.tolist(), high.tolist())
        first = cards_of(OTHERS.about(house, "0"))
        fresh = replace(house, questions=Questions(world.atlas, house.store, house.links))
        assert cards_of(OTHERS.about(fresh, "0")) == first
        assert any(card.kind is Kind.HOTSPOT for card in first)
