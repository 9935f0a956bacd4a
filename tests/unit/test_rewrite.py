"""The store written anew has nothing of what was deleted, and all of the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.duckdb_rewrite import rewrite
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.store import Batch, Position
from clickatlas.errors import Problem
from clickatlas.redirect.record import RECORD, Agent


def batch(link: int, visitors: np.ndarray) -> Batch:
    records = np.zeros(len(visitors), RECORD)
    records["time"] = 1_760_000_000_000 + np.arange(len(visitors)) * 60_000
    records["link"], records["visitor"], records["place"] = link, visitors, 5
    return Batch(
        records,
        [Agent("desktop", "Firefox", "Linux", "de")],
        [f"host-{link}.example"],
        {"s": Position(1, link)},
    )


def test_bytes_of_deleted_clicks_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "clicks.duckdb"
    random = np.random.default_rng(1)
    visitors = {link: random.integers(2**20, 2**32, 800, np.uint64) for link in (1, 2)}
    store = DuckDBStore(path)
    for link, some in visitors.items():
        store.append(batch(link, some))
    store.remove_links([1], 7)
    kept = store.place_counts(Selection()).clicks.sum(), store.positions(), store.journal()
    store.close()

    def left(link: int) -> int:
        data, short = path.read_bytes(), visitors[link].astype("<u4")
        return sum(short[n : n + 2].tobytes() in data for n in range(0, 800, 2))

    assert left(1) > 0, "the file is as clean as it can be without this"
    rewrite(path)
    assert left(1) == 0
    assert left(2) > 0
    assert b"host-1.example" not in path.read_bytes()
    assert not path.with_suffix(".rewritten").exists()
    store = DuckDBStore(path)
    assert (store.place_counts(Selection()).clicks.sum(), store.positions(), store.journal()) == kept
    assert store.word_counts(Selection(), "referrer", range(8)) == {"host-2.example": 800}
    assert store.append(batch(1, visitors[1])) == 0  # still refused
    store.close()


def test_a_store_in_use_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "clicks.duckdb"
    path.write_bytes(b"no store")
    with pytest.raises(Problem):
        rewrite(path)
    assert path.read_bytes() == b"no store" or not path.exists()
