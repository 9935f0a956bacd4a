"""The atlas gives every address the answer that maxminddb's own reader gives."""

import ipaddress
from collections.abc import Iterator
from typing import Any

import maxminddb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickatlas.atlas import networks
from clickatlas.atlas.areas import Level
from clickatlas.atlas.atlas import Atlas
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.atlas.places import NOWHERE, PRIVATE
from tests.atlas_fixtures import city_file

Answer = tuple[str, str, str, str, float | None, float | None, int]

NOTHING: Answer = ("", "", "", "", None, None, 0)


@pytest.fixture(scope="module")
def reader() -> Iterator[maxminddb.Reader]:
    with maxminddb.open_database(str(city_file()), maxminddb.MODE_MMAP_EXT) as opened:
        yield opened


@pytest.fixture(scope="module")
def answers(atlas: Atlas) -> list[Answer]:
    """What the atlas says of every place, in the words of the City database."""
    places, areas = atlas.places, atlas.areas
    code = [areas.code(number) for number in range(len(areas))] + [""]

    def column(level: Level) -> list[str]:
        return [code[number] for number in places.area[level].tolist()]

    def after_country(codes: list[str]) -> list[str]:
        return [c.removeprefix(f"{country}-") for c, country in zip(codes, countries, strict=True)]

    def degrees(values: Any) -> list[float | None]:
        return [None if value != value else value for value in values.tolist()]

    countries = column(Level.COUNTRY)
    return list(
        zip(
            countries,
            after_country(column(Level.REGION)),
            column(Level.CITY),
            after_country(column(Level.POSTAL)),
            degrees(places.lat),
            degrees(places.lon),
            places.radius.tolist(),
            strict=True,
        )
    )


def expected(record: Any) -> Answer:
    """The same read straight from a record of the database, without any of the atlas's code."""
    if not record:
        return NOTHING
    location = record.get("location", {})
    subdivisions = record.get("subdivisions")
    city = record.get("city", {}).get("geoname_id", "")
    country = record.get("country", {}).get("iso_code", "")
    return (
        country,
        subdivisions[0]["iso_code"] if subdivisions and country else "",
        str(city),
        record.get("postal", {}).get("code", "") if country else "",
        location.get("latitude"),
        location.get("longitude"),
        location.get("accuracy_radius", 0),
    )


def disagreements(
    atlas: Atlas, reader: maxminddb.Reader, answers: list[Answer], addresses: list[str]
) -> list[str]:
    get = reader.get
    found = atlas.locator.locate(addresses).tolist()
    return [
        f"{address}: {answers[number]} is not {expected(get(address))}"
        for address, number in zip(addresses, found, strict=True)
        if answers[number] != expected(get(address))
    ]


def dotted(numbers: Any) -> list[str]:
    return [str(ipaddress.IPv4Address(number)) for number in numbers.tolist()]


def colons(numbers: Any) -> list[str]:
    return [str(ipaddress.IPv6Address(number)) for number in numbers]


def random_v6(atlas: Atlas, random: np.random.Generator, count: int) -> list[str]:
    """Addresses in ranges that the database knows: random ones are nowhere but for one in a million."""
    start = np.load(atlas.folder / "v6_start.npy")
    hi = random.choice(start, count).astype(object)
    shift = random.integers(0, 40, count)
    offset = random.integers(0, 2**40, count) >> shift  # near the start, and far beyond the next
    lo = random.integers(0, 2**63, count, dtype=np.uint64).astype(object)
    return colons(((hi + offset) % 2**64 << 64) | lo)


