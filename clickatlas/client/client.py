"""The client: one server, one token, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from clickatlas.client.domains import Domains
from clickatlas.client.export import Export, asked
from clickatlas.client.filter import Filter
from clickatlas.client.hooks import Webhooks
from clickatlas.client.links import Campaigns, Links
from clickatlas.client.live import listen
from clickatlas.client.rows import Change, Choices, LiveClicks, read
from clickatlas.client.shares import Shares
from clickatlas.client.tables import (
    Breakdown,
    Columns,
    Hours,
    Insights,
    Places,
    Timeline,
    Visitors,
    grid,
    timed,
)
from clickatlas.client.transport import Transport


class Client:
    """What a workspace's token may ask of the server at `url`. Safe for threads; close it, or use it in a `with`.

    `timeout` (seconds) bounds each wait for the server. A request that is refused for coming too soon (429, 503) is
    sent again when the server says so, for `patience` seconds in all: reading ones, and new links, which carry a key.
    """

    def __init__(
        self, url: str, token: str, *, timeout: float = 30.0, patience: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:  # fmt: skip
        self._transport = Transport(url, token, timeout=timeout, patience=patience, transport=transport)
        self.links = Links(self._transport)
        self.campaigns = Campaigns(self._transport)
        self.shares = Shares(self._transport)
        self.export = Export(self._transport)
        self.domains = Domains(self._transport)
        self.webhooks = Webhooks(self._transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._transport.close()

    def choices(self) -> Choices:
        """Campaigns, channels, tags and devices to filter by, and when there are clicks."""
        return read(Choices, self._asked("/api/filters", None))

    def places(self, table: str = "countries", filter: Filter | None = None, **options: Any) -> Places:
        """A table of areas: countries, regions, metros, counties, cities or postal-codes.

        Options: `limit`, `sort` (clicks, rate, index, name), `order`, `search`, `unplaced`.
        """
        return read(Places, self._asked(f"/api/analytics/geo/{quote(table, safe='')}", filter, **options))

    def timeline(self, filter: Filter | None = None, *, bucket: str = "day") -> Timeline:
        """Clicks by hour, day, week or month in the filter's zone."""
        document = self._asked("/api/analytics/clicks", filter, bucket=bucket)
        found: Timeline = timed(read(Timeline, document), document)
        return found

    def visitors(self, filter: Filter | None = None, *, bucket: str = "day") -> Visitors:
        """Visitors by hour or day: at least and at most so many."""
        document = self._asked("/api/analytics/visitors", filter, bucket=bucket)
        found: Visitors = timed(read(Visitors, document), document)
        return found

    def hours(self, filter: Filter | None = None, *, clock: str = "reader") -> Hours:
        """Clicks by weekday and hour, by the filter's zone or by each place's own clock (`clock="place"`)."""
        return grid(self._asked("/api/analytics/hours", filter, clock=clock))

    def breakdown(self, by: str, filter: Filter | None = None, *, limit: int | None = None) -> Breakdown:
        """Clicks by link, campaign, channel, tag, device, browser, system, language, referrer, origin, network or way."""
        return read(Breakdown, self._asked("/api/analytics/breakdown", filter, by=by, limit=limit))

    def change(self, filter: Filter) -> Change:
        """Clicks against the period before; the filter needs `from_`."""
        return read(Change, self._asked("/api/analytics/change", filter))

    def compare(self, a: Filter, b: Filter, *, level: str = "countries", limit: int | None = None) -> Columns:
        """Where the first filter has more of its clicks than the second, area by area."""
        return Columns.read(self._asked("/api/compare/areas", a, b, level=level, limit=limit))

    def insights(self, filter: Filter | None = None, other: Filter | None = None, **options: Any) -> Insights:
        """Cards of what stands out; with `other` also how the two differ. Options: `level`, `clock`, `baseline`."""
        document = self._asked("/api/insights", filter, other, **options)
        return read(Insights, document | {"rows": document["cards"]})

    def insight(
        self, question: str, filter: Filter | None = None, other: Filter | None = None, **options: Any
    ) -> Columns:
        """The table behind a card: concentration, gaps, hotspots, audience, differences, rhythm, target, …"""
        return Columns.read(
            self._asked(f"/api/insights/{quote(question, safe='')}", filter, other, **options)
        )

    def live(
        self, filter: Filter | None = None, *, code: str | None = None, seconds: float | None = None
    ) -> Iterator[LiveClicks]:
        """Clicks as they come, of one link (`code`) or of all that `filter` lets through, for `seconds` (None: for ever).

        Connections that end or break are made again. A refusal raises `ClickatlasError`.
        """
        return listen(self._transport, filter, code, seconds)

    def _asked(self, path: str, filter: Filter | None, other: Filter | None = None, **options: Any) -> Any:
        params = [*(filter or Filter()).params(), *asked(options)]
        if other is not None:
            params += other.params("b.")
        return self._transport.ask("GET", path, params)
