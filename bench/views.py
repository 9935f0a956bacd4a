"""The first view of the map and a pan, against the same tiles asked of the clicks as SQL."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np

from bench import sample
from bench.table import Row, alternate, milliseconds, row, seconds, show
from clickatlas.atlas.kinds import NetworkKind
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import PEOPLE, Selection
from clickatlas.clicks.store import Batch
from clickatlas.insight.counts import count
from clickatlas.insight.heat import GRID, Ground, Heat, mercator

SIZES = ((1_000_000, 5), (10_000_000, 3))  # clicks, alternating runs
CHUNK = 1_000_000


class Tile(NamedTuple):
    """A tile's address."""

    zoom: int
    x: int
    y: int


WORLD = [Tile(2, x, y) for x in range(4) for y in range(3)]
PAN = [Tile(5, x, y) for x in range(14, 18) for y in range(9, 12)]  # Europe

# Heat cells only: clusters with names would cost the peer still more.
SQL = f"""
SELECT (x * $size)::INTEGER AS cell_x, (y * $size)::INTEGER AS cell_y, count(*) AS clicks
FROM clicks JOIN spots ON spots.id = clicks.place
WHERE kind = {int(NetworkKind.RESIDENTIAL)} AND x >= $west AND x < $east AND y >= $north AND y < $south
GROUP BY ALL
"""


def main() -> None:
    """Measure and print."""
    ground = Ground.of(sample.atlas())
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="clickatlas-bench-") as name:
        store = DuckDBStore(Path(name) / "clicks.duckdb", memory="2GB")
        stored = 0
        for clicks, rounds in SIZES:
            for records in sample.clicks(clicks - stored, CHUNK):
                store.append(Batch(records, sample.agents(), sample.HOSTS, {}))
            stored = clicks
            rows += _rows(store, ground, clicks, rounds)
        store.close()
    show(
        "Views: a dozen tiles, from the filter to encoded vector tiles (less is better)",
        rows,
        (
            f"first view: {len(WORLD)} tiles of the world at zoom 2, counts asked of the store",
            f"pan: {len(PAN)} tiles of Europe at zoom 5 that nobody asked for before, the store is not asked",
            "SQL: heat cells only, one GROUP BY per tile, neither clusters nor encoding",
        ),
    )


def _rows(store: DuckDBStore, ground: Ground, clicks: int, rounds: int) -> list[Row]:
    # On the store's own connection: DuckDB opens a file once.
    cursor = store._connection.cursor()
    _spots(cursor)
    made: list[Heat] = []

    def first() -> None:
        made[:] = [_heat(store, ground)]
        _ = made[0].largest_cell, made[0].bounds  # what the TileJSON says
        _cut(made[0], WORLD)

    figures = alternate(
        {
            "SQL first": lambda: seconds(lambda: _ask(cursor, WORLD)),
            "first": lambda: seconds(first),
            "SQL pan": lambda: seconds(lambda: _ask(cursor, PAN)),
            "pan": lambda: seconds(lambda: _cut(made[0], PAN)),
        },
        rounds,
    )
    placed = sum(int(made[0].cells(*tile)[2].sum()) for tile in WORLD)
    if (asked := _ask(cursor, WORLD)) != placed:
        raise AssertionError(f"the tiles hold {placed} clicks, SQL says {asked}")
    million = f"{clicks // 1_000_000} million clicks"
    return [
        row(f"SQL per tile, first view, {million}", figures["SQL first"], milliseconds),
        row(f"first view, {million}", figures["first"], milliseconds, ("SQL's time", figures["SQL first"])),
        row(f"SQL per tile, pan, {million}", figures["SQL pan"], milliseconds),
        row(f"pan, {million}", figures["pan"], milliseconds, ("SQL's time", figures["SQL pan"])),
    ]


def _heat(store: DuckDBStore, ground: Ground) -> Heat:
    """As `api.questions` makes a snapshot."""
    places = ground.atlas.places
    answer = store.place_counts(Selection())
    numbers = places.number_of(answer.keys)
    return Heat(ground, count(places, numbers, answer.kinds, answer.clicks, networks=PEOPLE))


def _cut(heat: Heat, tiles: list[Tile]) -> int:
    return sum(len(heat.tile(*tile)) for tile in tiles)


def _ask(cursor: duckdb.DuckDBPyConnection, tiles: list[Tile]) -> int:
    """Ask for each tile's cells; returns the clicks in them."""
    total = 0
    for zoom, x, y in tiles:
        width = 1 / (1 << zoom)
        box = {"west": x * width, "east": (x + 1) * width, "north": y * width, "south": (y + 1) * width}
        cells = cursor.execute(SQL, {"size": float(1 << (zoom + GRID)), **box}).fetchnumpy()
        total += int(cells["clicks"].sum())
    return total


def _spots(cursor: duckdb.DuckDBPyConnection) -> None:
    """A table of the store's places with their position on the map; unplaced ones are left out."""
    places = sample.atlas().places
    known = cursor.execute("SELECT id, key FROM places").fetchnumpy()
    number = places.number_of(known["key"])
    x, y = mercator(np.asarray(places.lat)[number], np.asarray(places.lon)[number])
    placed = ~np.asarray(places.unplaced)[number]
    cursor.register("spots_now", {"id": known["id"][placed], "x": x[placed], "y": y[placed]})
    cursor.execute("CREATE OR REPLACE TABLE spots AS SELECT * FROM spots_now")
    cursor.unregister("spots_now")
