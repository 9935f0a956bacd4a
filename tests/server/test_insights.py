"""Insights through the API: numbers against the tally, nothing hidden is named, and words that are right."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections import Counter
from typing import Any

import pytest

from tests.server import tally as tallied
from tests.server.making import make
from tests.server.problems import is_problem
from tests.server.tally import Tally

TABLES = (
    "concentration",
    "gaps",
    "hotspots",
    "audience",
    "differences",
    "rhythm",
    "weekends",
    "coasts",
    "peaks",
    "oddities",
    "languages",
    "offers",
)
KINDS = {
    "concentration",
    "gap",
    "hotspot",
    "audience",
    "difference",
    "rhythm",
    "target",
    "oddity",
    "language",
}
ONE = re.compile(
    r"(?<![\d.,])1 (clicks|areas|regions|metros|counties|countries|postal codes|cities|days)\b|\b0 click\b"
)


def ask(tally: Tally, question: str = "", **query: Any) -> dict[str, Any]:
    """An answer in which nothing is NaN or infinite (strict JSON has neither)."""
    answer = tally.client.get(f"/api/insights{question}", params=query, timeout=120).raise_for_status()
    return dict(json.loads(answer.text, parse_constant=lambda word: pytest.fail(f"{word} in JSON")))


def about(question: str) -> dict[str, str]:
    return {"b.link": "tally-1"} if question == "differences" else {}


def columns(found: dict[str, Any]) -> dict[str, list[Any]]:
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, list) and name != "lorenz" and name != "sides"
    }


def test_cards_say_what_the_tally_says(tally: Tally) -> None:
    found = ask(tally, network="all")
    assert found["total"] == len(tally.people(network="all"))
    assert found["cards"]
    assert all(note.startswith("Too few clicks to say") for note in found["notes"])
    assert not any(card["sentence"].startswith("Too few") for card in found["cards"])
    for card in found["cards"]:
        assert card["kind"] in KINDS
        assert card["sentence"]
        assert card["method"]
        assert 0 < card["sample"] <= found["total"]
        assert not ONE.search(card["sentence"]), card["sentence"]
        if card["interval"] and isinstance(card["numbers"].get(card["of"]), (int, float)):
            assert card["interval"][0] <= card["interval"][1]
        assert card["p"] is None or 0 <= card["p"] <= 1
        assert card["areas_total"] >= len(card["areas"])


@pytest.mark.parametrize(("level", "count"), [("countries", tallied.countries), ("cities", tallied.cities)])
def test_concentration_is_the_tally_s_own_order(tally: Tally, level: str, count: Any) -> None:
    found = ask(tally, "/concentration", level=level, network="all")
    people = tally.people(network="all")
    if level == "cities":
        people = [one for one in people if not one.unplaced]
    truth: Counter[str] = count(people)
    if level == "countries":
        truth = Counter({f"country:{code}": n for code, n in truth.items()})
    assert dict(zip(found["ids"], found["clicks"], strict=True)) == dict(truth)
    assert found["clicks"] == sorted(found["clicks"], reverse=True)
    # The fewest areas with 40 % of the clicks, by plain counting.
    whole, sum_, fewest = sum(truth.values()), 0, 0
    for n in sorted(truth.values(), reverse=True):
        sum_, fewest = sum_ + n, fewest + 1
        if sum_ >= 0.4 * whole:
            break
    assert found["top"] == fewest


def test_gaps_count_what_the_tables_count(tally: Tally) -> None:
    found = ask(tally, "/gaps", level="countries", network="all")
    truth = tallied.countries(tally.people(network="all"))
    for area, clicks, expected, missing in zip(
        found["ids"], found["clicks"], found["expected"], found["missing"], strict=True
    ):
        assert clicks == truth[area.removeprefix("country:")]
        assert expected >= 5
        assert missing == pytest.approx(expected - clicks, abs=0.01)


def test_differences_are_plain_location_quotients(tally: Tally) -> None:
    found = ask(tally, "/differences", level="countries", link="tally-0", **{"b.link": "tally-1"})
    sides = [tallied.countries(tally.people(code)) for code in ("tally-0", "tally-1")]
    totals = [sum(side.values()) for side in sides]
    assert [found["total_a"], found["total_b"]] == totals
    for area, a, b, quotient in zip(found["ids"], found["a"], found["b"], found["quotient"], strict=True):
        code = area.removeprefix("country:")
        assert (a, b) == (sides[0][code], sides[1][code])
        if b:
            assert quotient == pytest.approx((a / totals[0]) / (b / totals[1]), rel=1e-4)
    assert found["sides"] == ["tally-0", "tally-1"]


@pytest.mark.parametrize("question", TABLES)
def test_every_table_is_a_spreadsheet_too(tally: Tally, question: str) -> None:
    found = ask(tally, f"/{question}", **about(question))
    lists = columns(found)
    assert len({len(column) for column in lists.values()}) == 1
    answer = tally.client.get(
        f"/api/insights/{question}", params={**about(question), "format": "csv"}, timeout=120
    )
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="{question}.csv"'
    header, *rows = list(csv.reader(io.StringIO(answer.text)))
    assert len(header) == len(lists)
    assert len(rows) == len(next(iter(lists.values())))
    assert not any(re.match(r"\s*[=+@]", cell) for row in rows for cell in row)


@pytest.mark.parametrize("least", [5, 30])
def test_no_insight_names_an_area_that_may_not_be_shown(tally: Tally, least: int) -> None:
    shown: set[str] = set()
    for table in ("countries", "regions", "metros", "counties", "cities", "postal-codes"):
        shown |= {row["id"] for row in tally.table(table, min_cell=least)["rows"]}
    found = ask(tally, min_cell=least)
    assert found["min_cell"] == least
    for card in found["cards"]:
        assert {area["id"] for area in card["areas"]} <= shown
        assert set(card["filter"].get("area", [])) <= shown
    for question in ("concentration", "gaps", "hotspots", "weekends", "peaks", "oddities", "languages"):
        assert set(ask(tally, f"/{question}", min_cell=least)["ids"]) <= shown


def test_few_clicks_say_nothing(tally: Tally) -> None:
    found = ask(tally, link="tally-4", device="tablet")
    assert found["total"] < found["needed"]
    assert found["cards"] == []


def test_no_clicks_are_answered_too(tally: Tally) -> None:
    code = make(tally.client)["code"]
    assert ask(tally, link=code)["cards"] == []
    for question in TABLES:
        table = ask(tally, f"/{question}", link=code, **about(question))
        assert table["total"] == 0
        assert all(not isinstance(n, float) or math.isfinite(n) for n in table.values())
    tally.client.delete(f"/api/links/{code}").raise_for_status()


@pytest.mark.parametrize(
    ("path", "status"),
    [("?baseline=x", 422), ("?level=streets", 422), ("?clock=%00", 422), ("?b.tz=Mars", 422), ("?link=nobody", 404),
     ("?area=zip:x", 404), ("?min_cell=-1", 422), ("/gaps?format=xml", 422), ("/audience?against=country:XX", 404),
     ("/audience?against=%00", 404), ("/offers?by=colour", 422), ("/differences", 422), ("/target", 404), ("/nothing", 404),
     ("/gaps?level=%ff", 422), ("?b.link=%ff", 404), ("/rhythm?tz=%ff", 422)],
)  # fmt: skip
def test_what_can_not_be_read_is_a_problem(tally: Tally, path: str, status: int) -> None:
    is_problem(tally.client.get(f"/api/insights{path}"), status)


@pytest.mark.parametrize("level", ["countries", "regions", "metros"])
def test_an_area_is_told_what_the_tables_say_of_it(tally: Tally, level: str) -> None:
    """Every tested area's row, and of one that isn't tested nothing."""
    gaps, spots = (
        ask(tally, f"/{question}", level=level, network="all") for question in ("gaps", "hotspots")
    )
    for at, area in enumerate(gaps["ids"][:3] + gaps["ids"][-3:]):
        told = ask(tally, f"/areas/{area}", network="all")
        row = gaps["ids"].index(area)
        fewer = gaps["clicks"][row] < gaps["expected"][row]
        table = gaps if fewer else spots
        row = table["ids"].index(area)
        for name in ("clicks", "expected", "low", "high", "p", "q"):
            assert told[name] == pytest.approx(table[name][row]), (at, area, name)
        assert told["ratio"] == pytest.approx(told["clicks"] / told["expected"], rel=1e-4)
        hot = spots["ids"].index(area)
        found = spots["found"][hot] or spots["gi_found"][hot]
        assert told["said"] == (
            "fewer" if gaps["found"][gaps["ids"].index(area)] else "more" if found else "usual"
        )
        assert told["tested"] == len(gaps["ids"])
    quiet = ask(tally, "/areas/country:VA", network="all")
    assert quiet["said"] == "unknown"
    assert quiet["clicks"] is quiet["q"] is None
    is_problem(tally.client.get("/api/insights/areas/country:ZZ"), 404)


def test_a_difference_is_the_same_on_map_and_table(tally: Tally) -> None:
    sides = {"link": "tally-0", "b.link": "tally-1"}
    for level in ("countries", "regions", "cities"):
        found = ask(tally, "/differences", level=level, **sides)
        compared = tally.client.get("/api/compare/areas", params={"level": level, **sides}).json()
        told = dict(zip(found["ids"], zip(found["q"], found["differs"], strict=True), strict=True))
        assert set(told) == set(compared["ids"])
        for area, q, differs in zip(compared["ids"], compared["q"], compared["differs"], strict=True):
            assert told[area] == (pytest.approx(q), differs) if q is not None else told[area] == (None, False)
            assert differs == (q is not None and q <= 0.05)


def test_a_targets_parts_and_unexpected_countries_are_spreadsheets(tally: Tally) -> None:
    path, about_it = "/api/links/tally-1", {"link": "tally-1"}
    tally.client.patch(path, json={"target": {"areas": ["country:US"]}}).raise_for_status()
    try:
        found = ask(tally, "/target", **about_it)
        sheets = {
            part: _sheet(tally, "/target", **about_it, table=part)
            for part in ("spill", "share", "channels", "silent")
        }
        assert float(sheets["share"][0]["share"]) == pytest.approx(found["share"], rel=1e-5)
        assert float(sheets["share"][0]["inside"]) == pytest.approx(found["inside"], rel=1e-5)
        for name in (
            "residents", "unreached", "unreached_low", "unreached_high", "unreached_by_chance",
            "income_known", "unreached_income", "unreached_income_low",
        ):  # fmt: skip
            assert float(sheets["share"][0][name]) == pytest.approx(found[name], rel=1e-5), name
        assert (
            0 <= found["unreached_low"] <= found["unreached_high"] == found["unreached"] < found["residents"]
        )
        assert sum(found["silent"].values()) <= found["unreached_low"] * (1 + 1e-4)
        assert 0 <= found["unreached_income_low"] <= found["unreached_income"] <= 1
        assert found["income_known"] > 0.9, "by ZIP code"
        told = {
            row["channel"]: [float(row[name]) for name in ("share", "low", "high")]
            for row in sheets["channels"]
        }
        assert told == {name: pytest.approx(of, rel=1e-5) for name, of in found["channels"].items()}
        assert {row["id"] for row in sheets["silent"]} == set(found["silent"])
        assert [row["id"] for row in sheets["spill"]] == found["ids"]
        countries = ask(tally, "/markets", **about_it)
        assert "country:US" not in countries["ids"], "it was aimed at"
        assert {
            row["id"]: int(row["clicks"])
            for row in tally.table("countries", **about_it)["rows"]
            if row["id"] in countries["ids"]
        } == dict(zip(countries["ids"], countries["clicks"], strict=True))
        assert [row["id"] for row in _sheet(tally, "/markets", **about_it)] == countries["ids"]
    finally:
        tally.client.patch(path, json={"target": None}).raise_for_status()
    assert tally.client.get("/api/insights/markets", params=about_it).status_code == 404


def _sheet(tally: Tally, question: str, **query: Any) -> list[dict[str, str]]:
    answer = tally.client.get(f"/api/insights{question}", params=query | {"format": "csv"}, timeout=120)
    return list(csv.DictReader(io.StringIO(answer.raise_for_status().text)))


def test_the_target_s_table_brings_the_target(tally: Tally) -> None:
    ring = [[-80, 40], [-70, 40], [-70, 45], [-80, 45], [-80, 40]]
    wanted = {
        "areas": ["region:US-MA"], "circles": [{"lat": 40.7, "lon": -74.0, "km": 80.0}],
        "shape": {"type": "Polygon", "coordinates": [ring]},
    }  # fmt: skip
    path = "/api/links/tally-1"
    tally.client.patch(path, json={"target": wanted}).raise_for_status()
    try:
        told = ask(tally, "/target", link="tally-1")["target"]
        assert told["areas"] == wanted["areas"]
        assert told["circles"] == wanted["circles"]
        assert told["shape"] == {"type": "MultiPolygon", "coordinates": [[ring]]}
        # Given back, it is the same target.
        tally.client.patch(path, json={"target": told}).raise_for_status()
        assert ask(tally, "/target", link="tally-1")["target"] == told
    finally:
        tally.client.patch(path, json={"target": None}).raise_for_status()


def test_of_several_targets_each_click_is_held_against_that_of_its_own_link(tally: Tally) -> None:
    wanted = {"tally-1": {"areas": ["region:US-MA"]}, "tally-2": {"areas": ["country:US"]}}
    figures = ("sample", "inside", "uncertain", "outside", "untold")
    try:
        alone = []
        for link, target in wanted.items():
            tally.client.patch(f"/api/links/{link}", json={"target": target}).raise_for_status()
            alone.append(ask(tally, "/target", link=link))
        both = ask(tally, "/target", link=list(wanted))
        assert [both[name] for name in figures] == [sum(one[name] for one in alone) for name in figures]
        mean = sum(one["share"] * one["sample"] for one in alone) / both["sample"]
        assert both["share"] == pytest.approx(mean, abs=1e-4)
        assert both["low"] <= both["share"] <= both["high"]
        assert (both["targets"], both["all_links"]) == (2, True)
        assert sorted(both["target"]["areas"]) == ["country:US", "region:US-MA"]
        every = ask(tally, "/target")  # the others have none: they are left out
        assert [every[name] for name in (*figures, "share")] == [both[name] for name in (*figures, "share")]
        assert not every["all_links"]
        assert tally.client.get("/api/insights/target", params={"min_cell": 5}).status_code == 404
    finally:
        for link in wanted:
            tally.client.patch(f"/api/links/{link}", json={"target": None}).raise_for_status()
    assert tally.client.get("/api/insights/target", params={"link": list(wanted)}).status_code == 404


def test_tables_of_times_say_what_their_cards_say(tally: Tally) -> None:
    cards = ask(tally)["cards"]
    peaks = ask(tally, "/rhythm")["peaks"]
    said = [
        card["numbers"]["ratio"] for card in cards if card["kind"] == "rhythm" and "weeks" in card["numbers"]
    ]
    assert all(ratio in [peak["ratio"] for peak in peaks.values() if peak] for ratio in said)
    for level in ("countries", "regions"):
        found = ask(tally, "/oddities", level=level)
        assert found["begins"] < found["ends"]
        named = {area["id"] for card in cards if card["kind"] == "oddity" for area in card["areas"]}
        odd = {area for area, is_ in zip(found["ids"], found["found"], strict=True) if is_}
        assert named & set(found["ids"]) <= odd


def test_a_new_target_is_answered_at_once(tally: Tally) -> None:
    """Though no click has come since."""

    def kinds() -> set[str]:
        return {card["kind"] for card in ask(tally, link="tally-2", network="all")["cards"]}

    assert "target" not in kinds()
    for path in ("/api/links/tally-2", "/api/campaigns/campaign 0"):
        tally.client.patch(path, json={"target": {"areas": ["country:US"]}}).raise_for_status()
        try:
            assert "target" in kinds()
        finally:
            tally.client.patch(path, json={"target": None}).raise_for_status()
        assert "target" not in kinds()
