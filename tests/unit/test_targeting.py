"""Targets held against clicks: spelled out spot by spot, and against draws whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.calibration import World
from bench.calibration_times import targets
from clickatlas.api.aims import Aims, targeted
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.insight.card import Kind
from clickatlas.insight.certainty import QUANTILE, certainty
from clickatlas.insight.day_clumps import by_area, by_day
from clickatlas.insight.measures import Residents
from clickatlas.insight.target import EARTH_KM, Circle, Target, away
from clickatlas.insight.target_cards import cards
from clickatlas.insight.targeting import SURE, aimed, each_its_own, share

BOSTON = Circle(42.36, -71.06, 40.0)
SQUARE = (-74.0, 40.0, -70.0, 40.0, -70.0, 44.0, -74.0, 44.0)
HOLE = (-72.0, 42.0, -71.0, 42.0, -71.0, 43.0)


def around(lat: float, lon: float, km: float, points: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """True positions drawn on the sphere, 67 % of them within `km`: nothing of the program's grid or spiral."""
    random = np.random.default_rng(seed)
    far = km / QUANTILE * np.sqrt(-2 * np.log(random.random(points))) / EARTH_KM
    turn = random.random(points) * 2 * np.pi
    phi = math.radians(lat)
    north = np.arcsin(math.sin(phi) * np.cos(far) + math.cos(phi) * np.sin(far) * np.cos(turn))
    east = np.arctan2(np.sin(turn) * np.sin(far) * math.cos(phi), np.cos(far) - math.sin(phi) * np.sin(north))
    return np.degrees(north), lon + np.degrees(east)


def test_a_document_becomes_a_target() -> None:
    ring = [[0, 0], [1, 0], [1, 1], [0, 0]]
    one = Target.read(
        {"areas": ["country:US"], "circles": [], "shape": {"type": "Polygon", "coordinates": [ring]}}
    )
    two = Target.read({"circles": [{"lat": 1, "lon": 2, "km": 3}], "shape": {"type": "MultiPolygon", "coordinates": [[ring], [ring]]}})  # fmt: skip
    assert one == Target(("country:US",), (), (((0.0, 0.0, 1.0, 0.0, 1.0, 1.0),),))
    assert two.circles == (Circle(1, 2, 3),)
    assert len(two.polygons) == 2
    assert hash(one) != hash(two)


def test_a_hole_is_outside() -> None:
    target = Target(polygons=((SQUARE, HOLE),))
    lat, lon = np.array([41.0, 42.3, 45.0, np.nan]), np.array([-72.0, -71.3, -72.0, -72.0])
    assert target.covers(lat, lon).tolist() == [True, False, False, False]


@given(st.floats(-89, 89), st.floats(-180, 180), st.floats(-89, 89), st.floats(-180, 180))
def test_distances_are_those_of_the_sphere(lat: float, lon: float, other: float, east: float) -> None:
    a, b, turn = math.radians(lat), math.radians(other), math.radians(lon - east)
    cosine = math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(turn)
    found = away(np.array([lat]), np.array([lon]), other, east)[0]
    assert found == pytest.approx(EARTH_KM * math.acos(max(-1, min(1, cosine))), abs=0.2)


@pytest.mark.parametrize("target", [Target(circles=(BOSTON,)), Target(polygons=((SQUARE, HOLE),)),
                                    Target(circles=(Circle(0, 179.9, 300),)), Target(circles=(Circle(64.1, -21.9, 25),))])  # fmt: skip
def test_a_places_chance_is_the_share_of_where_its_visitors_may_be(atlas: Atlas, target: Target) -> None:
    places, found = atlas.places, certainty(atlas, target)
    placed = ~np.asarray(places.unplaced)
    assert not np.isnan(found[placed]).any()
    unsure = np.flatnonzero(placed & (found > 0) & (found < 1))
    sure = np.flatnonzero(placed & (found == 1))
    random = np.random.default_rng(1)
    for number in [*random.choice(unsure, min(40, len(unsure)), False), *sure[:10]]:
        lat, lon = around(places.lat[number], places.lon[number], float(places.radius[number]), 4000, number)
        assert found[number] == pytest.approx(target.covers(lat, lon).mean(), abs=0.07)


