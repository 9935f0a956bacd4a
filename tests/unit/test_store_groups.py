"""What a click store counts by place, time and word, against the clicks themselves."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pytest

from clickatlas.clicks import cells, duckdb_together, scope
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.store import Batch, PlaceGroups, TimesAsked, Word, WordsAsked
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


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("edges", list(EDGES))
@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
@pytest.mark.parametrize("elsewhere", [None, -1, 9])
def test_groups_of_places_through_time(
    store: DuckDBStore,
    monkeypatch: pytest.MonkeyPatch,
    flat: bool,
    edges: str,
    selection: Selection,
    elsewhere: int | None,
) -> None:
    if not flat:  # cells that are too many for a table, summed up some hundred clicks at a time
        monkeypatch.setattr(cells, "FLAT", 0)
        monkeypatch.setattr(cells, "WINDOW", 700)
        monkeypatch.setattr(scope, "PIECE", 300)
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


@pytest.mark.parametrize("word", ["device", "language", "referrer"])
@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
@pytest.mark.parametrize("elsewhere", [None, -1, 9])
def test_words_by_groups_of_places(
    store: DuckDBStore, word: Word, selection: Selection, elsewhere: int | None
) -> None:
    groups = PlaceGroups(np.append(KEYS[:4], np.uint64(123)), np.array([0, 2, 2, -1, 1], np.int32), elsewhere)
    belongs = dict(zip(KEYS[:4].tolist(), [0, 2, 2, -1], strict=True))
    expected: Counter[tuple[int, str]] = Counter()
    for row in records():
        group = belongs.get(int(row["place"]), elsewhere)
        wanted = selection.links is None or row["link"] in selection.links
        wanted &= selection.start is None or selection.start <= row["time"] < (selection.end or 0)
        wanted &= not selection.devices or row["agent"] == 0
        if wanted and row["kind"] in (0, 1) and group is not None and (group >= 0 or elsewhere == -1):
            agent = AGENTS[row["agent"]]
            expected[group, HOSTS[row["referrer"]] if word == "referrer" else getattr(agent, word)] += 1
    found = store.group_words(selection, word, [0, 1], groups)
    rows = [
        (group, found.names[at])
        for group, at in zip(found.groups.tolist(), found.words.tolist(), strict=True)
    ]
    assert dict(zip(rows, found.clicks.tolist(), strict=True)) == expected
    assert len(set(rows)) == len(rows)


def test_an_empty_store_has_no_groups(tmp_path: Path) -> None:
    store = DuckDBStore(tmp_path / "clicks.duckdb")
    found = store.group_times(
        Selection(), EDGES["hours"], [0], PlaceGroups(KEYS, np.arange(6, dtype=np.int32))
    )
    assert not len(found.clicks)
    assert store.word_counts(Selection(), "device", [0]) == {}
    words = store.group_words(Selection(), "language", [0], PlaceGroups(KEYS, np.arange(6, dtype=np.int32)))
    assert not len(words.clicks)
    assert words.names == []


@pytest.mark.parametrize(("window", "cells"), [(10**9, 1 << 24), (700, 1 << 24), (700, 10)])
@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
@pytest.mark.parametrize("elsewhere", [None, 9, 2])
def test_questions_asked_together_are_answered_as_one_by_one(
    store: DuckDBStore, monkeypatch: pytest.MonkeyPatch, window: int, selection: Selection, elsewhere: int | None, cells: int
) -> None:  # fmt: skip
    monkeypatch.setattr(duckdb_together, "WINDOW", window)
    monkeypatch.setattr(duckdb_together, "CELLS", cells)
    groups = PlaceGroups(np.append(KEYS[:4], np.uint64(123)), np.array([0, 2, 2, -1, 1], np.int32), elsewhere)
    others = PlaceGroups(np.sort(KEYS), np.arange(6, dtype=np.int32))
    times = [TimesAsked(EDGES[name], of) for name in EDGES for of in (groups, others)]
    words: list[Word] = ["device", "language", "referrer"]
    asked = [WordsAsked(word, of) for word in words for of in (groups, others)]
    links = [np.array([1]), np.array([4, 3]), np.array([99])]
    at_times, in_words, of_links = store.group_together(selection, [0, 1], times, asked, links)
    for numbers, of in zip(links, of_links, strict=True):
        mine = sorted(set(numbers.tolist()) & set(range(100) if selection.links is None else selection.links))
        counted = store.place_counts(
            Selection(tuple(mine), selection.start, selection.end, selection.devices)
        )
        expected = Counter[int]()
        for key, kind, clicks in zip(*(column.tolist() for column in counted), strict=True):
            expected[key] += clicks if kind in (0, 1) else 0
        assert dict(zip(of.keys.tolist(), of.clicks.tolist(), strict=True)) == +expected
    for one, told in zip(times, at_times, strict=True):
        alone = store.group_times(selection, one.edges, [0, 1], one.places)
        assert rows_of(told.groups, told.buckets, told.clicks) == rows_of(
            alone.groups, alone.buckets, alone.clicks
        )
        assert (np.diff(told.buckets) >= 0).all()
    for each, said in zip(asked, in_words, strict=True):
        found = store.group_words(selection, each.word, [0, 1], each.places)
        assert said.names == found.names
        assert rows_of(said.groups, said.words, said.clicks) == rows_of(
            found.groups, found.words, found.clicks
        )


def test_questions_asked_together_of_clicks_that_are_counted_by_day_only(tmp_path: Path) -> None:
    store = DuckDBStore(tmp_path / "clicks.duckdb")
    store.append(Batch(records(), AGENTS, HOSTS, {}))
    while store.tend(START + 20 * 86_400_000):
        pass
    times = [
        TimesAsked(EDGES[name], PlaceGroups(KEYS, np.arange(6, dtype=np.int32))) for name in ("hours", "days")
    ]
    (hours, days_), _, _ = store.group_together(Selection(), [0, 1], times, [])
    assert 0 < hours.clicks.sum() < 3_800  # the first third is known by day alone
    assert (
        days_.clicks.sum()
        == store.group_times(Selection(), times[1].edges, [0, 1], times[1].places).clicks.sum()
    )


def rows_of(*columns: np.ndarray) -> list[tuple[int, ...]]:
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    assert len(set(rows)) == len(rows)
    return sorted(rows)


def test_lists_of_links_that_share_some_are_counted_each(store: DuckDBStore) -> None:
    times = [TimesAsked(EDGES["hours"], PlaceGroups(KEYS, np.arange(6, dtype=np.int32)))]
    found = store.group_together(
        Selection(), [0, 1, 2, 3, 4, 5], times, [], [np.array([1, 2]), np.array([2, 3])]
    )
    sizes = Counter(records()["link"].tolist())
    assert [int(of.clicks.sum()) for of in found.links] == [sizes[1] + sizes[2], sizes[2] + sizes[3]]


def test_a_fault_half_way_through_an_answer_is_the_stores(store: DuckDBStore) -> None:
    broken = (
        "SELECT CASE WHEN i = 900000 THEN error('block checksum') ELSE i END AS i FROM range(1000000) t(i)"
    )
    with store._sources(Selection()) as sources, pytest.raises(duckdb.Error, match="block checksum"):
        assert sum(len(rows["i"]) for rows in sources.pieces(broken)) > 1_000_000
    assert len(store.place_counts(Selection()).keys)
