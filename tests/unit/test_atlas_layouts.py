"""City files of other makers: whatever the layout, the same places, with whatever the maker knows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clickatlas.atlas import networks, update
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.build import build
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.atlas.places import NOWHERE, PRIVATE
from clickatlas.atlas.sources import KINDS, ZIPS, Ingredients, fetch
from clickatlas.errors import Problem
from clickatlas.progress import Silent
from tests.atlas_fixtures import cache
from tests.atlas_mmdb import write_mmdb
from tests.unit.test_atlas_update import database

Make = Callable[..., Atlas]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Builds an atlas with the real ZIP table and no cities."""
    cities = tmp_path / "cities.json"
    cities.write_text("{}")
    cities.with_name("countries.json").write_text(
        '{"US": {"name": "United States", "population": 331000000}}'
    )

    def make(city: Path) -> Atlas:
        made_from = Ingredients(city, fetch(ZIPS, cache(), Silent()), cities)
        return Atlas.open(build(made_from, tmp_path / "out", keep=None, progress=Silent()))

    return make


def areas(atlas: Atlas, address: str) -> dict[Level, tuple[str, str]]:
    """Id and name of the areas that an address is in."""
    number = atlas.locator.place_of(address)
    assert number not in (NOWHERE, PRIVATE)
    return {
        level: (atlas.areas.id(a), atlas.areas.name(a)) for level, a in atlas.places.areas_of(number).items()
    }


def spot(atlas: Atlas, address: str) -> tuple[float, float, int]:
    number, places = atlas.locator.place_of(address), atlas.places
    return float(places.lat[number]), float(places.lon[number]), int(places.radius[number])


def geolite(**more: Any) -> dict[str, Any]:
    """A record as GeoLite2-City has it."""
    names = {"de": "Cambridge", "en": "Cambridge", "ja": "ケンブリッジ"}
    return {
        "city": {"geoname_id": 4931972, "names": names},
        "continent": {"code": "NA", "geoname_id": 6255149, "names": {"en": "North America"}},
        "country": {"geoname_id": 6252001, "iso_code": "US", "names": {"de": "USA", "en": "United States"}},
        "location": {"accuracy_radius": ("u16", 20), "latitude": 42.3649, "longitude": -71.0987, "metro_code": ("u16", 506),
                     "time_zone": "America/New_York"},
        "postal": {"code": "02139"},
        "registered_country": {"geoname_id": 6252001, "iso_code": "US", "names": {"en": "United States"}},
        "subdivisions": [{"geoname_id": 6254926, "iso_code": "MA", "names": {"en": "Massachusetts"}}],
    } | more  # fmt: skip


def geoip2() -> dict[str, Any]:
    """As the paid GeoIP2-City has it: confidences, people, traits, a represented country."""
    record = geolite(
        traits={"user_type": "college", "is_anycast": True, "static_ip_score": 96.5, "user_count": 7},
        represented_country={
            "geoname_id": 9,
            "iso_code": "DE",
            "type": "military",
            "names": {"en": "Germany"},
        },
    )
    record["city"] |= {"confidence": ("u16", 60)}
    record["country"] |= {"confidence": ("u16", 99), "is_in_european_union": False}
    record["location"] |= {"average_income": 60123, "population_density": 6012}
    record["postal"] |= {"confidence": ("u16", 40)}
    record["subdivisions"][0] |= {"confidence": ("u16", 80)}
    return record


def test_the_paid_databases_further_fields_change_nothing(make: Make, tmp_path: Path) -> None:
    file = write_mmdb(tmp_path / "city.mmdb", {"18.9.22.0/24": geoip2(), "18.9.23.0/24": geolite()})
    atlas = make(file)
    assert atlas.locator.place_of("18.9.22.69") == atlas.locator.place_of("18.9.23.69"), "one place, not two"
    assert {level: which[0] for level, which in areas(atlas, "18.9.22.69").items()} == {
        Level.COUNTRY: "country:US", Level.REGION: "region:US-MA", Level.METRO: "metro:14460",
        Level.COUNTY: "county:25017", Level.CITY: "city:4931972", Level.POSTAL: "zip:02139",
    }  # fmt: skip
    assert spot(atlas, "18.9.22.69") == (42.3649, -71.0987, 20)


