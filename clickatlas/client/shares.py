"""Shared maps: made, listed, changed, ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from clickatlas.client.filter import Filter
from clickatlas.client.rows import Share, read
from clickatlas.client.transport import Transport


class Shares:
    """The workspace's public maps."""

    def __init__(self, transport: Transport) -> None:
        self._ask = transport.ask

    def list(self) -> tuple[Share, ...]:
        """All, newest first."""
        return tuple(read(Share, row) for row in self._ask("GET", "/api/shares")["rows"])

    def create(
        self, title: str, filter: Filter | None = None, *, days: int | None = None, today: bool = False,
        min_cell: int = 10, mode: str = "heat", password: str | None = None, embed: bool = True,
        origins: Sequence[str] = (), listed: bool = False, expires_at: datetime | str | None = None,
    ) -> Share:  # fmt: skip
        """Share a map of what `filter` lets through; the answer's `url` is told this once.

        `days`: the last so many, moving on, in place of the filter's dates. No area with fewer clicks than `min_cell` is shown.
        """
        wanted: dict[str, Any] = (filter or Filter()).document()
        if days is not None:
            wanted["days"] = days
        document = {
            "title": title, "filter": wanted | ({"today": True} if today else {}), "min_cell": min_cell, "mode": mode,
            "password": password, "embed": embed, "origins": [*origins], "listed": listed,
            "expires_at": expires_at.isoformat() if isinstance(expires_at, datetime) else expires_at,
        }  # fmt: skip
        return read(Share, self._ask("POST", "/api/shares", json=document))

    def edit(self, share: Share | int, *, filter: Filter | None = None, **fields: Any) -> Share:
        """Change what is given, under the address it has; `fields` as `create` has them. `filter` replaces all of the filter."""
        document = {name: _written(value) for name, value in fields.items()}
        if filter is not None:
            moving = {name: document.pop(name) for name in ("days", "today") if name in document}
            document["filter"] = filter.document() | moving
        return read(Share, self._ask("PATCH", f"/api/shares/{_number(share)}", json=document))

    def renew(self, share: Share | int) -> Share:
        """Give it a new address; the one before opens nothing any more."""
        return read(Share, self._ask("POST", f"/api/shares/{_number(share)}/renew"))

    def end(self, share: Share | int) -> None:
        """Its address opens nothing from now on."""
        self._ask("DELETE", f"/api/shares/{_number(share)}")


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _number(share: Share | int) -> int:
    return share if isinstance(share, int) else share.id
