"""Cards as the API makes them: each says how it is known and when not to trust it, and the finest level that can be told is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import clickatlas.insight
from bench.calibration import World
from bench.family import WAYS, alike, workspace
from bench.planted import OTHERS, RESIDENTS, chances, planted
from bench.visitors import MODELS
from clickatlas.api import makers
from clickatlas.api.deck import cards_of
from clickatlas.api.house import House
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.card import Card, Kind
from clickatlas.links.models import Link


@pytest.fixture(scope="module")
def world(atlas: Atlas) -> World:
    return World.of(atlas, ())


@pytest.fixture(scope="module")
def house(world: World) -> Iterator[House]:
    """One campaign for each planted effect, all of them aimed at a state."""
    effects = chances(world, 1)
    with workspace(world, len(effects), planted(world, effects, MODELS["geometric"]), seed=4) as house:
        with house.links.writing() as session:
            for link in session.query(Link).filter(Link.campaign_id == 1):
                link.target = {"areas": ["region:US-CA"]}
        yield house


def made(house: House) -> Iterator[Card]:
    for campaign in range(6):
        for way in (OTHERS, RESIDENTS):
            yield from cards_of(way.about(house, str(campaign)))
    yield from cards_of(WAYS[2].about(house, "2"))


def test_every_card_says_how_it_is_known_and_when_not_to_trust_it(house: House) -> None:
    kinds = set()
    for card in made(house):
        kinds.add(card.kind)
        assert card.method.endswith("."), card
        assert card.caveats, card.sentence
        assert all(text.strip().endswith(".") for text in card.caveats), card
        if (
            card.kind is Kind.ODDITY or "group" in card.numbers
        ):  # so that its link leads to the table that has its rows
            assert card.numbers["level"] == house.atlas.areas.level(card.areas[0]).value
    asked = {
        Kind.CONCENTRATION,
        Kind.GAP,
        Kind.HOTSPOT,
        Kind.AUDIENCE,
        Kind.DIFFERENCE,
        Kind.TARGET,
        Kind.ODDITY,
    }
    assert asked <= kinds


def test_no_card_is_written_without_them() -> None:
    """Of all kinds, those that hardly any data makes, too."""
    written = 0
    for file in Path(clickatlas.insight.__path__[0]).glob("*.py"):
        for call in ast.walk(ast.parse(file.read_text())):
            if not (isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Card"):
                continue
            given = {word.arg: word.value for word in call.keywords}
            assert {"method", "caveats"} <= set(given), (file.name, call.lineno)
            parts = ast.walk(given["caveats"])
            assert not any(isinstance(part, ast.Tuple) and not part.elts for part in parts), file.name
            written += 1
    assert written >= 12


def test_where_postal_codes_are_too_few_a_coarser_level_is_told(world: World) -> None:
    with workspace(world, 1, alike(world, MODELS["geometric"])) as house:
        about = OTHERS.about(house, "0")
        assert makers.concentration_of(about, Level.POSTAL).few
        (card,) = (card for card in cards_of(about) if card.kind is Kind.CONCENTRATION)
        assert not card.note
        assert card.numbers["level"] == Level.METRO.value
        (asked,) = (card for card in cards_of(about, Level.POSTAL) if card.kind is Kind.CONCENTRATION)
        assert asked.note, "a level of one's own stays"


def test_metros_do_not_speak_for_clicks_from_outside_of_them(world: World) -> None:
    outside = np.asarray(world.atlas.places.area[Level.METRO]) < 0
    weight = np.where(outside, world.weight / world.weight[outside].sum(), 0.3 * world.weight)
    rural = World(world.atlas, world.residents, weight / weight.sum(), {}, {})
    with workspace(world, 1, alike(rural, MODELS["geometric"])) as house:
        about = OTHERS.about(house, "0")
        assert not makers.concentration_of(about, Level.METRO).few
        (card,) = (card for card in cards_of(about) if card.kind is Kind.CONCENTRATION)
        assert card.numbers["level"] == Level.REGION.value
