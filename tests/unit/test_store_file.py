"""The store's file: an older version's comes along, a newer one's is refused, a kill at any moment loses nothing."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
import pytest

from clickatlas.clicks import duckdb_file, rollups
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.store import Batch, Position
from clickatlas.errors import Problem
from clickatlas.redirect.record import RECORD, Agent

HERE = Path(__file__).parent
DAY = 86_400_000


def version_1(path: Path, clicks: int) -> None:
    """A file as the first format's own program left it, with some clicks deleted."""
    with duckdb.connect(str(path)) as old:
        old.execute((HERE / "version1.sql").read_text())
        old.execute(
            "INSERT INTO clicks SELECT 1700000000000 + (range * 7919) % 9000000000, 1 + range % 5, 1 + range % 3,"
            f" 1 + range % 2, 1, range % 2, 0, CASE range % 3 WHEN 0 THEN 0 WHEN 1 THEN 4294967296 ELSE range END FROM range({clicks})"
        )
        old.execute("DELETE FROM clicks WHERE link = 4")
        old.execute("INSERT INTO places VALUES (1, 11), (2, 22), (3, 33)")
        old.execute(
            "INSERT INTO agents VALUES (1, 'mobile', 'Safari', 'iOS', 'de'), (2, 'desktop', 'Edge', '', '')"
        )
        old.execute("INSERT INTO referrers VALUES (1, 'a.example')")
        old.execute("INSERT INTO spool_positions VALUES ('s', 3, 400)")
        old.execute("INSERT INTO removed_links VALUES (4)")
        old.execute("INSERT INTO journal VALUES (17)")


@pytest.mark.parametrize("settle_at", [1_000_000, 1000])
def test_an_older_file_comes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settle_at: int) -> None:
    monkeypatch.setattr(rollups, "SETTLE_AT", settle_at)
    path = tmp_path / "clicks.duckdb"
    version_1(path, 5000)
    with pytest.raises(Problem, match="format 1"):
        DuckDBStore(path, read_only=True)
    for _ in range(2):  # the second time it is of today's format
        store = DuckDBStore(path)
        assert store.span(Selection())[2] == 4000  # type: ignore[index]
        assert store.link_counts(Selection(), range(6)) == dict.fromkeys((1, 2, 3, 5), 1000)
        counts = store.place_counts(Selection())
        assert set(counts.keys.tolist()) == {11, 22, 33}
        assert counts.clicks.sum() == 4000
        assert store.positions() == {"s": Position(3, 400)}
        assert store.journal() == 17
        visitors = store._all("SELECT visitor, count(*) FROM clicks GROUP BY ALL")
        # Not known stays not known, and nobody becomes it.
        assert dict(visitors)[0] == sum(n % 3 == 0 and n % 5 != 3 for n in range(5000))
        late = np.zeros(1, RECORD)
        late["link"] = 4
        assert store.append(Batch(late, [Agent("", "", "", "")], [""], {})) == 0
        store.close()
    DuckDBStore(path, read_only=True).close()


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clicks.duckdb"
    DuckDBStore(path).close()
    with duckdb.connect(str(path)) as newer:
        newer.execute(f"UPDATE format SET version = {duckdb_file.VERSION + 1}")
    with pytest.raises(Problem, match="newer") as refused:
        DuckDBStore(path)
    assert "Install the newer clickatlas" in refused.value.remedy
    duckdb.connect(str(path)).close()  # and let go of


def test_an_insert_of_nothing_still_makes_filters_blind(tmp_path: Path) -> None:
    """When this fails, DuckDB is mended and `merges.insert` can go."""
    path = str(tmp_path / "any.duckdb")
    for expected in (0, 20):
        with duckdb.connect(path) as database:
            if not expected:
                database.execute("CREATE TABLE t (a INTEGER NOT NULL)")
                database.begin()
                database.execute("INSERT INTO t SELECT range FROM range(10) WHERE range > 100 ORDER BY range")
                database.execute("INSERT INTO t SELECT range FROM range(600000) ORDER BY range DESC")
                database.commit()
            assert len(database.execute("SELECT a FROM t WHERE a < 20").fetchall()) == expected


WRITER = """
import sys
from pathlib import Path
import numpy as np
from clickatlas.clicks import merges, rollups
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.store import Batch, Position
from clickatlas.redirect.record import RECORD, Agent
rollups.SETTLE_AT, rollups.BUSY_AT, rollups.BUSY_DAY_AT = 2000, 3000, 800
merges.MERGE_FROM = {"place_rollup": 100, "time_rollup": 100}
store = DuckDBStore(Path(sys.argv[1]))
at = store.positions().get("s", Position(0, 0)).offset
print("writing", flush=True)
while True:
    number = np.arange(at, at + 500)
    records = np.zeros(500, RECORD)
    records["time"] = 1_700_000_000_000 + number * 600_000 % (40 * 86_400_000)
    records["link"] = 1 + number % 3
    records["place"] = 1 + number % 7
    at += 500
    store.append(Batch(records, [Agent("mobile", "", "", "")], [""], {"s": Position(0, at)}))
    while store.tend(1_700_000_000_000 + at // 3000 * 86_400_000 if sys.argv[2] == "sweeping" else None):
        pass
"""


@pytest.mark.parametrize("sweeping", ["keeping", "sweeping"])
def test_killed_at_any_moment_nothing_is_lost_or_doubled(tmp_path: Path, sweeping: str) -> None:
    path = tmp_path / "clicks.duckdb"
    chance = random.Random(6)
    for _ in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), sweeping], stdout=subprocess.PIPE, cwd=HERE.parents[1]
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        time.sleep(chance.uniform(0.1, 1.5))
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait(10)
        store = DuckDBStore(path)
        written = store.positions()["s"].offset if store.positions() else 0
        number = np.arange(written)
        found = store.place_counts(Selection())
        assert dict(zip(found.keys.tolist(), found.clicks.tolist(), strict=True)) == {
            1 + place: int((number % 7 == place).sum()) for place in range(min(7, written))
        }
        assert store.link_counts(Selection(), [0]) == {
            1 + link: int((number % 3 == link).sum()) for link in range(min(3, written))
        }
        one = store.place_counts(Selection((2,)))
        assert one.clicks.sum() == (number % 3 == 1).sum()
        times = 1_700_000_000_000 + number * 600_000 % (40 * DAY)
        edges = np.arange(1_699_920_000_000, 1_699_920_000_000 + 45 * DAY, DAY)
        assert store.time_counts(Selection(), edges, [0]).tolist() == np.histogram(times, edges)[0].tolist()
        store.close()
    assert written > 2000
