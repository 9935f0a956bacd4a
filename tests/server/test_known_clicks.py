"""Visitors, and a period against the one before, held against clicks that the test itself sent and counts again."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.server.making import make, word
from tests.server.served import Served, quickly, until
from tests.server.visitors import DEVICES

SENT = {
    ("18.9.22.1", "desktop"): 5,
    ("18.9.22.1", "mobile"): 3,
    ("18.9.22.2", "desktop"): 4,
    ("2.16.0.1", "mobile"): 1,
}
UNTOLD = 2


def test_visitors_are_counted_and_not_clicks(server: Served, api: httpx.Client) -> None:
    made, other = make(api), make(api)
    order = [who for who, times in SENT.items() for _ in range(times)]
    random.Random(1).shuffle(order)
    before = datetime.now(UTC).date()
    for address, device in order:
        _click(made["short_url"], address, device)
    for _ in range(UNTOLD):
        _click(made["short_url"], "18.9.22.9", "desktop", dnt="1")
    for _ in range(3):  # who follows two links is one visitor of each
        _click(other["short_url"], "18.9.22.1", "desktop")
    days = [before, datetime.now(UTC).date()]

    def read(bucket: str, *codes: str) -> dict[str, Any]:
        query = {"link": codes, "bucket": bucket, "network": "all", "from": str(days[0]), "to": str(days[1])}
        answer = api.get("/api/analytics/visitors", params=query)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    total = sum(SENT.values())

    def counted() -> bool:
        found = read("day", made["code"])
        return (found["clicks"], found["unknown"]) == (total, UNTOLD)

    until(counted, "counted")
    if days[0] != days[1]:
        return  # midnight: a visitor of two days is two
    told = read("day", made["code"])
    assert [(row["clicks"], row["least"], row["most"], row["unknown"]) for row in told["rows"]] == [
        (total, len(SENT), len(SENT), UNTOLD)
    ]
    assert (told["unknown"], told["a_day"], told["withheld"]) == (UNTOLD, len(SENT), False)
    hours = read("hour", made["code"])["rows"]
    assert sum(row["clicks"] for row in hours) == total
    assert max(row["most"] for row in hours) <= len(SENT) <= sum(row["most"] for row in hours)
    until(lambda: read("day", made["code"], other["code"])["clicks"] == total + 3, "counted")
    [both] = read("day", made["code"], other["code"])["rows"]
    assert (both["least"], both["most"]) == (len(SENT), len(SENT) + 1)


def _click(url: str, address: str, device: str, **more: str) -> None:
    headers = {"x-forwarded-for": address, "user-agent": DEVICES[device]} | more
    assert httpx.get(url, headers=headers).status_code == 302


FIRST, DAYS = date(2026, 2, 1), 20


@pytest.fixture(scope="module")
def past(server: Served, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[datetime]]:
    """A link, and 1,500 clicks on it in February, more of them by the day."""
    code, rng = word(), random.Random(7)
    begin = datetime.combine(FIRST, datetime.min.time(), UTC)
    times = [
        begin + timedelta(milliseconds=int(DAYS * 86_400_000 * rng.random() ** 0.6)) for _ in range(1500)
    ]
    times.append(begin)
    rows = [
        {"time": at.isoformat(), "code": code, "ip": "18.9.22.69", "url": "https://a.example"} for at in times
    ]
    file: Path = tmp_path_factory.mktemp("past") / "past.ndjson"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    quickly("import", file, data=server.data)
    query = {"link": code, "network": "all", "from": str(FIRST), "to": str(FIRST + timedelta(days=DAYS))}
    with server.client() as api:
        until(
            lambda: (
                api.get("/api/analytics/visitors", params=query).raise_for_status().json()["clicks"]
                == len(times)
            ),
            "counted",
        )
    return code, times


@pytest.mark.parametrize("tz", ["UTC", "Asia/Kolkata", "America/New_York"])
@pytest.mark.parametrize(("start", "length"), [(8, 1), (6, 3), (11, 7), (10, 9)])
def test_a_period_against_the_one_before(
    api: httpx.Client, past: tuple[str, list[datetime]], tz: str, start: int, length: int
) -> None:
    code, times = past
    first = FIRST + timedelta(days=start)
    query = {
        "link": code,
        "network": "all",
        "tz": tz,
        "from": str(first),
        "to": str(first + timedelta(days=length - 1)),
    }
    told = api.get("/api/analytics/change", params=query).raise_for_status().json()
    local = Counter((at.astimezone(ZoneInfo(tz)).date() - first).days for at in times)
    now = sum(local[n] for n in range(length))
    before = sum(local[n] for n in range(-length, 0))
    assert (told["now"]["clicks"], told["before"]["clicks"]) == (now, before)
    midnight = datetime.combine(first, datetime.min.time(), ZoneInfo(tz))
    assert (
        datetime.fromisoformat(told["now"]["from"])
        == midnight
        == datetime.fromisoformat(told["before"]["to"])
    )
    assert datetime.fromisoformat(told["before"]["from"]) == midnight - timedelta(days=length)
    assert told["whole"]
    assert told["ratio"] == pytest.approx(now / before)
    low, high = told["interval"]
    assert low < told["ratio"] < high
    assert told["beyond_chance"] == (low > 1 or high < 1)


def test_nothing_is_compared_with_days_that_nobody_counted(
    api: httpx.Client, past: tuple[str, list[datetime]]
) -> None:
    query = {"link": past[0], "network": "all", "from": "2026-02-03", "to": "2026-02-06"}
    told = api.get("/api/analytics/change", params=query).raise_for_status().json()
    assert (told["whole"], told["ratio"]) == (False, None)
