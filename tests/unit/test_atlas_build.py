"""Building: any record size, any layout, the same places whatever the order, and old places kept."""

import ipaddress
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import maxminddb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.build import build
from clickatlas.atlas.contents import Contents
from clickatlas.atlas.places import NOWHERE, PRIVATE
from clickatlas.atlas.ranges import assemble, search
from clickatlas.atlas.records import UNKNOWN, Content, Names, read
from clickatlas.atlas.sources import Ingredients
from clickatlas.atlas.tree import Leaves, walk
from clickatlas.errors import Problem
from clickatlas.progress import Silent
from tests.atlas_mmdb import write_mmdb

Build = Callable[..., Atlas]

GEOLITE_ALIASES = ("::ffff:0:0/96", "2002::/16", "2001::/32")


def record(city: str, geoname: int, lat: float = 1.0, lon: float = 2.0, **more: Any) -> dict[str, Any]:
    return {
        "city": {"geoname_id": geoname, "names": {"en": city, "de": city.upper()}},
        "country": {"iso_code": "DE", "geoname_id": 9, "names": {"en": "Germany"}},
        "subdivisions": [{"iso_code": "BE", "names": {"en": "Berlin"}}, {"iso_code": "XX", "names": {"en": "Mitte"}}],
        "location": {"latitude": lat, "longitude": lon, "accuracy_radius": ("u16", 20), "time_zone": "Europe/Berlin"},
        "postal": {"code": "10115"},
    } | more  # fmt: skip


def key(content: Content) -> int:
    return int(Contents.of([content]).keys()[0])


ONE, TWO, THREE = record("One", 101), record("Two", 102, 3.0, 4.0), record("Three", 103, 5.0, 6.0)
NETWORKS = {
    "1.0.0.0/24": ONE,
    "1.0.1.0/24": ONE,  # merges with the one before
    "1.0.2.0/25": TWO,
    "1.0.2.129/32": THREE,
    "9.0.0.0/8": TWO,
    "10.1.0.0/16": THREE,  # a private network that the database does know
    "2a00::/32": ONE,
    "2a00:1::/33": TWO,
    "2a00:2::5/128": THREE,  # longer than /64
    "2a00:2::8/125": TWO,
    "2a00:2:0:1::/64": ONE,
}


@pytest.fixture(scope="module")
def gazetteer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """ZIP and city files of the real shape with next to nothing in them."""
    folder = tmp_path_factory.mktemp("gazetteer")
    from clickatlas.atlas.sources import ZIPS, fetch
    from tests.atlas_fixtures import cache

    zips, cities = folder / "zips.parquet", folder / "cities.json"
    real = fetch(ZIPS, cache(), Silent())
    duckdb.connect().execute(
        f"COPY (SELECT * FROM read_parquet('{real}') WHERE zip LIKE '0213%') TO '{zips}' (FORMAT parquet)"
    )
    town = {"name": "One", "countrycode": "DE", "latitude": 1.1, "longitude": 2.1, "population": 3_000_000}
    cities.write_text(json.dumps({"101": town}))
    (folder / "countries.json").write_text(json.dumps({"DE": {"name": "Germany", "population": 83_000_000}}))
    return zips, cities


@pytest.fixture
def make(gazetteer: tuple[Path, Path], tmp_path: Path) -> Build:
    def make(city_file: Path, name: str = "out", keep: Path | None = None) -> Atlas:
        return Atlas.open(
            build(Ingredients(city_file, *gazetteer), tmp_path / name, keep=keep, progress=Silent())
        )

    return make


def city_at(atlas: Atlas, address: str) -> str:
    number = atlas.locator.place_of(address)
    assert atlas.locator.locate([address]).tolist() == [number]
    if number in (NOWHERE, PRIVATE):
        return {NOWHERE: "nowhere", PRIVATE: "private"}[number]
    area = int(atlas.places.area[Level.CITY][number])
    return atlas.areas.name(area) if area >= 0 else "no city"


@pytest.mark.parametrize("size", [24, 28, 32])
def test_every_record_size_is_read_and_agrees_with_the_reader(make: Build, tmp_path: Path, size: int) -> None:
    file = write_mmdb(tmp_path / "city.mmdb", NETWORKS, record_size=size, aliases=GEOLITE_ALIASES)
    atlas = make(file)
    with maxminddb.open_database(str(file)) as reader:
        edges = set()
        for network in map(ipaddress.ip_network, NETWORKS):
            edges |= {network[0], network[-1], network[0] - 1, network[-1] + 1}
        mapped = [f"::ffff:{a}" for a in edges if a.version == 4]
        six_to_four = [
            str(ipaddress.IPv6Address(0x2002 << 112 | int(a) << 80 | 7)) for a in edges if a.version == 4
        ]
        teredo = [
            str(ipaddress.IPv6Address(0x20010000 << 96 | int(a) << 64 | 7)) for a in edges if a.version == 4
        ]
        for address in [*map(str, edges), *mapped, *six_to_four, *teredo]:
            found: Any = reader.get(address)
            said = found["city"]["names"]["en"] if found else "nowhere"
            assert city_at(atlas, address).replace("private", "nowhere") == said, address


