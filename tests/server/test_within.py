"""Drawn areas mean the same on every endpoint: against the 3,000 known clicks."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from clickatlas.clicks.filter import shapes
from clickatlas.insight.drawn import inside
from tests.frames import read
from tests.server.problems import is_problem
from tests.server.served import quickly
from tests.server.tally import Tally
from tests.server.test_filter import total
from tests.server.visitors import Visitor

EUROPE, JAPAN = "-12,35,40,71", "128,30,147,46"
BERING = "160,-50,-150,72"
TRIANGLE = "-125,25,-65,25,-95,50"


def lies(visitor: Visitor, *texts: str) -> bool:
    if visitor.unplaced or visitor.position is None:
        return False
    lat, lon = visitor.position
    return bool(inside(np.array([lat]), np.array([lon]), shapes(texts))[0])


@pytest.mark.parametrize(
    ("query", "drawn"),
    [
        ({"within": EUROPE}, [EUROPE]),
        ({"within": [EUROPE, JAPAN]}, [EUROPE, JAPAN]),
        ({"within": BERING}, [BERING]),
        ({"within": TRIANGLE}, [TRIANGLE]),
        ({"within": "-180,-90,180,90"}, ["-180,-90,180,90"]),
        ({"within": "100,-60,101,-59"}, ["100,-60,101,-59"]),
    ],
    ids=str,
)
def test_what_lies_within(tally: Tally, query: dict[str, Any], drawn: list[str]) -> None:
    everyone = [v for v in tally.visitors if lies(v, *drawn)]
    people = [v for v in everyone if v.kind == "residential"]
    assert total(tally, **query, network="all") == len(everyone)
    assert total(tally, **query) == len(people)
    assert total(tally, **query, device="mobile") == sum(v.device == "mobile" for v in people)
    both = sum(v.country in ("DE", "US") for v in people)
    assert total(tally, **query, area=["country:DE", "country:US"]) == both
    for path in ("/api/analytics/breakdown?by=browser", "/api/analytics/breakdown?by=link",
                 "/api/analytics/breakdown?by=network", "/api/analytics/hours", "/api/analytics/hours?clock=place"):  # fmt: skip
        answer = tally.client.get(
            path, params={**dict([path.partition("?")[2].split("=")] if "?" in path else []), **query}
        )
        assert answer.json()["total"] == len(people), path
    played = read(tally.client.get("/api/heat/frames", params=query).raise_for_status().content)
    assert int(played.clicks.sum()) == len(people)


def test_nothing_unplaced_lies_anywhere(tally: Tally) -> None:
    everywhere = tally.table("countries", within="-180,-90,180,90", network="all")
    assert everywhere["unplaced"] == everywhere["unknown"] == 0
    whole = tally.table("countries", network="all")
    assert everywhere["total"] == whole["total"] - whole["unplaced"]


def test_the_command_line_exports_what_lies_within(tally: Tally) -> None:
    lines = quickly(
        "export", "--format", "ndjson", "--within", EUROPE, "--within", JAPAN, data=tally.served.data
    ).stdout.splitlines()
    assert len(lines) == sum(lies(v, EUROPE, JAPAN) for v in tally.visitors)
    assert not any(json.loads(line)["unplaced"] for line in lines)


@pytest.mark.parametrize("within", ["1,2", "here", "0,0,1,100", "", "1,2,3,4,5"])
def test_a_shape_that_can_not_be_read_is_refused(tally: Tally, within: str) -> None:
    for path in ("/api/analytics/geo/countries", "/api/heat/tilejson", "/api/heat/frames", "/api/analytics/hours",
                 "/api/export/clicks.csv", "/api/compare/areas"):  # fmt: skip
        assert is_problem(tally.client.get(path, params={"within": within}), 422)["field"] == "within"
    refused = tally.client.get("/api/compare/areas", params={"b.within": within})
    assert is_problem(refused, 422)["field"] == "b.within"


def test_names_may_have_commas_and_lists_may_be_long(tally: Tally) -> None:
    for field in ("campaign", "channel", "tag"):
        assert total(tally, **{field: ["a,b", "ä & ö", "campaign 1"]}) == (
            total(tally, campaign="campaign 1") if field == "campaign" else 0
        )
    assert total(tally, tag=[*(f"t{n}" for n in range(500)), "all"]) == total(tally)
