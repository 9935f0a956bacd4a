"""The click store at 1, 10 and 100 million clicks: size, speed of filling, questions (minutes; only when asked for)."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench import sample
from bench.growth_questions import MOST, PAN, cost, parts, questions, tiles
from bench.ingest import IMPORT, write
from bench.stores import settle
from bench.table import Row, milliseconds, per_second, show
from clickatlas.api.patches import patches
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.ingest import Ingest
from clickatlas.redirect.spool import Spool

SIZES = (1_000_000, 10_000_000, 100_000_000)
CHUNK = 250_000
WAITING = 16  # chunks in the spool when storing begins: how fast that can go shows where clicks wait
ROUNDS = 3
LARGEST, SLOWEST = 16, 250_000  # bytes on disk per click, clicks stored per second
FOLDER = "CLICKATLAS_BENCH_STORE"  # where the store stays, to be measured again; else it goes with the run


class Filled(NamedTuple):
    """What storing a click took, from the spool on: seconds by the clock and on the processors."""

    clock: float
    processor: float


def main() -> None:
    """Fill one store further and further; measure and print at each size."""
    with _folder() as folder:
        store = DuckDBStore(folder / "clicks.duckdb")
        store.bundle(sample.bundles())
        store.patch(patches(sample.atlas()))
        before = 0
        # One stream of clicks for each size, as time goes on: the last ones are always of today.
        for size in SIZES:
            span = store.span(Selection())
            if span is None or span[2] < size:
                _show(store, size, _fill(store, folder, before, size))
            elif span[2] == size or size == SIZES[-1]:
                _show(store, span[2], None)
            before = size
        store.close()


def _plain(store: DuckDBStore) -> list[Row]:
    """What the single clicks cost without any of ours: how quick this machine is today."""
    rows = []
    for name, condition in (("every link", ""), ("link of a tenth", f" WHERE link = {MOST[0]}")):
        sql = f"SELECT place, count(*) AS clicks FROM settled{condition} GROUP BY place"
        taken = cost(lambda sql=sql: store._connection.cursor().execute(sql).fetchnumpy(), ROUNDS)  # type: ignore[misc]
        rows.append(
            Row(
                f"SQL's GROUP BY place; {name}",
                f"{milliseconds(taken.clock)}, {milliseconds(taken.processor)}",
            )
        )
    return rows


@contextmanager
def _folder() -> Iterator[Path]:
    if kept := os.environ.get(FOLDER):
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield Path(kept)
        return
    with tempfile.TemporaryDirectory(prefix="clickatlas-bench-") as name:
        yield Path(name)


def _fill(store: DuckDBStore, folder: Path, before: int, size: int) -> Filled:
    """Clicks through the spool; writing that is not timed. Goes on where an earlier run was stopped."""
    span = store.span(Selection())
    skipped = (span[2] if span else 0) - before
    clock = processor = 0.0
    chunks = islice(sample.clicks(size - before, CHUNK), -(-skipped // CHUNK), None)
    while some := list(islice(chunks, WAITING)):
        for records in some:
            write(Spool(folder / "spool", segment_bytes=1 << 30), records, IMPORT)
        del some
        ingest = Ingest(folder / "spool", store)
        started, used = time.perf_counter(), time.process_time()
        while ingest.step():
            pass
        while store.tend():
            pass
        clock += time.perf_counter() - started
        processor += time.process_time() - used
    started, used = time.perf_counter(), time.process_time()
    settle(store)  # what it would do after a minute is done, and counted
    clock += time.perf_counter() - started
    processor += time.process_time() - used
    stored = size - before - skipped
    return Filled(clock / stored, processor / stored)


def _show(store: DuckDBStore, size: int, filled: Filled | None) -> None:
    bytes_each = store.path.stat().st_size / size
    rows = [Row("bytes per click on disk", f"{bytes_each:.1f}", f"{bytes_each / LARGEST:.2f}", f"{LARGEST}")]
    if filled:
        rate = per_second("clicks")
        limit = f"{SLOWEST:,} clicks/s (more is better)"
        for how, each in (
            ("by the clock", filled.clock),
            ("per second of one processor", filled.processor),
        ):
            rows.append(Row(f"stored, {how}", rate(1 / each), f"{1 / each / SLOWEST:.2f}", limit))
    rows += _plain(store)
    for name, links in parts().items():
        for question in questions(store, links):
            taken = cost(question.ask, ROUNDS)
            rows.append(
                Row(
                    f"{question.title}; {name}",
                    f"{milliseconds(taken.clock)}, {milliseconds(taken.processor)}",
                    f"{taken.clock / question.limit:.2f}, {taken.processor / 2 / question.limit:.2f}",
                    milliseconds(question.limit),
                )
            )
    zooms = tiles(store)
    for zoom, each in zooms.items():
        # Of the processor: a tile is drawn by one thread, and shorter than a turn of a busy machine.
        middle, late = (float(np.quantile([tile.processor for tile in each], q)) for q in (0.5, 0.95))
        rows.append(
            Row(
                f"a tile of a filter that was drawn before, zoom {zoom}, processor time",
                f"{milliseconds(middle)}, p95 {milliseconds(late)}",
                f"{middle / PAN:.2f}, p95 {late / PAN:.2f}",
                milliseconds(PAN),
            )
        )
    show(
        f"Growth: {size / 1_000_000:g} million clicks over {sample.DAYS} days (less is better)",
        rows,
        (
            f"by the clock and on the processors, medians of {ROUNDS}; beside them their ratios to the limit: of the"
            " clock, and of what two free processors would take at best",
            f"load {os.getloadavg()[0]:.1f} at the end",
        ),
    )
