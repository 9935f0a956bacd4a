"""Rate, index, surface and standing over HTTP, against numbers worked out from the visitors themselves."""

from __future__ import annotations

import io
from collections import Counter
from typing import Any

import httpx
import mapbox_vector_tile
import numpy as np
import pytest
from PIL import Image

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.files import current
from clickatlas.atlas.population import FLOOR
from tests.server.problems import is_problem
from tests.server.tally import Tally
from tests.server.test_workspaces import shared
from tests.server.visitors import Visitor

__all__ = ["shared"]

LEVELS = {
    "countries": Level.COUNTRY, "regions": Level.REGION, "counties": Level.COUNTY,
    "metros": Level.METRO, "cities": Level.CITY, "postal-codes": Level.POSTAL,
}  # fmt: skip
SURFACE = "/api/heat/surface/0/0/0.png"


@pytest.fixture(scope="module")
def atlas(tally: Tally) -> Atlas:
    folder = current(tally.served.data / "atlas")
    assert folder
    return Atlas.open(folder)


def get(client: httpx.Client, path: str, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.get(path, params=query).raise_for_status().json()
    return found


def clicks_by_place(atlas: Atlas, people: list[Visitor]) -> np.ndarray:
    places = [atlas.locator.place_of(v.address) for v in people]
    return np.bincount(places, minlength=len(atlas.places))


def expected_by_place(atlas: Atlas, clicks: np.ndarray) -> np.ndarray:
    population, placed = np.asarray(atlas.places.population, float), ~np.asarray(atlas.places.unplaced)
    residents = np.where(placed & (population > FLOOR), population, 0)
    country = np.asarray(atlas.places.area[Level.COUNTRY])
    expected = np.zeros(len(clicks))
    for number in np.unique(country[clicks > 0]):
        here = (country == number) & placed
        if number >= 0 and residents[here].sum():
            expected[here] = residents[here] * clicks[here].sum() / residents[here].sum()
    return expected


@pytest.mark.parametrize("table", ["counties", "metros", "cities", "postal-codes"])
@pytest.mark.parametrize("code", [None, "tally-1"])
def test_rows_hold_their_clicks_against_their_residents(
    tally: Tally, atlas: Atlas, table: str, code: str | None
) -> None:
    clicks = clicks_by_place(atlas, tally.people(code))
    expected, column = expected_by_place(atlas, clicks), np.asarray(atlas.places.area[LEVELS[table]])
    rows = tally.table(table, code)["rows"]
    assert len(rows) > 20
    for row in rows[:: max(1, len(rows) // 40)]:
        number = atlas.areas.number(row["id"])
        assert number is not None
        population = atlas.areas.population(number)
        assert row["population"] == population
        wanted = 10_000 * row["clicks"] / population if population else None
        assert row["rate"] == (pytest.approx(wanted, rel=1e-5) if wanted is not None else None)
        hoped = expected[column == number].sum()
        assert row["index"] == (pytest.approx(100 * row["clicks"] / hoped, rel=1e-4) if hoped else None)


def test_countries_are_held_against_the_world(tally: Tally, atlas: Atlas) -> None:
    rows = {row["country"]: row for row in tally.table("countries")["rows"]}
    known = [
        n
        for n in range(len(atlas.areas))
        if atlas.areas.level(n) is Level.COUNTRY and atlas.areas.population(n)
    ]
    world = sum(atlas.areas.population(n) or 0 for n in known)
    counted = sum(rows[code]["clicks"] for n in known if (code := atlas.areas.country(n)) in rows)
    us = rows["US"]
    assert us["index"] == pytest.approx(100 * us["clicks"] / us["population"] / (counted / world), rel=1e-5)


@pytest.mark.parametrize("level", list(LEVELS))
def test_areas_in_columns_are_the_tables_and_whoever_did_not_click(tally: Tally, level: str) -> None:
    found, table = get(tally.client, "/api/heat/areas", level=level), tally.table(level)
    assert found["level"] == level
    assert found["total"] == table["total"]
    columns = [
        found[name] for name in ("ids", "names", "lat", "lon", "clicks", "population", "rate", "index")
    ]
    assert len({len(column) for column in columns}) == 1
    rows = list(zip(*columns, strict=True))
    fields = ("id", "name", "lat", "lon", "clicks", "population", "rate", "index")
    clicked = [row for row in rows if row[4]]
    assert clicked == [tuple(row[field] for field in fields) for row in table["rows"]]
    quiet = rows[len(clicked) :]
    assert bool(quiet) == (level not in ("cities", "postal-codes"))
    for *_, clicks, population, rate, index in quiet:
        assert clicks == 0
        assert rate == (0 if population else None)
        assert index in (0, None)
    token = get(tally.client, "/api/heat/tilejson")["snapshot"]
    assert found["snapshot"] == token


def test_areas_of_no_level_are_refused(tally: Tally) -> None:
    is_problem(tally.client.get("/api/heat/areas", params={"level": "planets"}), 422)


def test_clusters_tell_residents_and_expected_clicks(tally: Tally, atlas: Atlas) -> None:
    clicks = clicks_by_place(atlas, tally.people())
    expected = expected_by_place(atlas, clicks)
    data = tally.client.get("/api/heat/tiles/0/0/0.mvt").content
    features = mapbox_vector_tile.decode(data)["clusters"]["features"]
    level, node = atlas.clusters.nodes(0), np.asarray(atlas.clusters.node_of(0))
    number = {level.id(n): n for n in range(len(level))}
    for feature in features:
        p = feature["properties"]
        inside = node == number[p["id"]]
        assert p["expected"] / 100 == pytest.approx(expected[inside].sum(), abs=0.02, rel=1e-4)
        people = np.asarray(atlas.places.population, float)[inside]
        assert p["residents"] == pytest.approx(people[people > FLOOR].sum(), rel=1e-4)
    whole = sum(f["properties"]["expected"] for f in features) / 100
    assert whole == pytest.approx(expected.sum(), rel=0.01)


def test_a_filter_by_area_expects_clicks_of_its_residents_only(tally: Tally) -> None:
    rows = tally.table("countries", area="country:US")["rows"]
    assert [(row["country"], row["index"]) for row in rows] == [("US", 100)]
    regions = tally.table("regions", area="country:US")["rows"]
    whole = {row["id"]: row["index"] for row in tally.table("regions")["rows"]}
    assert {row["id"]: row["index"] for row in regions}.items() <= whole.items()
    one = tally.table("regions", area=regions[0]["id"])["rows"]
    assert one[0]["index"] == pytest.approx(100)


def test_the_tilejson_has_colours_for_every_stop_on_both_maps(tally: Tally) -> None:
    found = get(tally.client, "/api/heat/tilejson")
    assert set(found["scales"]) == {"rate", "index"}
    for scale in found["scales"].values():
        assert len(scale["stops"]) == len(scale["light"]) == len(scale["dark"]) >= 3
        assert scale["stops"] == sorted(scale["stops"])
        assert all(len(colour) == 7 and int(colour[1:], 16) >= 0 for colour in scale["light"] + scale["dark"])
    assert 100 in found["scales"]["index"]["stops"]


@pytest.mark.parametrize("measure", ["rate", "index"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_surface_of_the_tilejson_is_a_picture(tally: Tally, measure: str, theme: str) -> None:
    address = get(tally.client, "/api/heat/tilejson", link="tally-2", measure="x")["surface"]
    assert "link=tally-2" in address
    answer = tally.client.get(address.format(z=0, x=0, y=0) + f"&measure={measure}&theme={theme}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    image = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert image.shape == (256, 256, 4)
    assert 0 < (image[..., 3] > 20).mean() < 0.6  # land where people live, not the seas


def test_an_unchanged_surface_is_not_sent_again_but_another_one_is(tally: Tally) -> None:
    tags = {
        tally.client.get(SURFACE, params={"measure": measure, "theme": theme}).headers["etag"]
        for measure in ("rate", "index")
        for theme in ("light", "dark")
    }
    assert len(tags) == 4
    query = {"measure": "rate", "theme": "dark"}
    tag = tally.client.get(SURFACE, params=query).headers["etag"]
    again = tally.client.get(SURFACE, params=query, headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    other = tally.client.get(SURFACE, params={"measure": "index"}, headers={"if-none-match": tag})
    assert other.status_code == 200


def test_a_surface_of_nothing_is_empty_and_a_wrong_one_refused(tally: Tally) -> None:
    answer = tally.client.get(SURFACE, params={"campaign": "nobody's"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert tally.client.get("/api/heat/surface/6/12/30.png").status_code == 204  # the Pacific
    for query in ({"measure": "clicks"}, {"theme": "sepia"}):
        is_problem(tally.client.get(SURFACE, params=query), 422)
    for place in ("0/1/0", "3/0/8", "15/0/0", "-1/0/0", "a/0/0"):
        is_problem(tally.client.get(f"/api/heat/surface/{place}.png"), 404, 422)


def test_an_area_stands_as_its_row_says(tally: Tally) -> None:
    for table in LEVELS:
        rows = tally.table(table)["rows"]
        for row in (rows[0], rows[len(rows) // 2]):
            standing = get(tally.client, f"/api/areas/{row['id']}")["standing"]
            assert standing["clicks"] == row["clicks"]
            assert standing["share"] == pytest.approx(row["share"])
            for measure in ("rate", "index"):
                known = row[measure] is not None
                assert standing[measure] == (pytest.approx(row[measure], rel=1e-5) if known else None)
            if row["index"] is not None:
                assert standing["index"] == pytest.approx(100 * row["clicks"] / standing["expected"])
            assert standing["rank"] == 1 + sum(other["clicks"] > row["clicks"] for other in rows)
            assert standing["of"] == len(rows)


def test_clicks_known_only_to_the_country_are_told_with_every_area_in_it(tally: Tally) -> None:
    only = Counter(
        v.country for v in tally.people() if v.country and not any(v.region) and not v.city and not v.postal
    )
    found = get(tally.client, "/api/areas/zip:02139")["standing"]["coarser"]
    told = {wider["id"]: wider["clicks"] for wider in found}
    assert told["country:US"] == only["US"]
    assert next(wider["name"] for wider in found if wider["id"] == "country:US") == "United States"


def test_radii_are_those_of_the_visitors(tally: Tally) -> None:
    row = tally.table("countries")["rows"][0]
    radii = sorted(
        v.record["location"]["accuracy_radius"]
        for v in tally.people()
        if v.country == row["country"] and v.record.get("location", {}).get("accuracy_radius")
    )
    found = get(tally.client, f"/api/areas/{row['id']}")["standing"]["radius"]
    assert found["median"] == radii[int(np.ceil(0.5 * len(radii))) - 1]
    assert found["p90"] == radii[int(np.ceil(0.9 * len(radii))) - 1]


def test_an_area_nobody_clicked_in_has_no_rank(tally: Tally) -> None:
    found = get(tally.client, "/api/areas/zip:02139", campaign="nobody's")["standing"]
    assert found["clicks"] == 0
    assert found["rank"] is found["radius"] is found["index"] is None
    assert found["of"] == 0


def test_a_zips_people_are_held_against_the_nations(tally: Tally, atlas: Atlas) -> None:
    found = get(tally.client, "/api/areas/zip:02139")
    people, against = found["people"], found["against"]
    assert {k: v for k, v in people.items() if v is not None} == atlas.people.figures("zip:02139")
    assert against["name"] == "United States"
    assert set(against["figures"]) == {
        name for name, value in {**people["shares"], **people["medians"]}.items() if value is not None
    }
    for figure in against["figures"].values():
        assert figure["p10"] <= figure["p25"] <= figure["p50"] <= figure["p75"] <= figure["p90"]
        assert 0 <= figure["percentile"] <= 100
    assert against["figures"]["bachelors_or_higher"]["percentile"] > 90  # MIT's neighbours
    assert 15 < against["figures"]["median_age"]["percentile"] + 15 < 40
    assert get(tally.client, "/api/areas/country:US")["against"] is None
    assert get(tally.client, "/api/areas/country:FR")["against"] is None
    county = get(tally.client, "/api/areas/county:25017")["against"]["figures"]
    assert "median_age" not in county
    assert "bachelors_or_higher" in county


def test_one_workspaces_measures_hold_only_its_own(
    shared: tuple[Any, httpx.Client, httpx.Client],
) -> None:
    _served, ours, theirs = shared
    for client, clicks, country in ((ours, 7, "US"), (theirs, 4, "DK")):
        found = get(client, "/api/heat/areas")
        assert found["total"] == clicks
        assert [(i, n) for i, n in zip(found["ids"], found["clicks"], strict=True) if n] == [
            (f"country:{country}", clicks)
        ]
        assert get(client, f"/api/areas/country:{country}")["standing"]["clicks"] == clicks
    mine = get(ours, "/api/heat/tilejson")["snapshot"]
    plain = theirs.get(SURFACE, params={"measure": "rate"})
    assert theirs.get(SURFACE, params={"measure": "rate", "v": mine}).content == plain.content
    assert ours.get(SURFACE, params={"measure": "rate"}).content != plain.content
    is_problem(ours.get("/api/heat/areas", params={"link": "theirs"}), 404)
    is_problem(ours.get(SURFACE, params={"link": "theirs"}), 404)