def test_a_million_random_addresses_get_the_readers_answer(
    atlas: Atlas, reader: maxminddb.Reader, answers: list[Answer]
) -> None:
    random = np.random.default_rng(20_261_122)
    four = random.integers(0, 2**32, 700_000, dtype=np.uint32)
    embedded = random.integers(0, 2**32, 20_000, dtype=np.uint32).astype(object)
    tail = random.integers(0, 2**62, 20_000).astype(object)
    addresses = [
        *dotted(four),
        *random_v6(atlas, random, 250_000),
        *colons(0xFFFF << 32 | embedded),  # mapped
        *colons(0x2002 << 112 | embedded << 80 | tail),  # 6to4
        *colons(0x20010000 << 96 | embedded << 64 | tail),  # Teredo
    ]
    assert len(addresses) >= 1_000_000
    assert (atlas.locator.locate(addresses[700_000:]) > PRIVATE).mean() > 0.5, "most are in the database"
    assert disagreements(atlas, reader, answers, addresses)[:5] == []


def test_both_edges_of_networks_of_every_length_get_the_readers_answer(
    atlas: Atlas, reader: maxminddb.Reader, answers: list[Answer]
) -> None:
    random = np.random.default_rng(7)
    lengths: dict[int, int] = {}
    edges: list[str] = []
    inside = dotted(random.integers(0, 2**32, 40_000, dtype=np.uint32)) + random_v6(atlas, random, 20_000)
    for address in inside:
        _, length = reader.get_with_prefix_len(address)
        version6 = ":" in address
        if lengths.get(length + 1000 * version6, 0) >= 150:
            continue
        lengths[length + 1000 * version6] = lengths.get(length + 1000 * version6, 0) + 1
        network = ipaddress.ip_network(f"{address}/{length}", strict=False)
        around = {int(network[0]) - 1, int(network[0]), int(network[-1]), int(network[-1]) + 1}
        make = ipaddress.IPv6Address if version6 else ipaddress.IPv4Address
        edges += [str(make(n)) for n in around if 0 <= n < 2 ** (128 if version6 else 32)]
    assert len(lengths) > 60, "of every prefix length some"
    assert disagreements(atlas, reader, answers, edges)[:5] == []


def test_one_address_at_a_time_and_batches_agree(atlas: Atlas) -> None:
    random = np.random.default_rng(3)
    addresses = dotted(random.integers(0, 2**32, 20_000, dtype=np.uint32)) + random_v6(atlas, random, 10_000)
    addresses += ["::1", "fe80::1%eth0", "junk", "", "10.0.0.1", "::ffff:18.9.22.69"]
    random.shuffle(addresses)
    one = [atlas.locator.place_of(address) for address in addresses]
    assert atlas.locator.locate(addresses).tolist() == one
    kinds = [atlas.locator.kind_of(address) for address in addresses]
    assert atlas.locator.kinds(addresses).tolist() == kinds


def test_packed_addresses_are_located_as_their_texts(atlas: Atlas) -> None:
    four = np.random.default_rng(5).integers(0, 2**32, 10_000, dtype=np.uint32)
    assert np.array_equal(atlas.locator.locate_packed(four), atlas.locator.locate(dotted(four)))
    assert np.array_equal(atlas.locator.locate_packed(four[:9]), atlas.locator.locate(dotted(four[:9])))


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "172.31.255.255", "192.168.0.1", "127.0.0.1", "169.254.1.1", "100.64.0.1", "0.0.0.0",
     "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fd12::1",
     "ff02::1", "2001:db8::1", "::ffff:10.0.0.1", "2002:a00:1::"],
)  # fmt: skip
def test_an_address_of_nobody_in_public_is_private(atlas: Atlas, address: str) -> None:
    assert atlas.locator.place_of(address) == PRIVATE


