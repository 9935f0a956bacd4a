"""The click store at 1, 10 and 100 million clicks: size, speed of filling, questions (minutes; only when asked for)."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from bench import sample
from bench.table import Row, alternate, milliseconds, per_second, row, seconds, show
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.store import Batch

SIZES = (1_000_000, 10_000_000, 100_000_000)
CHUNK = 250_000
ROUNDS = 5
MOST = (1,)  # the link that a tenth of all clicks go to
SQL = "SELECT place, kind, count(*) FROM clicks{} GROUP BY ALL"


def main() -> None:
    """Fill one store further and further; measure and print at each size."""
    with tempfile.TemporaryDirectory(prefix="clickatlas-bench-") as name:
        store = DuckDBStore(Path(name) / "clicks.duckdb")
        stored, spent, on_processor = 0, 0.0, 0.0
        # One stream of clicks for each size, as time goes on: the last ones are always of today.
        for size in SIZES:
            begun, used = spent, on_processor
            for position, records in enumerate(sample.clicks(size - stored, CHUNK)):
                started, processor = time.perf_counter(), time.process_time()
                store.append(Batch(records, sample.agents(), sample.HOSTS, {"bench": (size, position)}))
                while store.tend():
                    pass
                spent += time.perf_counter() - started
                on_processor += time.process_time() - processor
            store._connection.execute("CHECKPOINT")
            taken = (size - stored) / (spent - begun), (size - stored) / (on_processor - used)
            stored = size
            _show(store, size, taken)
        store.close()


def _show(store: DuckDBStore, size: int, taken: tuple[float, float]) -> None:
    bytes_each = store.path.stat().st_size / size
    rows: list[Row] = []
    for name, links in (("every link", None), ("a tenth of all clicks", MOST)):
        questions = _questions(store, links)
        where = "" if links is None else f" WHERE link = {links[0]}"
        figures = alternate(
            {"SQL": _timed(lambda where=where: _sql(store, where))}  # type: ignore[misc]
            | {title: _timed(question) for title, question in questions.items()},
            ROUNDS,
        )
        rows.append(row(f"SQL of the clicks, {name}, all time", figures["SQL"], milliseconds))
        rows += [
            row(f"{title}, {name}", figures[title], milliseconds, ("SQL's time", figures["SQL"]))
            for title in questions
        ]
    rate, on_processor = (per_second("clicks")(each) for each in taken)
    show(
        f"Growth: {size // 1_000_000} million clicks over {sample.DAYS} days (less is better)",
        rows,
        (
            f"{bytes_each:.1f} bytes per click on disk, rollups and all",
            f"stored at {rate} ({on_processor} of one processor), rollups and all, reading the spool not among it",
        ),
    )


def _questions(store: DuckDBStore, links: tuple[int, ...] | None) -> dict[str, Callable[[], object]]:
    edges = np.array([_midnight(store, day, "Europe/Berlin") for day in range(90, -1, -1)], np.int64)
    week = Selection(links, int(edges[-8]))
    middle = Selection(links, _midnight(store, 69, "Asia/Kathmandu"), _midnight(store, 24, "Asia/Kathmandu"))
    phones = Selection(middle.links, middle.start, middle.end, ("mobile",))
    return {
        "counts, all time": lambda: store.place_counts(Selection(links)),
        "counts, 7 days to now": lambda: store.place_counts(week),
        "counts, 45 days in the middle": lambda: store.place_counts(middle),
        "counts, of phones": lambda: store.place_counts(phones),
        "timeline, 90 days": lambda: store.time_counts(Selection(links), edges, [0]),
        "first and last click": lambda: store.span(Selection(links)),
    }


def _midnight(store: DuckDBStore, days_ago: int, zone: str) -> int:
    span = store.span(Selection())
    assert span is not None
    today = datetime.fromtimestamp(span[1] / 1000, ZoneInfo(zone)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    return round((today - timedelta(days=days_ago)).timestamp() * 1000)


def _timed(work: Callable[[], object]) -> Callable[[], float]:
    return lambda: seconds(work)


def _sql(store: DuckDBStore, where: str) -> object:
    cursor = store._connection.cursor()
    cursor.execute("SET perfect_ht_threshold = 22")
    return cursor.execute(SQL.format(where)).fetchnumpy()
