"""Both stores at 1, 10 and 100 million clicks, and what 1 and 100 billion a month need: writes docs/scale.md (long)."""

from __future__ import annotations

import json
import os
import platform
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import sample
from bench.growth_questions import cost
from bench.store_questions import questions
from bench.stores import PARTS, add, both, settle
from clickatlas.clicks.clickhouse import ClickHouseStore
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.store import ClickStore

DATA = Path(__file__).with_name("scale.json")
PAGE = Path(__file__).parents[1] / "docs" / "scale.md"
MILLIONS = "CLICKATLAS_BENCH_MILLIONS"  # sizes, as 1,10,100; 0 only writes the page again
BATCH = 500_000
ROUNDS = 3
MERGED_S = 120  # how long ClickHouse's merges are waited for


def main() -> None:
    """Fill both stores further and further, keep what was measured after each size, and write the page."""
    sizes = [round(float(size) * 1e6) for size in os.environ.get(MILLIONS, "1,10,100").split(",")]
    if sizes != [0]:
        measure(sorted(sizes))
    from bench.scale_page import page

    PAGE.write_text(page(json.loads(DATA.read_text("utf-8"))), "utf-8")
    print(f"{PAGE.name} is written")


def measure(sizes: list[int]) -> None:
    """Keeps what it measures in the file of measurements, whose other sizes stay."""
    with tempfile.TemporaryDirectory(prefix="clickatlas-bench-") as name, both(Path(name)) as stores:
        before = 0
        for size in sizes:
            spent = {kind: [0.0, 0.0] for kind in stores}
            for records in sample.clicks(size - before, BATCH):
                for kind, store in stores.items():
                    _timed(spent[kind], lambda s=store, r=records: add(s, r))
            for kind, store in stores.items():
                _timed(spent[kind], lambda s=store: rest(s))
                clock, processor = (each / (size - before) * 1e9 for each in spent[kind])
                held = stored(store)
                found = {"bytes": held, "fill": [clock, processor], "questions": ask(store)}
                _keep(kind, size, found)
                total = sum(held.values())
                print(
                    f"{kind} at {size / 1e6:g} million: {total / size:.1f} bytes a click, {clock:,.0f} ms a million by the clock,"
                    f" {processor:,.0f} on the processors, load {os.getloadavg()[0]:.1f}",
                    flush=True,
                )
            before = size


def _timed(spent: list[float], work: Any) -> None:
    clock, processor = time.perf_counter(), time.process_time()
    work()
    spent[0] += time.perf_counter() - clock
    spent[1] += time.process_time() - processor


def rest(store: ClickStore) -> None:
    """What is due after a while: DuckDB's rollups; ClickHouse's merges, as far as it thinks they are worth it."""
    if isinstance(store, ClickHouseStore):
        until = time.monotonic() + MERGED_S
        while (
            store._ask("SELECT 1 AS some FROM system.merges LIMIT 1")["some"].size
            and time.monotonic() < until
        ):
            time.sleep(0.2)
    else:
        settle(store)


def stored(store: ClickStore) -> dict[str, int]:
    """Bytes on disk by what they hold."""
    if isinstance(store, DuckDBStore):
        return {"all": store.path.stat().st_size}
    assert isinstance(store, ClickHouseStore)
    rows = store._ask(
        "SELECT table, sum(bytes_on_disk) AS bytes FROM system.parts WHERE database = '{}' AND active GROUP BY table"
    )
    return dict(sorted(zip(rows["table"].tolist(), map(int, rows["bytes"].tolist()), strict=True)))


def ask(store: ClickStore) -> dict[str, list[float]]:
    """Milliseconds of each question, by the clock and on the processors: medians."""
    found = {}
    for part, links in PARTS.items():
        for question in questions(store, links):
            taken = cost(lambda q=question: q.ask(store), ROUNDS)  # type: ignore[misc]
            found[f"{question.title}; {part}"] = [taken.clock * 1000, taken.processor * 1000]
    return found


def _keep(kind: str, size: int, found: dict[str, Any]) -> None:
    known: dict[str, Any] = json.loads(DATA.read_text("utf-8")) if DATA.exists() else {"stores": {}}
    found |= {
        "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        "load": round(os.getloadavg()[0], 1),
        "on": f"{os.cpu_count()} cores, Python {platform.python_version()}",
    }
    known["stores"].setdefault(kind, {})[str(size)] = found
    rounded = json.loads(json.dumps(known), parse_float=lambda text: float(f"{float(text):.4g}"))
    DATA.write_text(json.dumps(rounded, indent=1) + "\n", "utf-8")
