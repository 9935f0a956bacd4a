"""While a store is being copied its writer waits, also one in another process, and it loses its turn by dying."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.turns import still

HOLDER = """
import sys, time
from pathlib import Path
from clickatlas.clicks.turns import still
with still(Path(sys.argv[1])):
    print("still", flush=True)
    time.sleep(60)
"""


def test_a_store_waits_for_its_copy(tmp_path: Path) -> None:
    path = tmp_path / "clicks.duckdb"
    store = DuckDBStore(path)
    done = threading.Event()

    def write() -> None:
        store.remove_links([], 7)
        done.set()

    with still(path):
        thread = threading.Thread(target=write)
        thread.start()
        assert not done.wait(0.2)
        assert store.place_counts(Selection()).clicks.sum() == 0  # questions are answered meanwhile
    assert done.wait(10)
    thread.join()
    assert store.journal() == 7
    store.close()


def test_a_killed_copier_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "clicks.duckdb"
    with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "still\n"
        opened = threading.Thread(target=lambda: DuckDBStore(path).close())
        opened.start()
        opened.join(0.3)
        assert opened.is_alive()  # opening may bring an older file along: that is writing
        holder.kill()
        opened.join(10)
        assert not opened.is_alive()
