"""How far counting is behind: by the age of the oldest click that waits, also after a restart."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.ingest import Ingest
from clickatlas.redirect.record import RECORD, Flags
from clickatlas.redirect.spool import Spool
from tests.unit.test_spool_and_ingest import drain, write


@pytest.fixture
def store(tmp_path: Path) -> DuckDBStore:
    return DuckDBStore(tmp_path / "clicks.duckdb")


def ago(seconds: float) -> int:
    return round((time.time() - seconds) * 1000)


def test_nothing_waits_in_an_empty_spool(tmp_path: Path, store: DuckDBStore) -> None:
    lag = Ingest(tmp_path / "none", store).lag()
    assert (lag.clicks, lag.seconds) == (0, 0.0)


def test_an_ingest_that_was_away_knows_how_long_clicks_wait(tmp_path: Path, store: DuckDBStore) -> None:
    spool = Spool(tmp_path / "spool")
    write(spool, [ago(7200), ago(60), ago(1)])
    lag = Ingest(tmp_path / "spool", store).lag()
    assert lag.clicks >= 3
    assert lag.seconds == pytest.approx(7200, abs=30)


def test_only_what_waits_is_behind(tmp_path: Path, store: DuckDBStore) -> None:
    spool, ingest = Spool(tmp_path / "spool"), Ingest(tmp_path / "spool", store)
    write(spool, [ago(7200)])
    drain(ingest)
    assert ingest.lag().clicks == 0
    assert ingest.lag().seconds == 0.0
    write(spool, [ago(90), ago(5)])
    assert ingest.lag().seconds == pytest.approx(90, abs=30)
    assert Ingest(tmp_path / "spool", store).lag().seconds == pytest.approx(90, abs=30)


def test_a_clock_that_was_set_back_makes_no_lag_below_zero(tmp_path: Path, store: DuckDBStore) -> None:
    write(Spool(tmp_path / "spool"), [ago(-3600)])
    assert Ingest(tmp_path / "spool", store).lag().seconds == 0.0


def test_imported_clicks_wait_since_they_were_brought_in(tmp_path: Path, store: DuckDBStore) -> None:
    records = np.zeros(10, RECORD)
    records["time"], records["flags"] = ago(10 * 365 * 86_400), Flags.IMPORTED
    spool, ingest = Spool(tmp_path / "spool"), Ingest(tmp_path / "spool", store)
    spool.term("x")
    spool.write(records)
    assert ingest.lag().clicks >= 8  # by their bytes
    assert ingest.lag().seconds < 60


def test_what_was_moved_is_counted(tmp_path: Path, store: DuckDBStore) -> None:
    spool, ingest = Spool(tmp_path / "spool"), Ingest(tmp_path / "spool", store)
    write(spool, range(1, 6))
    drain(ingest)
    assert (ingest.moved.clicks, ingest.moved.batch_clicks) == (5, 5)
    assert 0 < ingest.moved.batch_seconds < 30
    write(spool, range(6, 8))
    drain(ingest)
    drain(ingest)
    assert (ingest.moved.clicks, ingest.moved.batch_clicks) == (7, 2)
