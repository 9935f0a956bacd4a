"""What a DuckDB click store is asked: the reading half of a `ClickStore`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from clickatlas.clicks.buckets import by_link, cut, into_buckets
from clickatlas.clicks.duckdb_clicks import DuckDBClicks
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.periods import DAY_MS, QUARTER_MS
from clickatlas.clicks.rollups import DEVICE_COLUMNS
from clickatlas.clicks.store import GroupWords, Integers, PlaceGroups, Word

MANY_ALONE = 500_000  # clicks of links without rollups
WORDS: dict[
    Word, tuple[str, str, str]
] = {  # the column of `clicks`, the table that it points into, the word there
    "device": ("agent", "agents", "device"),
    "browser": ("agent", "agents", "browser"),
    "system": ("agent", "agents", "system"),
    "language": ("agent", "agents", "language"),
    "referrer": ("referrer", "referrers", "host"),
}


class DuckDBQuestions(DuckDBClicks):
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
            return into_buckets(*self._quarters(cut(selection, edges), kinds), edges)
        return self._times_of(places, cut(selection, edges), edges, kinds)

    def word_counts(
        self,
        selection: Selection,
        word: Word,
        kinds: Sequence[int],
        places: npt.NDArray[np.uint64] | None = None,
    ) -> dict[str, int]:
        """Clicks per device, browser, system, language or referring host; "" where that is not known.

        Of the clicks that are still kept one by one; of all by device, everywhere.
        """
        alone = places is not None or selection.traits
        if word == "device" and not alone and (found := self._devices(selection, kinds)) is not None:
            return found
        number, table, column = WORDS[word]
        with self._sources(selection) as sources:
            # Kinds are counted apart and chosen then: holding each click against them takes a third longer.
            columns = sources.ask(
                f"SELECT {column} AS word, kind, sum(clicks)::BIGINT AS clicks FROM (SELECT {number}, kind,"
                f" count(*) AS clicks FROM clicks{sources.kept(places)} GROUP BY {number}, kind) c"
                f" JOIN {table} ON {table}.id = c.{number} GROUP BY {column}, kind"
            )
        counts = dict[str, int]()
        wanted = np.isin(columns["kind"], list(kinds))
        for name, clicks in zip(
            columns["word"][wanted].tolist(), columns["clicks"][wanted].tolist(), strict=True
        ):
            counts[name] = counts.get(name, 0) + clicks
        return counts

    def group_words(
        self, selection: Selection, word: Word, kinds: Sequence[int], places: PlaceGroups
    ) -> GroupWords:
        """Clicks per group of places and word, of the clicks that are still kept one by one.

        Joined to a small table of places, which is looked up by number, and counted in a flat one: 10 million clicks cost 0.1 s
        of a processor, less than half of what it takes to read them.
        """
        number, table, column = WORDS[word]
        group, other = self._group_of(places)
        named = np.flatnonzero(group >= 0)
        grouped = {"place": named.astype(np.int32), "grp": group[named]}
        with self._sources(selection, kinds, grouped=grouped) as sources:
            # Of each table by itself: of their union DuckDB does not know the range of places.
            each = (
                f"SELECT grp, {number} AS number, count(*) AS clicks FROM {kept} JOIN grouped USING (place)"
                f"{sources.kept()} GROUP BY grp, number"
                for kept in ("settled", "incoming")
            )
            found = sources.ask(" UNION ALL ".join(each))
            words = sources.ask(f"SELECT id, {column} AS word FROM {table}")
        names, word_of = np.unique(np.asarray(words["word"], np.str_), return_inverse=True)
        by_id = np.zeros(int(words["id"].max(initial=0)) + 1, np.int64)
        by_id[words["id"]] = word_of
        width = other + 1
        pair, index = np.unique(by_id[found["number"]] * width + found["grp"], return_inverse=True)
        clicks = np.bincount(index, weights=found["clicks"], minlength=len(pair)).astype(np.int64)
        own = (pair % width).astype(np.int32)
        if places.elsewhere is not None:
            own[own == other] = places.elsewhere
        return GroupWords(own, (pair // width).astype(np.int32), clicks, names.tolist())

    def _devices(self, selection: Selection, kinds: Sequence[int]) -> dict[str, int] | None:
        """Clicks per device, those let go of too; None where all are kept and reading them is no slower.

        Devices that rollups don't tell apart are not known then, which is "".
        """
        with self._sources(selection, kinds) as sources:
            alone = sum(group.total for group in sources.groups() if not group.busy)
            since = sources.since
        if alone > MANY_ALONE and not since:
            return None
        found = {}
        for device in selection.devices or DEVICE_COLUMNS:
            clicks = int(self._quarters(replace(selection, devices=(device,)), kinds)[1].sum())
            if clicks:
                found[device] = clicks
        every = int(self._quarters(selection, kinds)[1].sum())
        if rest := every - sum(found.values()):
            found[""] = rest
        return found if since or not rest else None

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
        return by_link(columns["link"], times, columns["clicks"], edges)

    def span(self, selection: Selection) -> tuple[int, int, int] | None:
        """(first, last, clicks): times in ms UTC; None where there are no clicks.

        By the quarter of an hour where clicks are no longer kept one by one.
        """
        with self._sources(selection) as sources:
            every = not selection.devices and not selection.traits
            if selection.start is None and selection.end is None and every:
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


def _some(column: npt.NDArray[Any]) -> bool:
    return not np.ma.getmaskarray(column)[0]
