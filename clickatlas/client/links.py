"""Links: made, listed, changed, deleted."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from clickatlas.client.rows import Bulk, Campaign, Document, Link, read
from clickatlas.client.transport import Params, Transport

PAGE = 500


class Links:
    """The workspace's links."""

    def __init__(self, transport: Transport) -> None:
        self._ask = transport.ask

    def create(self, url: str, *, idempotency_key: str | None = None, **fields: Any) -> Link:
        """Shorten `url`; `fields` as `POST /api/links` takes them (code, title, campaign, channel, tags, …).

        It is sent with an Idempotency-Key, drawn unless you give one, so that a request whose answer was lost makes no second link.
        """
        return read(
            Link,
            self._ask(
                "POST", "/api/links", json=_document({"url": url, **fields}), headers=_key(idempotency_key)
            ),
        )

    def create_many(
        self, links: Sequence[Mapping[str, Any]], *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Bulk:
        """Shorten up to 1,000 at once; what is refused keeps none of the others back."""
        rows = {"links": [_document(link) for link in links]}
        params = [("dry_run", "true")] if dry_run else []
        return read(
            Bulk, self._ask("POST", "/api/links/bulk", params, json=rows, headers=_key(idempotency_key))
        )

    def get(self, code: str) -> Link:
        """The link `code`; raises `NotFound`."""
        return read(Link, self._ask("GET", _path(code)))

    def list(
        self, *, search: str = "", campaign: Sequence[str] = (), channel: Sequence[str] = (), tag: Sequence[str] = (),
        archived: bool | None = None, sort: str = "newest", page: int = PAGE,
    ) -> Iterator[Link]:  # fmt: skip
        """All of them, one after the other, asked for `page` at a time; `sort` is newest, clicks, or another of the API's."""
        params: list[tuple[str, str]] = [("sort", sort), ("limit", str(page))]
        for name, values in (("campaign", campaign), ("channel", channel), ("tag", tag)):
            params += [(name, value) for value in ((values,) if isinstance(values, str) else values)]
        if search:
            params.append(("search", search))
        if archived is not None:
            params.append(("archived", str(archived).lower()))
        cursor: Params = ()
        while True:
            found = self._ask("GET", "/api/links", [*params, *cursor])
            yield from (read(Link, row) for row in found["rows"])
            if not found["next_cursor"]:
                return
            cursor = (("cursor", found["next_cursor"]),)

    def edit(self, code: str, **fields: Any) -> Link:
        """Change what is given; redirects follow at once."""
        return read(Link, self._ask("PATCH", _path(code), json=_document(fields)))

    def archive(self, code: str) -> Link:
        """Put it away from the list; it leads on."""
        return self.edit(code, archived=True)

    def restore(self, code: str) -> Link:
        """Put it back into the list."""
        return self.edit(code, archived=False)

    def delete(self, code: str) -> None:
        """Delete it and all its clicks. There is no way back."""
        self._ask("DELETE", _path(code))


class Campaigns:
    """The workspace's campaigns: each comes with its first link and goes with its last."""

    def __init__(self, transport: Transport) -> None:
        self._ask = transport.ask

    def list(self) -> tuple[Campaign, ...]:
        """All, by name."""
        return tuple(read(Campaign, row) for row in self._ask("GET", "/api/campaigns")["rows"])

    def get(self, name: str) -> Campaign:
        """The campaign `name`, with its target; raises `NotFound`."""
        return read(Campaign, self._ask("GET", f"/api/campaigns/{quote(name, safe='')}"))

    def set_target(self, name: str, target: Document | None) -> Campaign:
        """Say where it is meant to be clicked: ``{"areas": ["region:US-MA"]}``; None: anywhere."""
        return read(
            Campaign, self._ask("PATCH", f"/api/campaigns/{quote(name, safe='')}", json={"target": target})
        )


def _path(code: str) -> str:
    return f"/api/links/{quote(code, safe='')}"


def _key(given: str | None) -> dict[str, str]:
    return {"idempotency-key": given or str(uuid.uuid4())}


def _document(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _written(value) for name, value in fields.items()}


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
