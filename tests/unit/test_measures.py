"""Rate, expected clicks and index against their definitions, spelled out place by place."""

from dataclasses import replace

import numpy as np
import pytest

from clickatlas.atlas.areas import LEVELS, Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.population import FLOOR
from clickatlas.insight.areas import by_area, by_area_and_people, measured, rows, within
from clickatlas.insight.counts import Counts
from clickatlas.insight.heat import MAX_ZOOM, Ground, Heat
from clickatlas.insight.measures import Expectation, index, rate
from clickatlas.insight.standing import standing
from tests.unit.test_heat import some_counts

FINE = (Level.METRO, Level.COUNTY, Level.CITY, Level.POSTAL)


@pytest.fixture(scope="module")
def ground(atlas: Atlas) -> Ground:
    return Ground.of(atlas)


def residents(atlas: Atlas) -> np.ndarray:
    """People of the places where somebody is counted."""
    people = np.asarray(atlas.places.population, np.float64)
    return np.where((people > FLOOR) & ~np.asarray(atlas.places.unplaced), people, 0)


def as_people_live(atlas: Atlas) -> Counts:
    """A click of everybody, as nearly as whole clicks can be: places have fractions of people."""
    return Counts(np.rint(residents(atlas)).astype(np.int64), {}, 0, 0)


def expected_by_hand(atlas: Atlas, clicks: np.ndarray, people: np.ndarray) -> np.ndarray:
    country, placed = np.asarray(atlas.places.area[Level.COUNTRY]), ~np.asarray(atlas.places.unplaced)
    expected = np.zeros(len(clicks))
    for number in np.unique(country[country >= 0]):
        here = (country == number) & placed
        if people[here].sum():
            expected[here] = people[here] * clicks[here].sum() / people[here].sum()
    return expected


def test_expected_clicks_are_residents_times_their_countrys_placed_clicks_per_resident(atlas: Atlas) -> None:
    counts = some_counts(atlas, 1)
    found = Expectation.of(atlas, counts).places
    np.testing.assert_allclose(found, expected_by_hand(atlas, counts.clicks, residents(atlas)), rtol=1e-5)


@pytest.mark.parametrize("level", FINE)
def test_an_areas_expected_clicks_are_those_of_its_places(atlas: Atlas, level: Level) -> None:
    counts = some_counts(atlas, 2)
    by_place = expected_by_hand(atlas, counts.clicks, residents(atlas))
    table = by_area(counts, atlas, level)
    figures = measured(table, Expectation.of(atlas, counts))
    random = np.random.default_rng(3)
    for at in random.integers(0, len(table.area), 25):
        inside = np.asarray(atlas.places.area[level]) == table.area[at]
        expected = by_place[inside].sum()
        assert figures.expected[at] == pytest.approx(expected, rel=1e-5)
        if expected:
            assert figures.index[at] == pytest.approx(100 * counts.clicks[inside].sum() / expected, rel=1e-5)
        else:
            assert np.isnan(figures.index[at])


def test_a_regions_reference_counts_what_is_known_to_the_region_only(atlas: Atlas) -> None:
    counts = some_counts(atlas, 4)
    us, massachusetts = atlas.areas.number("country:US"), atlas.areas.number("region:US-MA")
    assert us is not None
    assert massachusetts is not None
    region, country = (np.asarray(atlas.places.area[level]) for level in (Level.REGION, Level.COUNTRY))
    people, listed = residents(atlas), (country == us) & (region >= 0)
    assert counts.clicks[listed & np.asarray(atlas.places.unplaced)].sum() > 0
    per_head = counts.clicks[listed].sum() / people[listed].sum()
    found = standing(Expectation.of(atlas, counts), massachusetts)
    assert found.expected == pytest.approx(people[region == massachusetts].sum() * per_head, rel=1e-5)
    assert found.clicks == counts.clicks[region == massachusetts].sum()


def test_a_country_is_held_against_the_world(atlas: Atlas) -> None:
    counts = some_counts(atlas, 5)
    country = np.asarray(atlas.places.area[Level.COUNTRY])
    numbers = [n for n in range(len(atlas.areas)) if atlas.areas.level(n) is Level.COUNTRY]
    known = {n: atlas.areas.population(n) for n in numbers if atlas.areas.population(n)}
    clicks = {n: int(counts.clicks[country == n].sum()) for n in known}
    per_head = sum(clicks.values()) / sum(known.values())  # type: ignore[arg-type]
    for row in rows(by_area(counts, atlas, Level.COUNTRY), Expectation.of(atlas, counts)):
        number = atlas.areas.number(row["id"])
        assert row["population"] == atlas.areas.population(number)  # type: ignore[arg-type]
        if people := known.get(number):  # type: ignore[arg-type]
            assert row["rate"] == pytest.approx(10_000 * row["clicks"] / people, rel=1e-5)
            assert row["index"] == pytest.approx(100 * row["clicks"] / people / per_head, rel=1e-5)
        else:
            assert row["rate"] is row["index"] is None


@pytest.mark.parametrize("level", [Level.REGION, *FINE])
def test_the_index_is_100_where_clicks_are_in_proportion_to_people(atlas: Atlas, level: Level) -> None:
    counts = as_people_live(atlas)
    table = by_area(counts, atlas, level)
    figures = measured(table, Expectation.of(atlas, counts))
    many = figures.expected > 200
    assert many.sum() > 50
    assert figures.index[many] == pytest.approx(100, abs=2)


