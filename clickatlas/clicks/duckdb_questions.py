"""What a DuckDB click store is asked: the reading half of a `ClickStore`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from clickatlas.clicks.duckdb_times import DuckDBTimes
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.periods import DAY_MS, QUARTER_MS
from clickatlas.clicks.sources import cut
from clickatlas.clicks.store import ClickRow, Integers, PlaceGroups, Word

EXPORT_ROWS = 10_000
WORDS: dict[
    Word, tuple[str, str, str]
] = {  # the column of `clicks`, the table that it points into, the word there
    "device": ("agent", "agents", "device"),
    "browser": ("agent", "agents", "browser"),
    "system": ("agent", "agents", "system"),
    "language": ("agent", "agents", "language"),
    "referrer": ("referrer", "referrers", "host"),
}


class DuckDBQuestions(DuckDBTimes):
    """All that is asked, of the rollups where they can tell; `DuckDBStore` opens the file and writes."""

    def _all(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        return self._connection.cursor().execute(sql, parameters).fetchall()

    @property
    def kept_since(self) -> int | None:
        """Before this (midnight UTC, ms) clicks are counted by day and place only; None: all are kept."""
        return int(self._all("SELECT since FROM kept")[0][0]) or None

    def time_counts(
        self,
        selection: Selection,
        edges: Integers,
        kinds: Sequence[int],
        places: npt.NDArray[np.uint64] | None = None,
    ) -> Integers:
        """Clicks between each two of `edges` (ms UTC, ascending), of these network kinds and place keys."""
        if places is None:
            # Quarter hours first, then the reader's buckets: every zone is whole quarters away from UTC.
            return _into_buckets(*self._quarters(cut(selection, edges), kinds), edges)
        groups = PlaceGroups(places, np.zeros(len(places), np.int32))
        found = self.group_times(selection, edges, kinds, groups)
        counts = np.zeros(len(edges) - 1, np.int64)
        counts[found.buckets] = found.clicks
        return counts

    def word_counts(
        self,
        selection: Selection,
        word: Word,
        kinds: Sequence[int],
        places: npt.NDArray[np.uint64] | None = None,
    ) -> dict[str, int]:
        """Clicks per device, browser, system, language or referring host; "" where that is not known.

        Of the clicks that are still kept one by one.
        """
        number, table, column = WORDS[word]
        with self._sources(selection, kinds) as sources:
            columns = sources.ask(
                f"SELECT {column} AS word, sum(clicks)::BIGINT AS clicks FROM"
                f" (SELECT {number}, count(*) AS clicks FROM clicks{sources.kept(places)} GROUP BY {number}) c"
                f" JOIN {table} ON {table}.id = c.{number} GROUP BY {column}"
            )
        return dict(zip(columns["word"].tolist(), columns["clicks"].tolist(), strict=True))

    def link_series(self, links: Sequence[int], edges: Integers, kinds: Sequence[int]) -> dict[int, Integers]:
        """Clicks per link between each two of `edges` (ms UTC); at once where they are midnights UTC."""
        selection = cut(Selection(links=tuple(links)), edges)
        by_day = not (edges % DAY_MS).any()
        with self._sources(selection, kinds) as sources:
            select = sources.links(by_day=True) if by_day else sources.link_times()
            columns = sources.ask(
                f"SELECT link, {'day' if by_day else 'quarter'} AS bucket, sum(clicks)::BIGINT AS clicks FROM ({select})"
                " GROUP BY link, bucket HAVING sum(clicks) > 0"
            )
        times = columns["bucket"].astype(np.int64) * (DAY_MS if by_day else QUARTER_MS)
        series: dict[int, Integers] = {}
        for link in np.unique(columns["link"]):
            mine = columns["link"] == link
            series[int(link)] = _into_buckets(times[mine], columns["clicks"][mine], edges)
        return series

    def span(self, selection: Selection) -> tuple[int, int, int] | None:
        """(first, last, clicks): times in ms UTC; None where there are no clicks.

        By the quarter of an hour where clicks are no longer kept one by one.
        """
        with self._sources(selection) as sources:
            if selection.start is None and selection.end is None and not selection.devices:
                rows = sources.ask(
                    f"SELECT min(first) AS first, max(last) AS last, sum(clicks)::BIGINT AS clicks FROM"
                    f" ({sources.seen()}) WHERE clicks > 0"
                )
                found = [int(rows[name][0]) if rows[name][0] else 0 for name in ("first", "last", "clicks")]
                return (found[0], found[1], found[2]) if found[2] else None
            times, clicks = sources.quarters()
            if not len(times):
                return None
            begin, end = sources.range(QUARTER_MS)
            ends = []
            for quarter in (int(times[0]), int(times[-1])):
                rows = sources.ask(
                    "SELECT min(time) AS first, max(time) AS last FROM clicks"
                    + sources.kept(between=(max(quarter, begin), min(quarter + QUARTER_MS, end)))
                )
                ends.append((rows["first"], rows["last"], quarter))
        (firsts, _, first), (_, lasts, last) = ends
        return (
            int(firsts[0]) if _some(firsts) else first,
            int(lasts[0]) if _some(lasts) else last + QUARTER_MS - 1,
            int(clicks.sum()),
        )

    def rows(self, selection: Selection) -> Iterator[list[ClickRow]]:
        """The clicks themselves in time order, streamed in lists of 10,000; those still kept one by one."""
        with self._sources(selection) as sources:
            cursor = sources.stream(
                "SELECT time, link, places.key, kind, device, browser, system, language, host, flags"
                f" FROM (SELECT * FROM clicks{sources.kept()}) c JOIN places ON places.id = c.place"
                " JOIN agents ON agents.id = c.agent JOIN referrers ON referrers.id = c.referrer ORDER BY time"
            )
            while chunk := cursor.fetchmany(EXPORT_ROWS):
                yield [ClickRow(*row) for row in chunk]


def _some(column: npt.NDArray[Any]) -> bool:
    return not np.ma.getmaskarray(column)[0]


def _into_buckets(times: Integers, clicks: npt.NDArray[Any], edges: Integers) -> Integers:
    bucket = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(bucket, weights=np.asarray(clicks, np.float64), minlength=len(edges) - 1)
    return counts.astype(np.int64)