def test_db_ips_city_lite_has_names_where_others_have_numbers(make: Make, tmp_path: Path) -> None:
    """MaxMind's layout; regions without ISO codes, cities without geoname ids, no radius, zone or postal code."""
    record = {
        "city": {"names": {"en": "Cambridge (Area Two)"}},
        "continent": {"code": "NA", "geoname_id": 6255149, "names": {"en": "North America"}},
        "country": {"geoname_id": 6252001, "is_in_european_union": False, "iso_code": "US", "names": {"en": "United States"}},
        "location": {"latitude": 42.3649, "longitude": -71.0987},
        "subdivisions": [{"names": {"en": "Massachusetts"}}],
    }  # fmt: skip
    other = record | {
        "city": {"names": {"en": "Springfield"}},
        "subdivisions": [{"names": {"en": "Illinois"}}],
    }
    twin = record | {"city": {"names": {"en": "Springfield"}}, "subdivisions": [{"names": {"en": "Ohio"}}]}
    atlas = make(
        write_mmdb(tmp_path / "dbip.mmdb", {"1.0.0.0/24": record, "1.0.1.0/24": other, "1.0.2.0/24": twin})
    )
    found = areas(atlas, "1.0.0.1")
    assert found[Level.CITY][1] == "Cambridge (Area Two)"
    assert found[Level.REGION][1] == "Massachusetts"
    assert found[Level.REGION][0].startswith("region:US-x")
    assert areas(atlas, "1.0.1.1")[Level.CITY] != areas(atlas, "1.0.2.1")[Level.CITY], "two Springfields"
    assert spot(atlas, "1.0.0.1") == (42.3649, -71.0987, 0)
    assert not atlas.places.unplaced[atlas.locator.place_of("1.0.0.1")]


def test_ip2locations_lite_has_postal_codes_and_dashes_for_nothing(make: Make, tmp_path: Path) -> None:
    """MaxMind's layout again: `iso_code` and names, a postal code, '-' where nothing is known."""
    record = {
        "city": {"names": {"en": "Cambridge"}},
        "country": {"iso_code": "US", "names": {"en": "United States of America"}},
        "location": {"latitude": 42.3649, "longitude": -71.0987, "time_zone": "-04:00"},
        "postal": {"code": "02139"},
        "subdivisions": [{"iso_code": "MA", "names": {"en": "Massachusetts"}}],
    }
    nothing = {
        "city": {"names": {"en": "-"}},
        "country": {"iso_code": "-", "names": {"en": "-"}},
        "location": {"latitude": 0.0, "longitude": 0.0, "time_zone": "-"},
        "postal": {"code": "-"},
        "subdivisions": [{"names": {"en": "-"}}],
    }
    atlas = make(
        write_mmdb(
            tmp_path / "ip2l.mmdb", {"18.0.0.0/9": record, "10.0.0.0/8": nothing, "5.5.5.0/24": nothing}
        )
    )
    found = areas(atlas, "18.9.22.69")
    assert found[Level.POSTAL] == ("zip:02139", "02139")
    assert found[Level.COUNTY][0] == "county:25017", "through the ZIP code"
    assert found[Level.REGION][0] == "region:US-MA"
    assert atlas.locator.place_of("5.5.5.5") == NOWHERE, "dashes at 0, 0 are no place off the coast of Africa"
    assert atlas.locator.place_of("10.1.2.3") == PRIVATE
    assert atlas.places.zone[atlas.locator.place_of("18.9.22.69")] == -1, "an offset is no time zone"