def test_clusters_expect_as_many_as_their_places_at_every_zoom(atlas: Atlas, ground: Ground) -> None:
    counts = some_counts(atlas, 6)
    heat = Heat(ground, counts)
    by_place = expected_by_hand(atlas, counts.clicks, residents(atlas))
    for zoom in range(MAX_ZOOM + 1):
        node = np.asarray(atlas.clusters.node_of(zoom))
        size = len(atlas.clusters.nodes(zoom))
        for found, places in ((heat.cluster_expected, by_place), (heat.cluster_residents, residents(atlas))):
            wanted = np.bincount(node + 1, places, size + 1)[1:]
            np.testing.assert_allclose(found[zoom], wanted, rtol=1e-4, atol=1e-6)
        if zoom:  # children add up to their parent
            parent = np.asarray(atlas.clusters.nodes(zoom).parent)
            above = heat.cluster_expected[zoom - 1]
            sums = np.bincount(parent, heat.cluster_expected[zoom], len(above))
            np.testing.assert_allclose(above, sums, rtol=1e-4, atol=1e-6)


def test_within_a_country_expected_clicks_add_up_to_the_placed_ones(atlas: Atlas) -> None:
    counts = some_counts(atlas, 7)
    country, placed = np.asarray(atlas.places.area[Level.COUNTRY]), ~np.asarray(atlas.places.unplaced)
    expected = Expectation.of(atlas, counts).places
    for code in ("US", "DE", "IN", "BR", "NG"):
        here = (country == atlas.areas.number(f"country:{code}")) & placed
        assert expected[here].sum() == pytest.approx(counts.clicks[here].sum(), rel=1e-4)


def test_under_an_area_filter_only_its_residents_are_expected_to_click(atlas: Atlas, ground: Ground) -> None:
    mask = within(atlas, ("region:US-MA",))
    assert mask is not None
    whole = as_people_live(atlas)
    part = replace(whole, clicks=np.where(mask, whole.clicks, 0), within=mask)
    heat = Heat(ground, part)
    table = by_area(part, atlas, Level.COUNTY)
    figures = measured(table, heat.expectation)
    assert figures.index[figures.expected > 200] == pytest.approx(100, abs=2)
    assert heat.expectation.places[~mask].sum() == 0
    assert heat.cluster_residents[0].sum() == pytest.approx(residents(atlas)[mask].sum(), rel=1e-4)
    shown = {atlas.areas.country(int(n)) for n in by_area_and_people(heat.expectation, Level.COUNTRY).area}
    assert shown == {"US"}


def test_areas_where_people_live_and_nobody_clicked_are_listed_behind_the_others(atlas: Atlas) -> None:
    counts = some_counts(atlas, 8, size=300)
    expectation = Expectation.of(atlas, counts)
    for level in LEVELS:
        clicked, listed = by_area(counts, atlas, level), by_area_and_people(expectation, level)
        assert np.array_equal(listed.area[: len(clicked.area)], clicked.area)
        assert len(np.unique(listed.area)) == len(listed.area)
        assert not listed.clicks[len(clicked.area) :].any()
        assert (len(listed.area) > len(clicked.area)) == (level not in (Level.CITY, Level.POSTAL))
    counties = by_area_and_people(expectation, Level.COUNTY).area
    assert atlas.areas.number("county:25017") in counties


def test_rates_of_nobody_are_not_known() -> None:
    clicks, people = np.array([0, 5, 5]), np.array([10.0, 0.0, np.nan])
    assert rate(clicks, people).tolist() == pytest.approx([0, np.nan, np.nan], nan_ok=True)
    assert index(clicks, people).tolist() == pytest.approx([0, np.nan, np.nan], nan_ok=True)


def test_standing_ranks_and_says_what_is_known_only_to_wider_areas(atlas: Atlas) -> None:
    counts = some_counts(atlas, 9)
    expectation = Expectation.of(atlas, counts)
    table = by_area(counts, atlas, Level.CITY)
    numbers = dict(zip(table.area.tolist(), table.clicks.tolist(), strict=True))
    for number in (*table.area[:3].tolist(), int(table.area[500]), int(table.area[-1])):
        found = standing(expectation, number)
        assert found.clicks == numbers[number]
        assert found.share == found.clicks / counts.total
        assert (found.rank, found.of) == (1 + sum(n > found.clicks for n in numbers.values()), len(numbers))
        inside = np.flatnonzero((np.asarray(atlas.places.area[Level.CITY]) == number) & (counts.clicks > 0))
        radii = np.repeat(np.asarray(atlas.places.radius)[inside], counts.clicks[inside])
        radii = np.sort(radii[radii > 0])
        assert found.radius is not None
        assert found.radius.median == radii[int(np.ceil(0.5 * len(radii))) - 1]
        assert found.radius.p90 == radii[int(np.ceil(0.9 * len(radii))) - 1]
    zip_code = atlas.areas.number("zip:02139")
    assert zip_code is not None
    coarser = dict(standing(expectation, zip_code).coarser)
    for above in atlas.areas.ancestors(zip_code):
        level = atlas.areas.level(above)
        finer = [np.asarray(atlas.places.area[deeper]) for deeper in LEVELS[LEVELS.index(level) + 1 :]]
        only = (np.asarray(atlas.places.area[level]) == above) & np.all(
            [column < 0 for column in finer], axis=0
        )
        assert coarser.get(above, 0) == counts.clicks[only].sum()
    assert coarser[atlas.areas.number("country:US")] > 0  # type: ignore[index]


def test_an_area_without_clicks_has_no_rank(atlas: Atlas) -> None:
    nothing = Expectation.of(atlas, Counts(np.zeros(len(atlas.places), np.int64), {}, 0, 0))
    boston = atlas.areas.number("metro:14460")
    assert boston is not None
    found = standing(nothing, boston)
    assert (found.clicks, found.share, found.rate) == (0, 0.0, 0.0)
    assert found.rank is found.radius is found.index is None
    assert found.of == 0
    assert found.coarser == []
