"""The order of cards: what matters first, and no kind crowds out the others."""

from __future__ import annotations

import math

import numpy as np
import pytest

from clickatlas.insight.card import Card, Kind
from clickatlas.insight.ranking import MOST_CARDS, MOST_OF_A_KIND, allowed, ranked, sound


def card(kind: Kind, weight: float, *areas: int, **more: object) -> Card:
    return Card(kind, f"{kind} {weight}", weight=weight, areas=areas, **more)  # type: ignore[arg-type]


def test_heavier_cards_come_first() -> None:
    cards = [card(Kind.GAP, 0.2), card(Kind.RHYTHM, 0.9), card(Kind.LANGUAGE, 0.5)]
    assert [one.weight for one in ranked(cards)] == [0.9, 0.5, 0.2]


def test_a_kind_with_many_heavy_cards_leaves_room_for_others() -> None:
    heavy = [card(Kind.GAP, 0.9 - n / 100) for n in range(20)]
    order = ranked([*heavy, card(Kind.AUDIENCE, 0.6), card(Kind.RHYTHM, 0.4)])
    assert [one.kind for one in order[:2]] == [Kind.GAP, Kind.AUDIENCE]
    assert Kind.RHYTHM in {one.kind for one in order[:4]}
    assert sum(one.kind is Kind.GAP for one in order) == MOST_OF_A_KIND


def test_there_are_not_too_many_and_the_order_is_always_the_same() -> None:
    cards = [card(kind, 0.5, n) for kind in Kind for n in range(9)]
    assert ranked(cards) == ranked(reversed(cards))
    assert len(ranked(cards)) == MOST_CARDS
    assert ranked([]) == []


def test_a_card_about_an_area_that_may_not_be_shown_is_left_out_whole() -> None:
    visible = np.array([True, False, True])
    cards = [card(Kind.GAP, 0.5, 0, 2), card(Kind.GAP, 0.4, 0, 1), card(Kind.RHYTHM, 0.3)]
    assert allowed(cards, visible) == [cards[0], cards[2]]
    assert allowed(cards, None) == cards


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_left_out(odd: float) -> None:
    made = sound(
        card(Kind.GAP, 0.5, numbers={"a": odd, "b": 2, "c": "metro"}, interval=(0.5, odd), p=odd, q=0.01)
    )
    assert (made.numbers, made.interval, made.p, made.q) == ({"b": 2, "c": "metro"}, None, None, 0.01)
    assert ranked([card(Kind.GAP, odd)]) == []
