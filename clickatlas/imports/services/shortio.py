"""Short.io: links and raw clicks, one by one, with addresses where the plan there has them, else country and city.

Shapes: https://developers.short.io/reference, GET /api/domains, GET /api/links, POST /statistics/domain/{id}/last_clicks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clickatlas.imports.services.client import Client, at, items

BASE = "https://api.short.io"
STATISTICS = "https://statistics.short.io"
LINKS, CLICKS = 150, 1000
Row = dict[str, Any]


def headers(key: str) -> dict[str, str]:
    """How the key is shown."""
    return {"authorization": key}


def rows(client: Client, statistics: Client) -> Iterator[Row]:
    """Domain by domain: its links, then its clicks, the newest first."""
    for domain in items(client.get("/api/domains")):
        token: str | None = None
        while True:
            answer = client.get("/api/links", domain_id=domain.get("id"), limit=LINKS, pageToken=token)
            for link in items(answer, "links"):
                yield {
                    "code": link.get("path"), "url": link.get("originalURL"), "title": link.get("title"),
                    "tags": ",".join(map(str, link.get("tags") or ())), "created": link.get("createdAt"),
                    "expires": link.get("expiresAt"), "archived": link.get("archived"),
                }  # fmt: skip
            token = at(answer, "nextPageToken")
            if not token:
                break
        yield from _clicks(statistics, domain.get("id"))


def _clicks(statistics: Client, domain: Any) -> Iterator[Row]:
    """Pages go back in time; clicks of the very second where one ends come twice, and are told apart by their words."""
    before: str | None = None
    last: list[Row] = []
    while True:
        body: Row = {"limit": CLICKS, "period": "total", "tz": "UTC"} | (
            {"beforeDate": before} if before else {}
        )
        answer = statistics.post(f"/statistics/domain/{domain}/last_clicks", body)
        found = items(answer, "clicks") if isinstance(answer, dict) else items(answer)
        fresh = [click for click in found if click not in last]
        for click in fresh:
            yield _click(click)
        oldest = min((str(click.get("dt")) for click in found), default=None)
        if len(found) < CLICKS or not fresh or oldest == before:
            return
        before, last = oldest, [click for click in found if str(click.get("dt")) == oldest]


def _click(click: Row) -> Row:
    return {
        "code": click.get("path"), "time": click.get("dt"), "ip": click.get("ip"), "country": click.get("country"),
        "city": click.get("city"), "referrer": click.get("ref") or click.get("refhost"), "user_agent": click.get("ua"),
        "browser": click.get("browser"), "system": click.get("os"), "human": click.get("human"), "status": click.get("st"),
        "method": click.get("method"),
    }  # fmt: skip
