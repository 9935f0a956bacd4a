"""Clicks copied from a DuckDB file to ClickHouse's engine on a disk, by `migrate-store` (minutes; only when asked for)."""

from __future__ import annotations

import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from bench import sample
from bench.table import Row, per_second
from clickatlas.clicks import moving
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.periods import DAY_MS
from clickatlas.clicks.store import Batch, Position
from clickatlas.progress import Silent

SIZE = int(os.environ.get("CLICKATLAS_BENCH_CLICKS", "3000000"))
KEPT_DAYS = 60  # of 90: a third of the clicks is only counted
CHUNK = 250_000


class Spent:
    """Seconds by the clock and on the processors of each part."""

    def __init__(self) -> None:
        self.parts: dict[str, tuple[float, float]] = {}
        self._name, self._began = "", (0.0, 0.0)

    def begin(self, name: str) -> None:
        """A part begins; the one before it is over."""
        now = time.perf_counter(), time.process_time()
        if self._name:
            clock, processor = self.parts.get(self._name, (0.0, 0.0))
            self.parts[self._name] = clock + now[0] - self._began[0], processor + now[1] - self._began[1]
        self._name, self._began = name, now


class Watched(Silent):
    """Notes what each step of the copy takes."""

    def __init__(self) -> None:
        self.spent = Spent()

    def step(self, name: str) -> None:
        """A step begins."""
        self.spent.begin("compared" if name.startswith("comparing") else "copied")

    def done(self) -> None:
        """The last step is over."""
        self.spent.begin("")


def main() -> None:
    """Fill a file, copy it, and print what a click takes; of all clicks, and where a third was let go of."""
    rows = []
    # chDB is one engine of a process.
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as each:
        for name, keep in (("all kept one by one", 0), (f"those of {KEPT_DAYS} of 90 days kept", KEPT_DAYS)):
            rows += each.submit(_copied, name, keep).result()
    print(f"\n{SIZE:,} clicks of a DuckDB file copied to ClickHouse's engine")
    for row in rows:
        print(f"  {row.name:<44} {row.value:>18}  {row.ratio}")


def _copied(name: str, keep: int) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="clickatlas-bench-") as folder:
        data, watched = Path(folder), Watched()
        _fill(data, keep)
        url = f"chdb://{data / 'clickhouse'}"
        moved = moving.move(data, url, memory="1GB", keep_days=0, start_over=False, progress=watched)
        rate = per_second("clicks")
        return [
            Row(f"{part}; {name}", rate(moved.clicks / clock), f"{rate(moved.clicks / used)} a processor")
            for part, (clock, used) in watched.spent.parts.items()
        ]


def _fill(data: Path, keep: int) -> None:
    store = DuckDBStore(data / "clicks.duckdb")
    for number, records in enumerate(sample.clicks(SIZE, CHUNK)):
        store.append(Batch(records, sample.agents(), sample.HOSTS, {"a": Position(1, number + 1)}))
        while store.tend():
            pass
    if keep:
        since = round(time.time() * 1000) - keep * DAY_MS
        while store.tend(since):
            pass
    store.close()
