"""What a click store counts by place, time and word, against the clicks themselves."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from clickatlas.clicks import duckdb_times
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.store import Batch, PlaceGroups, Word
from clickatlas.redirect.record import RECORD, Agent

AGENTS = [
    Agent("mobile", "Safari", "iOS", "de-DE"),
    Agent("desktop", "Firefox", "Linux", "de-DE"),
    Agent("tablet", "Chrome", "", ""),
]
HOSTS = ["a.example", "", "b.example"]
START = round(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1000)
KEYS = np.array([2**64 - 1, 5, 77, 2**63, 9, 1000], np.uint64)


def records(size: int = 5000) -> np.ndarray:
    chance = np.random.default_rng(8)
    found = np.zeros(size, RECORD)
    found["time"] = START + chance.integers(0, 60 * 86_400_000, size)
    found["link"] = chance.integers(1, 5, size)
    found["place"] = KEYS[chance.integers(0, len(KEYS), size)]
    found["kind"] = chance.choice([0, 0, 0, 1, 5], size)
    found["agent"] = chance.integers(0, 3, size)
    found["referrer"] = chance.integers(0, 3, size)
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> DuckDBStore:
    made = DuckDBStore(tmp_path_factory.mktemp("groups") / "clicks.duckdb")
    made.append(Batch(records(), AGENTS, HOSTS, {}))
    return made


def days(zone: str) -> np.ndarray:
    at = datetime(2026, 3, 5, tzinfo=ZoneInfo(zone))
    return np.array([round((at + timedelta(days=day)).timestamp() * 1000) for day in range(40)], np.int64)


EDGES = {
    "quarters": np.arange(START, START + 60 * 86_400_000, 900_000),
    "hours": np.arange(START, START + 60 * 86_400_000, 3_600_000),
    "days": days("UTC"),
    "days with a change of clocks": days("Europe/Berlin"),
    "days off by three quarters": days("Asia/Kathmandu"),
    "months": np.array([round(datetime(2026, m, 1, tzinfo=UTC).timestamp() * 1000) for m in (1, 2, 3, 4, 5, 6)]),
    "one": np.array([START + 5 * 900_000, START + 50 * 900_000]),
}  # fmt: skip
SELECTIONS = [
    Selection(),
    Selection(links=(2, 3)),
    Selection(start=START + 10**9, end=START + 3 * 10**9, devices=("mobile",)),
    Selection(links=()),
]


@pytest.mark.parametrize("window", [10**9, 700])
@pytest.mark.parametrize("edges", list(EDGES))
@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
@pytest.mark.parametrize("elsewhere", [None, -1, 9])
def test_groups_of_places_through_time(
    store: DuckDBStore,
    monkeypatch: pytest.MonkeyPatch,
    window: int,
    edges: str,
    selection: Selection,
    elsewhere: int | None,
) -> None:
    monkeypatch.setattr(duckdb_times, "WINDOW", window)
    cuts = EDGES[edges]
    groups = PlaceGroups(np.append(KEYS[:4], np.uint64(123)), np.array([0, 2, 2, -1, 1], np.int32), elsewhere)
    belongs = dict(zip(KEYS[:4].tolist(), [0, 2, 2, -1], strict=True))
    expected: Counter[tuple[int, int]] = Counter()
    for row in records():
        group = belongs.get(int(row["place"]), elsewhere)
        inside = cuts[0] <= row["time"] < cuts[-1] and row["kind"] in (0, 1)
        wanted = selection.links is None or row["link"] in selection.links
        wanted &= selection.start is None or selection.start <= row["time"] < (selection.end or 0)
        wanted &= not selection.devices or row["agent"] == 0
        if inside and wanted and group is not None and (group >= 0 or elsewhere == -1):
            expected[group, int(np.searchsorted(cuts, row["time"], side="right")) - 1] += 1
    found = store.group_times(selection, cuts, [0, 1], groups)
    rows = list(zip(found.groups.tolist(), found.buckets.tolist(), strict=True))
    assert dict(zip(rows, found.clicks.tolist(), strict=True)) == expected
    assert len(set(rows)) == len(rows)
    assert (np.diff(found.buckets) >= 0).all()


@pytest.mark.parametrize("word", ["device", "browser", "system", "language", "referrer"])
@pytest.mark.parametrize("places", [None, KEYS[:3], KEYS[:0]], ids=["everywhere", "somewhere", "nowhere"])
@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
def test_words(store: DuckDBStore, word: Word, places: np.ndarray | None, selection: Selection) -> None:
    found, links = Counter[str](), Counter[int]()
    for row in records():
        wanted = selection.links is None or row["link"] in selection.links
        wanted &= selection.start is None or selection.start <= row["time"] < (selection.end or 0)
        wanted &= not selection.devices or row["agent"] == 0
        if wanted and row["kind"] == 0 and (places is None or row["place"] in places):
            agent = AGENTS[row["agent"]]
            found[HOSTS[row["referrer"]] if word == "referrer" else getattr(agent, word)] += 1
            links[int(row["link"])] += 1
    assert store.word_counts(selection, word, [0], places) == found
    assert store.link_counts(selection, [0], places) == links


def test_an_empty_store_has_no_groups(tmp_path: Path) -> None:
    store = DuckDBStore(tmp_path / "clicks.duckdb")
    found = store.group_times(
        Selection(), EDGES["hours"], [0], PlaceGroups(KEYS, np.arange(6, dtype=np.int32))
    )
    assert not len(found.clicks)
    assert store.word_counts(Selection(), "device", [0]) == {}
