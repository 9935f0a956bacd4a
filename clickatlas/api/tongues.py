"""Which languages the clicks of each country ask for."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clickatlas.api.aims import aimed_at
from clickatlas.api.findings import Asked
from clickatlas.api.questions import Asked as Filtered
from clickatlas.api.times import among
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.clicks.store import GroupWords, Integers, WordsAsked
from clickatlas.insight.card import Card
from clickatlas.insight.clump_sizes import clump_sizes, design_effect
from clickatlas.insight.languages import Languages, Markets, cards, languages, market_cards, markets

LANGUAGES = "languages"


def languages_of(about: Asked) -> Languages:
    """Clicks by country and language; with `min_cell` only pairs that have as many, of countries that may be shown."""
    return about.kept(LANGUAGES, lambda: _languages(about))


def language_cards_of(about: Asked) -> list[Card]:
    """Localisation candidates, and where there is a target, countries that come though nobody aimed there."""
    made = cards(languages_of(about), about.atlas)
    found = markets_of(about)
    if found is not None:
        against = "your other links" if about.baseline_used == "others" else "its internet addresses"
        made += market_cards(found, about.atlas, baseline=against)
    return made


def markets_of(about: Asked) -> Markets | None:
    """Countries that come though nobody aimed there; None where a link of the filter has no target."""
    target = aimed_at(about)
    return None if target is None else about.kept(("markets", target), lambda: _markets(about))


def _languages(about: Asked) -> Languages:
    asked = about.opened.questions.ask(about.workspace, about.wanted)
    question, country = words_asked(asked)
    found = about.opened.store.group_words(asked.selection, question.word, asked.kinds, question.places)
    return by_country(about, asked, country, found)


def words_asked(asked: Filtered) -> tuple[WordsAsked, Integers]:
    """Clicks by language and number of a country; the countries."""
    country, group = countries(asked.atlas.folder)
    return WordsAsked("language", among(asked, group)), country


@lru_cache(maxsize=2)
def countries(folder: Path) -> tuple[Integers, npt.NDArray[np.int32]]:
    """Area numbers of countries, and of each place which; -1 is one of them."""
    column = np.asarray(Atlas.open(folder).places.area[Level.COUNTRY])
    country, group = np.unique(column, return_inverse=True)
    return country.astype(np.int64), group.astype(np.int32)


def by_country(about: Asked, asked: Filtered, country: Integers, found: GroupWords) -> Languages:
    """The answer to `words_asked`."""
    told = np.ones(len(found.clicks), np.bool_)
    shown = None
    if asked.held is not None:
        told, shown = found.clicks >= about.wanted.least, asked.held.visible
    words = [found.names[word] for word in found.words[told].tolist()]
    return languages(country[found.groups[told]], words, found.clicks[told], phi=_clumps(about), shown=shown)


def _clumps(about: Asked) -> float:
    """The design effect: a visitor's clicks are in one language. As counts of metros tell it where single clumps can't be seen."""
    sizes = clump_sizes(about.expectation)
    return about.held_against(Level.METRO).spread.phi if sizes is None else design_effect(sizes)


def _markets(about: Asked) -> Markets:
    target = aimed_at(about)
    column = np.asarray(about.atlas.places.area[Level.COUNTRY])
    touched = np.zeros(0, np.int64)
    if target is not None:
        inside = target.members(about.atlas) | target.covers(about.atlas.places.lat, about.atlas.places.lon)
        touched = np.unique(column[inside]).astype(np.int64)
    held, others = about.counts.held, about.others
    baseline = others.clicks if others is not None and about.baseline_used == "others" else None
    return markets(
        about.atlas, about.counts.clicks, baseline=baseline, targeted=touched[touched >= 0],
        shown=None if held is None else held.visible,
    )  # fmt: skip
