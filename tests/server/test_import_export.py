"""Clicks in from files and out again, beside a running server and without one: what went in comes out."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.server.files import Place, write
from tests.server.served import command, quickly
from tests.server.visitors import BOT, DEVICES, Visitor, draw, kind_of

FIRST = datetime(2026, 3, 1, 12, tzinfo=UTC)


def good_rows(first: datetime) -> tuple[list[dict[str, Any]], list[Visitor]]:
    """400 clicks of the draw, a minute apart, on three links that the rows themselves make."""
    visitors = draw(400, seed=5, links=3)
    rows = []
    for number, v in enumerate(visitors):
        at = first + timedelta(minutes=number)
        time: str | float = (
            at.isoformat(),
            at.timestamp(),
            at.timestamp() * 1000,
            at.replace(tzinfo=None).isoformat(),
        )[number % 4]
        rows.append({
            "time": time, "code": f"in-{v.link}", "ip": v.address, "url": f"https://example.com/{v.link}",
            "user_agent": v.agent, "referrer": "https://news.example/x", "language": "de-de,de;q=0.5",
        })  # fmt: skip
    return rows, visitors


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_what_went_in_comes_out(place: Place, kind: str) -> None:
    first = FIRST + timedelta(seconds=len(kind))
    rows, visitors = good_rows(first)
    for row in rows:
        for field in ("code", "url"):
            row[field] = row[field].replace("in-", f"{kind}-")
    done = command("import", write(place.data.with_name(f"good.{kind}"), rows), data=place.data)
    assert done.stdout.startswith("400 clicks imported, 0 rows refused, 3 links made.")
    out = [row for row in place.exported() if row["code"].startswith(kind)]
    assert [row["time"] for row in out] == [
        (first + timedelta(minutes=n)).isoformat(timespec="milliseconds") for n in range(400)
    ]
    for row, v in zip(out, visitors, strict=True):
        assert row["code"] == f"{kind}-{v.link}"
        assert row["country"] == (v.country or None)
        assert row["postal_code"] == ((v.country and v.postal) or None)
        assert row["unplaced"] == v.unplaced
        assert (row["lat"], row["lon"]) == ((None, None) if v.unplaced else v.position)
        assert row["network"] == v.kind
        assert row["device"] == v.device
        assert (row["language"], row["referrer"]) == ("de-DE", "news.example")


def test_csv_and_ndjson_say_the_same(place: Place, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    wide = place.exported()
    said = command("export", "--output", target, data=place.data).stdout
    assert said.startswith(f"{len(wide):,} clicks written")
    table = list(csv.DictReader(io.StringIO(target.read_text("utf-8"), newline="")))
    assert [{k: "" if v is None else str(v) for k, v in row.items()} for row in wide] == table
    assert list(tmp_path.iterdir()) == [target]


def test_exports_are_filtered(place: Place) -> None:
    codes = Counter(row["code"] for row in place.exported())
    assert Counter(row["code"] for row in place.exported("csv-0")) == {"csv-0": codes["csv-0"]}
    only = ("--link", "csv-0", "--from", "2026-03-01", "--to", "2026-03-01", "--network", "residential")
    text = quickly("export", "--format", "ndjson", *only, data=place.data).stdout
    day = [json.loads(line) for line in text.splitlines()]
    expected = [
        r
        for r in place.exported()
        if r["code"] == "csv-0" and r["network"] == "residential" and r["time"] < "2026-03-02"
    ]
    assert day == expected
    quickly("export", "--link", "nobody", data=place.data, code=1)
    quickly("export", "--network", "dial-up", data=place.data, code=1)
    quickly("export", "--tz", "Mars", data=place.data, code=1)


def test_positions_go_to_the_nearest_place(place: Place) -> None:
    rows = [
        {"time": 1.6e9 + lon, "code": "spots", "lat": lat, "lon": lon, "url": "https://a.example"}
        for lat, lon in ((42.36, -71.09), (48.85, 2.35), (-33.87, 151.21))
    ]
    place.bring_in("spots.ndjson", rows)
    assert [row["country"] for row in place.exported("spots")] == ["US", "FR", "AU"]


def test_crawlers_and_machines_are_told_from_people(place: Place) -> None:
    people = [(ip, agent) for ip in ("18.9.22.69", "52.95.110.1") for agent in (BOT, DEVICES["mobile"])]
    rows = [
        {"time": 1.6e9 + n, "code": "kinds", "ip": ip, "url": "https://a.example", "user_agent": agent}
        for n, (ip, agent) in enumerate(people)
    ]
    place.bring_in("kinds.ndjson", rows)
    assert [row["network"] for row in place.exported("kinds")] == [
        "bot",
        kind_of("18.9.22.69"),
        "bot",
        kind_of("52.95.110.1"),
    ]
