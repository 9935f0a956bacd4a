"""Dates, zones and buckets: against the 3,000 known clicks."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.server.tally import Tally
from tests.server.test_filter import total


def times(tally: Tally) -> list[datetime]:
    text = tally.client.get("/api/export/clicks.ndjson", params={"network": "all"}).raise_for_status().text
    return sorted(datetime.fromisoformat(json.loads(line)["time"]) for line in text.splitlines())


def test_the_first_and_the_last_click_are_told(tally: Tally) -> None:
    choices, clicked = tally.client.get("/api/filters").json(), times(tally)
    assert datetime.fromisoformat(choices["first_click"]) == clicked[0]
    assert datetime.fromisoformat(choices["last_click"]) == clicked[-1]


def test_dates_include_their_last_day_and_date_times_do_not(tally: Tally) -> None:
    clicked = times(tally)
    first, last = clicked[0], clicked[-1]
    everything = len(clicked)
    day, next_day = first.date(), last.date() + timedelta(days=1)
    assert total(tally, network="all", **{"from": str(day), "to": str(last.date())}) == everything
    assert total(tally, network="all", **{"from": str(next_day)}) == 0
    assert total(tally, network="all", to=str(day - timedelta(days=1))) == 0
    for cut in (clicked[len(clicked) // 2], clicked[7], last):
        before, after = sum(at < cut for at in clicked), sum(at >= cut for at in clicked)
        assert total(tally, network="all", to=cut.isoformat()) == before
        assert total(tally, network="all", **{"from": cut.isoformat()}) == after
        naive = cut.replace(tzinfo=None).isoformat()
        assert total(tally, network="all", to=naive) == before
        zulu = f"{naive}Z"
        assert total(
            tally, network="all", **{"from": zulu, "to": (cut + timedelta(milliseconds=1)).isoformat()}
        ) == sum(at == cut for at in clicked)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue", "Asia/Kathmandu", "Europe/Berlin"])
def test_a_day_is_a_day_where_the_reader_is(tally: Tally, zone: str) -> None:
    local = Counter(at.astimezone(ZoneInfo(zone)).date() for at in times(tally))
    for day, clicks in local.items():
        assert total(tally, network="all", tz=zone, **{"from": str(day), "to": str(day)}) == clicks
        basic = f"{day:%Y%m%d}"
        assert total(tally, network="all", tz=zone, **{"from": basic, "to": basic}) == clicks
    answer = tally.client.get("/api/analytics/clicks", params={"tz": zone, "network": "all"}).json()
    assert {row["time"]: row["clicks"] for row in answer["rows"]} == {str(day): n for day, n in local.items()}


@pytest.mark.parametrize("bucket", ["hour", "day", "week", "month"])
def test_buckets_are_filled_with_zeros_and_add_up(tally: Tally, bucket: str) -> None:
    now = datetime.now(UTC)
    query = {
        "bucket": bucket,
        "network": "all",
        "from": str(now.date() - timedelta(days=40)),
        "to": str(now.date() + timedelta(days=1)),
    }
    answer = tally.client.get("/api/analytics/clicks", params=query).json()
    assert sum(row["clicks"] for row in answer["rows"]) == answer["total"] == len(tally.visitors)
    assert len(answer["rows"]) in {"hour": [42 * 24], "day": [42], "week": [6, 7, 8], "month": [2, 3]}[bucket]
    starts = [row["time"] for row in answer["rows"]]
    assert starts == sorted(set(starts))


EDGES = [
    "0001-01-01",
    "0001-01-01T00:00Z",
    "9999-12-31",
    "9999-12-31T23:59:59Z",
    "1969-12-31",
    "0001-01-01T00:00+23:59",
]


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/New_York"])
@pytest.mark.parametrize("bucket", ["hour", "day", "week", "month"])
def test_the_edges_of_the_calendar_are_no_fault_of_ours(tally: Tally, zone: str, bucket: str) -> None:
    for field in ("from", "to"):
        for edge in EDGES:
            for path in (
                "/api/analytics/clicks",
                "/api/analytics/geo/countries",
                "/api/analytics/hours",
                "/api/heat/frames",
            ):
                query = {field: edge, "tz": zone, "bucket": bucket}
                assert tally.client.get(path, params=query).status_code in (200, 422), query
    both = {"from": "9999-12-30", "to": "9999-12-31", "tz": zone, "bucket": bucket}
    assert tally.client.get("/api/analytics/clicks", params=both).status_code in (200, 422)
