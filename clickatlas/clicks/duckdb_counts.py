"""Counts that a DuckDB click store answers from its rollups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from clickatlas.clicks.cells import Cells
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.scope import choose
from clickatlas.clicks.sources import Sources
from clickatlas.clicks.store import Integers, PlaceCounts, PlaceGroups

REMEMBERED = 3  # arrays of keys that were asked for last
# Keys, the places that were looked up in them, where each stands, whether it does.
Found = tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64], npt.NDArray[np.intp], npt.NDArray[np.bool_]]


class DuckDBCounts:
    """Clicks per place, per time and per link, without a condition on places."""

    _connection: duckdb.DuckDBPyConnection
    _place_keys: npt.NDArray[np.uint64]  # by place number
    _found: tuple[Found, ...] = ()  # places in arrays of keys

    @contextmanager
    def _sources(
        self,
        selection: Selection,
        kinds: Sequence[int] | None = None,
        *,
        grouped: dict[str, npt.NDArray[Any]] | None = None,
    ) -> Iterator[Sources]:
        """Everything read inside is of one moment: clicks don't move on to the rollups meanwhile.

        `grouped` is there as a table that goes with it. Of a table that was there before, and not of arrays, DuckDB knows the
        numbers' range: joins look them up in a flat array, in a quarter of the time.
        """
        cursor = self._connection.cursor()
        if grouped is not None:
            cursor.register("given", grouped)
            cursor.execute("CREATE TEMP TABLE grouped AS FROM given").fetchall()
        choose(cursor, selection.links or ())
        cursor.begin()
        try:
            yield Sources(cursor, selection, kinds)
        finally:
            cursor.rollback()
            cursor.close()

    def _standing(self, keys: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        """By place number where it stands in `keys`, and whether it does. Of arrays asked for again the last few are remembered."""
        mine = self._place_keys
        for known, of, at, there in self._found:
            if known is keys and of is mine:
                return at, there
        at, there = _looked_up(keys, mine)
        self._found = ((keys, mine, at, there), *self._found[: REMEMBERED - 1])
        return at, there

    def _group_of(self, places: PlaceGroups) -> tuple[npt.NDArray[np.int32], int]:
        """By place number its group, below 0 to leave out; and the number that stands for elsewhere, above all others."""
        at, there = self._standing(places.keys)
        other = int(places.groups.max(initial=-1)) + 1
        result = np.full(len(at), -1 if places.elsewhere is None else other, np.int32)
        result[there] = places.groups[at[there]]
        if places.elsewhere is not None:
            result[result == places.elsewhere] = other
        return result, other

    def place_counts(self, selection: Selection) -> PlaceCounts:
        """Clicks per place and network kind: periods of rollups, and single clicks at the edges.

        Added up in one flat table of kinds × places while they are read, 5 ns a row: DuckDB's own takes two to three times that.
        Kind by kind, since nearly all clicks are of one: its million bytes stay near the processor, half the time of place by place.
        """
        together: dict[tuple[int, bool], list[str]] = {}
        with self._sources(selection) as sources:
            for part in sources.places():
                together.setdefault((part.sign, part.single), []).append(part.select)
            keys = self._place_keys
            width = np.int32(len(keys))
            cells = Cells(sources.most())
            for (sign, _), selects in together.items():
                for rows in sources.pieces(" UNION ALL ".join(selects)):
                    cells.add(rows["kind"] * width + rows["place"], rows.get("clicks"), sign)
        there, clicks = cells.told()
        kind = there // width
        return PlaceCounts(keys[there - kind * width], kind.astype(np.uint8), clicks)

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


def _looked_up(
    keys: npt.NDArray[np.uint64], wanted: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Where each of `wanted` is in `keys`, and whether it is."""
    if not len(keys):
        return np.zeros(len(wanted), np.intp), np.zeros(len(wanted), np.bool_)
    if (keys[1:] >= keys[:-1]).all():
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    else:
        order = np.argsort(keys)
        at = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)]
    return at, keys[at] == wanted
