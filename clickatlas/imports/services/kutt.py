"""Kutt (API v2): its links. Its API sums visits up without saying which hour was from where; its database has both.

Shapes: https://docs.kutt.it, GET /links.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clickatlas.imports.services.client import Client, at, items

BASE = "https://kutt.it"
PAGE = 50
Row = dict[str, Any]


def headers(key: str) -> dict[str, str]:
    """How the key is shown."""
    return {"x-api-key": key}


def rows(client: Client) -> Iterator[Row]:
    """Each link."""
    skip = 0
    while True:
        answer = client.get("/api/v2/links", limit=PAGE, skip=skip, all="false")
        found = items(answer, "data")
        for link in found:
            yield {
                "code": link.get("address"), "url": link.get("target"), "title": link.get("description"),
                "created": link.get("created_at"), "expires": link.get("expire_in"),
            }  # fmt: skip
        skip += PAGE
        if not found or skip >= int(at(answer, "total") or 0):
            return
