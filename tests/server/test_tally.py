"""Every count in every table equals an independent tally made with `maxminddb`'s own reader."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.server import tally as count
from tests.server.tally import Tally
from tests.server.visitors import Visitor, record_of

LINKS = [None, *(f"tally-{number}" for number in range(5))]
TABLES = ("countries", "regions", "metros", "counties", "cities", "postal-codes")

each_link = pytest.mark.parametrize("code", LINKS, ids=lambda code: code or "workspace")
each_network = pytest.mark.parametrize("network", ["", "all"], ids=lambda name: name or "people")


def asked(tally: Tally, table: str, code: str | None, network: str) -> tuple[dict[str, Any], list[Visitor]]:
    query = {"network": network} if network else {}
    return tally.table(table, code, **query), tally.people(code, network)


def counts(answer: dict[str, Any], *fields: str) -> dict[Any, int]:
    rows = answer["rows"]
    keys = [tuple(row[field] for field in fields) if len(fields) > 1 else row[fields[0]] for row in rows]
    assert len(set(keys)) == len(keys), [key for key, n in Counter(keys).items() if n > 1]
    return dict(zip(keys, (row["clicks"] for row in rows), strict=True))


def test_draw_has_every_sort_of_address(tally: Tally) -> None:
    visitors = tally.visitors
    assert len(visitors) >= 2000
    assert sum(":" in v.address for v in visitors) > 700
    assert sum(":" not in v.address for v in visitors) > 1200
    assert sum(bool(v.country) and v.unplaced for v in visitors) > 100
    assert sum(v.kind == "hosting" for v in visitors) > 30
    assert sum(not v.record for v in visitors) > 5
    assert sum(v.kind == "bot" for v in visitors) > 30
    assert len({v.country for v in visitors}) > 50


@each_network
@each_link
def test_countries(tally: Tally, code: str | None, network: str) -> None:
    answer, people = asked(tally, "countries", code, network)
    assert counts(answer, "country") == count.countries(people)
    assert {row["id"] for row in answer["rows"]} == {f"country:{c}" for c in count.countries(people)}
    english = {v.country: v.record["country"]["names"]["en"] for v in people if v.country}
    assert {row["country"]: row["name"] for row in answer["rows"]} == english
    for row in answer["rows"]:
        assert row["country_name"] == row["name"]
        assert row["flag"] == "".join(chr(0x1F1E6 + ord(letter) - 65) for letter in row["country"])


@each_network
@each_link
def test_regions(tally: Tally, code: str | None, network: str) -> None:
    answer, people = asked(tally, "regions", code, network)
    found: Counter[tuple[str, str]] = Counter()
    with_iso = {(v.country, v.region[0]) for v in people if v.region[0]}
    for row in answer["rows"]:
        short = row["region_code"].removeprefix(f"{row['country']}-")
        key = (row["country"], short)
        found[key if key in with_iso else (row["country"], row["region"])] += row["clicks"]
        assert row["id"] == f"region:{row['region_code']}"
    assert found == count.regions(people)


@each_network
@each_link
def test_cities(tally: Tally, code: str | None, network: str) -> None:
    answer, people = asked(tally, "cities", code, network)
    assert counts(answer, "id") == count.cities(people)
    names: dict[str, set[str]] = {}
    for v in people:
        if v.city:
            names.setdefault(f"city:{v.city}", set()).add(v.record["city"].get("names", {}).get("en", ""))
    for row in answer["rows"]:
        assert row["city"] == row["name"]
        assert row["city"] in names[row["id"]] or names[row["id"]] == {""}, row


@each_network
@each_link
def test_postal_codes(tally: Tally, code: str | None, network: str) -> None:
    answer, people = asked(tally, "postal-codes", code, network)
    assert counts(answer, "country", "postal_code") == count.postal_codes(people)


@each_network
@each_link
def test_metros(tally: Tally, code: str | None, network: str) -> None:
    answer, people = asked(tally, "metros", code, network)
    assert counts(answer, "id") == count.metros(people)


@each_network
@each_link
def test_counties(tally: Tally, code: str | None, network: str) -> None:
    answer, people = asked(tally, "counties", code, network)
    assert counts(answer, "id") == count.counties(people)
    for row in answer["rows"]:
        assert row["county"] == row["name"]
        assert row["county_code"] == row["id"].removeprefix("county:")


@pytest.mark.parametrize("table", TABLES)
@each_network
@each_link
def test_totals_add_up(tally: Tally, table: str, code: str | None, network: str) -> None:
    answer, people = asked(tally, table, code, network)
    everyone = tally.people(code, "all")
    assert answer["total"] == len(people)
    assert answer["unplaced"] == sum(v.unplaced for v in people)
    assert answer["unknown"] == sum(not v.record for v in people)
    excluded = [v for v in everyone if v.kind != "residential"] if network != "all" else []
    assert {k: n for k, n in answer["left_out"].items() if n} == count.left_out(excluded)
    assert sum(row["clicks"] for row in answer["rows"]) + answer["unlisted"] == answer["total"]
    clicks = [row["clicks"] for row in answer["rows"]]
    assert clicks == sorted(clicks, reverse=True)
    for row in answer["rows"]:
        assert row["share"] == pytest.approx(row["clicks"] / len(people))
        assert -90 <= row["lat"] <= 90
        assert -180 <= row["lon"] <= 180


def test_limit_cuts_rows_and_nothing_else(tally: Tally) -> None:
    whole, cut = tally.table("cities"), tally.table("cities", limit=7)
    assert cut["rows"] == whole["rows"][:7]
    assert {**cut, "rows": 0} == {**whole, "rows": 0}


def test_mit_is_in_cambridge(tally: Tally) -> None:
    """The issue's own address, by hand: the database says Cambridge, Massachusetts, or thereabouts."""
    record = record_of("18.9.22.69")
    cambridge = next(
        r
        for r in tally.table("cities", network="all")["rows"]
        if r["id"] == f"city:{record['city']['geoname_id']}"
    )
    assert cambridge["region_code"] == "US-MA"
    assert cambridge["country_name"] == "United States"
