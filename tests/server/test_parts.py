"""What clicks are made of and when they come: against the 3,000 known clicks."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.frames import read
from tests.server.problems import is_problem
from tests.server.tally import Tally
from tests.server.visitors import Visitor


def parts(tally: Tally, by: str, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = (
        tally.client.get("/api/analytics/breakdown", params={"by": by, **query}).raise_for_status().json()
    )
    assert found["by"] == by
    assert found["values"] >= len(found["rows"])
    clicks = [row["clicks"] for row in found["rows"]]
    assert clicks == sorted(clicks, reverse=True)
    for row in found["rows"]:
        assert row["share"] == pytest.approx(row["clicks"] / found["total"])
    return found


def counted(found: dict[str, Any]) -> dict[str | None, int]:
    return {row["value"]: row["clicks"] for row in found["rows"]}


KINDS = {
    "link": lambda v: [f"tally-{v.link}"],
    "campaign": lambda v: [f"campaign {v.link % 2}"],
    "channel": lambda v: [("email", "qr", "social")[v.link % 3]],
    "tag": lambda v: [f"tag{v.link}", "all"],
    "device": lambda v: [v.device],
    "network": lambda v: [v.kind],
    "referrer": lambda _: [None],
    "language": lambda _: [None],
}


@pytest.mark.parametrize(
    "query",
    [{}, {"network": "all"}, {"device": "mobile", "area": "country:US"}, {"link": "tally-2"}],
    ids=str,
)
@pytest.mark.parametrize("by", list(KINDS))
def test_each_part_is_counted(tally: Tally, by: str, query: dict[str, Any]) -> None:
    def meant(visitor: Visitor) -> bool:
        return (
            (visitor.kind == "residential" or query.get("network") == "all")
            and visitor.device == query.get("device", visitor.device)
            and ("area" not in query or visitor.country == "US")
            and ("link" not in query or visitor.link == 2)
        )

    visitors = [v for v in tally.visitors if meant(v)]
    found = parts(tally, by, **query)
    assert counted(found) == Counter(value for v in visitors for value in KINDS[by](v))
    assert found["total"] == len(visitors)
    assert tally.table("countries", **query)["total"] == len(visitors)


def test_browsers_and_systems_are_named(tally: Tally) -> None:
    browsers, systems = counted(parts(tally, "browser")), counted(parts(tally, "system"))
    assert set(browsers) == {"Firefox", "Mobile Safari"}
    assert sum(browsers.values()) == sum(systems.values()) == len(tally.people())
    assert {row["name"] for row in parts(tally, "referrer")["rows"]} == {"Direct"}


def test_the_first_rows_are_the_largest(tally: Tally) -> None:
    whole, first = parts(tally, "link"), parts(tally, "link", limit=2)
    assert first["rows"] == whole["rows"][:2]
    assert first["values"] == len(whole["rows"])


@pytest.mark.parametrize("query", [{}, {"by": "colour"}, {"by": "link", "limit": 0}], ids=str)
def test_a_part_that_there_is_not(tally: Tally, query: dict[str, Any]) -> None:
    is_problem(tally.client.get("/api/analytics/breakdown", params=query), 422)


def times(tally: Tally) -> list[tuple[datetime, dict[str, Any]]]:
    text = tally.client.get("/api/export/clicks.ndjson").raise_for_status().text
    rows = [json.loads(line) for line in text.splitlines()]
    return [(datetime.fromisoformat(row["time"]), row) for row in rows]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati"])
def test_hours_by_the_readers_clock(tally: Tally, zone: str) -> None:
    answer = tally.client.get("/api/analytics/hours", params={"tz": zone}).raise_for_status().json()
    expected = [[0] * 24 for _ in range(7)]
    for at, _row in times(tally):
        local = at.astimezone(ZoneInfo(zone))
        expected[local.weekday()][local.hour] += 1
    assert answer == {
        "clock": "reader", "tz": zone, "total": len(tally.people()), "unknown": 0, "since": None, "rows": expected,
    }  # fmt: skip


def test_hours_by_the_clock_of_each_place(tally: Tally) -> None:
    """The zones from the database's own records; clicks here come within minutes of each other."""
    answer = tally.client.get("/api/analytics/hours", params={"clock": "place"}).raise_for_status().json()
    assert sum(map(sum, answer["rows"])) + answer["unknown"] == answer["total"] == len(tally.people())
    moments = [at for at, _row in times(tally)]
    per_hour: dict[tuple[int, int], int] = Counter()
    vague = 0
    for visitor in tally.people():
        zone = visitor.record.get("location", {}).get("time_zone")
        if zone is None or (visitor.unplaced and not any(visitor.region)):
            vague += 1
            continue
        local = moments[0].astimezone(ZoneInfo(zone))
        per_hour[local.weekday(), local.hour] += 1
    # Clicks known to a country only may count where the country has one clock; and an hour may have turned.
    same_hour = len({(at.date(), at.hour, at.minute // 15) for at in moments}) == 1
    found = {(day, hour): n for day, row in enumerate(answer["rows"]) for hour, n in enumerate(row) if n}
    assert answer["unknown"] <= vague
    assert len(found) > 15
    if same_hour:
        assert all(found.get(cell, 0) >= n for cell, n in per_hour.items())
        assert sum(found.values()) - sum(per_hour.values()) == vague - answer["unknown"]


@pytest.mark.parametrize("bucket", ["hour", "day", "week", "month"])
def test_frames_add_up(tally: Tally, bucket: str) -> None:
    now = datetime.now(UTC)
    query = {
        "bucket": bucket, "tz": "Europe/Berlin",
        "from": str(now.date() - timedelta(days=40)), "to": str(now.date() + timedelta(days=1)),
    }  # fmt: skip
    answer = tally.client.get("/api/heat/frames", params=query).raise_for_status()
    assert answer.headers["content-type"] == "application/octet-stream"
    played = read(answer.content)
    series = tally.client.get("/api/analytics/clicks", params=query).json()
    assert [frame["time"] for frame in played.header["frames"]] == [row["time"] for row in series["rows"]]
    placed = [v for v in tally.people() if not v.unplaced]
    assert int(played.clicks.sum()) == len(placed)
    per_frame = [0] * len(series["rows"])
    for at, n in zip(played.frame.tolist(), played.clicks.tolist(), strict=True):
        per_frame[at] += n
    assert [frame["clicks"] for frame in played.header["frames"]] == per_frame
    assert all(mine <= row["clicks"] for mine, row in zip(per_frame, series["rows"], strict=True))
    assert played.header["depth"] == 16
    assert (played.header["bucket"], played.header["tz"]) == (bucket, "Europe/Berlin")
    expected = Counter(cell(v) for v in placed)
    found: dict[tuple[int, int], int] = Counter()
    for (x, y, _frame), n in played.cells().items():
        found[x, y] += n
    assert found == expected


def cell(visitor: Visitor) -> tuple[int, int]:
    import math

    assert visitor.position is not None
    lat, lon = visitor.position
    y = 0.5 - math.log(math.tan(math.pi / 4 + math.radians(lat) / 2)) / (2 * math.pi)
    return int((lon / 360 + 0.5) * 65536), int(y * 65536)


def test_frames_of_nothing_are_readable(tally: Tally) -> None:
    played = read(
        tally.client.get("/api/heat/frames", params={"channel": "nobody's"}).raise_for_status().content
    )
    assert played.header["frames"] == []
    assert played.header["points"] == 0
    week = {"from": "2020-01-06", "to": "2020-01-12"}
    played = read(tally.client.get("/api/heat/frames", params=week).raise_for_status().content)
    assert [frame["clicks"] for frame in played.header["frames"]] == [0] * 7
    too_many = {"from": "1990-01-01", "to": "2026-01-01", "bucket": "hour"}
    assert is_problem(tally.client.get("/api/heat/frames", params=too_many), 422)["field"] == "bucket"
