"""A store of format 2, which had no bundles and a rollup of every year, comes along with all of its clicks."""

from pathlib import Path

import duckdb
import numpy as np
import pytest

from clickatlas.clicks import merges, rollups
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.store import Batch
from clickatlas.redirect.record import RECORD, Agent

DAY = 86_400_000
BACK = """
ALTER TABLE busy_days RENAME TO days;
CREATE TABLE busy_days (day INTEGER NOT NULL);
INSERT INTO busy_days SELECT day FROM days;
DROP TABLE days;
DROP TABLE leaving;
DROP TABLE closed_years;
DROP TABLE bundles;
DROP TABLE members;
DROP TABLE patches;
DROP TABLE patch_rollup;
DROP TABLE patch_owners;
INSERT INTO place_rollup SELECT 3, link, first // 365 * 365, place, kind, clicks, desktop, mobile, tablet, other
    FROM place_rollup WHERE level = 2;
DROP TABLE runs;
CREATE TABLE runs (
    rollup VARCHAR NOT NULL, level UTINYINT NOT NULL, every BOOLEAN NOT NULL, first INTEGER NOT NULL,
    merged BIGINT NOT NULL, rows BIGINT NOT NULL
);
UPDATE format SET version = 2;
"""


def test_format_2_comes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "SETTLE_AT", 500)
    monkeypatch.setattr(rollups, "BUSY_AT", 800)
    monkeypatch.setattr(rollups, "BUSY_DAY_AT", 10)
    monkeypatch.setattr(merges, "MERGE_FROM", {"place_rollup": 100, "time_rollup": 100})
    path = tmp_path / "clicks.duckdb"
    records = np.zeros(2000, RECORD)
    number = np.arange(2000)
    records["time"] = 1_760_000_000_000 + number * DAY // 20
    records["link"] = 1 + number % 4 * (number % 3 > 0)
    records["place"] = 1 + number % 7
    store = DuckDBStore(path)
    for start in range(0, 1500, 500):
        store.append(Batch(records[start : start + 500], [Agent("mobile", "", "", "")], [""], {}))
        while store.tend():
            pass
    store.close()
    with duckdb.connect(str(path)) as older:
        assert older.execute("SELECT count(*) FROM busy_days").fetchall()[0][0] > 0
        older.execute(BACK)
    store = DuckDBStore(path)
    for known in (1500, 2000):
        if known == 2000:  # goes on counting, and merging what came along
            store.append(Batch(records[1500:], [Agent("mobile", "", "", "")], [""], {}))
            while store.tend():
                pass
        mine = records[:known]
        for links in (None, (1,), (1, 2), (2, 3, 4)):
            wanted = mine if links is None else mine[np.isin(mine["link"], links)]
            for start in (None, int(records["time"][333]), 1_766_102_400_000):
                later = wanted if start is None else wanted[wanted["time"] >= start]
                found = store.place_counts(Selection(links, start))
                assert dict(zip(found.keys.tolist(), found.clicks.tolist(), strict=True)) == {
                    place: int((later["place"] == place).sum()) for place in range(1, 8)
                }
    store.close()
