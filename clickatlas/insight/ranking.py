"""Ranking: which cards come first, so that what surprises and matters does and no kind crowds out the others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from clickatlas.insight.card import Card, Kind

LEAST_CLICKS = 200  # with fewer no card is made: nearly nothing could pass its test
MOST_CARDS = 24
MOST_OF_A_KIND = 5
FADE = 0.6  # each further card of a kind is worth this much of what it would be


def ranked(cards: Iterable[Card], most: int = MOST_CARDS) -> list[Card]:
    """The cards that are shown, the first first.

    Greedy, by weight × `FADE` ^ (how many of the kind are before it): diversification as in maximal marginal relevance
    (Carbonell and Goldstein 1998, SIGIR), two cards of one kind being alike and those of two kinds not. Ties
    go by kind, sentence and areas, so that the order is the same each time.
    """
    left = sorted(
        (card for card in cards if math.isfinite(card.weight) and not card.note),
        key=lambda card: (-card.weight, list(Kind).index(card.kind), card.sentence, card.areas),
    )
    shown, of_kind = list[Card](), Counter[Kind]()
    while left and len(shown) < most:
        best = max(left, key=lambda card: card.weight * FADE ** of_kind[card.kind])
        left.remove(best)
        if of_kind[best.kind] < MOST_OF_A_KIND:
            shown.append(best)
            of_kind[best.kind] += 1
    return shown


def allowed(cards: Iterable[Card], visible: npt.NDArray[np.bool_] | None) -> list[Card]:
    """The cards that name no area which may not be shown; `visible` has a flag per area number, None shows all.

    A card about several areas goes whole: its sentence is about all of them.
    """
    if visible is None:
        return list(cards)
    return [card for card in cards if all(visible[area] for area in card.areas)]


def sound(card: Card) -> Card:
    """The card with numbers as a document takes them: what isn't finite is left out."""
    numbers = {
        name: value
        for name, value in card.numbers.items()
        if isinstance(value, str) or (value is not None and math.isfinite(value))
    }
    interval = card.interval
    if interval is not None and not all(math.isfinite(end) for end in interval):
        interval = None
    p, q = (None if value is None or not math.isfinite(value) else float(value) for value in (card.p, card.q))
    return replace(card, numbers=numbers, interval=interval, p=p, q=q)