def test_no_place_far_from_the_border_is_uncertain(atlas: Atlas) -> None:
    places, found = atlas.places, certainty(atlas, Target(circles=(BOSTON,)))
    placed = ~np.asarray(places.unplaced)
    km = away(places.lat, places.lon, BOSTON.lat, BOSTON.lon)
    beyond = km - BOSTON.km > 2.1 * places.radius
    deep = BOSTON.km - km > 2.1 * places.radius
    assert (found[placed & beyond] == 0).all()
    assert (found[placed & deep] == 1).all()


def test_a_country_is_certain_whatever_the_radius(atlas: Atlas) -> None:
    found = certainty(atlas, Target(("country:US",)))
    us = np.asarray(atlas.places.area[Level.COUNTRY]) == atlas.areas.number("country:US")
    known = np.asarray(atlas.places.area[Level.COUNTRY]) >= 0
    assert (found[us] == 1).all()
    assert (found[~us & known] == 0).all()


def test_a_regions_border_is_not_sharp(atlas: Atlas) -> None:
    """By residents around: a place deep in Massachusetts is in, one on the border partly, Canada is out."""
    found, places = certainty(atlas, Target(("region:US-MA",))), atlas.places
    region = np.asarray(places.area[Level.REGION])
    placed, mine = ~np.asarray(places.unplaced), region == atlas.areas.number("region:US-MA")
    assert 0.6 < found[mine & placed].mean() < 1
    assert (found[placed & ~mine] > 0).any()
    canada = np.asarray(places.area[Level.COUNTRY]) == atlas.areas.number("country:CA")
    assert not found[canada & placed].any(), "a country is known"
    small = mine & placed & (places.radius <= 5)
    assert found[small].mean() > 0.97
    # The definition itself, place by place.
    people = np.maximum(Residents.of(atlas).place, 1)
    us = placed & (np.asarray(places.area[Level.COUNTRY]) == atlas.areas.number("country:US"))
    unsure = np.flatnonzero((found > 0.02) & (found < 0.98) & placed & (places.radius >= 20))
    errors = []
    for number in np.random.default_rng(2).choice(unsure, 60, False):
        km = away(places.lat[us], places.lon[us], float(places.lat[number]), float(places.lon[number]))
        weight = people[us] * np.exp(-((km * QUANTILE / places.radius[number]) ** 2) / 2)
        errors.append(found[number] - weight[mine[us]].sum() / weight.sum())
    assert np.abs(np.mean(errors)) < 0.03
    assert np.quantile(np.abs(errors), 0.9) < 0.15


def test_unplaced_clicks_are_told_where_all_or_nothing_is_targeted(atlas: Atlas) -> None:
    places, found = atlas.places, certainty(atlas, Target(("region:US-MA", "country:DE")))
    unplaced = np.asarray(places.unplaced)
    region, country = (np.asarray(places.area[level]) for level in (Level.REGION, Level.COUNTRY))
    number = atlas.areas.number
    assert (found[unplaced & (region == number("region:US-MA"))] == 1).all()
    assert (found[unplaced & (region == number("region:US-CA"))] == 0).all()
    assert np.isnan(found[unplaced & (country == number("country:US")) & (region < 0)]).all()
    assert (found[unplaced & (country == number("country:DE"))] == 1).all()
    assert (found[unplaced & (country == number("country:JP"))] == 0).all()
    assert np.isnan(found[:2]).all(), "nowhere and private"


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.floats(0, 1) | st.just(math.nan)), max_size=40), st.floats(1, 5)
)
def test_a_share_counts_every_click_once(rows: list[tuple[int, float]], phi: float) -> None:
    clicks = np.array([row[0] for row in rows], np.int64)
    chance = np.array([row[1] for row in rows], np.float32)
    found = share(clicks, chance, phi)
    told = [(n, float(c)) for n, c in zip(clicks, chance, strict=True) if not math.isnan(c)]
    assert found.clicks == sum(n for n, _ in told)
    assert found.untold == clicks.sum() - found.clicks
    assert found.inside == sum(n for n, c in told if c >= SURE)
    assert found.inside + found.uncertain + found.outside == found.clicks
    assert 0 <= found.low <= found.high <= 1
    if found.clicks:
        assert found.share == pytest.approx(sum(n * c for n, c in told) / found.clicks)
        assert found.low - 1e-9 <= found.share <= found.high + 1e-9


