"""A redirect's p99 while eight people pan the map over ten million clicks, against its p99 at rest."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path

import aiohttp
import numpy as np

from bench import load, sample, servers
from bench.table import Row, milliseconds, per_second, row, show

CLICKS = 10_000_000
PEOPLE = 8
ROUNDS = 5
SECONDS = 5
ADDRESSES = 20_000
REST, PANNING = "at rest", f"while {PEOPLE} people pan"
TOWNS = ((-71.1, 42.4), (-0.1, 51.5), (2.3, 48.9), (13.4, 52.5), (-122.4, 37.8), (139.7, 35.7), (77.2, 28.6))


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="clickatlas-bench-") as name:
        folder = Path(name)
        requests = load.write_requests(
            folder, sample.addresses(ADDRESSES, np.random.default_rng(sample.SEED))
        )
        results: dict[str, list[load.Result]] = {REST: [], PANNING: []}
        views: list[float] = []
        with servers.clickatlas(folder / "data", demo=CLICKS) as port:
            token = _token(folder / "data")
            load.run(port, requests, 2)  # the first warms up
            for _ in range(ROUNDS):
                results[REST].append(load.run(port, requests, SECONDS))
                time.sleep(1)
                with _people(port, token) as seen:
                    time.sleep(2)
                    results[PANNING].append(load.run(port, requests, SECONDS))
                views.append(seen.value / (SECONDS + 2))
    rows: list[Row] = []
    p99 = {name: [result.p99 for result in found] for name, found in results.items()}
    rate = {name: [result.per_second for result in found] for name, found in results.items()}
    for figures, unit, what in ((p99, milliseconds, ", p99"), (rate, per_second("redirects"), "")):
        rows.append(row(REST + what, figures[REST], unit))
        rows.append(row(PANNING + what, figures[PANNING], unit, (REST + what, figures[REST])))
    rows.append(row("map tiles shown meanwhile", views, per_second("tiles")))
    show(
        f"Panning: one street worker under full load, one app over {CLICKS:,} clicks",
        rows,
        (
            f"wrk -t1, {load.CONNECTIONS} connections, {SECONDS} s a run, {ROUNDS} alternating runs",
            "the people are a process of lower priority: elsewhere they would have machines of their own",
        ),
    )


def _token(data: Path) -> str:
    command = [sys.executable, "-m", "clickatlas", "token", "create", "--name", "bench", "--data", str(data)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1]


@contextmanager
def _people(port: int, token: str) -> Iterator[multiprocessing.sharedctypes.Synchronized[int]]:
    context = multiprocessing.get_context("spawn")
    seen, enough = context.Value("q", 0), context.Event()
    process = context.Process(target=_pan, args=(port, token, seen, enough))
    process.start()
    try:
        yield seen
    finally:
        enough.set()
        process.join(30)


def _pan(port: int, token: str, seen: multiprocessing.sharedctypes.Synchronized[int], enough: Event) -> None:
    os.nice(10)

    async def everybody() -> None:
        headers = {"authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as session:
            await asyncio.gather(*(somebody(session, n) for n in range(PEOPLE)))

    async def somebody(session: aiohttp.ClientSession, number: int) -> None:
        chance = random.Random(time.time_ns() + number)
        async with session.get("/api/heat/tilejson") as answer:
            template = (await answer.json())["tiles"][0]
        template = template[template.index("/api/") :]
        while not enough.is_set():
            zoom = chance.randint(3, 10)
            west, north = _tile(*chance.choice(TOWNS), zoom)
            west, north = west + chance.randint(-2, 2), north + chance.randint(-2, 2)
            spots = [(west + x, north + y) for x in range(4) for y in range(3)]
            seen.value += sum(await asyncio.gather(*(tile(session, template, zoom, *s) for s in spots)))

    async def tile(session: aiohttp.ClientSession, template: str, zoom: int, x: int, y: int) -> int:
        size = 2**zoom
        path = template.replace("{z}", str(zoom)).replace("{x}", str(x % size)).replace("{y}", str(y % size))
        async with session.get(path) as answer:
            await answer.read()
            return int(answer.status in (200, 204))

    asyncio.run(everybody())


def _tile(longitude: float, latitude: float, zoom: int) -> tuple[int, int]:
    y = (1 - np.arcsinh(np.tan(np.radians(latitude))) / np.pi) / 2
    return int((longitude + 180) / 360 * 2**zoom), int(y * 2**zoom)
