"""Jumps: how often chance makes one, planted ones found, people told from machines."""

from __future__ import annotations

import re

import numpy as np
import pytest

from clickatlas.atlas.areas import LEVELS, Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.card import Card, Kind
from clickatlas.insight.oddity import cards, oddities, pieces
from clickatlas.insight.rhythm import DAY

AGAIN, OFFICES, OFFICE = 0.3, 1 / 300, 12


@pytest.fixture(scope="module")
def shares(atlas: Atlas) -> dict[Level, tuple[np.ndarray, np.ndarray]]:
    """Area numbers and real uneven parts of clicks, by the addresses that the database has."""
    made = {}
    for level in (Level.COUNTRY, Level.REGION):
        column, weight = np.asarray(atlas.places.area[level]), np.sqrt(np.asarray(atlas.places.addresses))
        sums = np.bincount(column + 1, weight, len(atlas.areas) + 1)[1:]
        area = np.flatnonzero(sums)
        made[level] = area, sums[area] / sums.sum()
    return made


def history(
    random: np.random.Generator, share: np.ndarray, clicks: int, weeks: int, lasting: float = 0.02,
    parts: list[np.ndarray] | None = None,
) -> np.ndarray:  # fmt: skip
    """(weeks, areas): visitors who click again, offices, weeks of other sizes, `parts` that wander a little."""
    result = np.zeros((weeks, len(share)), np.int64)
    for week in range(weeks):
        part = share * random.gamma(1 / lasting, lasting, len(share))
        visitors = random.poisson(clicks / weeks / 1.46 * random.gamma(4, 0.25))
        area = random.choice(len(share), visitors, p=part / part.sum())
        if parts is not None:
            parts.append(part / part.sum())
        office = random.random(visitors) < OFFICES
        each = np.where(office, random.geometric(1 / OFFICE, visitors), random.geometric(1 - AGAIN, visitors))
        result[week] = np.bincount(area, each, len(share))
    return result