def test_intervals_of_what_spills_hold_though_regions_have_their_weeks(atlas: Atlas) -> None:
    """The short form of `python -m bench calibration_times`; with the target's own weeks alone 91 % did."""
    _, spill = targets(World.of(atlas, ()), 30)
    assert spill.campaigns > 500
    assert 0.915 <= spill.share <= 0.98, spill


def test_an_area_s_clumps_are_those_of_its_own_weeks() -> None:
    random = np.random.default_rng(3)
    clicks = random.poisson(np.array([[40.0], [40.0], [400.0], [4.0]]), (4, 91))
    clicks[1] = random.poisson(np.repeat(random.gamma(4, 10, 13), 7))
    found = by_area(np.array([7, 8, -1, 9]), clicks, 1.2)
    assert found.keys() == {7, 8, 9}
    assert found[7] < 3 < 20 < found[8]
    assert min(found.values()) >= 1.2
    assert by_area(np.array([7]), np.zeros((1, 5), np.int64), 1.2) == {}


def test_intervals_cover_the_truth() -> None:
    """Clicks in clumps, places that may be wrong as a whole: 93 to 97 % of intervals cover the audience's share."""
    random = np.random.default_rng(5)
    covered, draws, days = 0, 600, 60
    for _ in range(draws):
        audience = random.gamma(0.5, 1, 400)
        chance = np.where(random.random(400) < 0.15, random.random(400), (random.random(400) < 0.6) * 1.0)
        truly = random.random(400) < chance
        sessions = random.poisson(audience / audience.sum() * 1500 / days, (days, 400))
        clumped = sessions + random.negative_binomial(
            np.maximum(sessions, 1e-9), 0.5
        )  # 1 to many, 2 on average
        clicks = clumped.sum(0)
        inside = (clumped * chance).sum(1)
        phi = by_day(np.rint(inside).astype(int), clumped.sum(1))
        found = share(clicks.astype(np.int64), chance.astype(np.float32), phi)
        covered += found.low <= (audience * truly).sum() / audience.sum() <= found.high
    assert 0.92 <= covered / draws <= 0.985


def drawn(atlas: Atlas, clicks: int, seed: int, mask: np.ndarray) -> np.ndarray:
    weight = np.where(mask, np.asarray(atlas.places.addresses) * (Residents.of(atlas).place > 0), 0.0)
    random = np.random.default_rng(seed)
    return random.multinomial(clicks, weight / weight.sum()).astype(np.int64)