@pytest.mark.parametrize(
    "address", ["9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "100.63.255.255"]
)
def test_the_neighbours_of_private_networks_are_public(atlas: Atlas, address: str) -> None:
    assert atlas.locator.place_of(address) != PRIVATE


@pytest.mark.parametrize(
    "junk",
    ["", " ", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "1.2.3.4:80", "[::1]", "::1::", "::1%", "::1%a%b", "::1%/64", ":", "%",
     "localhost", "１.２.３.４", "\0", "1.2.3.4\0", "\ud800", "-1", "0x7f.1", None, 5, b"1.2.3.4", [], "a" * 10_000],
)  # fmt: skip
def test_what_is_no_address_is_nowhere(atlas: Atlas, junk: Any) -> None:
    assert atlas.locator.place_of(junk) == NOWHERE
    assert atlas.locator.kind_of(junk) == NetworkKind.RESIDENTIAL
    assert atlas.locator.locate([junk, "18.9.22.69"]).tolist() == [
        NOWHERE,
        atlas.locator.place_of("18.9.22.69"),
    ]


@settings(max_examples=500, deadline=None)
@given(text=st.text() | st.from_regex(r"[0-9a-f:.%]{0,45}", fullmatch=True) | st.ip_addresses().map(str))
def test_no_text_makes_the_locator_fail(atlas: Atlas, text: str) -> None:
    number = atlas.locator.place_of(text)
    assert 0 <= number < len(atlas.places)
    assert atlas.locator.locate([text]).tolist() == [number]
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        assert number == NOWHERE
    else:
        assert number == atlas.locator.place_of(parsed.compressed)


def test_an_empty_batch_is_an_empty_answer(atlas: Atlas) -> None:
    assert atlas.locator.locate([]).tolist() == []
    assert atlas.locator.locate_packed(np.zeros(0, np.uint32)).tolist() == []


def test_network_kinds_are_those_of_the_published_lists(atlas: Atlas) -> None:
    import iporigin

    random = np.random.default_rng(11)
    known = [
        "66.249.66.1",
        "52.95.110.1",
        "185.220.101.1",
        "104.16.0.1",
        "2001:4860:4860::8888",
        "18.9.22.69",
    ]
    start = np.load(atlas.folder / "kind4_start.npy")
    edges = np.concatenate([start, start - np.uint32(1)])
    for address in known + dotted(random.choice(edges, 5_000)):
        said = iporigin.classify(address).kind
        kind = NetworkKind(atlas.locator.kind_of(address)).name.lower()
        assert kind == {"unknown": "residential", "reserved": "residential"}.get(said, said), address


def special_networks() -> list[Any]:
    """Networks that are nobody's, by their texts."""
    four = [ipaddress.ip_network((start >> 96, length)) for start, length in networks.SPECIAL4]
    return four + [ipaddress.ip_network((start, length)) for start, length in networks.SPECIAL6]


@pytest.mark.parametrize("network", special_networks(), ids=str)
def test_reserved_addresses_have_no_kind_and_no_place_but_the_databases(
    atlas: Atlas, reader: maxminddb.Reader, answers: list[Answer], network: Any
) -> None:
    inside = [str(network[at]) for at in {0, 1, network.num_addresses // 2, -2, -1}]
    if network.version == 4:
        inside += [f"::ffff:{address}" for address in inside]
        inside += [f"2002:{int(network[at]) >> 16:x}:{int(network[at]) & 0xFFFF:x}::1" for at in (0, 1, -1)]
    assert set(map(atlas.locator.kind_of, inside)) == {NetworkKind.RESIDENTIAL}
    assert set(atlas.locator.kinds(inside).tolist()) == {NetworkKind.RESIDENTIAL}
    for address in inside:
        place = atlas.locator.place_of(address)
        if expected(reader.get(address)) == NOTHING:
            assert place == PRIVATE, address
        else:
            assert answers[place] == expected(reader.get(address)), address


def test_only_the_reserved_part_of_a_hosters_network_loses_its_kind() -> None:
    special = [(10 << 4, 124), (16 << 4, 124)]  # 160 to 175, 256 to 271
    ranges = [(100, 159, 1), (170, 180, 2), (200, 300, 3), (161, 165, 4), (150, 400, 5), (272, 272, 1)]
    assert list(networks._public(ranges, special)) == [
        (100, 159, 1), (176, 180, 2), (200, 255, 3), (272, 300, 3), (150, 159, 5), (176, 255, 5), (272, 400, 5),
        (272, 272, 1),
    ]  # fmt: skip
