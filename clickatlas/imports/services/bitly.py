"""Bitly (API v4): links, and of clicks what Bitly tells: how many a day, and from which countries on that day.

Shapes: https://dev.bitly.com/api-reference, getBitlinksByGroup, getClicksForBitlink, getMetricsForBitlinkByCountries. How far
back depends on the plan there, and is not said. A click of a day stands at noon UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from clickatlas.imports.nested import with_others
from clickatlas.imports.services.client import Client, at, items

BASE = "https://api-ssl.bitly.com/v4"
Row = dict[str, Any]


def headers(key: str) -> dict[str, str]:
    """How the key is shown."""
    return {"authorization": f"Bearer {key}"}


def rows(client: Client) -> Iterator[Row]:
    """Each link, then its clicks."""
    for group in items(client.get("/groups"), "groups"):
        where = f"/groups/{quote(str(group.get('guid')), safe='')}/bitlinks"
        page: str | None = where
        query: dict[str, Any] = {"size": 100, "archived": "both"}
        while page:
            answer = client.get(page, **query)
            found = items(answer, "links")
            for link in found:
                if link.get("long_url"):
                    for one in with_others(link):
                        yield _link(one)
                    yield from _clicks(client, link)
            page, query = at(answer, "pagination", "next") or None, {}
            after = at(answer, "pagination", "search_after")
            if not page and after and found:  # Bitly is leaving numbered pages for this
                page, query = where, {"size": 100, "archived": "both", "search_after": after}


def _link(link: Row) -> Row:
    return {
        "code": link.get("link") or link.get("id"), "url": link["long_url"], "title": link.get("title"),
        "tags": ",".join(map(str, link.get("tags") or ())), "created": link.get("created_at"), "archived": link.get("archived"),
    }  # fmt: skip


def _clicks(client: Client, link: Row) -> Iterator[Row]:
    where = f"/bitlinks/{quote(str(link.get('id')), safe='/')}"
    days = items(client.get(f"{where}/clicks", unit="day", units=-1), "link_clicks")
    for day in days:
        total, date = int(day.get("clicks") or 0), str(day.get("date") or "")
        if not total:
            continue
        noon = f"{date[:10]}T12:00:00+00:00"
        answer = client.get(f"{where}/countries", unit="day", units=1, unit_reference=date)
        code = link.get("link") or link.get("id")
        for one in items(answer, "metrics"):
            count = min(int(one.get("clicks") or 0), total)
            total -= count
            yield {"code": code, "time": noon, "country": one.get("value"), "count": count}
        if total:
            yield {"code": code, "time": noon, "country": "", "count": total}