def test_the_question_on_ten_million_clicks(atlas: Atlas) -> None:
    target = Target(("region:US-MA", "region:US-NY"), (BOSTON,))
    us = np.asarray(atlas.places.area[Level.COUNTRY]) == atlas.areas.number("country:US")
    clicks = drawn(atlas, 10_000_000, 1, us & ~np.asarray(atlas.places.unplaced))
    sure, people = certainty(atlas, target), Residents.of(atlas)
    channels = {"email": clicks // 2, "social": clicks - clicks // 2}
    found = aimed(atlas, target, sure, clicks, everything=clicks * 2, channels=channels, people=people)
    assert found.people.clicks == 10_000_000
    assert found.people.share == pytest.approx((clicks * np.nan_to_num(sure)).sum() / 1e7, rel=1e-6)
    assert set(found.channels) == {"email", "social"}
    region = np.asarray(atlas.places.area[Level.REGION])
    for area, outside in zip(found.spill.area[:5], found.spill.clicks[:5], strict=True):
        here = region == area
        assert outside == pytest.approx(
            (clicks[here] * (1 - np.nan_to_num(sure[here], nan=1))).sum(), rel=1e-4
        )
    kinds = {card.kind for card in cards(found, atlas)}
    assert kinds == {Kind.TARGET}
    shown = np.zeros(len(atlas.areas), np.bool_)
    hidden = aimed(atlas, target, sure, clicks, shown=shown, people=people)
    assert not len(hidden.spill.area)
    assert hidden.unreached is None


def test_people_who_are_left_out_are_found_and_small_areas_are_not(atlas: Atlas) -> None:
    target, places = Target(("region:US-NY",)), atlas.places
    mine = target.members(atlas) & ~np.asarray(places.unplaced)
    people = Residents.of(atlas)
    weight = np.where(mine, np.asarray(places.addresses) * (people.place > 0), 0.0)
    sure = np.where(mine, np.float32(1), np.float32(0))
    random = np.random.default_rng(7)
    even = np.where(mine, people.place, 0.0).astype(np.float64)
    even = np.where(weight > 0, even, 0)
    clicks = random.multinomial(20_000, even / even.sum()).astype(np.int64)
    whole = aimed(atlas, target, sure, clicks, people=people)
    assert whole.unreached is not None
    assert whole.unreached.unreached < 0.1 * whole.unreached.people
    assert len(whole.unreached.area) <= 2, "none of them passes, but by chance"
    quiet = target.members(atlas) & (
        np.asarray(places.area[Level.COUNTY]) == atlas.areas.number("county:36103")
    )
    assert quiet.any()
    half = np.where(quiet, 0, clicks)
    found = aimed(atlas, target, sure, half, people=people).unreached
    assert found is not None
    assert found.p < 1e-6
    assert found.unreached > 1e6, "Suffolk County has 1.5 million people"
    inside = np.isin(np.asarray(places.area[Level.POSTAL]), found.area) | np.isin(
        np.asarray(places.area[Level.CITY]), found.area
    )
    assert (quiet & inside).sum() / max(1, (inside & mine).sum()) > 0.5


def test_channels_that_hit_alike_make_no_card(atlas: Atlas) -> None:
    random, wrong = np.random.default_rng(8), 0
    sure = np.zeros(len(atlas.places), np.float32)
    sure[10:20] = 1
    target = Target(("region:US-MA",))

    def ask(*shares: float) -> int:
        parts = {}
        for name, part in enumerate(shares):
            clicks = np.zeros(len(sure), np.int64)
            inside = random.binomial(3000, part)
            clicks[10], clicks[30] = inside, 3000 - inside
            parts[str(name)] = clicks
        whole = sum(parts.values(), np.zeros(len(sure), np.int64))
        found = aimed(atlas, target, sure, whole, channels=parts, people=PEOPLE[0])
        return sum("channel" in card.filter for card in cards(found, atlas))

    PEOPLE.append(Residents.of(atlas))
    wrong = sum(ask(0.5, 0.5, 0.5) for _ in range(40))
    assert wrong <= 1
    assert ask(0.5, 0.7) == 1


@pytest.mark.parametrize("level", [Level.COUNTRY, Level.REGION, Level.COUNTY])
def test_each_area_s_spill_has_the_interval_of_a_share(atlas: Atlas, level: Level) -> None:
    """As if what is outside and in that area were what is asked for; by channel every click is added up by itself."""
    random, size = np.random.default_rng(11), len(atlas.places)
    sure = random.choice(np.array([0, 0.2, 0.7, 1, np.nan], np.float32), size)
    column = np.asarray(atlas.places.area[level])
    clicks = np.where(random.random(size) < 0.02, random.integers(1, 9, size), 0)
    part = random.binomial(clicks, 0.3)
    channels = {"email": part, "social": clicks - part}
    out = (column >= 0) & (sure == 0)
    target, loud = Target(("region:US-MA",)), int(np.bincount(column[out], clicks[out]).argmax())
    found = aimed(atlas, target, sure, clicks, channels=channels, phi=1.7, spill_phi={loud: 6.0}, level=level)
    assert len(found.spill.area) > 20
    assert loud in found.spill.area[:25]
    for at, area in list(enumerate(found.spill.area.tolist()))[:25]:
        alone = np.where(column == area, 1 - sure, np.where(np.isnan(sure), np.nan, 0)).astype(np.float32)
        told = share(clicks, alone, 6.0 if area == loud else 1.7)
        assert found.spill.share[at] == pytest.approx(told.share, rel=1e-5)
        assert found.spill.low[at] == pytest.approx(told.low, rel=1e-5)
        assert found.spill.high[at] == pytest.approx(told.high, rel=1e-5)
        assert found.spill.low[at] < found.spill.share[at] < found.spill.high[at]
    for name, of in channels.items():
        listed = [c for n, c in zip(of.tolist(), sure.tolist(), strict=True) for _ in range(n) if c == c]
        assert found.channels[name].clicks == len(listed)
        assert found.channels[name].share == pytest.approx(math.fsum(listed) / len(listed), rel=1e-6)
        assert found.channels[name].inside == sum(c >= SURE for c in listed)
        assert found.channels[name].outside == sum(c <= 1 - SURE for c in listed)


def test_areas_that_a_target_touches_are_targeted_and_without_one_for_every_link_none_are_known(
    atlas: Atlas,
) -> None:
    class Asks:
        def __init__(self, aims: Aims | None) -> None:
            self.atlas, self._aims = atlas, aims

        def once(self, _name: str, _make: object) -> Aims | None:
            return self._aims

    two = (Target(("region:US-MA",)), Target(circles=(Circle(41.88, -87.63, 5.0),)))
    flags = targeted(Asks(Aims(two, ((1,), (2, 3)), all=True)))  # type: ignore[arg-type]
    assert flags is not None
    assert len(flags) == len(atlas.areas)
    for area, told in (
        ("country:US", True), ("region:US-MA", True), ("region:US-IL", True),
        ("region:US-CA", False), ("country:DE", False), ("zip:02139", True), ("zip:94103", False),
    ):  # fmt: skip
        number = atlas.areas.number(area)
        assert number is not None
        assert flags[number] == told, area
    assert targeted(Asks(Aims(two, ((1,), (2, 3)), all=False))) is None  # type: ignore[arg-type]
    assert targeted(Asks(None)) is None  # type: ignore[arg-type]


def test_several_targets_are_each_held_against_their_own_clicks(atlas: Atlas) -> None:
    random, size = np.random.default_rng(5), len(atlas.places)
    sures = [random.choice(np.array([0, 0.3, 1, np.nan], np.float32), size) for _ in range(2)]
    clicks = [np.where(random.random(size) < 0.01, random.integers(1, 9, size), 0) for _ in range(2)]
    targets = (Target(("region:US-MA",)), Target(("country:NZ", "country:ZZ")))
    channels = {"email": [clicks[0], 0 * clicks[1]], "social": [0 * clicks[0], clicks[1]]}
    found = each_its_own(atlas, targets, sures, clicks, clicks, channels=channels)
    assert set(found.channels) == set(found.apart) == {"email", "social"}
    alone = [share(of, sure) for of, sure in zip(clicks, sures, strict=True)]
    for channel, one in zip(("email", "social"), alone, strict=True):
        assert found.channels[channel].share == pytest.approx(one.share)
    for name in ("clicks", "inside", "uncertain", "outside", "untold"):
        assert getattr(found.people, name) == sum(getattr(one, name) for one in alone)
    assert found.people.share == pytest.approx(
        sum(one.share * one.clicks for one in alone) / found.people.clicks
    )
    outside = sum((1 - one.share) * one.clicks for one in alone)
    known = np.asarray(atlas.places.area[Level.REGION]) >= 0
    unknown = sum(
        float((of * (1 - np.nan_to_num(sure, nan=1.0)))[~known].sum())
        for of, sure in zip(clicks, sures, strict=True)
    )
    listed = float(found.spill.clicks.sum())
    assert 0 < listed <= outside - unknown + 1e-3
    assert found.missing == ("country:ZZ",)
    made = cards(found, atlas)
    assert "their link's own target" in made[0].sentence


PEOPLE: list[Residents] = []
