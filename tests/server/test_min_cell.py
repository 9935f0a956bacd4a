"""Tables held to a smallest number of clicks per area: nothing below it, and nothing to subtract it from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.problems import is_problem
from tests.server.served import Served
from tests.server.tally import Tally

TABLES = ("countries", "regions", "metros", "counties", "cities", "postal-codes")


def table(api: httpx.Client, name: str, **how: Any) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/api/analytics/geo/{name}", params=how).raise_for_status().json()
    return found


@pytest.mark.parametrize("least", [2, 5, 20])
def test_no_row_is_small_and_every_table_adds_up(tally: Tally, least: int) -> None:
    with tally.served.client() as api:
        for name in TABLES:
            whole, held = table(api, name), table(api, name, min_cell=least)
            clicks = {row["id"]: row["clicks"] for row in whole["rows"]}
            shown = {row["id"]: row["clicks"] for row in held["rows"]}
            assert shown.items() <= clicks.items()
            assert all(number >= least for number in shown.values())
            assert sum(shown.values()) + held["unlisted"] == held["total"] == whole["total"]
            assert (whole["min_cell"], held["min_cell"]) == (0, least)
            assert whole["withheld"] == 0 <= held["withheld"] <= held["total"] - held["unplaced"]
        assert len(table(api, "countries", min_cell=least)["rows"]) > 5  # and something is left


def test_who_holds_all_tables_can_not_subtract(tally: Tally) -> None:
    """Linear algebra over countries and their regions: no small region is determined."""
    least = 5
    with tally.served.client() as api:
        all_regions = table(api, "regions")["rows"]
        shown = {row["id"] for row in table(api, "regions", min_cell=least)["rows"]}
        countries = {row["country"]: row["clicks"] for row in table(api, "countries", min_cell=least)["rows"]}
    small = [row for row in all_regions if row["clicks"] < least and row["country"] in countries]
    assert len(small) > 20
    whole = table_of_countries(all_regions)
    for row in small:
        rest = countries[row["country"]] - sum(
            other["clicks"] for other in whole[row["country"]] if other["id"] in shown
        )
        assert rest >= least
        assert rest > row["clicks"]


def table_of_countries(regions: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in regions:
        found.setdefault(row["country"], []).append(row)
    return found


def test_what_would_open_another_way_is_refused(tally: Tally) -> None:
    with tally.served.client() as api:
        path = "/api/analytics/geo/regions"
        is_problem(api.get(path, params={"min_cell": 5, "unplaced": True}), 422)
        too_many = is_problem(api.get(path, params={"min_cell": 100_000}), 403)
        assert too_many["title"] == "Too few clicks"
        is_problem(api.get(path, params={"min_cell": -1}), 422)


@pytest.fixture(scope="module")
def strict(data_folder: Callable[[str], Path]) -> Iterator[Served]:
    served = Served(data_folder("min-cell"), "--min-cell", "3").start()
    yield served
    served.kill()


def test_the_operators_setting_is_the_least(strict: Served) -> None:
    with strict.client() as api:
        made = api.post("/api/links", json={"url": "https://example.com/"}).json()
        for address, times in (("18.9.22.69", 4), ("130.225.0.1", 2)):
            for _ in range(times):
                assert api.get(made["short_url"], headers={"x-forwarded-for": address}).status_code == 302
        strict.settled(api, 6)
        for asked, least in ((0, 3), (1, 3), (4, 4)):
            answer = api.get("/api/analytics/geo/countries", params={"min_cell": asked, "network": "all"})
            # 4 clicks of one country beside 2 of another: both go, and nothing of all six can be told apart.
            held = answer.raise_for_status().json()
            assert (held["min_cell"], held["rows"], held["unlisted"], held["total"]) == (least, [], 6, 6)
        for area in ("region:US-MA", "country:DK", "country:FR"):  # enough, few and none look the same
            for path in ("analytics/geo/countries", "analytics/clicks", "heat/tilejson", "heat/frames"):
                is_problem(api.get(f"/api/{path}", params={"area": area, "network": "all"}), 403)
        assert table(api, "countries", network="tor")["rows"] == []
