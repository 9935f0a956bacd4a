"""Copies of a DuckDB file, cut short as often as a test likes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clickatlas.clicks.clickhouse_server import ClickHouseFault, Server
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.moving import Moved, move
from clickatlas.clicks.store import Batch, Position
from clickatlas.progress import Silent
from tests.conformance.filled import AGENTS, FILE, HOSTS, spike
from tests.conformance.model import ALL


def moved(folder: Path, where: str, *, start_over: bool = False) -> Moved:
    return move(folder, where, memory="200MB", keep_days=0, start_over=start_over, progress=Silent())


def totals(store: Any) -> tuple[int, ...]:
    """All clicks as each of the tables tells them."""
    selection = Selection()
    span = store.span(selection)
    return (
        int(store.place_counts(selection).clicks.sum()),
        int(store.time_counts(selection, np.array([0, 1 << 50]), ALL)[0]),
        sum(store.link_counts(selection, ALL).values()),
        span[2] if span else 0,
    )


class Crash(BaseException):
    """As a kill: nothing that follows is done."""


def crashing(patch: pytest.MonkeyPatch, at: int, error: type[BaseException], *, after: bool) -> None:
    """The insert number `at` fails, before or after ClickHouse has taken it."""
    left, insert = [at], Server.insert

    def failing(self: Server, *given: Any) -> None:
        left[0] -= 1
        if left[0] == 0 and not after:
            raise error("cut", None) if error is ClickHouseFault else error
        insert(self, *given)
        if left[0] == 0 and after:
            raise error("cut", None) if error is ClickHouseFault else error

    patch.setattr(Server, "insert", failing)


def few(folder: Path, seed: int = 1) -> Path:
    """A data folder with some clicks more than it had."""
    file = DuckDBStore(folder / FILE)
    clicks = spike(100)
    clicks["time"] += np.arange(100) * seed
    file.append(Batch(clicks, AGENTS, HOSTS, {f"stream {seed}": Position(1, 1000)}))
    file.close()
    return folder
