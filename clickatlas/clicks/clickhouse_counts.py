"""Clicks per place, time and link, as a ClickHouse store counts them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from clickatlas.clicks.buckets import by_link, cut, into_buckets
from clickatlas.clicks.clickhouse_scope import ALWAYS, Scope, Span, among
from clickatlas.clicks.clickhouse_server import Server
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.periods import DAY_MS, QUARTER_MS, SHORTEST_DAY_MS
from clickatlas.clicks.store import Integers, PlaceCounts

QUARTER = f"toInt32(intDiv(time, {QUARTER_MS})) AS quarter"


class ClickHouseCounts:
    """What is read from counts by place and by time, and from single clicks at the edges of a range."""

    _server: Server
    _leaving: Integers  # links that were removed, of which there may be something left

    @property
    def kept_since(self) -> int | None:
        """Before this (midnight UTC, ms) clicks are counted by day and place only; None: all are kept."""
        raise NotImplementedError

    def _scope(self, selection: Selection, kinds: Sequence[int] | None = None) -> Scope:
        return Scope(self._server, selection, kinds, self.kept_since or 0, self._leaving)

    def place_counts(self, selection: Selection) -> PlaceCounts:
        """Clicks per place and network kind: months, days, and single clicks at the edges."""
        rows = self._by_place(selection, "place, kind")
        return PlaceCounts(rows["place"], rows["kind"], rows["clicks"])

    def _by_place(
        self, selection: Selection, by: str, kinds: Sequence[int] | None = None, join: str = ""
    ) -> dict[str, npt.NDArray[Any]]:
        """Clicks `by` some columns, from months, days, and single clicks at the edges."""
        scope = self._scope(selection, kinds)
        days, rest = scope.split(scope.range(DAY_MS), DAY_MS)
        found = [
            f"SELECT {by}, sum(clicks) AS clicks {scope.counted(table, 'day', span, join=join)} GROUP BY {by}"
            for table, span in (scope.place_tables(days) if days else ())
        ]
        found += [
            f"SELECT {by}, toInt64(count()) AS clicks {scope.clicks(span, join=join)} GROUP BY {by}"
            for span in rest
        ]
        if not found:
            return {
                "place": np.zeros(0, np.uint64), "kind": np.zeros(0, np.uint8),
                "part": np.zeros(0, np.int32), "clicks": np.zeros(0, np.int64),
            }  # fmt: skip
        return self._server.ask(added(found, by))

    def time_counts(
        self,
        selection: Selection,
        edges: Integers,
        kinds: Sequence[int],
        places: npt.NDArray[np.uint64] | None = None,
    ) -> Integers:
        """Clicks between each two of `edges` (ms UTC, ascending), of these network kinds and place keys."""
        scope = self._scope(cut(selection, edges), kinds)
        if places is None:
            return into_buckets(*self._quarters(scope), edges)
        inside, counts = among("place", np.asarray(places)), np.zeros(len(edges) - 1, np.int64)
        days, rest = placed(scope, edges)
        if days:
            rows = self._server.ask(
                f"SELECT day, sum(clicks) AS clicks {scope.counted('place_days', 'day', days, inside)} GROUP BY day"
            )
            noon = rows["day"].astype(np.int64) * DAY_MS + DAY_MS // 2
            counts += into_buckets(noon, rows["clicks"], edges)
        for span in rest:
            rows = self._server.ask(
                f"SELECT {QUARTER}, count() AS clicks {scope.clicks(span, inside)} GROUP BY quarter"
            )
            counts += into_buckets(rows["quarter"].astype(np.int64) * QUARTER_MS, rows["clicks"], edges)
        return counts

    def _quarters(self, scope: Scope) -> tuple[Integers, Integers]:
        """Quarter hours (ms), ascending, and the clicks in each; only where there are any."""
        whole, rest = scope.split(scope.range(QUARTER_MS), QUARTER_MS)
        found = [
            f"SELECT {QUARTER}, toInt64(count()) AS clicks {scope.clicks(span)} GROUP BY quarter"
            for span in rest
        ]
        if whole:
            found.append(
                f"SELECT quarter, sum(clicks) AS clicks {scope.counted('time_quarters', 'quarter', whole)} GROUP BY quarter"
            )
        if not found:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        rows = self._server.ask(added(found, "quarter") + " ORDER BY quarter")
        return rows["quarter"].astype(np.int64) * QUARTER_MS, rows["clicks"]

    def link_counts(
        self, selection: Selection, kinds: Sequence[int], places: npt.NDArray[np.uint64] | None = None
    ) -> dict[int, int]:
        """Clicks per link number; links without clicks are left out."""
        scope = self._scope(selection, kinds)
        if places is not None:  # by place only the clicks that are kept one by one are known for each link
            found = [
                f"SELECT link, toInt64(count()) AS clicks {scope.clicks(scope.range(DAY_MS), among('place', np.asarray(places)))}"
                " GROUP BY link"
            ]
        else:
            whole, rest = scope.split(scope.range(DAY_MS), QUARTER_MS)
            found = [
                f"SELECT link, toInt64(count()) AS clicks {scope.clicks(span)} GROUP BY link" for span in rest
            ]
            if whole:
                found.append(
                    f"SELECT link, sum(clicks) AS clicks {scope.counted('time_quarters', 'quarter', whole)} GROUP BY link"
                )
        if not found:
            return {}
        rows = self._server.ask(added(found, "link"))
        return dict(zip(rows["link"].tolist(), rows["clicks"].tolist(), strict=True))

    def link_series(self, links: Sequence[int], edges: Integers, kinds: Sequence[int]) -> dict[int, Integers]:
        """Clicks per link between each two of `edges` (ms UTC); at once where they are midnights UTC."""
        scope = self._scope(cut(Selection(links=tuple(links)), edges), kinds)
        begin, end = scope.range(DAY_MS)
        by_day = not (edges % DAY_MS).any()
        days, rest = scope.split(Span(begin, end), DAY_MS, ALWAYS if by_day else scope.since)
        found = [
            f"SELECT link, {QUARTER}, toInt64(count()) AS clicks {scope.clicks(span)} GROUP BY link, quarter"
            for span in rest
        ]
        if days:  # told by their noon
            found.append(
                "SELECT link, toInt32(intDiv(quarter, 96) * 96 + 48) AS quarter, sum(clicks) AS clicks"
                f" {scope.counted('time_quarters', 'quarter', Span(days.begin * 96, days.end * 96))} GROUP BY link, quarter"
            )
        if not found:
            return {}
        rows = self._server.ask(added(found, "link, quarter"))
        times = rows["quarter"].astype(np.int64) * QUARTER_MS
        return by_link(rows["link"], times, rows["clicks"], edges)

    def span(self, selection: Selection) -> tuple[int, int, int] | None:
        """(first, last, clicks): times in ms UTC; None where there are no clicks.

        By the quarter of an hour where clicks are no longer kept one by one.
        """
        scope = self._scope(selection)
        every = not selection.devices and not selection.traits
        if selection.start is None and selection.end is None and every:
            rows = self._server.ask(
                f"SELECT min(first) AS first, max(last) AS last, sum(clicks) AS clicks {scope.all('seen')}"
            )
            found = tuple(int(rows[name][0]) for name in ("first", "last", "clicks"))
            return (found[0], found[1], found[2]) if found[2] else None
        times, clicks = self._quarters(scope)
        if not len(times):
            return None
        begin, end = scope.range(QUARTER_MS)
        ends = []
        for quarter in (int(times[0]), int(times[-1])):
            within = Span(max(quarter, begin), min(quarter + QUARTER_MS, end))
            rows = self._server.ask(
                f"SELECT min(time) AS first, max(time) AS last, count() AS clicks {scope.clicks(within)}"
            )
            ends.append(
                (int(rows["first"][0]), int(rows["last"][0]))
                if rows["clicks"][0]
                else (quarter, quarter + QUARTER_MS - 1)
            )
        return ends[0][0], ends[1][1], int(clicks.sum())


def added(found: Sequence[str], by: str) -> str:
    """What some questions find, each grouped `by` the same, added up; one alone is not grouped again: that took a third."""
    if len(found) == 1:
        return f"{found[0]} HAVING clicks != 0"
    return f"SELECT {by}, sum(clicks) AS clicks FROM ({' UNION ALL '.join(found)}) GROUP BY {by} HAVING clicks != 0"


def placed(scope: Scope, edges: Integers) -> tuple[Span | None, list[Span]]:
    """For questions by place and time: days to read from what is counted, and ranges (ms) of single clicks.

    By days where buckets are whole days UTC, and where clicks are no longer kept one by one; those are left out where
    buckets are shorter than a day.
    """
    hourly = int(np.diff(edges).min()) < SHORTEST_DAY_MS
    begin, end = scope.range(DAY_MS)
    if hourly:
        begin = max(begin, scope.since)
    whole = not (edges % DAY_MS).any()
    return scope.split(Span(begin, end), DAY_MS, ALWAYS if whole else scope.since)
