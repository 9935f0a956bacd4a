"""Dub: links and click events, one by one, each with Dub's own number, its city and, where Dub keeps it, its address.

Shapes: https://dub.co/docs/api-reference, GET /links and GET /events.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clickatlas.imports.services.client import Client, at, items

BASE = "https://api.dub.co"
LINKS, EVENTS = 100, 1000  # the most that a page may have
Row = dict[str, Any]


def headers(key: str) -> dict[str, str]:
    """How the key is shown."""
    return {"authorization": f"Bearer {key}"}


def rows(client: Client) -> Iterator[Row]:
    """All links, then all clicks."""
    page = 1
    while True:
        found = items(client.get("/links", page=page, pageSize=LINKS, showArchived="true"))
        for link in found:
            yield {
                "code": link.get("key"), "url": link.get("url"), "title": link.get("title"),
                "tags": ",".join(str(tag.get("name")) for tag in link.get("tags") or () if isinstance(tag, dict)),
                "created": link.get("createdAt"), "expires": link.get("expiresAt"), "archived": link.get("archived"),
            }  # fmt: skip
        if len(found) < LINKS:
            break
        page += 1
    page = 1
    while True:
        found = items(
            client.get("/events", event="clicks", interval="all", page=page, limit=EVENTS, sortOrder="asc")
        )
        for event in found:
            yield _click(event)
        if len(found) < EVENTS:
            return
        page += 1


def _click(event: Row) -> Row:
    click = event.get("click") or {}
    region = str(click.get("region") or "")
    return {
        "code": at(event, "link", "key"), "time": event.get("timestamp"), "id": click.get("id"), "ip": click.get("ip"),
        "country": click.get("country"), "region": region, "city": click.get("city"), "device": click.get("device"),
        "browser": click.get("browser"), "system": click.get("os"), "referrer": click.get("refererUrl") or click.get("referer"),
    }  # fmt: skip
