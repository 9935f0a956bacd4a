"""The clicks themselves, one by one, as a DuckDB click store reads them out: in windows of time, sorted as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from clickatlas.clicks.duckdb_times import DuckDBTimes
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.periods import QUARTER_MS
from clickatlas.clicks.sources import Sources
from clickatlas.clicks.store import Clicks, ClicksRead, Integers
from clickatlas.redirect.record import Agent

PIECE = 100_000  # clicks read at once: about 12 MB while they are sorted


class DuckDBClicks(DuckDBTimes):
    """Clicks read out."""

    def clicks(
        self,
        selection: Selection,
        kinds: Sequence[int] | None = None,
        places: npt.NDArray[np.uint64] | None = None,
    ) -> ClicksRead:
        """The clicks that are kept one by one, in time order, without growing memory.

        One scan counts them by quarters of an hour, then each window of these is read and sorted by itself: 10
        million rows sorted at once would take as much memory as the store may have.
        """
        pieces = self._pieces(selection, kinds, places)
        return ClicksRead(next(pieces), pieces)  # type: ignore[arg-type]

    def _pieces(
        self, selection: Selection, kinds: Sequence[int] | None, places: npt.NDArray[np.uint64] | None
    ) -> Iterator[int | Clicks]:
        with self._sources(selection, kinds) as sources:
            kept = sources.kept(places)
            counted = sources.ask(
                f"SELECT time // {QUARTER_MS} AS quarter, count(*) AS clicks FROM clicks{kept}"
                " GROUP BY quarter ORDER BY quarter"
            )
            yield int(counted["clicks"].sum())
            for begin, end in windows(counted["quarter"].astype(np.int64), counted["clicks"]):
                columns = sources.ask(
                    f"SELECT time, link, place, kind, agent, referrer FROM clicks{kept}"
                    f"{' AND' if kept else ' WHERE'} time >= {begin} AND time < {end}"
                )
                if len(columns["time"]):
                    yield self._piece(sources, columns)

    def _piece(self, sources: Sources, columns: dict[str, npt.NDArray[Any]]) -> Clicks:
        order = np.argsort(columns["time"], kind="stable")
        agent, agents = np.unique(columns["agent"][order], return_inverse=True)
        referrer, referrers = np.unique(columns["referrer"][order], return_inverse=True)
        words = sources.ask(
            f"SELECT id, device, browser, system, language FROM agents WHERE {sources.listed('id', agent)} ORDER BY id"
        )
        hosts = sources.ask(
            f"SELECT id, host FROM referrers WHERE {sources.listed('id', referrer)} ORDER BY id"
        )
        texts = (words[name].tolist() for name in Agent._fields)
        return Clicks(
            columns["time"][order],
            columns["link"][order],
            self._place_keys[columns["place"][order]],
            columns["kind"][order],
            agents,
            referrers,
            [Agent(*row) for row in zip(*texts, strict=True)],
            hosts["host"].tolist(),
        )


def windows(quarters: Integers, clicks: Integers, most: int = PIECE) -> Iterator[tuple[int, int]]:
    """Spans of time (ms UTC) with about `most` clicks in each, ascending: of whole quarters, or of parts of one."""
    at = 0
    total = np.cumsum(clicks)
    while at < len(quarters):
        before = int(total[at - 1]) if at else 0
        after = max(at + 1, int(np.searchsorted(total, before + most, side="right")))
        begin, end = int(quarters[at]) * QUARTER_MS, (int(quarters[after - 1]) + 1) * QUARTER_MS
        parts = -(-(int(total[after - 1]) - before) // most)
        cuts = [begin + (end - begin) * part // parts for part in range(parts + 1)]
        yield from pairwise(cuts)
        at = after
