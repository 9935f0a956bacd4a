"""Counts that a DuckDB click store answers from its rollups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from clickatlas.clicks.filter import Selection
from clickatlas.clicks.sources import Sources
from clickatlas.clicks.store import Integers, PlaceCounts

MANY = 3_000_000  # single clicks that are counted faster by DuckDB than read and counted in an array
KINDS = 8


class DuckDBCounts:
    """Clicks per place, per time and per link, without a condition on places."""

    _connection: duckdb.DuckDBPyConnection
    _place_keys: npt.NDArray[np.uint64]  # by place number

    @contextmanager
    def _sources(self, selection: Selection, kinds: Sequence[int] | None = None) -> Iterator[Sources]:
        """Everything read inside is of one moment: clicks don't move on to the rollups meanwhile."""
        cursor = self._connection.cursor()
        cursor.begin()
        try:
            yield Sources(cursor, selection, kinds)
        finally:
            cursor.rollback()
            cursor.close()

    def place_counts(self, selection: Selection) -> PlaceCounts:
        """Clicks per place and network kind: periods of rollups, and single clicks at the edges.

        Added up in one flat array of places × kinds, 2 ns a row: a hash table takes ten times that.
        """
        cells = np.zeros(0, np.int64)
        together: dict[tuple[int, bool], list[str]] = {}
        with self._sources(selection) as sources:
            for part in sources.places():
                if part.about <= MANY:
                    together.setdefault((part.sign, part.single), []).append(part.select)
                else:
                    # Place and kind together have 22 bits: DuckDB's flat table in place of a hash table takes a
                    # seventh of the time, and less memory than reading every click.
                    sources.stream("SET perfect_ht_threshold = 22")
                    counted = (
                        f"SELECT place, kind, count(*) AS clicks FROM ({part.select}) GROUP BY place, kind"
                    )
                    cells = _added(cells, sources.ask(counted), part.sign)
            for (sign, _), selects in together.items():
                cells = _added(cells, sources.ask(" UNION ALL ".join(selects)), sign)
        there = np.flatnonzero(cells)
        return PlaceCounts(self._place_keys[there // KINDS], (there % KINDS).astype(np.uint8), cells[there])

    def link_counts(
        self, selection: Selection, kinds: Sequence[int], places: npt.NDArray[np.uint64] | None = None
    ) -> dict[int, int]:
        """Clicks per link number; links without clicks are left out."""
        with self._sources(selection, kinds) as sources:
            # By place only the clicks that are kept one by one are known for each link.
            each = (
                sources.links(by_day=False)
                if places is None
                else f"SELECT link, 1 AS clicks FROM clicks{sources.kept(places)}"
            )
            columns = sources.ask(
                f"SELECT link, sum(clicks)::BIGINT AS clicks FROM ({each}) GROUP BY link HAVING sum(clicks) > 0"
            )
        return dict(zip(columns["link"].tolist(), columns["clicks"].tolist(), strict=True))

    def _quarters(self, selection: Selection, kinds: Sequence[int]) -> tuple[Integers, Integers]:
        """Quarter hours (ms), ascending, and the clicks in each; only where there are any."""
        with self._sources(selection, kinds) as sources:
            return sources.quarters()


def _added(cells: Integers, columns: dict[str, npt.NDArray[Any]], sign: int) -> Integers:
    cell = columns["place"] * np.int32(KINDS) + columns["kind"]
    if (size := int(cell.max(initial=-1)) + 1) > len(cells):
        cells = np.concatenate([cells, np.zeros(size - len(cells), np.int64)])
    # A conversion on the way in would be slower than the sum.
    np.add.at(
        cells, cell, sign * columns["clicks"].astype(np.int64) if "clicks" in columns else np.int64(sign)
    )
    return cells
