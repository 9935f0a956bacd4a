"""Offers of two sorts beside each other: counted right where tags share links, and chance makes no more cards than of one."""

from __future__ import annotations

import numpy as np
import pytest

from bench.calibration import World
from bench.family import alike, claims, workspace
from bench.planted import OTHERS
from bench.visitors import MODELS
from clickatlas.api.deck import cards_of
from clickatlas.api.offers import Offer, again, classes, counted, sorts_asked
from clickatlas.api.together import read
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.card import Kind
from clickatlas.links.models import LinkTag

CAMPAIGNS = 20


@pytest.mark.parametrize("seed", range(20))
def test_classes_have_no_link_in_common_and_make_up_every_offer(seed: int) -> None:
    random = np.random.default_rng(seed)
    offers = [
        np.sort(random.choice(60, random.integers(0, 40), replace=False))
        for _ in range(random.integers(0, 9))
    ]
    lists, made_of = classes(offers)
    every = np.concatenate([*lists, np.zeros(0, np.int64)]).tolist()
    assert len(every) == len(set(every))
    for offer, made in zip(offers, made_of, strict=True):
        assert sorted(link for at in made for link in lists[at].tolist()) == offer.tolist()


def test_of_no_offers_and_of_offers_without_links_there_are_no_lists() -> None:
    none = np.zeros(0, np.int64)
    assert classes([]) == ([], [])
    assert classes([none, none]) == ([], [[], []])


def test_tags_beside_channels_are_counted_right_and_chance_makes_no_more_cards(atlas: Atlas) -> None:
    world = World.of(atlas, ())
    with workspace(world, CAMPAIGNS, alike(world, MODELS["geometric"])) as house:
        with house.links.writing() as session:
            for link in range(1, 1 + 3 * CAMPAIGNS):
                for tag in (("video", "all"), ("text", "all"), ("video", "text", "all"))[link % 3]:
                    session.add(LinkTag(link_id=link, tag=tag))
        hits, told = 0, []
        for campaign in range(CAMPAIGNS):
            about = OTHERS.about(house, str(campaign))
            sorts = sorts_asked(about)
            assert set(sorts) == {Offer.CHANNEL, Offer.TAG}
            assert not again(sorts)
            if campaign == 0:
                once = read(about, "place", sorts)
                assert once is not None
                for by, named in sorts.items():
                    counts = once.offers(by)
                    assert set(counts) == set(named)
                    for name, mine in counts.items():
                        alone = counted(about, by, name)
                        assert alone is not None
                        assert (mine.clicks == alone.clicks).all()
            made = [card for card in claims(cards_of(about)) if card.kind is Kind.DIFFERENCE]
            hits += bool(made)
            told += [card.sentence for card in made]
        # At one campaign in a hundred, more than one of 20 would be rarer than 1 in 50.
        assert hits <= 1, told
