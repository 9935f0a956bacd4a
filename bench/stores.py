"""Every question of the house asked of DuckDB and of ClickHouse (its engine in this process), on the same clicks."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench import sample
from bench.store_questions import questions
from bench.table import Row, alternate, milliseconds, per_second, ratio, row, seconds, show
from clickatlas.api.patches import patches
from clickatlas.clicks import duckdb
from clickatlas.clicks.clickhouse import ClickHouseStore
from clickatlas.clicks.duckdb import REST_S, DuckDBStore
from clickatlas.clicks.store import Batch, ClickStore

CLICKS = int(os.environ.get("CLICKATLAS_BENCH_CLICKS", 1_000_000))
BATCH = 250_000
ROUNDS = 3
PARTS = {"every link": None, "a link of a tenth": (1,)}
Records = npt.NDArray[np.void]


def main() -> None:
    """Fill both with the same clicks, ask both the same, and print."""
    with tempfile.TemporaryDirectory(prefix="clickatlas-bench-") as name, both(Path(name)) as stores:
        filled: dict[str, list[float]] = {kind: [] for kind in stores}
        for records in sample.clicks(CLICKS, BATCH):
            for kind, store in stores.items():
                filled[kind].append(len(records) / seconds(partial(add, store, records)))
        rest = {kind: seconds(partial(settle, store)) for kind, store in stores.items()}
        peer = ("DuckDB", filled["DuckDB"])
        rows = [
            row("clicks stored, a batch, DuckDB", filled["DuckDB"], per_second("clicks")),
            row("clicks stored, a batch, ClickHouse", filled["ClickHouse"], per_second("clicks"), peer),
            *asked(stores),
        ]
        show(
            f"Stores: {CLICKS:,} clicks over {sample.DAYS} days, DuckDB's time and ClickHouse's (less is better)",
            rows,
            (
                f"medians of {ROUNDS} alternating rounds; ClickHouse's engine {engine(stores['ClickHouse'])} in this process, through the client",
                "tidying up afterwards: "
                + ", ".join(f"{kind} {taken:.1f} s" for kind, taken in rest.items()),
                f"load {os.getloadavg()[0]:.1f} at the end",
            ),
        )


def asked(stores: dict[str, ClickStore]) -> Iterator[Row]:
    """A row of each question and part of the clicks: both medians, and their ratio within rounds."""
    for part, links in PARTS.items():
        for question in questions(stores["DuckDB"], links):
            each = {kind: partial(seconds, partial(question.ask, store)) for kind, store in stores.items()}
            figures = alternate(each, ROUNDS)
            one, other = (sorted(figures[kind])[ROUNDS // 2] for kind in ("DuckDB", "ClickHouse"))
            yield Row(
                f"{question.title}; {part}",
                f"{milliseconds(one)}, {milliseconds(other)}",
                ratio(figures["ClickHouse"], figures["DuckDB"]),
                "DuckDB's time",
            )


@contextmanager
def both(folder: Path) -> Iterator[dict[str, ClickStore]]:
    """A store of each kind, on a folder."""
    file = DuckDBStore(folder / "clicks.duckdb")
    file.bundle(sample.bundles())
    file.patch(patches(sample.atlas()))
    stores: dict[str, ClickStore] = {
        "DuckDB": file,
        "ClickHouse": ClickHouseStore(f"chdb://{folder / 'clickhouse'}"),
    }
    try:
        yield stores
    finally:
        for store in stores.values():
            store.close()


def add(store: ClickStore, records: Records) -> None:
    """Store some clicks, with what is due beside them."""
    store.append(Batch(records, sample.agents(), sample.HOSTS, {}))
    while store.tend():
        pass


def settle(store: ClickStore) -> None:
    """What a store would do in the next minutes: rollups and merges."""
    if isinstance(store, DuckDBStore):
        duckdb.REST_S = 0
        while store.tend():
            pass
        duckdb.REST_S = REST_S
        store._connection.execute("CHECKPOINT")
    elif isinstance(store, ClickHouseStore):
        tables = store._ask(
            "SELECT name FROM system.tables WHERE database = '{}' AND engine LIKE '%MergeTree'"
        )["name"]
        for table in tables.tolist():
            store._server.do(f"OPTIMIZE TABLE {store.address.database}.{table} FINAL")


def engine(store: ClickStore) -> str:
    """ClickHouse's version."""
    assert isinstance(store, ClickHouseStore)
    return ".".join(map(str, store._server.version()))
