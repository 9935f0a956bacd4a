"""What single clicks tell, as a ClickHouse store reads it: words, visitors, and the clicks themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from clickatlas.clicks.buckets import cut
from clickatlas.clicks.clickhouse_groups import ClickHouseGroups
from clickatlas.clicks.clickhouse_scope import Scope, Span, among
from clickatlas.clicks.clickhouse_server import values
from clickatlas.clicks.duckdb_clicks import windows
from clickatlas.clicks.filter import DEVICES, Selection
from clickatlas.clicks.periods import DAY_MS, QUARTER_MS
from clickatlas.clicks.store import Clicks, ClicksRead, Integers, VisitorCounts, Word
from clickatlas.redirect.record import Agent


class ClickHouseWords(ClickHouseGroups):
    """All that is asked; `ClickHouseStore` writes."""

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
        scope = self._scope(selection, kinds)
        if word != "device" or places is not None or scope.single:
            condition = "" if places is None else among("place", np.asarray(places))
            source = scope.clicks(scope.range(DAY_MS), condition)
            rows = self._server.ask(f"SELECT {word} AS word, count() AS clicks {source} GROUP BY word")
            return dict(zip(rows["word"].tolist(), rows["clicks"].tolist(), strict=True))
        whole, rest = scope.split(scope.range(QUARTER_MS), QUARTER_MS)
        found = [
            f"SELECT device, toInt64(count()) AS clicks {scope.clicks(span)} GROUP BY device" for span in rest
        ]
        if whole:
            found.append(
                f"SELECT device, sum(clicks) AS clicks {scope.counted('time_quarters', 'quarter', whole)} GROUP BY device"
            )
        counts = dict[str, int]()
        for select in found:
            rows = self._server.ask(select)
            for name, clicks in zip(rows["device"].tolist(), rows["clicks"].tolist(), strict=True):
                name = "" if scope.since and name not in DEVICES else name
                counts[name] = counts.get(name, 0) + clicks
        return counts

    def origin_counts(
        self,
        selection: Selection,
        kinds: Sequence[int],
        places: npt.NDArray[np.uint64] | None = None,
    ) -> dict[tuple[str, str], int]:
        """Clicks per browser and referring host, "" where that is not known, of the clicks kept one by one."""
        scope = self._scope(selection, kinds)
        condition = "" if places is None else among("place", np.asarray(places))
        rows = self._server.ask(
            f"SELECT browser, referrer, count() AS clicks {scope.clicks(scope.range(DAY_MS), condition)} GROUP BY browser, referrer"
        )
        pairs = zip(rows["browser"].tolist(), rows["referrer"].tolist(), strict=True)
        return dict(zip(pairs, rows["clicks"].tolist(), strict=True))

    def visitor_counts(
        self,
        selection: Selection,
        edges: Integers,
        kinds: Sequence[int],
        places: npt.NDArray[np.uint64] | None = None,
    ) -> VisitorCounts:
        """Visitors between each two of `edges` (ms UTC, whole quarters of an hour), of the clicks kept one by one.

        A hash is one person's, on one link, of one UTC day: within that they are counted exactly. Over more, `most`
        takes all for different people, `least` for the same.
        """
        scope = self._scope(cut(selection, edges), kinds)
        condition = "" if places is None else among("place", np.asarray(places))
        source = scope.clicks(scope.range(DAY_MS), condition)
        rows = self._server.ask(
            "SELECT edge, max(visitors) AS least, sum(visitors) AS most, sum(known) AS known, sum(unknown) AS unknown FROM"
            f" (SELECT roundDown(time, CAST([{values(edges)}], 'Array(Int64)')) AS edge, link, intDiv(time, {DAY_MS}) AS day,"
            " uniqExactIf(visitor, visitor != 0) AS visitors, countIf(visitor != 0) AS known, countIf(visitor = 0) AS unknown"
            f" {source} GROUP BY edge, link, day) GROUP BY edge"
        )
        at = np.searchsorted(edges, rows["edge"])
        found = [np.zeros(len(edges) - 1, np.int64) for _ in range(4)]
        for counts, name in zip(found, ("least", "most", "known", "unknown"), strict=True):
            counts[at] = rows[name]
        return VisitorCounts(*found)

    def clicks(
        self,
        selection: Selection,
        kinds: Sequence[int] | None = None,
        places: npt.NDArray[np.uint64] | None = None,
    ) -> ClicksRead:
        """The clicks that are kept one by one, in time order, without growing memory.

        Counted by quarters of an hour, and then read a window of these at a time: a reader that takes its time must not
        hold up the server. What comes meanwhile into a window that was counted is left out.
        """
        scope = self._scope(selection, kinds)
        condition = "" if places is None else among("place", np.asarray(places))
        source = scope.clicks(scope.range(DAY_MS), condition)
        counted = self._server.ask(
            f"SELECT toInt64(intDiv(time, {QUARTER_MS})) AS quarter, toInt64(count()) AS clicks {source} GROUP BY quarter"
            " ORDER BY quarter"
        )
        quarter, clicks = counted["quarter"], counted["clicks"]
        return ClicksRead(int(clicks.sum()), self._pieces(scope, condition, quarter, clicks))

    def _pieces(self, scope: Scope, condition: str, quarter: Integers, clicks: Integers) -> Iterator[Clicks]:
        begin, end = scope.range(DAY_MS)
        due = dict(zip(quarter.tolist(), clicks.tolist(), strict=True))
        for window in windows(quarter, clicks):
            span = Span(max(begin, window[0]), min(end, window[1]))
            if span.begin >= span.end:
                continue
            rows = self._server.ask(
                "SELECT time, link, place, kind, device, browser, system, language, referrer"
                f" {scope.clicks(span, condition)} ORDER BY time"
            )
            keep = _first(rows["time"] // QUARTER_MS, due)
            if keep.any():
                yield as_clicks({name: column[keep] for name, column in rows.items()})


def _first(quarter: Integers, due: dict[int, int]) -> npt.NDArray[np.bool_]:
    """Of the rows of each quarter, in order, as many as are due of it; they are due no longer then."""
    keep = np.ones(len(quarter), np.bool_)
    names, start, counts = np.unique(quarter, return_index=True, return_counts=True)
    for name, first, count in zip(names.tolist(), start.tolist(), counts.tolist(), strict=True):
        taken = min(count, due.get(name, 0))
        keep[first + taken : first + count] = False
        due[name] = due.get(name, 0) - taken
    return keep


def as_clicks(rows: dict[str, npt.NDArray[Any]]) -> Clicks:
    """Rows of clicks, by column, with their words as numbers."""
    codes, words = [], []
    for name in (*Agent._fields, "referrer"):
        encoded = pa.array(rows[name], pa.string()).dictionary_encode()
        codes.append(encoded.indices.to_numpy().astype(np.int64))
        words.append(encoded.dictionary.to_pylist())
    agent = np.zeros(len(codes[0]), np.int64)
    for code, known in zip(codes[:4], words[:4], strict=True):
        agent = agent * len(known) + code
    _, first, agents = np.unique(agent, return_index=True, return_inverse=True)
    texts = [
        [known[at] for at in code[first].tolist()] for code, known in zip(codes[:4], words[:4], strict=True)
    ]
    return Clicks(
        rows["time"],
        rows["link"],
        rows["place"],
        rows["kind"],
        agents,
        codes[4],
        [Agent(*row) for row in zip(*texts, strict=True)],
        words[4],
    )
