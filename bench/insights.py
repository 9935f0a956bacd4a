"""All cards of a workspace with ten million clicks, asked for the first time and again, against the limit of a second."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import select

from bench import sample
from bench.table import milliseconds, row, seconds, show
from clickatlas.api.deck import preparations
from clickatlas.api.findings import Asked
from clickatlas.api.house import House
from clickatlas.api.insights import cards_document
from clickatlas.api.patches import patches
from clickatlas.app import open_house
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Filter, Selection
from clickatlas.links.models import Workspace
from clickatlas.settings import Settings

CLICKS = 10_000_000
ROUNDS = 7
LIMIT = 1.0  # seconds
READ = "SELECT time, place, agent FROM clicks WHERE kind = 0"


def main() -> None:
    """Measure and print."""
    figures: dict[str, list[float]] = {
        name: [] for name in ("read", "first", "processor", "again", "campaign")
    }
    with (
        tempfile.TemporaryDirectory(prefix="clickatlas-bench-") as name,
        _house(Path(name) / "data") as house,
    ):
        with house.links.reading() as session:
            workspace = session.scalars(select(Workspace.id)).one()
        for step in preparations(house.atlas):
            step()
        filters = (Filter(start=at) for at in count(1))  # of all clicks, and each of them new
        found = cards_document(Asked(house, workspace, next(filters)))
        for number in range(ROUNDS):
            figures["read"].append(seconds(lambda: _read(house)))
            wanted = next(filters)
            spent = time.process_time()
            figures["first"].append(seconds(lambda: cards_document(Asked(house, workspace, wanted))))  # noqa: B023
            figures["processor"].append(time.process_time() - spent)
            figures["again"].append(seconds(lambda: cards_document(Asked(house, workspace, wanted))))  # noqa: B023
            one = Filter(start=number + 1, channels=("email",))
            figures["campaign"].append(seconds(lambda: cards_document(Asked(house, workspace, one))))  # noqa: B023
    limit = [LIMIT] * ROUNDS
    show(
        f"Insights: all cards of {CLICKS:,} clicks, from the filter to the document (less is better)",
        [
            row("every click read once by DuckDB, three columns", figures["read"], milliseconds),
            row("all cards, asked for the first time", figures["first"], milliseconds, ("the limit of 1 s", limit)),
            row("  processor time of both cores", figures["processor"], milliseconds, ("reading's time by the clock", figures["read"])),
            row("all cards of one channel, the first time", figures["campaign"], milliseconds, ("the limit of 1 s", limit)),
            row("asked for again", figures["again"], milliseconds, ("the first time", figures["first"])),
        ],
        (
            f"{len(found.cards)} cards; the demo's links and campaigns; what insights need of the atlas is made ready before, as 5 s after a server's start",
            f"median of {ROUNDS} rounds, each with filters that nobody asked for before",
        ),
    )  # fmt: skip


@contextmanager
def _house(data: Path) -> Iterator[House]:
    shutil.copytree(sample.atlas_root(), data / "atlas")
    run = [sys.executable, "-m", "clickatlas", "demo", "--data", str(data), "--clicks", str(CLICKS)]
    subprocess.run(run, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    house = open_house(Settings.model_validate({"data": data}))
    try:
        house.ingest.start()
        while (span := house.store.span(Selection())) is None or span[2] < CLICKS:
            time.sleep(1)
        house.ingest.stop()
        house.store.patch(patches(house.atlas))
        while house.store.tend():  # what a server does in its first minute
            pass
        yield house
    finally:
        house.store.close()
        house.links.close()


def _read(house: House) -> int:
    assert isinstance(house.store, DuckDBStore)
    return len(house.store._connection.cursor().execute(READ).fetchnumpy()["place"])
