"""Areas: ids that stay, parents, outlines and search."""

import math

import numpy as np
import pytest

from clickatlas.atlas.areas import LEVELS, Level, fold
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.outlines import above, outline
from clickatlas.atlas.parents import short_metro


def number(atlas: Atlas, area_id: str) -> int:
    found = atlas.areas.number(area_id)
    assert found is not None, area_id
    return found


def test_every_area_has_a_name_a_flag_a_box_and_a_centre(atlas: Atlas) -> None:
    areas = atlas.areas
    for area in range(0, len(areas), 7):
        assert areas.name(area).strip(), areas.id(area)
        assert len(areas.flag(area)) == 2, areas.id(area)
        assert areas.bbox(area) is not None, areas.id(area)
        assert not math.isnan(areas.lat(area) + areas.lon(area)), areas.id(area)


def test_every_id_leads_back_to_its_area(atlas: Atlas) -> None:
    for area in range(0, len(atlas.areas), 97):
        assert atlas.areas.number(atlas.areas.id(area)) == area


@pytest.mark.parametrize(
    "missing", ["", "country:", "country:XX", "zip:00000", "nonsense", "zip:02139 ", "\ud800"]
)
def test_an_id_that_no_atlas_has_is_none(atlas: Atlas, missing: str) -> None:
    assert atlas.areas.number(missing) is None


@pytest.mark.parametrize(
    ("area_id", "level", "name", "label", "country", "flag", "ancestors"),
    [
        ("country:US", "country", "United States", "United States", "US", "🇺🇸", []),
        ("region:US-MA", "region", "Massachusetts", "Massachusetts", "US", "🇺🇸", ["country:US"]),
        ("metro:14460", "metro", "Boston-Cambridge-Newton, MA-NH", "Boston metro", "US", "🇺🇸",
         ["country:US", "region:US-MA"]),
        ("county:25017", "county", "Middlesex County", "Middlesex County", "US", "🇺🇸",
         ["country:US", "region:US-MA", "metro:14460"]),
        ("city:4931972", "city", "Cambridge", "Cambridge", "US", "🇺🇸",
         ["country:US", "region:US-MA", "metro:14460", "county:25017"]),
        ("zip:02139", "postal", "02139", "02139", "US", "🇺🇸",
         ["country:US", "region:US-MA", "metro:14460", "county:25017", "city:4931972"]),
        ("metro:GB-2643743", "metro", "London", "London metro", "GB", "🇬🇧", ["country:GB", "region:GB-ENG"]),
        ("postal:GB-RG12", "postal", "RG12", "RG12", "GB", "🇬🇧",
         ["country:GB", "region:GB-ENG", "metro:GB-2643743", "city:2655009"]),
    ],
)  # fmt: skip
def test_an_area_knows_what_it_is_and_what_holds_it(
    atlas: Atlas,
    area_id: str,
    level: str,
    name: str,
    label: str,
    country: str,
    flag: str,
    ancestors: list[str],
) -> None:
    areas, at = atlas.areas, number(atlas, area_id)
    assert (areas.level(at), areas.name(at), areas.label(at)) == (level, name, label)
    assert (areas.country(at), areas.flag(at)) == (country, flag)
    assert areas.code(at) == area_id.partition(":")[2]
    assert [areas.id(above) for above in areas.ancestors(at)] == ancestors
    assert areas.parent(at) == (number(atlas, ancestors[-1]) if ancestors else -1)


def test_a_town_in_another_state_than_its_metro_keeps_its_state(atlas: Atlas) -> None:
    nashua = next(a for a in atlas.areas.search("Nashua") if atlas.areas.level(a) is Level.CITY)
    assert atlas.areas.id(atlas.areas.above(nashua, Level.REGION)) == "region:US-NH"


def test_areas_lie_where_one_would_fly_to(atlas: Atlas) -> None:
    for area_id, (west, south, east, north) in {
        "country:US": (-126, 24, -66, 50),  # the mainland: Guam isn't where one wants to end up
        "country:GB": (-8, 49, 3, 60),
        "country:RU": (19, 41, 145, 70),
        "region:US-AK": (-170, 51, -130, 72),
        "metro:14460": (-72, 41.5, -70.3, 43.5),
        "zip:02139": (-71.15, 42.33, -71.05, 42.4),
        "city:2643743": (-0.6, 51.2, 0.4, 51.8),
    }.items():
        at = number(atlas, area_id)
        box = atlas.areas.bbox(at)
        assert box
        assert west <= box[0] < box[2] <= east, area_id
        assert south <= box[1] < box[3] <= north, area_id
        assert box[0] <= atlas.areas.lon(at) <= box[2], area_id
        assert box[1] <= atlas.areas.lat(at) <= box[3], area_id


def test_every_box_is_one_and_holds_its_centre(atlas: Atlas) -> None:
    for area in range(0, len(atlas.areas), 13):
        box = atlas.areas.bbox(area)
        if box is None:
            assert math.isnan(atlas.areas.lat(area)) or atlas.areas.level(area) is Level.CITY
            continue
        west, south, east, north = box
        assert -180 <= west <= 180, atlas.areas.id(area)
        assert -180 <= east <= 180
        assert -90 <= south < north <= 90
        assert (east - west) % 360 < 300, atlas.areas.id(area)


def test_a_box_across_the_date_line_has_west_beyond_east() -> None:
    lon = np.array([177.0, 179.0, -179.5, -178.0])
    spot, box = outline(
        np.zeros(4, np.int32), 1, np.full(4, -17.0), lon, np.ones(4), LEVELS.index(Level.COUNTRY)
    )
    west, _, east, _ = box[0]
    assert west > east
    assert 176 < west < 177.1
    assert -178.1 < east < -177
    assert abs(spot[0][1]) > 178


