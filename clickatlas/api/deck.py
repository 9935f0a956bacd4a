"""The cards of all questions: each question's maker run beside the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import chain, islice, zip_longest

from clickatlas.api import makers, times, tongues
from clickatlas.api.aims import targeting_of
from clickatlas.api.findings import Asked
from clickatlas.api.offers import Offer, again, sorts_asked
from clickatlas.api.times import PLACE, oddity_cards_of, rhythm_cards_of
from clickatlas.api.together import Read, read
from clickatlas.api.tongues import language_cards_of
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.clicks.store import Integers
from clickatlas.insight import audience_cards, concentration, divergence_cards, gaps, hotspots, target_cards
from clickatlas.insight.card import Card
from clickatlas.insight.surroundings import Surroundings

MOST_OFFERS = 4  # cards, of all sorts together
AT_ONCE = 2  # makers: more would only take turns
Maker = Callable[[], list[Card]]
Sorts = Mapping[Offer, Mapping[str, Integers]]


def cards_of(about: Asked, level: Level | None = None, clock: str = PLACE) -> list[Card]:
    """The cards of all questions, in no order; of areas of a level of one's own where given."""
    atlas = about.atlas
    about.counts  # noqa: B018 - asked for once, before the threads part
    if about.other_side is not None:  # then the question is what tells the two apart
        found = divergence_cards.cards(makers.differences_of(about, level or Level.REGION), atlas)
        return found + audience_cards.cards(makers.audience(about), atlas)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="insights-cards") as both:
        # Each of them would need a plan of its own, which takes seconds, where `min_cell` holds.
        sorts = {} if about.wanted.holds else sorts_asked(about)
        once = both.submit(read, about, clock, sorts)
        makers_: list[Maker] = [
            lambda: _of_concentration(about, (level,) if level else concentration.LEVELS),
            *(partial(_of_areas, about, each) for each in ((level,) if level else gaps.LEVELS)),
            lambda: audience_cards.cards(makers.audience(about), atlas),
            lambda: _of_target(about),
            lambda: _of_times(about, clock, once.result()),
        ]
        offers = [partial(_of_offers, about, level or Level.REGION, by, sorts, once) for by in sorts]
        made = list(both.map(_done, [*makers_, *offers]))
    turns = zip_longest(*made[len(makers_) :])  # the best of each sort, then the second best
    told = islice((card for turn in turns for card in turn if card is not None), MOST_OFFERS)
    return [*chain.from_iterable(made[: len(makers_)]), *told]


def _of_concentration(about: Asked, levels: Sequence[Level]) -> list[Card]:
    """Of the finest level that can be told; where none can, why the finest can't."""
    found = makers.concentration_of(about, levels[0])
    for level in levels[1:]:
        if not found.few:
            break
        coarser = makers.concentration_of(about, level)
        # Much of the world is in no metro: where most clicks are from there metros don't say where clicks are.
        if not coarser.few and coarser.sample >= concentration.KNOWN * about.counts.total:
            found = coarser
    return concentration.cards(found, about.atlas)


def _of_times(about: Asked, clock: str, known: Read | None) -> list[Card]:
    if known is not None:
        known.remember()
    return rhythm_cards_of(about, clock) + oddity_cards_of(about) + language_cards_of(about)


def _of_areas(about: Asked, level: Level) -> list[Card]:
    return gaps.cards(makers.gaps_of(about, level), about.atlas) + hotspots.cards(
        makers.hotspots_of(about, level), about.atlas
    )


def _of_offers(about: Asked, level: Level, by: Offer, sorts: Sorts, once: Future[Read | None]) -> list[Card]:
    """Of one sort, with its part of what chance may do for all of them."""
    known = once.result()
    found = makers.offers_of(about, by, level, known.offers(by) if known is not None else None)
    cards = divergence_cards.resonating(found, about.atlas, by.value, part=1 / len(sorts))
    told = again(sorts) if by is Offer.TAG else set()
    return [card for card in cards if card.numbers["a"] not in told]


def _of_target(about: Asked) -> list[Card]:
    found = targeting_of(about)
    return target_cards.cards(found, about.atlas) if found else []


def preparations(atlas: Atlas) -> Iterator[Callable[[], object]]:
    """What findings need of an atlas, in steps of half a second at most: made once, so that nobody waits for it."""
    folder = atlas.folder
    for level in gaps.LEVELS:
        yield partial(makers.neighbours, folder, level)
        if level in makers.SCANNED:
            yield partial(makers.circles, folder, level)
    yield partial(Surroundings.of, atlas)
    for part in range(4):
        yield partial(times.prepared, atlas, part, 4)
    yield partial(tongues.countries, folder)


def _done(maker: Maker) -> list[Card]:
    return maker()
