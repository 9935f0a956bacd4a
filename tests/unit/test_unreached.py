"""Who of a target was not reached: spelled out area by area, and by who earns how much."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.measures import Residents
from clickatlas.insight.target import Target
from clickatlas.insight.target_cards import cards
from clickatlas.insight.targeting import aimed


@pytest.mark.parametrize(("phi", "size"), [(1.0, 3000), (3.0, 10_000)])
def test_who_was_not_reached_is_a_range_of_residents_and_of_their_income(
    atlas: Atlas, phi: float, size: int
) -> None:
    """Spelled out area by area, the survey's figures as the drawer has them, false discoveries as SciPy controls them."""
    target, places, random = (
        Target(("region:US-RI", "region:US-NJ", "country:NZ")),
        atlas.places,
        np.random.default_rng(9),
    )
    people = Residents.of(atlas)
    mine = np.flatnonzero(target.members(atlas) & ~np.asarray(places.unplaced))
    clicks = np.zeros(len(places), np.int64)
    clicks[mine] = random.poisson(people.place[mine] / people.place[mine].sum() * size)
    county = np.asarray(places.area[Level.COUNTY])[mine]
    clicks[mine[county == atlas.areas.number("county:34013")]] = 0  # Essex County, NJ
    sure = np.where(target.members(atlas), np.float32(1), np.float32(0))
    found = aimed(atlas, target, sure, clicks, phi=phi, people=people).unreached
    assert found is not None

    areas: dict[str, list[float]] = {}
    for place in mine.tolist():
        postal, city = (int(places.area[level][place]) for level in (Level.POSTAL, Level.CITY))
        area = postal if postal >= 0 and (atlas.areas.population(postal) or 0) > 0 else city
        if area >= 0:
            row = areas.setdefault(atlas.areas.id(area), [0.0, 0.0, 0.0])
            for at, of in enumerate((people.place, places.addresses, clicks)):
                row[at] += float(of[place])
    areas = {area: row for area, row in areas.items() if row[0] > 0 and row[1] > 0}
    residents, addresses, had = (math.fsum(row[at] for row in areas.values()) for at in range(3))
    none = [
        math.exp(-had * min(row[0] / residents, row[1] / addresses) / phi) if not row[2] else 1.0
        for row in areas.values()
    ]
    silent = dict(zip(areas, false_discovery_control(none) <= 0.05, strict=True))
    income = {
        area: (atlas.people.figures(area) or {}).get("medians", {}).get("median_household_income")
        if area.startswith("zip:")
        else None
        for area in areas
    }

    def living(where: set[str], weight: dict[str, float]) -> float:
        return math.fsum(areas[area][0] * weight[area] for area in where)

    known = {area: value for area, value in income.items() if value is not None}
    without = {area for area, row in areas.items() if not row[2]}
    quiet = {area for area in areas if silent[area]}
    one, worth = dict.fromkeys(areas, 1.0), living(set(known), known)
    assert set() < quiet < without, "else an end of the range could be anything"
    assert set() < set(known) < set(areas)
    assert found.people == pytest.approx(residents)
    assert found.unreached == pytest.approx(living(without, one))
    assert found.unreached_low == pytest.approx(living(quiet, one))
    assert found.income_known == pytest.approx(living(set(known), one) / residents)
    assert found.unreached_income == pytest.approx(living(without & set(known), known) / worth, rel=1e-5)
    assert found.unreached_income_low == pytest.approx(living(quiet & set(known), known) / worth, rel=1e-5)
    assert 0 < found.unreached_low < found.unreached < found.people
    assert {atlas.areas.id(n) for n in found.area.tolist()} == quiet


def test_all_silent_areas_count_though_only_the_first_are_listed(atlas: Atlas) -> None:
    target, places, people = Target(("region:US-TX", "region:US-CA")), atlas.places, Residents.of(atlas)
    region = np.asarray(places.area[Level.REGION])
    there = (region == atlas.areas.number("region:US-TX")) & ~np.asarray(places.unplaced)
    clicks = np.where(there, np.ceil(people.place / 10), 0).astype(np.int64)
    found = aimed(atlas, target, there.astype(np.float32), clicks, people=people)
    quiet = found.unreached
    assert quiet is not None
    assert len(quiet.area) == 200
    assert quiet.unreached_low > 1.5 * quiet.population.sum(), "39 million live in California"
    assert quiet.unreached_income_low > quiet.unreached_low / quiet.people, "they earn more than Texans"
    (card,) = [card for card in cards(found, atlas) if card.numbers["table"] == "silent"]
    assert "weighed by income) live where nobody clicked" in card.sentence
    assert "median household income." in card.method
    for name in ("unreached_income", "unreached_income_low", "income_known"):
        assert card.numbers[name] == getattr(quiet, name)
    assert card.numbers["unreached_low"] == round(quiet.unreached_low)
    assert card.numbers["unreached_high"] == card.numbers["unreached"] == round(quiet.unreached)


def test_where_no_income_is_known_none_is_told(atlas: Atlas) -> None:
    target, places, people = Target(("country:DE",)), atlas.places, Residents.of(atlas)
    mine = np.flatnonzero(target.members(atlas) & ~np.asarray(places.unplaced) & (people.place > 0))
    clicks = np.zeros(len(places), np.int64)
    clicks[mine[: len(mine) // 3]] = 20
    found = aimed(atlas, target, target.members(atlas).astype(np.float32), clicks, people=people)
    assert found.unreached is not None
    assert found.unreached.unreached_low > 0
    assert found.unreached.income_known == 0
    assert math.isnan(found.unreached.unreached_income)
    assert math.isnan(found.unreached.unreached_income_low)
    (card,) = [card for card in cards(found, atlas) if card.numbers["table"] == "silent"]
    assert "income" not in card.sentence + card.method
    assert not {"unreached_income", "unreached_income_low"} & set(card.numbers)


def test_nothing_is_said_of_who_was_not_reached_where_an_area_is_hidden(atlas: Atlas) -> None:
    """As with a smallest number of clicks: areas without one are hidden like those with a few."""
    target, places, people = Target(("region:US-RI",)), atlas.places, Residents.of(atlas)
    sure, us = (
        Target((area,)).members(atlas) & ~np.asarray(places.unplaced)
        for area in ("region:US-RI", "country:US")
    )
    clicks = np.where(us, np.ceil(people.place / 100), 0).astype(np.int64)
    postal, city = np.asarray(places.area[Level.POSTAL]), np.asarray(places.area[Level.CITY])
    quiet = atlas.areas.number("zip:02906")
    assert quiet is not None
    clicks[postal == quiet] = 0
    shown = np.zeros(len(atlas.areas), np.bool_)
    for column in (postal, city):
        shown[column[sure & (column >= 0)]] = True

    def ask() -> float | None:
        found = aimed(atlas, target, sure.astype(np.float32), clicks, shown=shown, people=people).unreached
        return None if found is None else found.unreached_low

    assert ask() == pytest.approx(float(people.place[sure & (postal == quiet)].sum()))
    shown[quiet] = False
    assert ask() is None