def test_a_private_network_is_private_unless_the_database_knows_it(make: Build, tmp_path: Path) -> None:
    atlas = make(write_mmdb(tmp_path / "city.mmdb", NETWORKS))
    assert city_at(atlas, "10.1.2.3") == "Three"
    assert city_at(atlas, "10.0.255.255") == city_at(atlas, "10.2.0.0") == "private"
    assert city_at(atlas, "11.0.0.0") == "nowhere"
    assert city_at(atlas, "fd00::1") == "private"


def test_a_database_of_ipv4_alone_answers_mapped_addresses_too(make: Build, tmp_path: Path) -> None:
    networks = {network: said for network, said in NETWORKS.items() if ":" not in network}
    atlas = make(write_mmdb(tmp_path / "city.mmdb", networks, ip_version=4, record_size=24))
    assert city_at(atlas, "1.0.2.129") == city_at(atlas, "::ffff:1.0.2.129") == "Three"
    assert city_at(atlas, "2a00::1") == "nowhere"
    assert city_at(atlas, "2002:100:281::") == "nowhere", "this file says nothing of 6to4"


def flat(city: str, lat: float) -> dict[str, Any]:
    return {
        "country_code": "DE",
        "state1": "Land",
        "city": city,
        "latitude": lat,
        "longitude": 2.0,
        "timezone": "Europe/Berlin",
        "postcode": "",
    }


def test_the_flat_layout_in_two_files_makes_one_atlas(make: Build, tmp_path: Path) -> None:
    folder = tmp_path / "dbip"
    folder.mkdir()
    write_mmdb(
        folder / "v4.mmdb", {"1.0.0.0/24": flat("One", 1.0), "1.0.1.0/24": flat("Two", 2.0)}, ip_version=4
    )
    write_mmdb(folder / "v6.mmdb", {"2a00::/32": flat("Two", 2.0)})
    atlas = make(folder)
    assert city_at(atlas, "1.0.0.7") == "One"
    assert atlas.locator.place_of("1.0.1.7") == atlas.locator.place_of("2a00::7") > PRIVATE
    place = atlas.locator.place_of("1.0.1.7")
    ids = [atlas.areas.id(area) for area in atlas.places.areas_of(place).values()]
    assert ids[0] == "country:DE"
    assert ids[1].startswith("region:DE-x")
    assert ids[2].startswith("city:x")
    assert atlas.areas.name(atlas.places.areas_of(place)[Level.REGION]) == "Land"
    assert not atlas.places.unplaced[place]
    assert int(atlas.places.radius[place]) == 0, "not stated"


def test_keys_do_not_depend_on_the_order_of_networks_or_on_what_else_is_there(
    make: Build, tmp_path: Path
) -> None:
    backwards = dict(reversed(NETWORKS.items()))
    less = {network: NETWORKS[network] for network in list(NETWORKS)[:3]}
    one = make(write_mmdb(tmp_path / "1.mmdb", NETWORKS), "one")
    two = make(write_mmdb(tmp_path / "2.mmdb", backwards, record_size=32), "two")
    three = make(write_mmdb(tmp_path / "3.mmdb", less), "three")
    assert np.array_equal(one.places.key, two.places.key)
    assert np.array_equal(one.clusters.nodes(14).key, two.clusters.nodes(14).key)
    assert set(three.places.key.tolist()) < set(one.places.key.tolist())


