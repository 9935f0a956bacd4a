"""Rebrandly (API v1): its links. Clicks one by one come by its Clickstream only, which is imported as a file.

Shapes: https://developers.rebrandly.com/docs/list-links; pages follow the number of the last link.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clickatlas.imports.services.client import Client, items

BASE = "https://api.rebrandly.com"
PAGE = 25  # the most it gives
Row = dict[str, Any]


def headers(key: str) -> dict[str, str]:
    """How the key is shown."""
    return {"apikey": key}


def rows(client: Client) -> Iterator[Row]:
    """Each link, the oldest first."""
    last: str | None = None
    while True:
        found = items(client.get("/v1/links", orderBy="createdAt", orderDir="asc", limit=PAGE, last=last))
        for link in found:
            yield {
                "code": link.get("slashtag"), "url": link.get("destination"), "title": link.get("title"),
                "tags": ",".join(str(tag.get("name")) for tag in link.get("tags") or () if isinstance(tag, dict)),
                "created": link.get("createdAt"),
            }  # fmt: skip
        if len(found) < PAGE or found[-1].get("id") == last:
            return
        last = str(found[-1].get("id"))
