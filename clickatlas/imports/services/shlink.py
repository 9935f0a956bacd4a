"""Shlink (REST v3): links and visits, one by one, with the position or country that Shlink found for them.

Shapes: https://api-spec.shlink.io, listShortUrls and getShortUrlVisits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from clickatlas.imports.services.client import Client, at, items

BASE = ""  # self-hosted: its own address
Row = dict[str, Any]


def headers(key: str) -> dict[str, str]:
    """How the key is shown."""
    return {"x-api-key": key}


def rows(client: Client) -> Iterator[Row]:
    """Each link, then its visits."""
    for link in _pages(client, "/rest/v3/short-urls", "shortUrls", {}):
        code, domain = link.get("shortCode"), link.get("domain")
        yield {
            "code": code, "url": link.get("longUrl"), "title": link.get("title"),
            "tags": ",".join(map(str, link.get("tags") or ())), "created": link.get("dateCreated"),
            "expires": at(link, "meta", "validUntil"), "max_clicks": at(link, "meta", "maxVisits"),
        }  # fmt: skip
        total = at(link, "visitsSummary", "total")
        if total != 0:
            where = f"/rest/v3/short-urls/{quote(str(code), safe='')}/visits"
            for visit in _pages(client, where, "visits", {"domain": domain} if domain else {}):
                yield _visit(code, visit)


def _pages(client: Client, path: str, name: str, query: Row) -> Iterator[Row]:
    page = 1
    while True:
        answer = client.get(path, page=page, itemsPerPage=1000, **query)
        yield from items(answer, name, "data")
        if page >= int(at(answer, name, "pagination", "pagesCount") or 0):
            return
        page += 1


def _visit(code: Any, visit: Row) -> Row:
    place = visit.get("visitLocation") or {}
    return {
        "code": code, "time": visit.get("date"), "referrer": visit.get("referer"), "user_agent": visit.get("userAgent"),
        "bot": visit.get("potentialBot"), "country": place.get("countryCode"), "region": place.get("regionName"),
        "city": place.get("cityName"), "lat": place.get("latitude"), "lon": place.get("longitude"),
    }  # fmt: skip