def test_next_months_file_on_another_machine_gives_the_same_places_the_same_keys(
    make: Build, gazetteer: tuple[Path, Path], tmp_path: Path
) -> None:
    """Networks moved, a name respelt, a town gone and one come: what stayed where it is keeps its key."""
    this = make(write_mmdb(tmp_path / "this.mmdb", NETWORKS), "this")
    fourth = record("Four", 104, 7.0, 8.0)
    later = {"8.0.0.0/8": record("Eins", 101), "2a00:7::/32": TWO, "9.0.0.0/9": fourth}
    file = write_mmdb(tmp_path / "next.mmdb", later, record_size=24, built=1_702_600_000)
    script = (
        "import sys; from pathlib import Path; from clickatlas.atlas.build import build;"
        "from clickatlas.atlas.sources import Ingredients; from clickatlas.progress import Silent;"
        "p = [Path(a) for a in sys.argv[1:]];"
        "build(Ingredients(p[0], p[1], p[2]), p[3], keep=None, progress=Silent())"
    )
    elsewhere = tmp_path / "elsewhere"  # another process, with other hashes
    subprocess.run([sys.executable, "-c", script, file, *gazetteer, elsewhere], check=True,
                   env=os.environ | {"PYTHONHASHSEED": "4711"})  # fmt: skip
    other = Atlas.open(elsewhere)
    one, two, three = (
        int(this.places.key[this.locator.place_of(a)]) for a in ("1.0.0.1", "1.0.2.1", "1.0.2.129")
    )
    assert int(other.places.key[other.locator.place_of("8.8.8.8")]) == one
    assert int(other.places.key[other.locator.place_of("2a00:7::1")]) == two
    assert set(this.places.key.tolist()) & set(other.places.key.tolist()) == {NOWHERE, PRIVATE, one, two}
    assert other.places.number_of(np.array([three], np.uint64)).tolist() == [-1]


def test_a_respelt_name_is_the_same_place_and_a_moved_one_is_another() -> None:
    names = Names()
    before, respelt, moved = (
        key(read(said, names)._replace(radius=20))  # in `said` it is marked as the 16 bits it takes in a file
        for said in (ONE, record("Eins", 101), record("One", 101, lat=1.0001))
    )
    assert before == respelt != moved


def test_a_key_is_the_same_for_ever() -> None:
    content = Content("US", "MA", "4931972", "02139", 42.3649, -71.0987, 20, "America/New_York")
    assert key(content) == 0xF316CB553B661DCC


def test_places_of_the_atlas_before_are_kept_as_retired(make: Build, tmp_path: Path) -> None:
    old = make(write_mmdb(tmp_path / "old.mmdb", NETWORKS), "old")
    new = make(write_mmdb(tmp_path / "new.mmdb", {"1.0.0.0/24": TWO}), "new", keep=old.folder)
    newest = make(write_mmdb(tmp_path / "newest.mmdb", {"1.0.0.0/24": THREE}), "newest", keep=new.folder)
    number = int(new.places.number_of(old.places.key[[old.locator.place_of("1.0.0.1")]])[0])
    assert new.places.retired[number]
    assert not new.places.unplaced[number]
    assert new.clusters.node_of(14)[number] >= 0, "old clicks are still on the map"
    areas = {level.value: new.areas.id(area) for level, area in new.places.areas_of(number).items()}
    assert areas == {"country": "country:DE", "region": "region:DE-BE", "metro": "metro:DE-101", "city": "city:101",
                     "postal": "postal:DE-10115"}  # fmt: skip
    assert new.areas.name(new.places.areas_of(number)[Level.CITY]) == "One"
    assert not new.places.retired[new.locator.place_of("1.0.0.1")]
    assert (newest.places.number_of(old.places.key) >= 0).all(), "nor are they forgotten by the one after"
    assert not newest.places.retired[newest.locator.place_of("1.0.0.1")], "what comes back is retired no more"
    assert (
        newest.locator.locate(["1.0.0.1", "9.9.9.9"]) == [newest.locator.place_of("1.0.0.1"), NOWHERE]
    ).all()


@pytest.mark.parametrize(
    "said",
    [None, [], "text", 5, {}, {"country": {}}, {"subdivisions": []}, {"city": {}}, {"postal": {}}, {"location": {}},
     {"registered_country": {"iso_code": "AU"}}, {"continent": {"code": "EU"}}],
)  # fmt: skip
def test_a_record_that_says_nothing_is_no_place(said: Any) -> None:
    assert read(said, Names()) == UNKNOWN


