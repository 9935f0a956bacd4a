"""A batch of texts is read as each of them would be alone: by the system's own `inet_pton`."""

import ipaddress
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clickatlas.atlas.addresses import as_list, packed_one, parse

NUMBER = st.integers(0, 300).map(str) | st.from_regex(r"[0-9a-fA-F]{0,5}", fullmatch=True)
NEARLY_FOUR = st.lists(NUMBER, min_size=3, max_size=5).map(".".join)
NEARLY_SIX = st.lists(NUMBER | st.just(""), min_size=1, max_size=10).map(":".join)
ENDED = st.builds(
    "{}{}".format, NEARLY_SIX, st.sampled_from(["", "::", ":", "%eth0", "/64", "::1.2.3.4", "\n", "\0"])
)
V6 = st.ip_addresses(v=6)
JUNK: st.SearchStrategy[Any] = (
    st.none() | st.integers() | st.floats() | st.binary() | st.just([]) | st.just("1" * 70_000)
)
TEXT = (
    st.text()
    | st.text("0123456789abcdefABCDEFx:.% \n\r\0٣", max_size=45)
    | NEARLY_FOUR
    | ENDED
    | st.ip_addresses(v=4).map(str)
    | V6.map(str)
    | V6.map(lambda address: address.exploded.upper())
    | st.ip_addresses(v=4).map("::ffff:{}".format)
)  # fmt: skip


def read(texts: list[Any]) -> list[bytes]:
    """What `parse` makes of each text, in the words of `packed_one`."""
    found = parse(texts)
    answer = [b""] * len(texts)
    for at, four in zip(found.at4.tolist(), found.v4.tolist(), strict=True):
        answer[at] += four.to_bytes(4, "big")
    for at, hi, lo in zip(found.at6.tolist(), found.hi.tolist(), found.lo.tolist(), strict=True):
        answer[at] += hi.to_bytes(8, "big") + lo.to_bytes(8, "big")
    return answer


@settings(max_examples=600, deadline=None)
@given(st.lists(TEXT | JUNK, max_size=12))
@example([])
@example([""])
@example(["a.b.c.d", "1.2.3.A"])
@example(["1.2.3.4\n5.6.7.8", "9.9.9.9"])
@example(["1.2.3.4\n", "", "5.6.7.8"])
@example(["\n", "1.2.3.4"])
@example(
    [
        "::",
        "1::",
        "::1",
        ":",
        ":::",
        "1:::2",
        ":1::",
        "::1:",
        "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8",
        "1::3:4:5:6:7:8",
    ]
)
@example(
    [
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::2::3",
        "::1:2::",
        "12345::",
        "g::",
        "::\ud800",
    ]
)
def test_a_batch_is_read_as_each_text_alone(texts: list[Any]) -> None:
    assert read(texts) == [packed_one(text) for text in texts]


@settings(max_examples=400, deadline=None)
@given(st.lists(NEARLY_FOUR, max_size=12) | st.lists(ENDED, max_size=12))
def test_a_batch_of_nearly_addresses_is_read_as_each_alone(texts: list[str]) -> None:
    assert read(texts) == [packed_one(text) for text in texts]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.ip_addresses(), min_size=1, max_size=50))
def test_addresses_come_back_as_they_are(addresses: list[Any]) -> None:
    assert read([str(address) for address in addresses]) == [address.packed for address in addresses]
    assert read([address.exploded for address in addresses]) == [address.packed for address in addresses]


def test_every_number_from_000_to_999_is_read_in_every_place() -> None:
    numbers = [
        *map(str, range(1000)),
        *(f"{n:03}" for n in range(1000)),
        *(f"{n:02}" for n in range(100)),
        "",
        "0000",
    ]
    texts = [
        ".".join(["7"] * place + [number] + ["7"] * (3 - place)) for place in range(4) for number in numbers
    ]
    assert read(texts) == [packed_one(text) for text in texts]
    right = [text for text in texts if packed_one(text)]
    assert len(set(right)) == 4 * 255 + 1
    assert read(right) == [ipaddress.ip_address(text).packed for text in right]


def test_every_shape_of_an_ipv6_address_is_read() -> None:
    chance = random.Random(6)
    shapes = ["", "0", "a1", "0bcd", "12345"]
    texts = [":".join(chance.choice(shapes) for _ in range(chance.randint(1, 10))) for _ in range(40_000)]
    texts += [":".join(["1"] * before + [""] * empty + ["2"] * after)
              for before in range(9) for empty in range(4) for after in range(9)]  # fmt: skip
    assert sum(map(bool, map(packed_one, texts))) > 500
    assert read(texts) == [packed_one(text) for text in texts]


@pytest.mark.parametrize(
    "column",
    [
        np.array(["1.2.3.4", "::1"]),
        np.array(["1.2.3.4", "::1"], "S"),
        np.array(["1.2.3.4", "::1"], object),
        ("1.2.3.4", "::1"),
        ["1.2.3.4", "::1"],
    ],
)
def test_columns_are_taken_as_lists_are(column: Any) -> None:
    assert read(as_list(column)) == [packed_one("1.2.3.4"), packed_one("::1")]


def test_a_missing_value_of_a_column_is_no_address() -> None:
    column = np.ma.masked_array(np.array(["1.2.3.4", "?"], object), [False, True])
    assert read(as_list(column)) == [packed_one("1.2.3.4"), b""]
