"""The filter means the same on every endpoint: against the 3,000 known clicks, one condition at a time and together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.server import tally as count
from tests.server.problems import is_problem
from tests.server.tally import Tally
from tests.server.visitors import Visitor

Condition = Callable[[Visitor], bool]

CASES: list[tuple[dict[str, Any], Condition]] = [
    ({"link": "tally-3"}, lambda v: v.link == 3),
    ({"link": ["tally-3", "tally-4"]}, lambda v: v.link in (3, 4)),
    ({"link": ["tally-3", "tally-3"]}, lambda v: v.link == 3),
    ({"campaign": "campaign 1"}, lambda v: v.link % 2 == 1),
    ({"campaign": ["campaign 1", "nobody's"]}, lambda v: v.link % 2 == 1),
    ({"campaign": "nobody's"}, lambda _: False),
    ({"channel": "qr"}, lambda v: v.link % 3 == 1),
    ({"channel": ["qr", "email"]}, lambda v: v.link % 3 in (0, 1)),
    ({"tag": "all"}, lambda _: True),
    ({"tag": ["tag1", "tag2"]}, lambda v: v.link in (1, 2)),
    ({"campaign": "campaign 0", "channel": "social"}, lambda v: v.link == 2),
    ({"link": "tally-1", "tag": "tag2"}, lambda _: False),
    ({"device": "mobile"}, lambda v: v.device == "mobile"),
    ({"device": ["mobile", "tablet"]}, lambda v: v.device in ("mobile", "tablet")),
    ({"device": "other"}, lambda v: v.device == "other"),
    ({"area": "country:US"}, lambda v: v.country == "US"),
    ({"area": ["country:DE", "country:JP"]}, lambda v: v.country in ("DE", "JP")),
    ({"area": "region:US-CA"}, lambda v: (v.country, v.region[0]) == ("US", "CA")),
    ({"area": ["region:US-CA", "country:US"]}, lambda v: v.country == "US"),
    ({"area": "metro:35620"}, lambda v: count.metro(v) == "metro:35620"),
    ({"area": "country:US", "device": "desktop", "link": "tally-0"},
     lambda v: (v.country, v.device, v.link) == ("US", "desktop", 0)),
]  # fmt: skip
NETWORKS: list[tuple[str | list[str] | None, set[str]]] = [
    (None, {"residential"}),
    ("residential", {"residential"}),
    ("all", {"residential", *count.KINDS}),
    ("hosting", {"hosting"}),
    ("hosting,bot", {"hosting", "bot"}),
    (["hosting", "residential"], {"hosting", "residential"}),
]


def total(tally: Tally, **query: Any) -> int:
    """The total, on which tables, map, time and export must agree."""
    table = tally.table("countries", **query)
    asked = [("/api/heat/tilejson", "total"), ("/api/analytics/clicks", "total")]
    for path, field in asked:
        answer = tally.client.get(path, params=query).raise_for_status().json()
        assert answer[field] == table["total"], path
    exported = tally.client.get("/api/export/clicks.ndjson", params=query).raise_for_status().text
    assert len(exported.splitlines()) == table["total"]
    return int(table["total"])


@pytest.mark.parametrize(
    ("query", "condition"), CASES, ids=lambda value: str(value)[:60] if isinstance(value, dict) else ""
)
def test_each_condition_lets_through_what_it_says(
    tally: Tally, query: dict[str, Any], condition: Condition
) -> None:
    everyone = [v for v in tally.visitors if condition(v)]
    people = [v for v in everyone if v.kind == "residential"]
    assert total(tally, **query, network="all") == len(everyone)
    assert total(tally, **query) == len(people)
    rows = tally.table("cities", **query)["rows"]
    assert {row["id"]: row["clicks"] for row in rows} == count.cities(people)


def test_areas_of_a_row_filter_to_that_row(tally: Tally) -> None:
    for table in ("countries", "regions", "metros", "cities", "postal-codes"):
        for row in tally.table(table, limit=4)["rows"]:
            assert total(tally, area=row["id"]) == row["clicks"], row["id"]


@pytest.mark.parametrize(("network", "kinds"), NETWORKS, ids=[str(network) for network, _ in NETWORKS])
def test_networks(tally: Tally, network: Any, kinds: set[str]) -> None:
    query = {} if network is None else {"network": network}
    assert total(tally, **query) == sum(v.kind in kinds for v in tally.visitors)
    left = tally.table("countries", **query)["left_out"]
    expected = Counter(v.kind for v in tally.visitors if v.kind not in kinds)
    assert {kind: n for kind, n in left.items() if n} == expected
    assert not set(left) & kinds
    assert {"hosting", "vpn", "tor", "cdn", "bot"} - kinds <= set(left)


BAD: list[dict[str, Any]] = [
    {"from": "yesterday"}, {"from": "2026-13-01"}, {"to": "2026-02-30"}, {"from": "2026-11-02", "to": "2026-11-01"},
    {"from": "2026-11-01T10:00", "to": "2026-11-01T10:00"}, {"tz": "Mars/Olympus"}, {"tz": "../../etc/passwd"}, {"tz": ""},
    {"tz": "\0"}, {"tz": "a" * 5000}, {"device": "fridge"}, {"network": "dial-up"}, {"network": "hosting,dial-up"},
    {"from": "\0"}, {"from": "٢٠٢٦-١١-٠١"},
]  # fmt: skip


@pytest.mark.parametrize("query", BAD, ids=lambda query: str(query)[:50])
@pytest.mark.parametrize(
    "path",
    ["/api/analytics/geo/countries", "/api/heat/tilejson", "/api/analytics/clicks", "/api/export/clicks.csv"],
)
def test_a_filter_that_can_not_be_read_is_refused(tally: Tally, path: str, query: dict[str, Any]) -> None:
    problem = is_problem(tally.client.get(path, params=query), 422)
    assert problem["field"] in query or "to" in query


@pytest.mark.parametrize(
    "query",
    [
        {"link": "nobody"},
        {"link": ["tally-1", "nobody"]},
        {"area": "country:XX"},
        {"area": "x"},
        {"area": ""},
    ],
    ids=str,
)
def test_what_is_not_there_is_not_found(tally: Tally, query: dict[str, Any]) -> None:
    for path in (
        "/api/analytics/geo/cities",
        "/api/heat/tiles/0/0/0.mvt",
        "/api/analytics/clicks",
        "/api/export/clicks.csv",
    ):
        is_problem(tally.client.get(path, params=query), 404)
    is_problem(tally.client.get("/api/analytics/geo/nobody/countries"), 404)
    is_problem(tally.client.get("/api/analytics/geo/tally-1/galaxies"), 404)


def test_choices_are_what_there_is(tally: Tally) -> None:
    choices = tally.client.get("/api/filters").json()
    assert [link["code"] for link in choices["links"]] == tally.codes[::-1]
    assert choices["campaigns"] == ["campaign 0", "campaign 1"]
    assert choices["channels"] == ["email", "qr", "social"]
    assert choices["tags"] == ["all", *(f"tag{n}" for n in range(5))]
    assert choices["clicks"] == len(tally.visitors)
