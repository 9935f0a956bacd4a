"""Two filters beside each other, against the tables of each."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import mapbox_vector_tile
import pytest

from tests.server.problems import is_problem
from tests.server.tally import Tally

LEVELS = ("countries", "regions", "metros", "cities", "postal-codes")


def areas(tally: Tally, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = tally.client.get("/api/compare/areas", params=query).raise_for_status().json()
    columns = [value for value in found.values() if isinstance(value, list)]
    assert len({len(column) for column in columns}) == 1
    return found


@pytest.mark.parametrize("level", LEVELS)
def test_each_side_is_its_own_table(tally: Tally, level: str) -> None:
    a, b = {"link": "tally-0", "network": "all"}, {"campaign": "campaign 1"}
    found = areas(tally, level=level, **a, **{f"b.{name}": value for name, value in b.items()})
    for side, query in (("a", a), ("b", b)):
        table = tally.table(level, **query)
        rows = {row["id"]: row for row in table["rows"] if row["clicks"]}
        mine = {
            n: (clicks, share)
            for n, clicks, share in zip(found["ids"], found[side], found[f"share_{side}"], strict=True)
            if clicks
        }
        assert {n: clicks for n, (clicks, _) in mine.items()} == {n: row["clicks"] for n, row in rows.items()}
        assert found[f"total_{side}"] == table["total"]
        for n, (_clicks, share) in mine.items():
            assert share == pytest.approx(rows[n]["share"], abs=1e-8)
    assert all(
        (difference > 0) == (a > b) or abs(a - b) < 0.002
        for difference, a, b in zip(found["difference"], found["share_a"], found["share_b"], strict=True)
    )


def test_swapped_filters_change_signs(tally: Tally) -> None:
    one = areas(tally, link="tally-0", **{"b.link": "tally-1"})
    other = areas(tally, link="tally-1", **{"b.link": "tally-0"})
    swapped = dict(zip(other["ids"], zip(other["difference"], other["z"], strict=True), strict=True))
    for number, difference, z in zip(one["ids"], one["difference"], one["z"], strict=True):
        assert swapped[number] == pytest.approx((-difference, -z), abs=1e-3)


def test_the_same_filter_twice_differs_nowhere(tally: Tally) -> None:
    found = areas(tally, level="cities")
    assert set(found["difference"]) == set(found["z"]) == {0}


def test_dates_of_the_second_filter_are_in_the_readers_zone(tally: Tally) -> None:
    zone = {"tz": "Pacific/Kiritimati", "to": "2100-01-01"}
    same = areas(tally, **zone, **{"b.to": "2100-01-01", "b.tz": "Pacific/Kiritimati"})
    assert areas(tally, **zone, **{"b.to": "2100-01-01"}) == same
    assert same["total_b"] == len(tally.people())


@pytest.mark.parametrize(
    ("query", "field"),
    [({"b.from": "yesterday"}, "b.from"), ({"b.network": "x"}, "b.network"), ({"b.tz": "Mars"}, "b.tz"), ({"from": "x"}, "from"), ({"level": "streets"}, "level")],
)  # fmt: skip
def test_what_can_not_be_read_names_its_side(tally: Tally, query: dict[str, str], field: str) -> None:
    assert is_problem(tally.client.get("/api/compare/areas", params=query), 422)["field"] == field


def test_tiles_hold_both_sides(tally: Tally) -> None:
    query = {"link": "tally-0", "b.link": ["tally-1", "tally-2"], "b.network": "all"}
    told = tally.client.get("/api/compare/tilejson", params=query).raise_for_status().json()
    scale = told["scales"]["difference"]
    assert len(scale["stops"]) == len(scale["light"]) == len(scale["dark"])
    assert 0 in scale["stops"]
    [template] = told["tiles"]
    sums = {"a": 0, "b": 0}
    for x in range(4):
        for y in range(4):
            path = template.format(z=2, x=x, y=y)
            assert parse_qs(urlsplit(path).query)["b.link"] == ["tally-1", "tally-2"]
            answer = tally.client.get(path)
            assert answer.status_code in (200, 204)
            for feature in (
                mapbox_vector_tile.decode(answer.content)["clusters"]["features"] if answer.content else []
            ):
                for side in sums:
                    sums[side] += feature["properties"][side]
    assert sums["a"] == told["total_a"] - told["unplaced_a"] > 0
    assert sums["b"] == told["total_b"] - told["unplaced_b"] > 0
    whole = tally.client.get("/api/compare/tiles/0/0/0.mvt", params=query)
    again = tally.client.get(
        "/api/compare/tiles/0/0/0.mvt", params=query, headers={"if-none-match": whole.headers["etag"]}
    )
    assert again.status_code == 304
    is_problem(tally.client.get("/api/compare/tiles/1/2/0.mvt"), 404)
    assert (
        tally.client.get(
            "/api/compare/tiles/0/0/0.mvt", params={"channel": "x", "b.channel": "x"}
        ).status_code
        == 204
    )
