"""A DuckDB file that holds all that one can: single clicks and such as were let go of, deleted links, spool positions."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from clickatlas.clicks import bundles, merges, patches, removal, rollups
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.periods import DAY_MS
from clickatlas.clicks.store import Batch, Position
from clickatlas.redirect.record import RECORD, Agent, Flags
from tests.conformance.model import DEVICES, KEYS, LINKS, SPAN, START, Model

FILE = "clicks.duckdb"
WORDS = [("Instagram", "iOS", "de-DE"), ("Firefox", "Linux", "de-DE"), ("Firefox", "", "'; DROP TABLE clicks; --"), ("", "", ""),
         ("Chrome", "Android", "日本語"), ("TikTok", "Android", "pt-BR")]  # fmt: skip
AGENTS = [Agent(device, *words) for device, words in zip(DEVICES, WORDS, strict=True)]
HOSTS = ["", "google.de", "l.facebook.com", "blog.example\\'", "ätz.example"]
JOURNAL = 41


def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that waits for millions happens with thousands."""
    monkeypatch.setattr(rollups, "SETTLE_AT", 3000)
    monkeypatch.setattr(rollups, "BUSY_AT", 4000)
    monkeypatch.setattr(rollups, "BUSY_DAY_AT", 40)
    monkeypatch.setattr(merges, "MERGE_FROM", {"place_rollup": 500, "time_rollup": 500})
    monkeypatch.setattr(bundles, "BUNDLE_AT", 2000)
    monkeypatch.setattr(bundles, "PARTS_AT", 3000)
    monkeypatch.setattr(patches, "BEGIN_AT", 5000)
    monkeypatch.setattr(removal, "SLICE", 300)


class Filled(Model[DuckDBStore]):
    """Tens of thousands of clicks, and what is true of them."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(partial(DuckDBStore, folder / FILE), seed)
        self.folder = folder
        self.positions: dict[str, Position] = {}

    def drawn(self, size: int, begin: int, end: int) -> np.ndarray:
        found = super().drawn(size, begin, end)
        found["referrer"] = self.chance.integers(0, len(HOSTS), size)
        found["flags"] = self.chance.choice([0, Flags.IMPORTED], size)
        found["visitor"] = self.chance.choice(np.array([0, 7, 8, 1 << 40, 3 << 33 | 5], np.uint64), size)
        return found

    def add(self, records: np.ndarray) -> None:
        stream = f"stream {len(self.positions) % 4}"
        self.positions[stream] = Position(1 + len(self.clicks) // 9000, 16 + len(self.clicks))
        self.store.append(Batch(records, AGENTS, HOSTS, {stream: self.positions[stream]}))
        self.clicks = np.concatenate([self.clicks, records[~np.isin(records["link"], list(self.removed))]])

    def fill(self) -> None:
        """As a store comes to be: imported, counted, bundled, swept, deleted from; and the newest not settled."""
        for _ in range(4):
            self.add(self.drawn(4000, START, START + SPAN))
            self.tend()
        self.bundle()
        self.patch()
        self.tend()
        keep = START + 210 * DAY_MS - 12345
        while self.store.tend(keep):
            pass
        self.store.remove_links([4], JOURNAL - 1)
        self.removed |= {4}
        self.clicks = self.clicks[self.clicks["link"] != 4]
        self.tend()
        for _ in range(3):  # also of days whose clicks were let go of; and some that nothing is made of yet
            self.add(self.drawn(2600, START, START + SPAN))
            self.tend()
        self.add(self.drawn(50, START, START + DAY_MS))
        last = self.drawn(3, START + SPAN, START + SPAN + 5)
        last["link"] = LINKS + 40  # a link that is in no rollup
        self.add(last)
        assert not len(self.store._all("SELECT 1 FROM settled WHERE link = 52"))
        self.store.remove_links([2], JOURNAL)  # only a slice of it goes at once
        self.removed |= {2}
        self.clicks = self.clicks[self.clicks["link"] != 2]
        for table in ("leaving", "busy_links", "busy_days", "members", "closed_years", "incoming"):
            assert self.store._all(f"SELECT count(*) FROM {table}")[0][0], table
        assert self.store._all("SELECT count(*) FROM settled WHERE link = 2")[0][0] > 100
        assert self.store.kept_since
        self.store.close()

    def tended(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> DuckDBStore:
        """A copy of the file in which nothing is left to do: what it says is what is meant."""
        folder.mkdir()
        shutil.copy(self.folder / FILE, folder / FILE)
        store = DuckDBStore(folder / FILE)
        with monkeypatch.context() as now:
            now.setattr(rollups, "SETTLE_AT", 1)
            while store.tend():
                pass
        return store


def spike(size: int) -> np.ndarray:
    """Clicks of one moment: more of them than fit an insert."""
    found = np.zeros(size, RECORD)
    found["time"], found["link"] = START + 400 * DAY_MS + 7, 1 + np.arange(size) % 3
    found["place"], found["visitor"] = KEYS[np.arange(size) % len(KEYS)], np.arange(size)
    found["agent"] = np.arange(size) % len(AGENTS)
    return found