def test_a_file_that_is_no_city_database_is_refused_in_words(make: Build, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mmdb"
    bad.write_bytes(b"PK\x03\x04 nothing of the kind")
    with pytest.raises(Problem, match=r"bad\.mmdb is no City database"):
        make(bad)
    with pytest.raises(Problem, match=r"missing\.mmdb"):
        make(tmp_path / "missing.mmdb")


def test_a_tree_names_its_aliases_instead_of_walking_them(tmp_path: Path) -> None:
    plain = walk(write_mmdb(tmp_path / "plain.mmdb", NETWORKS))
    aliased = walk(write_mmdb(tmp_path / "aliased.mmdb", NETWORKS, aliases=GEOLITE_ALIASES))
    assert {(alias.prefix, alias.length) for alias in aliased.aliases} == {
        (0, 96), (0xFFFF << 32, 96), (0x2002 << 112, 16), (0x2001 << 112, 32)
    }  # fmt: skip
    assert aliased.v4.hi.size == plain.v4.hi.size == 6
    assert aliased.v6.hi.size == plain.v6.hi.size == 5


prefixes = st.lists(st.tuples(st.integers(0, 2**128 - 1), st.integers(1, 128)), max_size=40)


@settings(max_examples=200, deadline=None)
@given(
    prefixes=prefixes, special=st.lists(st.tuples(st.integers(0, 2**128 - 1), st.integers(1, 64)), max_size=3)
)
def test_assembled_ranges_answer_as_the_longest_way_round_would(
    prefixes: list[tuple[int, int]], special: list[tuple[int, int]]
) -> None:
    leaves: list[tuple[int, int]] = []
    for number, length in prefixes:  # keep those that don't overlap
        start = number >> (128 - length) << (128 - length)
        end = start + (1 << (128 - length))
        if all(end <= s or start >= s + (1 << (128 - n)) for s, n in leaves):
            leaves.append((start, length))
    specials = [(number >> (128 - n) << (128 - n), n) for number, n in special]
    mask = 2**64 - 1
    ranges = assemble(
        Leaves(
            np.array([s >> 64 for s, _ in leaves], np.uint64),
            np.array([s & mask for s, _ in leaves], np.uint64),
            np.array([n for _, n in leaves], np.uint8),
            np.zeros(len(leaves), np.uint32),
        ),
        np.arange(2, len(leaves) + 2, dtype=np.int32),
        specials,
        PRIVATE,
        NOWHERE,
    )
    edges = [0, 2**128 - 1]
    for start, length in leaves + specials:
        end = start + (1 << (128 - length))
        edges += [start, end - 1, max(start - 1, 0), min(end, 2**128 - 1), start + (end - start) // 2]

    def slowly(address: int) -> int:
        for i, (start, length) in enumerate(leaves):
            if start <= address < start + (1 << (128 - length)):
                return i + 2
        inside = any(s <= address < s + (1 << (128 - n)) for s, n in specials)
        return PRIVATE if inside else NOWHERE

    hi = np.array([e >> 64 for e in edges], np.uint64)
    lo = np.array([e & mask for e in edges], np.uint64)
    found = ranges.value[search(ranges.hi, ranges.lo, hi, lo)]
    assert found.tolist() == [slowly(edge) for edge in edges]
    assert (ranges.value[1:] != ranges.value[:-1]).all(), "neighbours differ"


def test_reading_by_columns_and_one_by_one_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The quick way (numpy on the data section) and the C reader's make the same of the real database."""
    from clickatlas.atlas import decode
    from tests.atlas_fixtures import city_file

    quick, slow = decode.CityData(), decode.CityData()
    quick.add(city_file(), Silent())
    with maxminddb.open_database(str(city_file()), maxminddb.MODE_MMAP_EXT) as reader:
        leaves, row = quick.v4[0]
        some = np.random.default_rng(2).integers(0, leaves.hi.size, 5_000)
        addresses = [str(ipaddress.IPv4Address(int(start) >> 32)) for start in leaves.hi[some]]
        one_by_one = Contents.of(read(reader.get(address), slow.names) for address in addresses)
    assert (quick.contents.take(row[some]).keys() == one_by_one.keys()).all()
    for table in ("country", "region", "city"):
        seen, all_of_them = getattr(slow.names, table), getattr(quick.names, table)
        assert seen.items() <= all_of_them.items()


def test_what_the_quick_way_does_not_know_is_read_by_the_c_reader(make: Build, tmp_path: Path) -> None:
    odd = {
        "1.0.0.0/24": record("Ohne", 0)
        | {"city": {"names": {"fr": "Sans"}}},  # neither an id nor an English name
        "1.0.1.0/24": record("L" * 300, 7),  # longer than its one length byte can say
        "1.0.2.0/24": record(
            "Ja", 8, country={"iso_code": "FR", "is_in_european_union": True, "names": {"en": "France"}}
        ),
        "1.0.3.0/24": record("Viel", 9, traits={f"k{n}": n for n in range(40)}),  # a long map
    }
    atlas = make(write_mmdb(tmp_path / "odd.mmdb", odd))
    assert [city_at(atlas, f"1.0.{n}.1") for n in range(4)] == ["Sans", "L" * 300, "Ja", "Viel"]
    assert (
        atlas.areas.name(atlas.places.areas_of(atlas.locator.place_of("1.0.2.1"))[Level.COUNTRY]) == "France"
    )
