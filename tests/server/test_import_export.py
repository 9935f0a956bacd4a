"""Clicks in from files and out again, beside a running server and without one: what went in comes out."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clickatlas.atlas.files import current
from clickatlas.atlas.places import Places
from tests.server.files import Place, write
from tests.server.served import command, quickly
from tests.server.tally import distance_km
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


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet", "parquet-sent"])
def test_what_went_in_comes_out(place: Place, kind: str) -> None:
    """Parquet has times and nulls as such; it is read from a path, and as an upload where a server runs."""
    first = FIRST + timedelta(seconds=len(kind))
    rows, visitors = good_rows(first)
    for row in rows:
        for field in ("code", "url"):
            row[field] = row[field].replace("in-", f"{kind}-")
    if kind.startswith("parquet"):
        for number, row in enumerate(rows):
            row["time"] = first + timedelta(minutes=number)
            if number % 5 == 0:
                row["referrer"] = None
    file = write(place.data.with_name(f"{kind}.{kind.partition('-')[0]}"), rows)
    if kind == "parquet-sent" and place.served is not None:
        told = place.uploaded(file)
        report = told["report"]
        assert (told["state"], report["imported"], report["refused"], report["new_links"]) == (
            "done",
            400,
            0,
            3,
        )
    else:
        done = command("import", file, data=place.data)
        assert done.stdout.startswith("400 clicks imported, 0 rows refused, 3 links made.")
    out = [
        row
        for row in place.exported()
        if row["code"].startswith(f"{kind}-") and row["code"].count("-") == kind.count("-") + 1
    ]
    assert [row["time"] for row in out] == [
        (first + timedelta(minutes=n)).isoformat(timespec="milliseconds") for n in range(400)
    ]
    for row, given, v in zip(out, rows, visitors, strict=True):
        assert row["code"] == f"{kind}-{v.link}"
        assert row["country"] == (v.country or None)
        assert row["postal_code"] == ((v.country and v.postal) or None)
        assert row["unplaced"] == v.unplaced
        assert (row["lat"], row["lon"]) == ((None, None) if v.unplaced else v.position)
        assert row["network"] == v.kind
        assert row["device"] == v.device
        gone = kind.startswith("parquet") and given["referrer"] is None
        assert (row["language"], row["referrer"]) == ("de-DE", None if gone else "news.example")


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
    found = place.exported("spots")
    assert [row["country"] for row in found] == ["US", "FR", "AU"]
    placed = Places(current(place.data / "atlas"), [])
    usable = ~np.asarray(placed.unplaced) & ~np.asarray(placed.retired)
    spots = np.column_stack((placed.lat, placed.lon))[usable]
    for asked, row in zip(rows, found, strict=True):
        here = (asked["lat"], asked["lon"])
        ways = np.array([distance_km(here, spot) for spot in spots[np.abs(spots - here).max(axis=1) < 2]])
        away = distance_km(here, (row["lat"], row["lon"]))
        assert away == pytest.approx(ways.min(), abs=0.001)  # nothing known is nearer
        there = (np.asarray(placed.lat) == row["lat"]) & (np.asarray(placed.lon) == row["lon"]) & usable
        radii = np.asarray(placed.radius)[there]
        covering = radii[radii >= away]
        # The circle holds the position, and is the smallest of those there that do.
        assert row["radius_km"] == (covering.min() if covering.size else radii.max())


def test_cities_and_postal_codes_stand_for_places(place: Place) -> None:
    said = [
        {"country": "US", "region": "MA", "city": "Cambridge"}, {"country": "US", "postal": "02139"}, {"country": "DE", "city": "Munich"},
        {"country": "United States", "region": "Massachusetts", "city": "Nowhere-on-the-Charles"}, {"country": "FR"},
    ]  # fmt: skip
    rows = [
        {"time": 1.6e9 + n, "code": "names", "url": "https://a.example"} | names
        for n, names in enumerate(said)
    ]
    told = place.bring_in("names.ndjson", rows).stdout
    assert "1 are counted for a region or country" in told
    city, postal, abroad, unknown, country = place.exported("names")
    near = (42.3736, -71.1097)  # Cambridge's city hall, by any map
    for row in (city, postal):
        assert (row["country"], row["region"], row["city"]) == ("US", "US-MA", "Cambridge")
        assert distance_km(near, (row["lat"], row["lon"])) < 5
        assert not row["unplaced"]
    assert postal["postal_code"] == "02139"
    assert (abroad["country"], abroad["region"], abroad["city"]) == ("DE", "DE-BY", "Munich")
    assert distance_km((48.137, 11.575), (abroad["lat"], abroad["lon"])) < 15
    assert [(row["region"], row["city"], row["unplaced"], row["lat"]) for row in (unknown, country)] == [
        ("US-MA", None, True, None), (None, None, True, None),
    ]  # fmt: skip


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
