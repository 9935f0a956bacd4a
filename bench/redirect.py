"""Redirects per second and their p99, against nginx's bare `return 302` and a bare FastAPI route."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from bench import load, sample, servers
from bench.table import Row, milliseconds, per_second, row, show
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.ingest import Ingest

ADDRESSES = 20_000
ROUNDS = 5
SECONDS = 3
OURS, NGINX = "clickatlas serve", "nginx return 302"
LEAST, FASTAPI = "uvicorn, an empty answer", "bare FastAPI route"


def main() -> None:
    """Measure and print."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="clickatlas-bench-")))
        addresses = sample.addresses(ADDRESSES, np.random.default_rng(sample.SEED))
        requests = load.write_requests(folder, addresses)
        with ExitStack() as running:
            ports = {
                OURS: running.enter_context(servers.clickatlas(folder / "data")),
                NGINX: running.enter_context(servers.nginx(folder / "nginx")),
                LEAST: running.enter_context(servers.peer("least")),
                FASTAPI: running.enter_context(servers.peer("app")),
            }
            results: dict[str, list[load.Result]] = {name: [] for name, port in ports.items() if port}
            for number in range(ROUNDS + 1):
                for name, seen in results.items():
                    seen.append(load.run(ports[name] or 0, requests, SECONDS if number else 1))
                    if name == OURS:
                        time.sleep(0.7)  # its ingest gets to the end before the next one starts
        recorded = _recorded(folder / "data")
    answered = sum(result.answered for result in results[OURS])
    runs = {name: found[1:] for name, found in results.items()}  # the first warmed up
    rate = {name: [result.per_second for result in found] for name, found in runs.items()}
    p99 = {name: [result.p99 for result in found] for name, found in runs.items()}
    peers = [name for name in runs if name != OURS]
    rows: list[Row] = []
    for figures, unit, what in ((rate, per_second("redirects"), ""), (p99, milliseconds, ", p99")):
        rows += [row(name + what, figures[name], unit) for name in peers]
        rows += [row(OURS + what, figures[OURS], unit, (name + what, figures[name])) for name in peers]
    client = "wrk -t1" if load.has_wrk() else "a client in Python, the limit of all: install wrk for more"
    notes = [
        f"{client}, {load.CONNECTIONS} connections, {SECONDS} s a run, {ROUNDS} alternating runs, every request "
        "from another address",
        f"{answered:,} redirects of ours answered, {recorded:,} clicks in the store afterwards",
    ]
    if NGINX not in runs:
        notes.append("nginx is not installed: its rows are skipped")
    if errors := {name: sum(r.errors for r in found) for name, found in results.items()}:
        notes.extend(f"{name}: {count} failed" for name, count in errors.items() if count)
    show(
        "Redirect: one worker; ours locates each visitor and spools each click before it answers",
        rows,
        tuple(notes),
    )
    if recorded < answered:
        raise AssertionError(f"{answered - recorded} answered clicks are not in the store")


def _recorded(data: Path) -> int:
    """The clicks of a stopped server, once all of its spool is in the store."""
    store = DuckDBStore(data / "clicks.duckdb")
    ingest = Ingest(data / "spool", store)
    while ingest.step():
        pass
    first_last_clicks = store.span(Selection())
    store.close()
    return first_last_clicks[2] if first_last_clicks else 0
