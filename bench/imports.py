"""Rows of click tables imported per second, against the limit of 200,000."""

from __future__ import annotations

import functools
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from bench import sample
from bench.table import alternate, per_second, row, seconds, show
from clickatlas.demo import BROWSERS
from clickatlas.imports.importer import Choices
from clickatlas.imports.report import Report
from clickatlas.imports.run import Into, import_path
from clickatlas.links import keys
from clickatlas.links.database import LinksDatabase
from clickatlas.settings import Settings

ROWS = 1_000_000
ROUNDS = 3
LIMIT = 200_000.0


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="clickatlas-bench-") as name:
        folder = Path(name)
        table = _table(ROWS)
        files = {"Parquet": folder / "clicks.parquet", "CSV": folder / "clicks.csv"}
        pyarrow.parquet.write_table(table, files["Parquet"])
        pyarrow.csv.write_csv(table, files["CSV"])
        busy: dict[str, list[float]] = {kind: [] for kind in files}

        def measured(kind: str) -> float:
            began = time.process_time()
            taken = _import(folder, files[kind])
            busy[kind].append(ROWS / (time.process_time() - began))
            return ROWS / taken

        figures = alternate({kind: functools.partial(measured, kind) for kind in files}, ROUNDS)
        size = files["Parquet"].stat().st_size
    unit, limit = per_second("rows"), ("the limit", [LIMIT] * ROUNDS)
    show(
        "Import: rows of time, code, address, agent, referrer, URL",
        [
            row(f"{kind} with addresses{what}", some[kind], unit, limit)
            for kind in files
            for what, some in (("", figures), (", by its processor time", busy))
        ],
        (
            f"{ROWS:,} rows a run ({size / 1e6:.0f} MB of Parquet), {ROUNDS} alternating runs; 1,000 links are made each time",
        ),
    )


def _table(rows: int) -> Any:
    random = np.random.default_rng(sample.SEED)
    agents = [text for text, _ in BROWSERS]
    codes = random.zipf(1.3, rows) % sample.LINKS
    times = np.sort(random.integers(1_750_000_000_000, 1_757_776_000_000, rows))
    return pa.table({
        "time": pa.array(times, pa.timestamp("ms", "UTC")),
        "code": [f"c{code}" for code in codes.tolist()],
        "ip": sample.addresses(rows, random),
        "user_agent": [agents[at] for at in random.integers(0, len(agents), rows).tolist()],
        "referrer": [f"https://{sample.HOSTS[at]}/page" for at in random.integers(0, len(sample.HOSTS), rows).tolist()],
        "url": pa.array(["https://example.com/"] * rows),
    })  # fmt: skip


def _import(folder: Path, file: Path) -> float:
    """Seconds from the file to the spool, into a data folder that is new."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        database = LinksDatabase(Path(name))
        database.migrate()
        with database.writing() as session:
            person, workspace = keys.owner(session)
        into, report = Into(Settings(data=Path(name)), sample.atlas(), database, workspace, person), Report()
        taken = seconds(lambda: import_path(into, file, {}, Choices(), report))
        assert report.imported == ROWS, report.sentence()
        database.close()
    return taken


if __name__ == "__main__":
    main()
