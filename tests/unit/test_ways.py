"""A link's ways as numbers, and who is led which way."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from clickatlas.links.lock import OPEN_S, lock_key, opens, ticket
from clickatlas.links.ways import (
    MOST_WAYS,
    Seen,
    Ways,
    by_link,
    click_number,
    click_numbers,
    is_scan,
    link_of,
    marked,
    way_of,
)

LINKS, WAYS = st.integers(1, 2**38), st.integers(0, MOST_WAYS)
NOBODY = Seen("", "", "", "")


@given(LINKS, WAYS, st.booleans())
def test_a_number_tells_link_way_and_scan(link: int, way: int, scanned: bool) -> None:
    number = click_number(link, way, scanned=scanned)
    assert (link_of(number), way_of(number), is_scan(number)) == (link, way, scanned)
    assert number == int(float(number)) < 2**63


@given(LINKS, st.integers(0, 60))
def test_the_numbers_of_a_link_are_all_there_and_differ(link: int, made: int) -> None:
    every = click_numbers(link, made)
    assert len(set(every)) == len(every) == 2 * (made + 1)
    assert {link_of(number) for number in every} == {link}
    scans, others = click_numbers(link, made, scanned=True), click_numbers(link, made, scanned=False)
    assert set(scans) | set(others) == set(every)
    assert all(map(is_scan, scans))
    assert not any(map(is_scan, others))


def test_counts_of_ways_add_up_by_link() -> None:
    counts = {7: 1, click_number(7, 3): 2, click_number(7, 3, scanned=True): 4, 8: 8}
    assert by_link(counts) == {7: 7, 8: 8}


@pytest.mark.parametrize(
    ("query", "found"),
    [(b"", (False, b"")), (b"q", (True, b"")), (b"q&a=1", (True, b"a=1")), (b"q=1", (False, b"q=1")),
     (b"a=1&q", (False, b"a=1&q")), (b"qq", (False, b"qq")), (b"q&", (True, b""))],
)  # fmt: skip
def test_the_mark_of_a_code(query: bytes, found: tuple[bool, bytes]) -> None:
    assert marked(query) == found


def ways(*rows: dict[str, object]) -> Ways:
    made = Ways.read([{"way": number, "name": f"way {number}"} | row for number, row in enumerate(rows, 1)])
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("rule", "seen", "holds"),
    [
        ({"countries": ["DE", "AT"]}, Seen("AT", "AT-9", "mobile", "de-AT"), True),
        ({"countries": ["DE"]}, Seen("AT", "AT-9", "mobile", "de-AT"), False),
        ({"countries": ["DE"]}, NOBODY, False),
        ({"regions": ["US-MA"]}, Seen("US", "US-MA", "", ""), True),
        ({"regions": ["US-MA"], "devices": ["mobile"]}, Seen("US", "US-MA", "desktop", ""), False),
        ({"languages": ["de"]}, Seen("CH", "", "", "de-CH"), True),
        ({"languages": ["de-CH"]}, Seen("CH", "", "", "de-CH"), True),
        ({"languages": ["de-CH"]}, Seen("CH", "", "", "de"), False),
        ({"languages": ["pt-BR", "DE"]}, Seen("", "", "", "de-AT"), True),
        ({"devices": ["tablet", "mobile"]}, Seen("", "", "mobile", ""), True),
    ],
)
def test_whom_a_rule_is_for(rule: dict[str, object], seen: Seen, holds: bool) -> None:
    chosen = ways(rule).choose(seen, 1)
    assert (chosen is not None) == holds


def test_the_first_rule_that_holds_wins_and_the_rest_is_split() -> None:
    both = ways({"countries": ["DE"]}, {"devices": ["mobile"]}, {"weight": 1}, {"weight": 3})
    first = both.choose(Seen("DE", "", "mobile", ""), 5)
    second = both.choose(Seen("FR", "", "mobile", ""), 5)
    assert first
    assert second
    assert (first.number, second.number) == (1, 2)
    seen = Counter(way.number for lot in range(1, 4001) if (way := both.choose(NOBODY, lot)))
    assert seen == {3: 1000, 4: 3000}
    by_chance = Counter(way.number for _ in range(4000) if (way := both.choose(NOBODY, 0)))
    assert chisquare([by_chance[3], by_chance[4]], [1000, 3000]).pvalue > 1e-6
    assert Ways.read(None) is None
    assert Ways.read([]) is None


def test_a_ticket_opens_its_link_for_a_while() -> None:
    key, other = lock_key("$argon2id$one"), lock_key("$argon2id$two")
    given_out = ticket(key, "sale", now=1000.0)
    query = f"open={given_out}&a=1".encode()
    assert opens(key, "sale", query, now=1000.0 + OPEN_S) == (True, b"a=1")
    assert opens(key, "sale", query, now=1001.0 + OPEN_S) == (False, b"a=1")
    assert opens(other, "sale", query, now=1000.0) == (False, b"a=1")
    assert opens(key, "other", query, now=1000.0) == (False, b"a=1")
    end, _, signature = given_out.partition("-")
    later = f"open={int(end, 16) + 3600:x}-{signature}".encode()
    assert opens(key, "sale", later, now=1000.0)[0] is False


@given(st.binary(max_size=80))
def test_no_query_breaks_a_lock(query: bytes) -> None:
    assert opens(lock_key("digest"), "sale", b"open=" + query)[0] is False
    assert opens(lock_key("digest"), "sale", query)[0] is False
