"""The independent tally: what the five tables must say, counted from `maxminddb`'s answers alone."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection
from typing import Any

import duckdb
import httpx

from clickatlas.atlas.sources import CITIES, ZIPS, fetch
from clickatlas.progress import Silent
from tests.atlas_fixtures import cache as download_cache
from tests.server.served import Served
from tests.server.visitors import PEOPLE, Visitor

KINDS = ("hosting", "vpn", "tor", "cdn", "bot")
ZIP_COUNTRIES = {"US", "PR", "VI", "GU", "AS", "MP"}
THREADS = 4


@dataclass(frozen=True)
class Tally:
    """A server, and everyone who clicked on it."""

    served: Served
    client: httpx.Client
    codes: list[str]
    visitors: list[Visitor]

    def people(self, code: str | None = None, network: str = "") -> list[Visitor]:
        """Those that a table on `code` must count under `network`."""
        number = self.codes.index(code) if code else None
        return [
            v for v in self.visitors if number in (None, v.link) and (network == "all" or v.kind == PEOPLE)
        ]

    def table(self, name: str, code: str | None = None, **query: Any) -> dict[str, Any]:
        path = f"/api/analytics/geo/{code}/{name}" if code else f"/api/analytics/geo/{name}"
        found: dict[str, Any] = self.client.get(path, params=query).raise_for_status().json()
        return found


def send(served: Served, client: httpx.Client, visitors: list[Visitor]) -> Tally:
    """Make links, let everyone click, and wait until all clicks are counted."""
    count = max(visitor.link for visitor in visitors) + 1
    codes = []
    for number in range(count):
        body = {
            "url": f"https://example.com/{number}", "code": f"tally-{number}", "campaign": f"campaign {number % 2}",
            "channel": ("email", "qr", "social")[number % 3], "tags": [f"tag{number}", "all"],
        }  # fmt: skip
        codes.append(client.post("/api/links", json=body).raise_for_status().json()["code"])
    failed: list[str] = []
    parts = [visitors[start::THREADS] for start in range(THREADS)]
    threads = [
        threading.Thread(target=_click, args=(served.port, codes, part, failed), daemon=True)
        for part in parts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failed, failed[:3]
    served.settled(client, len(visitors))
    return Tally(served, client, codes, visitors)


def _click(port: int, codes: list[str], visitors: Iterable[Visitor], failed: list[str]) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    for visitor in visitors:
        headers = {"X-Forwarded-For": visitor.address, "User-Agent": visitor.agent}
        connection.request("GET", f"/{codes[visitor.link]}", headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 302:
            failed.append(f"{visitor.address}: {answer.status}")
    connection.close()


def countries(visitors: Iterable[Visitor]) -> Counter[str]:
    return Counter(v.country for v in visitors if v.country)


def regions(visitors: Iterable[Visitor]) -> Counter[tuple[str, str]]:
    """By (country, ISO code below it, else the name)."""
    return Counter((v.country, v.region[0] or v.region[1]) for v in visitors if v.country and any(v.region))


def cities(visitors: Iterable[Visitor]) -> Counter[str]:
    return Counter(f"city:{v.city}" for v in visitors if v.city)


def postal_codes(visitors: Iterable[Visitor]) -> Counter[tuple[str, str]]:
    return Counter((v.country, v.postal) for v in visitors if v.country and v.postal)


def counties(visitors: Iterable[Visitor]) -> Counter[str]:
    known = _by_zip("county_fips")
    found = (known.get(v.postal) for v in visitors if v.country in ZIP_COUNTRIES)
    return Counter(f"county:{code}" for code in found if code)


@cache
def _by_zip(column: str) -> dict[str, str]:
    file = next(f for f in fetch(ZIPS, download_cache(), Silent()).parent.iterdir() if f.suffix == ".parquet")
    rows = (
        duckdb.connect().execute(f"SELECT zip, {column} FROM '{file}' WHERE {column} IS NOT NULL").fetchall()
    )
    return dict(rows)


@cache
def _large_cities() -> list[tuple[str, str, float, float, int]]:
    import json

    folder = fetch(CITIES, download_cache(), Silent()).parent
    known = json.loads((folder / "cities5000.json").read_text("utf-8"))
    return [
        (key, c["countrycode"], c["latitude"], c["longitude"], c["population"])
        for key, c in known.items()
        if c["population"] >= 300_000 and c["countrycode"] not in ZIP_COUNTRIES
    ]


def distance_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance by the haversine formula."""
    la, lo, lb, ob = map(math.radians, (*a, *b))
    h = math.sin((lb - la) / 2) ** 2 + math.cos(la) * math.cos(lb) * math.sin((ob - lo) / 2) ** 2
    return 2 * 6371.0088 * math.asin(math.sqrt(h))


def reach_km(population: int) -> float:
    """25 km at 300,000 people, growing with their logarithm to 60 km at 10 million and more."""
    return 25 + 35 * min(1.0, math.log(population / 300_000) / math.log(10_000_000 / 300_000))


@cache
def _centres() -> list[tuple[str, str, tuple[float, float], float]]:
    """Cities of 300,000 that no larger one of the same country, itself a centre, has within its reach."""
    kept: list[tuple[str, str, tuple[float, float], float]] = []
    for key, country, lat, lon, people in sorted(_large_cities(), key=lambda c: (-c[4], c[0])):
        spot = (lat, lon)
        if not any(land == country and distance_km(spot, at) <= reach for _, land, at, reach in kept):
            kept.append((f"metro:{country}-{key}", country, spot, reach_km(people)))
    return kept


def metro(visitor: Visitor) -> str | None:
    """The id of the metro that a visitor is counted in, found by looking at every one there is."""
    if visitor.country in ZIP_COUNTRIES:
        code = _by_zip("cbsa_code").get(visitor.postal)
        return f"metro:{code}" if code else None
    if visitor.unplaced or visitor.position is None:
        return None
    near = [
        (distance_km(visitor.position, spot), area)
        for area, country, spot, reach in _centres()
        if country == visitor.country and distance_km(visitor.position, spot) <= reach
    ]
    return min(near)[1] if near else None


def metros(visitors: Iterable[Visitor]) -> Counter[str]:
    return Counter(found for v in visitors if (found := metro(v)))


def left_out(visitors: Iterable[Visitor]) -> dict[str, int]:
    counted = Counter(v.kind for v in visitors)
    return {kind: counted[kind] for kind in KINDS if counted[kind]}