def ask(level: Level, area: np.ndarray, people: np.ndarray, machines: np.ndarray, atlas: Atlas) -> list[Card]:
    kinds = {"hosting": machines[-1], "vpn": machines[-1] // 10} if len(machines) else {}
    return cards(
        oddities(level, area, {"residential": people, "machines": machines}, machine_kinds=kinds), atlas
    )


@pytest.mark.parametrize(("clicks", "weeks"), [(3000, 8), (20_000, 12), (200_000, 26)])
def test_chance_makes_no_oddity(
    atlas: Atlas, shares: dict[Level, tuple[np.ndarray, np.ndarray]], clicks: int, weeks: int
) -> None:
    random, wrong, draws = np.random.default_rng(weeks), 0, 60
    for _ in range(draws):
        any_ = False
        for level, (area, share) in shares.items():
            found = history(random, share, clicks, weeks + 1)
            any_ |= bool(ask(level, area, found, random.binomial(found, 0.05), atlas))
        wrong += any_
    assert wrong <= 2, "1 % of campaigns; of 60, three or more would be one test in 40"


@pytest.mark.parametrize("machines", [True, False])
def test_a_planted_jump_is_found_and_told(
    atlas: Atlas, shares: dict[Level, tuple[np.ndarray, np.ndarray]], machines: bool
) -> None:
    random, right, only = np.random.default_rng(3), 0, 0
    area, share = shares[Level.COUNTRY]
    ireland = np.flatnonzero(area == atlas.areas.number("country:IE"))[0]
    for _ in range(40):
        found = history(random, share, 20_000, 13)
        other = random.binomial(found, 0.05)
        (other if machines else found)[-1, ireland] += random.poisson(300)
        made = ask(Level.COUNTRY, area, found, other, atlas)
        named = [card for card in made if card.areas == (area[ireland],)]
        right += len(named) == 1
        only += len(made) == 1
    assert right >= 38
    assert only >= 36
    card = named[0]
    assert card.kind is Kind.ODDITY
    assert card.sentence.startswith("Ireland had ")
    if machines:
        assert re.search(r": of the jump \d+ % are machines \(data centres; \d+ clicks, usually \d+\), \d+ % people \(\d+ now, usually \d+\)\.$", card.sentence)  # fmt: skip
        assert card.filter == {"area": ["country:IE"], "network": ["hosting"]}, "to be looked at"
        assert card.numbers["machines"] > 0.8  # type: ignore[operator]
    else:
        assert re.search(r": of the jump \d+ % are people \(\d+ clicks, usually \d+\), \d+ % machines \((data centres; )?\d+ now, usually \d+\)\.$", card.sentence)  # fmt: skip
        assert card.filter == {"area": ["country:IE"], "network": ["residential"]}
    assert card.numbers["now_machines"] == int(other[-1, ireland])
    assert card.numbers["level"] == "country", "which table has it"


@pytest.mark.parametrize("lasting", [0.02, 1e-6])
@pytest.mark.parametrize("level", [Level.COUNTRY, Level.REGION])
def test_intervals_hold_the_areas_own_rate(
    shares: dict[Level, tuple[np.ndarray, np.ndarray]], level: Level, lasting: float
) -> None:
    """Of areas that usually have five clicks a week or more, against what their part really was that week."""
    random, held, told = np.random.default_rng(8), 0, 0
    area, share = shares[level]
    for _ in range(25):
        parts: list[np.ndarray] = []
        found = oddities(level, area, {"residential": history(random, share, 20_000, 13, lasting, parts)})
        part = parts[-1]
        true = dict(zip(area.tolist(), (part / (1 - part) / (share / (1 - share))).tolist(), strict=True))
        truth, often = np.array([true[int(one)] for one in found.area]), found.expected >= 5
        held += int(((found.low <= truth) & (truth <= found.high))[often].sum())
        told += int(often.sum())
    assert told > 900
    assert 0.93 <= held / told <= 0.97, held / told


def test_a_campaign_that_grows_everywhere_is_not_odd(
    atlas: Atlas, shares: dict[Level, tuple[np.ndarray, np.ndarray]]
) -> None:
    random, wrong = np.random.default_rng(4), 0
    area, share = shares[Level.COUNTRY]
    for _ in range(30):
        found = history(random, share, 20_000, 13)
        found[-1] = history(random, share, 40_000, 2)[0]
        wrong += bool(ask(Level.COUNTRY, area, found, found * 0, atlas))
    assert wrong <= 1


def test_a_past_outbreak_hides_no_new_one(
    atlas: Atlas, shares: dict[Level, tuple[np.ndarray, np.ndarray]]
) -> None:
    random = np.random.default_rng(5)
    area, share = shares[Level.COUNTRY]
    at = np.flatnonzero(area == atlas.areas.number("country:IE"))[0]
    found = history(random, share, 40_000, 13)
    found[3, at] += 2000
    found[-1, at] += 500
    named = {card.areas for card in ask(Level.COUNTRY, area, found, found * 0, atlas)}
    assert (area[at],) in named


def test_what_has_no_history_is_not_judged(atlas: Atlas) -> None:
    area = np.array([atlas.areas.number("country:US"), atlas.areas.number("country:DE")], np.int64)
    few = np.full((6, 2), 100, np.int64)
    few[-1, 0] = 5000
    assert ask(Level.COUNTRY, area, few, few * 0, atlas) == [], "five pieces are no past"
    assert ask(Level.COUNTRY, area[:0], few[:, :0], few[:, :0], atlas) == []
    long = np.full((12, 1), 100, np.int64)
    long[-1] = 5000
    assert ask(Level.COUNTRY, area[:1], long, long * 0, atlas) == [], "alone, nothing says what all do"
    empty = np.zeros((12, 2), np.int64)
    assert ask(Level.COUNTRY, area, empty, empty, atlas) == []


def test_areas_that_may_not_be_shown_are_not_named(atlas: Atlas) -> None:
    area = np.flatnonzero(np.asarray(atlas.areas.levels()) == LEVELS.index(Level.COUNTRY))[:40]
    found = np.random.default_rng(6).poisson(50, (13, 40))
    found[-1, 7] = 900
    open_ = oddities(Level.COUNTRY, area, {"residential": found})
    assert cards(open_, atlas)[0].areas == (area[7],)
    shown = np.ones(len(atlas.areas), np.bool_)
    shown[area[7]] = False
    held = oddities(Level.COUNTRY, area, {"residential": found}, shown=shown)
    assert area[7] not in held.area
    assert cards(held, atlas) == []


def test_pieces_are_whole_weeks_back_from_the_end() -> None:
    edges = pieces(0, 100 * DAY)
    assert len(edges) == 15
    assert edges[-1] == 100 * DAY
    assert (np.diff(edges) == 7 * DAY).all()
    assert edges[0] >= 0
    assert len(pieces(0, 3000 * DAY)) == 28
    assert len(pieces(5, 5)) == 1
    with pytest.raises(ValueError):
        pieces(0, DAY, days=3)
