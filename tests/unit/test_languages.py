"""Languages by country against plain counting, and unexpected countries against chance."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.calibration import World
from bench.calibration_times import speakers
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.card import Kind
from clickatlas.insight.languages import LEAST, cards, languages, market_cards, markets, primary

TAGS = st.sampled_from(["", "en", "en-US", "en-GB", "es-MX", "pt_BR", "PT-pt", "zh"])


@given(st.lists(st.tuples(st.integers(-1, 4), TAGS, st.integers(0, 400)), max_size=60))
def test_every_click_once(rows: list[tuple[int, str, int]]) -> None:
    found = languages([r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows])
    pairs, whole = Counter[tuple[int, str]](), Counter[int]()
    for country, tag, clicks in rows:
        if tag and country >= 0:
            pairs[country, tag.lower()[:2]] += clicks
            whole[country] += clicks
    assert found.unknown == sum(r[2] for r in rows if not r[1])
    assert found.known == sum(r[2] for r in rows if r[1])
    keys = list(zip(found.country.tolist(), found.language, strict=True))
    assert len(set(keys)) == len(keys)
    assert dict(zip(keys, found.clicks.tolist(), strict=True)) == pairs
    for at, (country, language) in enumerate(keys):
        assert found.whole[at] == whole[country]
        assert found.low[at] <= found.share[at] + 1e-9
        assert found.share[at] <= found.high[at] + 1e-9
        assert not found.candidate[at] or (language not in found.own and found.clicks[at] >= LEAST)
    assert (np.diff(found.clicks) <= 0).all()


def test_tags() -> None:
    assert [primary(tag) for tag in ("pt-BR", "zh_Hant", "EN", "")] == ["pt", "zh", "en", ""]


def test_a_language_worth_a_translation(atlas: Atlas) -> None:
    us, br, de = (atlas.areas.number(f"country:{code}") for code in ("US", "BR", "DE"))
    assert us is not None
    assert br is not None
    assert de is not None
    country = [us, us, br, br, de, de]
    tags = ["en-US", "es-MX", "pt-BR", "en", "de", "en-GB"]
    found = languages(country, tags, [9000, 1800, 900, 100, 20, 30])
    assert found.own == ("en", "es")
    made = cards(found, atlas)
    assert [card.sentence for card in made] == ["90 % of clicks from Brazil ask for Portuguese: 900 clicks."]
    assert made[0].kind is Kind.LANGUAGE
    assert made[0].filter == {"area": ["country:BR"]}
    low, high = made[0].interval or (0, 0)
    assert 0.87 < low < 0.9 < high < 0.93
    said = languages(country, tags, [9000, 1800, 900, 100, 20, 30], own=("en", "pt-PT"))
    assert [card.numbers["language"] for card in cards(said, atlas)] == ["es"]
    shown = np.zeros(len(atlas.areas), np.bool_)
    assert cards(languages(country, tags, [9000, 1800, 900, 100, 20, 30], shown=shown), atlas) == []
    assert cards(languages([], [], []), atlas) == []


def test_intervals_cover_the_share() -> None:
    random, covered, draws = np.random.default_rng(1), 0, 1000
    for _ in range(draws):
        x = int(random.binomial(300, 0.2))
        found = languages([1, 1], ["en", "es"], [300 - x, x])
        at = found.language.index("es") if "es" in found.language else 0
        covered += bool(found.low[at] <= 0.2 <= found.high[at])
    assert 0.93 <= covered / draws <= 0.97


@pytest.mark.parametrize("model", ["geometric", "log-normal"])
def test_intervals_cover_the_share_of_visitors_who_click_again(atlas: Atlas, model: str) -> None:
    """The short form of `python -m bench calibration_times`; without the clumps 82 % and 64 % did."""
    found = speakers(World.of(atlas, ()), 8, model)
    assert found.campaigns > 1000
    assert 0.93 <= found.share <= 0.97


@pytest.fixture(scope="module")
def weight(atlas: Atlas) -> np.ndarray:
    country = np.asarray(atlas.places.area[Level.COUNTRY])
    part = np.random.default_rng(9).gamma(0.3, 1, len(atlas.areas))
    made = np.asarray(atlas.places.addresses) * np.where(country >= 0, part[country], 0)
    return made / made.sum()


def draw(random: np.random.Generator, weight: np.ndarray, clicks: int) -> np.ndarray:
    some = np.flatnonzero(weight)
    visitors = random.poisson(weight[some] * clicks / 1.43)
    result = np.zeros(len(weight), np.int64)
    result[some] = visitors + random.negative_binomial(np.maximum(visitors, 1e-9), 0.7)
    return result


def test_a_campaign_like_the_others_has_no_unexpected_country(atlas: Atlas, weight: np.ndarray) -> None:
    random, wrong = np.random.default_rng(2), 0
    for _ in range(30):
        others, mine = draw(random, weight, 200_000), draw(random, weight, 10_000)
        wrong += bool(market_cards(markets(atlas, mine, baseline=others), atlas, baseline="your other links"))
    assert wrong <= 1


def test_an_unexpected_country_is_named_unless_it_was_aimed_at(atlas: Atlas, weight: np.ndarray) -> None:
    random, right = np.random.default_rng(3), 0
    country, places = atlas.areas.number("country:PT"), atlas.places
    inside = np.flatnonzero(
        (np.asarray(places.area[Level.COUNTRY]) == country) & ~np.asarray(places.unplaced)
    )
    for _ in range(20):
        others, mine = draw(random, weight, 200_000), draw(random, weight, 10_000)
        mine[inside[:50]] += random.poisson(600 / 50, 50)
        others[inside[:50]] += 1
        found = market_cards(markets(atlas, mine, baseline=others), atlas, baseline="your other links")
        right += any(card.areas == (country,) for card in found)
        aimed = markets(atlas, mine, baseline=others, targeted=[country])
        assert country not in aimed.country
    assert right >= 19
    assert found[0].sentence.startswith("Portugal clicks though nobody aimed there: ")
    nothing = markets(atlas, np.zeros_like(mine))
    assert market_cards(nothing, atlas, baseline="addresses") == []
    shown = np.zeros(len(atlas.areas), np.bool_)
    assert not len(markets(atlas, mine, baseline=others, shown=shown).country)
