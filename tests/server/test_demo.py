"""The sample data: enough, varied, marked, and gone without a trace when asked."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.server.served import Served, command, quickly, until


@pytest.fixture(scope="module")
def data(data_folder: Callable[[str], Path]) -> Path:
    folder = data_folder("demo")
    assert "220,000 sample clicks on 12 links" in command("demo", data=folder).stdout
    return folder


def test_a_second_demo_adds_nothing(data: Path) -> None:
    assert "already" in quickly("demo", data=data).stdout


@pytest.mark.parametrize("clicks", ["0", "-5", "many"])
def test_a_number_of_clicks_that_is_none_is_refused(data: Path, clicks: str) -> None:
    assert "--clicks" in quickly("demo", "--clicks", clicks, data=data, code=2).stderr


def test_the_first_look_is_a_living_map_and_one_request_clears_it(data: Path) -> None:
    served = Served(data).start()
    with served.client() as client:
        own = client.post("/api/links", json={"url": "https://example.com/"}).json()
        httpx.get(own["short_url"], headers={"x-forwarded-for": "18.9.22.69"})
        served.settled(client, 200_001)
        choices = client.get("/api/filters").json()
        assert len(choices["campaigns"]) == 4
        assert set(choices["channels"]) == {"email", "social", "qr", "sms", "partner"}
        rows = client.get("/api/links").json()["rows"]
        assert sum(row["sample"] for row in rows) == 12
        days = client.get("/api/analytics/clicks", params={"network": "all"}).json()["rows"]
        assert 85 <= len(days) <= 93
        assert all(day["clicks"] > 100 for day in days[3:-3])
        first = datetime.fromisoformat(choices["first_click"])
        assert timedelta(days=85) < datetime.now(UTC) - first < timedelta(days=93)
        assert datetime.fromisoformat(choices["last_click"]) <= datetime.now(UTC)
        tops = [
            tuple(
                row["country"]
                for row in client.get(
                    "/api/analytics/geo/countries", params={"campaign": c, "limit": 5}
                ).json()["rows"]
            )
            for c in choices["campaigns"]
        ]
        assert len(set(tops)) >= 3
        table = client.get("/api/analytics/geo/countries").json()
        assert len(table["rows"]) > 40
        assert 0 < table["unplaced"] < table["total"] / 4
        assert table["left_out"]["hosting"] > 0
        assert table["left_out"]["bot"] > 0
        sample = client.get("/api/session").json()["sample"]
        assert sample["links"] == 12
        assert sample["clicks"] >= 200_000

        assert client.delete("/api/sample").json() == sample
        until(lambda: client.get("/api/status").json()["store"]["clicks"] == 1, "only the own click left")
        assert [row["code"] for row in client.get("/api/links").json()["rows"]] == [own["code"]]
        assert client.get("/api/filters").json()["campaigns"] == []
        assert client.get("/api/session").json()["sample"] is None
        assert client.get("/api/analytics/geo/cities", params={"network": "all"}).json()["total"] == 1
    served.stop()


def test_demo_and_its_removal_without_a_server(data_folder: Callable[[str], Path]) -> None:
    data = data_folder("gone")
    quickly("link", "create", "https://example.com/mine", "--code", "coast-mail", data=data)
    quickly("demo", "--clicks", "3000", data=data)
    lines = quickly("export", "--format", "ndjson", data=data).stdout.splitlines()
    assert 2900 <= len(lines) <= 3100
    assert not any('"code": "coast-mail"' in line for line in lines)
    assert "12 sample links and their clicks removed" in quickly("demo", "--remove", data=data).stdout
    assert quickly("export", "--format", "ndjson", data=data).stdout == ""
    assert "coast-mail" in quickly("link", "list", data=data).stdout
    assert "0 sample links" in quickly("demo", "--remove", data=data).stdout


def test_the_same_seed_makes_the_same_clicks(data_folder: Callable[[str], Path]) -> None:
    seen = []
    for _ in range(2):
        data = data_folder("seed")
        quickly("demo", "--clicks", "1000", "--seed", "3", data=data)
        rows = csv.DictReader(io.StringIO(quickly("export", "--format", "csv", data=data).stdout))
        told = ("code", "country", "region", "city", "postal_code")  # not the time, which goes by today
        seen.append(Counter(tuple(row[name] for name in told) for row in rows))
    assert seen[0] == seen[1]
