"""Tables sorted, searched and narrowed to unplaced clicks: over all rows, whatever is shown of them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from clickatlas.atlas.areas import fold
from tests.server.problems import is_problem
from tests.server.tally import Tally

TABLES = ("countries", "regions", "metros", "counties", "cities", "postal-codes")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("sort", ["clicks", "rate", "index", "name"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_sorted_before_it_is_cut(tally: Tally, table: str, sort: str, order: str) -> None:
    rows = tally.table(table)["rows"]
    found = tally.table(table, sort=sort, order=order, limit=7)["rows"]

    def key(row: dict[str, Any]) -> Any:
        return fold(row["name"]) if sort == "name" else row[sort]

    values = [key(row) for row in rows if key(row) is not None]
    expected = sorted(values, reverse=order == "desc") + [None] * (len(rows) - len(values))
    for said, wanted in zip([key(row) for row in found], expected, strict=False):
        assert said == wanted or math.isclose(said, wanted, rel_tol=1e-4)
    assert len(found) == min(7, len(rows))


def test_the_usual_order_is_each_column_s_own(tally: Tally) -> None:
    names = [fold(row["name"]) for row in tally.table("cities", sort="name")["rows"]]
    assert names == sorted(names)
    assert tally.table("cities", sort="rate") == tally.table("cities", sort="rate", order="desc")
    assert tally.table("cities", sort="clicks") == tally.table("cities")


def test_a_search_minds_neither_case_nor_accents_and_finds_a_city_s_postal_codes(tally: Tally) -> None:
    rows = tally.table("regions")["rows"]
    assert tally.table("regions", search="SÃO")["rows"] == [r for r in rows if "sao" in fold(r["name"])]
    codes = tally.table("postal-codes")["rows"]
    city = next(row["city"] for row in codes if row["city"])
    found = tally.table("postal-codes", search=city.upper())
    wanted = fold(city)
    assert found["rows"] == [r for r in codes if wanted in fold(f"{r['postal_code']}\n{r['city'] or ''}")
                             or wanted in fold(r["city"] or "")]  # fmt: skip
    assert found["unlisted"] == tally.table("postal-codes")["unlisted"]
    assert tally.table("cities", search="nowhere at all")["rows"] == []


def test_unplaced_clicks_by_country_add_up(tally: Tally) -> None:
    everything, found = tally.table("countries"), tally.table("countries", unplaced="true")
    assert sum(row["clicks"] for row in found["rows"]) + found["unlisted"] == everything["unplaced"]
    placed = {row["id"]: row["clicks"] for row in everything["rows"]}
    assert all(0 < row["clicks"] <= placed[row["id"]] for row in found["rows"])
    assert found["total"] == everything["total"]


@pytest.mark.parametrize("query", ["sort=height", "order=up", f"search={'x' * 101}", "unplaced=maybe"])
def test_nonsense_is_refused(tally: Tally, query: str) -> None:
    is_problem(tally.client.get(f"/api/analytics/geo/cities?{query}"), 400, 422)
