"""YOURLS: its links (action `stats`). Its API tells of clicks only how many there were; a dump of its database has each.

Shapes: https://docs.yourls.org/guide/advanced/api.html. The key is the signature token of the page Tools.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clickatlas.errors import Problem
from clickatlas.imports.services.client import Client, at

BASE = ""
PAGE = 500
Row = dict[str, Any]


def headers(key: str) -> dict[str, str]:
    """The key goes with the query: see `rows`."""
    return {"x-signature": key}


def rows(client: Client, key: str) -> Iterator[Row]:
    """Each link, the newest first."""
    path = "" if client.base.endswith(".php") else "/yourls-api.php"
    start = 0
    while True:
        answer = client.get(
            path, action="stats", filter="last", limit=PAGE, start=start, format="json", signature=key
        )
        links = at(answer, "links")
        if not isinstance(links, dict):
            if not links and at(answer, "stats") is not None:  # no (more) links: the list is left out
                return
            raise Problem(
                502,
                "The other service",
                f"YOURLS said: {str(at(answer, 'message'))[:200]}.",
                remedy="Check the signature token and the address.",
            )
        for link in links.values():
            short = str(link.get("shorturl") or "")
            yield {
                "code": short.rstrip("/").rpartition("/")[2], "url": link.get("url"), "title": link.get("title"),
                "created": link.get("timestamp"),
            }  # fmt: skip
        if len(links) < PAGE:
            return
        start += PAGE
