"""An export of very many clicks takes no more memory than one of many, and is quick."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench import sample
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.duckdb_clicks import windows
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.periods import QUARTER_MS
from clickatlas.clicks.store import Batch
from clickatlas.links.database import LinksDatabase

CLICKS = 1_500_000
MEGABYTES = 150
# A process of its own: what other tests took is not counted.
MEASURE = """
import json, sys
from pathlib import Path
from bench import sample
from clickatlas.api.export_clicks import clicks_table
from clickatlas.api.questions import Questions
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Filter, Selection, network_kinds
from clickatlas.formats.files import Format, begun
from clickatlas.links.database import LinksDatabase

folder, kind = Path(sys.argv[1]), Format(sys.argv[2])
links = LinksDatabase(folder / "links")
questions = Questions(sample.atlas(), DuckDBStore(folder / "clicks.duckdb", memory="256MB"), links)
everything = Filter(networks=network_kinds(["all"]))

def write(wanted):
    table = clicks_table(questions, 1, wanted)
    return table.total, sum(map(len, begun(table, kind).pieces))

def resident(name):
    [line] = [line for line in open("/proc/self/status") if line.startswith(name)]
    return int(line.split()[1]) / 1024

# An hour of them first: what libraries take once, whatever is written, is not of the clicks (Arrow: 60 MB).
span = questions.store.span(Selection())
write(Filter(networks=everything.networks, start=span[0], end=span[0] + 3_600_000))
Path("/proc/self/clear_refs").write_text("5")  # the peak from here on
before = resident("VmRSS")
total, size = write(everything)
print(json.dumps({"total": total, "size": size, "grown": resident("VmHWM") - before}))
questions.store.close()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("many")
    store = DuckDBStore(found / "clicks.duckdb")
    for records in sample.clicks(CLICKS, 500_000):
        store.append(Batch(records, sample.agents(), sample.HOSTS, {}))
        while store.tend():
            pass
    store.close()
    links = LinksDatabase(found / "links")
    links.migrate()
    links.close()
    return found


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells a process's peak")
@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet", "geojson"])
def test_memory_does_not_grow_with_the_clicks(folder: Path, kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(folder), kind], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])  # the atlas may have been built first
    assert found["total"] == CLICKS
    assert found["size"] > 20 * CLICKS
    print(kind, found)
    assert found["grown"] < MEGABYTES


def test_pieces_come_in_order_and_are_small(folder: Path) -> None:
    store = DuckDBStore(folder / "clicks.duckdb", read_only=True)
    total, pieces = store.clicks(Selection())
    last, count = 0, 0
    for piece in pieces:
        assert len(piece.time) <= 500_000
        assert piece.time[0] >= last
        assert (piece.time[1:] >= piece.time[:-1]).all()
        last, count = int(piece.time[-1]), count + len(piece.time)
    store.close()
    assert count == total == CLICKS


def test_windows_are_of_whole_quarters_or_parts_of_a_busy_one() -> None:
    quarters, clicks = np.array([1, 2, 5, 9]), np.array([10, 20, 95, 3])
    found = list(windows(quarters, clicks, 30))
    assert found[0] == (QUARTER_MS, 3 * QUARTER_MS)
    assert found[1][0] == 5 * QUARTER_MS
    assert found[4] == (found[3][1], 6 * QUARTER_MS)
    assert found[5:] == [(9 * QUARTER_MS, 10 * QUARTER_MS)]
