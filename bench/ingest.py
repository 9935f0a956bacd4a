"""Clicks per second from spool to DuckDB, and bytes per click, against DuckDB's own COPY."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt

from bench import sample
from bench.table import alternate, per_second, row, seconds, show
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.ingest import Ingest
from clickatlas.clicks.store import Batch
from clickatlas.redirect.spool import Spool

CLICKS = 1_000_000
IMPORT, BUSY, QUIET = 100_000, 8, 1  # clicks in one write of the spool
ROUNDS = 3
Records = npt.NDArray[np.void]


def main() -> None:
    """Measure and print."""
    records = np.concatenate(list(sample.clicks(CLICKS, 250_000)))
    with tempfile.TemporaryDirectory(prefix="clickatlas-bench-") as name:
        folder = Path(name)
        csv, size = _peer_file(folder, records)
        figures = alternate(
            {
                "peer": lambda: CLICKS / _copy(folder, csv),
                "import": lambda: CLICKS / _ingest(folder, records, IMPORT),
                "busy": lambda: CLICKS / _ingest(folder, records, BUSY),
                "quiet": lambda: CLICKS / _ingest(folder, records, QUIET),
            },
            ROUNDS,
        )
    unit = per_second("clicks")
    peer = ("DuckDB COPY", figures["peer"])
    show(
        "Ingest: from spool to committed clicks",
        [
            row("DuckDB COPY of a CSV file", figures["peer"], unit),
            row(f"Ingest, imports ({IMPORT:,} clicks a write)", figures["import"], unit, peer),
            row(f"Ingest, busy street ({BUSY} clicks a write)", figures["busy"], unit, peer),
            row("Ingest, quiet street (each click a write of its own)", figures["quiet"], unit, peer),
        ],
        (
            f"{CLICKS:,} clicks a run, {ROUNDS} alternating runs",
            f"{size / CLICKS:.1f} bytes per click on disk after CHECKPOINT, 4 of them the visitor's hash",
        ),
    )


def _ingest(folder: Path, records: Records, together: int) -> float:
    """Seconds that `Ingest` needs for a spool written `together` clicks at a time."""
    with _empty(folder) as (place, store):
        write(Spool(place / "spool", segment_bytes=1 << 30), records, together)
        ingest = Ingest(place / "spool", store)

        def work() -> None:
            while ingest.step():
                pass

        taken = seconds(work)
        found = store.span(Selection())
        if found is None or found[2] != len(records):
            raise AssertionError(f"not all of {len(records)} clicks were ingested: {found}")
        return taken


def write(spool: Spool, records: Records, together: int) -> None:
    """Write clicks into one segment; a first frame has all the words, so that records can point to them by position."""
    words = ["\x1f".join(agent) for agent in sample.agents()]
    numbers = [spool.term(word) for word in (*words, *sample.HOSTS)]
    if numbers != list(range(len(numbers))):
        raise AssertionError("the words are not in order")
    records = records.copy()
    records["referrer"] += len(words)
    for start in range(0, len(records), together):
        spool.write(records[start : start + together])
    spool.close()


@contextmanager
def _empty(folder: Path) -> Iterator[tuple[Path, DuckDBStore]]:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        store = DuckDBStore(Path(name) / "clicks.duckdb")
        try:
            yield Path(name), store
        finally:
            store.close()


def _peer_file(folder: Path, records: Records) -> tuple[Path, int]:
    """The same clicks as a CSV file of the store's own columns, and the store's size in bytes."""
    csv = folder / "clicks.csv"
    with _empty(folder) as (_, store):
        store.append(Batch(records, sample.agents(), sample.HOSTS, {}))
        path = store.path
        store.close()
        with duckdb.connect(str(path)) as database:
            database.execute("CHECKPOINT")
            database.execute(f"COPY clicks TO '{csv}'")
        return csv, path.stat().st_size


def _copy(folder: Path, csv: Path) -> float:
    """Seconds that DuckDB needs to read the file into an empty table of the same shape."""
    with _empty(folder) as (_, store):
        path = store.path
        store.close()
        with duckdb.connect(str(path)) as database:
            return seconds(lambda: database.execute(f"COPY incoming FROM '{csv}'"))
