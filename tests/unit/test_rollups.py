"""Rollups say what the clicks themselves say, whatever came when, was deleted, or let go of."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clickatlas.clicks import (
    bundles,
    duckdb,
    duckdb_patches,
    groups,
    merges,
    patches,
    rollups,
    scope,
)
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.ingest import Ingest
from clickatlas.clicks.periods import DAY_MS
from clickatlas.clicks.store import Batch
from clickatlas.redirect.record import RECORD
from tests.conformance.model import AGENTS, ALL, HOSTS, LINKS, PEOPLE, SPAN, START, Model


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that waits for millions happens with dozens."""
    monkeypatch.setattr(rollups, "SETTLE_AT", 60)
    monkeypatch.setattr(rollups, "BUSY_AT", 80)
    monkeypatch.setattr(duckdb, "REST_S", 0)
    monkeypatch.setattr(rollups, "BUSY_DAY_AT", 4)
    monkeypatch.setattr(merges, "MERGE_FROM", {"place_rollup": 10, "time_rollup": 20})
    monkeypatch.setattr(bundles, "BUNDLE_AT", 40)
    monkeypatch.setattr(bundles, "PARTS_AT", 120)
    monkeypatch.setattr(groups, "BUSY_LINK", 20)
    monkeypatch.setattr(groups, "OWNER_COST", 15)
    monkeypatch.setattr(patches, "BEGIN_AT", 100)
    monkeypatch.setattr(patches, "BUNDLE_AT", 120)
    monkeypatch.setattr(patches, "AT_ONCE", 70)
    monkeypatch.setattr(duckdb_patches, "SPLIT", 2)
    monkeypatch.setattr(duckdb_patches, "CUT", 1)
    monkeypatch.setattr(scope, "PIECE", 50)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sweeping", [False, True], ids=["all kept", "some swept"])
def test_rollups_say_what_the_clicks_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, sweeping: bool
) -> None:
    plans = []
    planned = duckdb_patches.plan

    def noted(*asked: Any) -> duckdb_patches.Plan | None:
        plans.append(planned(*asked))
        return plans[-1]

    monkeypatch.setattr(duckdb_patches, "plan", noted)
    model = Model(partial(DuckDBStore, tmp_path / "clicks.duckdb"), seed)
    steps: list[Callable[[], None]] = [model.street] * 6 + [model.import_old] * 3 + [model.tend] * 4
    steps += [model.remove, model.reopen, model.bundle, model.bundle_a_step] + (
        [model.sweep] * 2 if sweeping else []
    )
    busy = bundled = 0
    model.import_old()
    model.add(model.drawn(300, START, START + SPAN))
    for turn in range(40):
        due = {
            3: model.patch,
            5: model.bundle,
            15: model.sweep if sweeping else model.street,
            24: model.patch,
            25: model.bundle,
            26: model.tend,
        }
        due.get(turn, steps[int(model.chance.integers(0, len(steps)))])()
        if turn % 10 == 9:
            model.check()
            busy += model.store._all("SELECT count(*) FROM busy_links")[0][0]
            bundled += model.store._all("SELECT count(*) FROM members SEMI JOIN seen USING (link)")[0][0]
    assert busy
    assert bundled
    assert any(plans)
    assert model.store._all("SELECT count(*) FROM closed_years")[0][0] > 0
    assert model.store._all("SELECT count(*) FROM settled")[0][0] > 0
    if sweeping:
        assert model.store.kept_since
        assert model.store._all("SELECT count(*) FROM busy_days")[0][0] > 0
    for link in range(1, LINKS + 1):
        model.store.remove_links([link], 2)
    empty = Selection()
    assert not len(model.store.place_counts(empty).keys)
    assert model.store.span(empty) is None
    assert not model.store.time_counts(empty, model.edges(), ALL).any()
    assert not model.store._all(
        "SELECT link, first, patch, kind FROM patch_rollup GROUP BY ALL HAVING sum(clicks) <> 0"
    )


def test_ingest_lets_go_of_clicks_that_are_too_old(tmp_path: Path) -> None:
    store = DuckDBStore(tmp_path / "clicks.duckdb")
    records = np.zeros(40, RECORD)
    now = round(datetime.now(UTC).timestamp() * 1000)
    records["time"] = now - np.arange(40) * DAY_MS
    store.append(Batch(records, AGENTS, HOSTS, {}))
    Ingest(tmp_path / "spool", store).step()
    assert store.kept_since is None
    ingest = Ingest(tmp_path / "spool", store, keep_days=10)
    for _ in range(3):
        ingest.step()
    midnight = (now // DAY_MS - 10) * DAY_MS
    assert store.kept_since == midnight
    assert all((piece.time >= midnight).all() for piece in store.clicks(Selection()).pieces)
    assert store.place_counts(Selection(devices=("mobile",))).clicks.sum() == 40
    assert store.link_counts(Selection(start=(now // DAY_MS - 30) * DAY_MS), PEOPLE) == {0: 31}