def test_the_flat_layout_with_postal_codes_in_two_files(make: Make, tmp_path: Path) -> None:
    record = {"country_code": "US", "state1": "Massachusetts", "state2": "Middlesex", "city": "Cambridge", "postcode": "02139",
              "latitude": 42.36490249633789, "longitude": -71.09870147705078, "timezone": "America/New_York"}  # fmt: skip
    folder = tmp_path / "flat"
    folder.mkdir()
    write_mmdb(folder / "dbip-city-ipv4.mmdb", {"18.9.0.0/16": record}, ip_version=4, record_size=24)
    write_mmdb(folder / "dbip-city-ipv6.mmdb", {"2607:f8b0::/32": record | {"city": "", "postcode": ""}})
    atlas = make(folder)
    assert areas(atlas, "18.9.22.69")[Level.COUNTY][0] == "county:25017"
    assert spot(atlas, "18.9.22.69") == (42.3649, -71.0987, 0), "32-bit floats are rounded"
    assert "DB-IP" in atlas.sources[0].attribution, "by the name of the files"
    six = areas(atlas, "2607:f8b0::1")
    assert list(six) == [Level.COUNTRY, Level.REGION]
    assert atlas.places.unplaced[atlas.locator.place_of("2607:f8b0::1")]


def table(built: int, kinds: dict[str, tuple[int, int]]) -> bytes:
    """A ranges.bin as iporigin writes it, IPv4 alone."""
    import struct

    packed = struct.pack("<8sHQHII", b"IPORIGIN", 1, built, len(kinds), len(kinds), 0)
    for kind in kinds:
        label = f"somebody\t{kind}".encode()
        packed += struct.pack("<H", len(label)) + label
    for first, last in sorted(kinds.values()):
        packed += struct.pack("<IIH", first, last, list(kinds.values()).index((first, last)))
    return packed


def test_a_newer_table_of_network_kinds_is_used_and_an_older_or_broken_one_is_not(tmp_path: Path) -> None:
    file = tmp_path / "ranges.bin"
    ranges = {"vpn": (16 << 24, (16 << 24) + 255), "starship": (17 << 24, (17 << 24) + 255)}
    file.write_bytes(table(4_000_000_000, ranges))
    assert networks.newer(file) == file
    root = tmp_path / "atlas"
    city = database(tmp_path / "city.mmdb")
    first = update.build_atlas(root, cache(), city_file=city, progress=Silent())
    second = update.build_atlas(root, cache(), city_file=city, kinds_file=file, progress=Silent())
    assert first != second, "new kinds are a new atlas"
    before, after = Atlas.open(first), Atlas.open(second)
    assert [before.locator.kind_of(a) for a in ("16.0.0.7", "17.0.0.7")] == [NetworkKind.RESIDENTIAL] * 2
    assert after.locator.kind_of("16.0.0.7") == NetworkKind.VPN
    assert after.locator.kind_of("17.0.0.7") == NetworkKind.RESIDENTIAL, "a kind that we don't know"
    assert after.sources[3].version == "table of 2096-10-02"
    file.write_bytes(table(1_000_000_000, ranges))
    assert networks.newer(file) is None
    for junk in (b"", b"IPORIGIN", table(4_000_000_000, ranges)[:-3], b"x" * 100):
        file.write_bytes(junk)
        assert networks.newer(file) is None


def test_an_update_asks_for_network_kinds_and_does_not_fail_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / f"{KINDS.package}@{KINDS.version}"
    asked: list[bool] = []

    def fetched(_source: object, _cache: Path, _progress: object, *, fresh: bool) -> Path:
        asked.append(fresh)
        if len(asked) > 1:
            raise Problem(503, "No network", "No network")
        folder.mkdir()
        (folder / "ranges.bin").write_bytes(table(4_000_000_000, {"tor": (1, 2)}))
        return folder / "ranges.bin"

    monkeypatch.setattr(update, "fetch", fetched)
    assert update.fresh_kinds(tmp_path, Silent(), fresh=True) == folder / "ranges.bin"
    assert update.fresh_kinds(tmp_path, Silent(), fresh=True) is None, "what lies there has no receipt"
    assert update.fresh_kinds(tmp_path, Silent(), fresh=False) is None
    assert asked == [True, True], "without 'fresh' nobody is asked"