def test_outliers_do_not_stretch_a_box_and_people_decide() -> None:
    lat, lon = np.append(np.linspace(40, 41, 500), 13.4), np.append(np.linspace(-75, -74, 500), 144.8)
    weight = np.append(np.full(500, 1000.0), 1000.0)
    _, box = outline(np.zeros(501, np.int32), 1, lat, lon, weight, LEVELS.index(Level.CITY))
    assert box[0][1] > 39.8
    assert box[0][2] < -73.8


def test_areas_without_a_place_have_no_outline() -> None:
    spot, box = outline(np.array([0], np.int32), 3, np.array([1.0]), np.array([2.0]), np.ones(1), 0)
    assert np.isnan(box[1:]).all()
    assert np.isnan(spot[1:]).all()
    assert not np.isnan(box[0]).any()


def test_an_area_that_straddles_two_belongs_to_the_one_with_most_of_it() -> None:
    none = np.full(3, -1, np.int32)
    country, region = np.zeros(3, np.int32), np.array([1, 2, 2], np.int32)
    city = np.array([3, 3, 3], np.int32)
    table = above([country, region, none, none, city, none], [0, 1, 3, 3, 3, 4], 4, np.array([5.0, 2.0, 2.0]))
    assert table[3].tolist() == [0, 1, -1, -1, -1, -1]


@pytest.mark.parametrize(
    ("text", "first"),
    [("camb", None), ("Cambridge", None), ("02139", "zip:02139"), ("us", "country:US"), ("US-MA", "region:US-MA"),
     ("us-ma", "region:US-MA"), ("us ma", "region:US-MA"), ("GB-ENG", "region:GB-ENG"), ("DE", "country:DE"),
     ("de", "country:DE"), ("14460", "metro:14460"), ("25017", "county:25017"), ("4931972", "city:4931972"),
     ("GB-RG12", "postal:GB-RG12"), ("rg12", "postal:GB-RG12"), ("united states", "country:US"),
     ("MASSACH", "region:US-MA"), ("zürich", None), ("ZURICH", None), ("são paulo", None), ("sao paulo", None),
     ("lodz", "metro:PL-3093133"), ("Łódź", "metro:PL-3093133"), ("tromso", "city:3133895"), ("TROMSØ", "city:3133895"),
     ("st louis mo il", "metro:41180"), ("St. Louis", None), ("winston salem", None), ("Winston-Salem", None),
     ("coeur d’alene", None), ("coeur dalene", None), ("  new   york ", None)],
)  # fmt: skip
def test_search_finds_by_name_and_code(atlas: Atlas, text: str, first: str | None) -> None:
    found = atlas.areas.search(text, 10)
    assert found
    if first:
        assert atlas.areas.id(found[0]) == first
    wanted = fold(text)
    for area in found:
        words = f"\t{fold(atlas.areas.name(area))} \t{fold(atlas.areas.code(area))}".replace(" ", "\t")
        assert f"\t{wanted}".replace(" ", "\t") in words, atlas.areas.id(area)


def test_search_puts_more_people_first_and_forgives_accents(atlas: Atlas) -> None:
    assert atlas.areas.search("zurich", 5) == atlas.areas.search("Zürich", 5)
    assert number(atlas, "city:4931972") in atlas.areas.search("camb", 20)
    london = [atlas.areas.country(area) for area in atlas.areas.search("London", 5)]
    assert london[0] == "GB"


@pytest.mark.parametrize(
    "area_id", ["zip:02139", "country:US", "metro:GB-2643743", "postal:GB-RG12", " city:4931972 "]
)
def test_search_finds_a_whole_id(atlas: Atlas, area_id: str) -> None:
    assert atlas.areas.search(area_id, 5)[0] == number(atlas, area_id.strip())


@pytest.mark.parametrize(
    "text",
    ["", "   ", "zzzzqqqq", "\n", "\t", "\n\t", "zq\nzq", "-", "...", "x" * 100_000, "é" * 10_000, "\ud800"],
)
def test_search_for_nothing_finds_nothing(atlas: Atlas, text: str) -> None:
    assert atlas.areas.search(text) == []


def test_search_never_gives_more_than_asked_nor_one_area_twice(atlas: Atlas) -> None:
    for limit in (0, 1, 7, 50):
        found = atlas.areas.search("san", limit)
        assert len(found) == limit == len(set(found))


def test_metros_abroad_are_of_their_country_and_within_reach(atlas: Atlas) -> None:
    places, areas = atlas.places, atlas.areas
    metro = places.area[Level.METRO]
    for area_id in ("metro:GB-2643743", "metro:DE-2950159", "metro:JP-1850147"):
        at = number(atlas, area_id)
        here = metro == at
        assert here.sum() > 100
        assert not places.unplaced[here].any()
        country = {areas.country(int(c)) for c in np.unique(places.area[Level.COUNTRY][here])}
        assert country == {area_id[6:8]}
        away = np.hypot(places.lat[here] - areas.lat(at), (places.lon[here] - areas.lon(at)) * 0.7)
        assert away.max() < 0.6, "60 km"


@pytest.mark.parametrize(
    ("official", "short"),
    [("Boston-Cambridge-Newton, MA-NH", "Boston"), ("Winston-Salem, NC", "Winston-Salem"), ("Yuma, AZ", "Yuma"),
     ("Louisville/Jefferson County, KY-IN", "Louisville"), ("Nashville-Davidson--Murfreesboro--Franklin, TN", "Nashville")],
)  # fmt: skip
def test_a_metros_label_is_its_first_city(official: str, short: str) -> None:
    assert short_metro(official) == short
