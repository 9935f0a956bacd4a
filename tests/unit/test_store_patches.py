"""Place x time read from patches of places is what the clicks say, however places, zones and edges lie."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from clickatlas.clicks import bundles, duckdb_patches, groups, patches, rollups
from clickatlas.clicks.duckdb import DuckDBStore
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.periods import DAY_MS, QUARTER_MS
from clickatlas.clicks.store import Batch, Patches, PlaceGroups
from clickatlas.redirect.record import RECORD, Agent

START = 20_500 * DAY_MS
KEYS = np.arange(1, 21, dtype=np.uint64)
LABELS = (10 + (KEYS - 1) // 4).astype(np.uint64)  # five patches of four places
STEPS = np.array([4, 4, 4, 2, 1], np.int32)[(LABELS - 10).astype(int)]
HOUR = 4 * QUARTER_MS
EVERY = {rollups.EVERY}
BY_PATCH = (LABELS - 10).astype(np.int32)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for millions happens with hundreds."""
    monkeypatch.setattr(rollups, "SETTLE_AT", 400)
    monkeypatch.setattr(bundles, "BUNDLE_AT", 300)
    monkeypatch.setattr(bundles, "PARTS_AT", 500)
    monkeypatch.setattr(groups, "OWNER_COST", 100)
    monkeypatch.setattr(patches, "BEGIN_AT", 1000)
    monkeypatch.setattr(patches, "BUNDLE_AT", 500)
    monkeypatch.setattr(patches, "AT_ONCE", 700)


def records(size: int = 3000) -> np.ndarray:
    chance = np.random.default_rng(3)
    found = np.zeros(size, RECORD)
    found["time"] = START + np.sort(chance.integers(0, 20 * DAY_MS, size))
    found["link"] = chance.integers(1, 7, size)
    found["place"] = chance.choice(KEYS, size)
    found["kind"] = chance.choice([0, 0, 5], size)
    return found


def filled(path: Path) -> tuple[DuckDBStore, np.ndarray]:
    store, clicks = DuckDBStore(path), records()
    store.bundle({"a campaign": np.array([1, 2, 3], np.int64)})
    for begin in range(0, len(clicks), 250):
        if begin == 1500:  # half of the clicks are there before anything is known of patches
            store.patch(Patches(KEYS, LABELS, STEPS))
        store.append(Batch(clicks[begin : begin + 250], [Agent("", "", "", "")], [""], {}))
        while store.tend():
            pass
    return store, clicks


def held(
    store: DuckDBStore,
    clicks: np.ndarray,
    links: tuple[int, ...] | None,
    edges: np.ndarray,
    group: np.ndarray,
) -> duckdb_patches.Plan | None:
    """Ask the store and the clicks; returns how the store went about it."""
    selection, asked = (
        Selection(links),
        PlaceGroups(np.arange(1, len(group) + 1, dtype=np.uint64), group.astype(np.int32)),
    )
    mine = clicks[np.isin(clicks["link"], links or [1, 2, 3, 4, 5, 6]) & (clicks["kind"] == 0)]
    mine = mine[(mine["time"] >= edges[0]) & (mine["time"] < edges[-1])]
    of = group[mine["place"].astype(int) - 1]
    bucket = np.searchsorted(edges, mine["time"], side="right") - 1
    found = store.group_times(selection, edges, [0], asked)
    rows = zip(found.groups.tolist(), found.buckets.tolist(), found.clicks.tolist(), strict=True)
    assert {row[:2]: row[2] for row in rows} == Counter(
        zip(of[of >= 0].tolist(), bucket[of >= 0].tolist(), strict=True)
    )
    with store._sources(selection, [0]) as sources:
        numbers = np.full(int(store._all("SELECT max(id) FROM places")[0][0]) + 1, -1, np.int32)
        for number, key in store._all("SELECT id, key FROM places"):
            numbers[number] = group[key - 1]
        return duckdb_patches.plan(sources, numbers, edges)


def hourly(first: int = START) -> np.ndarray:
    return np.arange(first, START + 20 * DAY_MS, HOUR, dtype=np.int64)


def test_hours_of_every_link_and_of_a_campaign_are_read_from_patches(tmp_path: Path) -> None:
    store, clicks = filled(tmp_path / "clicks.duckdb")
    for links, owners in ((None, EVERY), ((1, 2, 3), {-2}), ((1, 2, 3, 4), {-2}), ((1, 2), {-2})):
        plan = held(store, clicks, links, hourly(), BY_PATCH)
        assert plan is not None
        assert plan.owners == owners
        assert plan.step == 4
        assert not len(plan.cut)
        assert not len(plan.mixed)
    assert held(store, clicks, (6,), hourly(), BY_PATCH) is None


def test_days_that_begin_within_an_hour_are_read_from_patches_but_for_those_hours(tmp_path: Path) -> None:
    store, clicks = filled(tmp_path / "clicks.duckdb")
    days = np.arange(START - DAY_MS + 18 * HOUR + 2 * QUARTER_MS, START + 15 * DAY_MS, DAY_MS, dtype=np.int64)
    for links in (None, (1, 2, 3), (2, 3, 4, 5)):
        plan = held(store, clicks, links, days, BY_PATCH)
        assert plan is not None
        assert len(plan.cut) == len(days)


def test_quarters_are_read_from_patches_whose_clocks_need_them(tmp_path: Path) -> None:
    store, clicks = filled(tmp_path / "clicks.duckdb")
    quarters = np.arange(START, START + 9 * DAY_MS, QUARTER_MS, dtype=np.int64)
    assert held(store, clicks, None, quarters, BY_PATCH) is None
    plan = held(store, clicks, None, quarters, np.where(BY_PATCH == 4, 0, -1))
    assert plan is not None
    assert plan.step == 1
    plan = held(store, clicks, None, quarters[::2], np.where(BY_PATCH >= 3, 0, -1))
    assert plan is not None
    assert plan.step == 2


def test_a_place_in_another_group_than_its_patch_is_read_by_itself(tmp_path: Path) -> None:
    store, clicks = filled(tmp_path / "clicks.duckdb")
    group = np.where(BY_PATCH < 4, 0, 1)
    group[0], group[7] = 1, -1
    # Of twenty places eight would be too many to be read one by one, where millions are.
    assert held(store, clicks, None, hourly(), group) is None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duckdb_patches, "SPLIT", 2)
        for links in (None, (1, 2, 3, 5)):
            plan = held(store, clicks, links, hourly(START + 3 * QUARTER_MS), group)
            assert plan is None  # every hour is cut
            plan = held(store, clicks, links, hourly()[::6], group)
            assert plan is not None
            assert len(plan.mixed) == 7


def test_deleted_links_leave_and_new_places_find_their_patch(tmp_path: Path) -> None:
    store, clicks = filled(tmp_path / "clicks.duckdb")
    store.remove_links([2], 1)
    clicks = clicks[clicks["link"] != 2]
    late = records(1000)
    late["place"] = KEYS[late["place"].astype(int) % 20]
    late["link"] = 1 + late["link"] % 2 * 2
    assert held(store, clicks, None, hourly(), BY_PATCH)
    store.append(Batch(late, [Agent("", "", "", "")], [""], {}))
    while store.tend():
        pass
    for links in (None, (1, 3)):
        assert held(store, np.concatenate([clicks, late]), links, hourly(), BY_PATCH)
    assert store._all("SELECT count(DISTINCT patch) FROM patches") == [(5,)]


def test_places_of_which_nothing_was_known_are_read_one_by_one(tmp_path: Path) -> None:
    store, clicks = filled(tmp_path / "clicks.duckdb")
    store.close()
    store = DuckDBStore(tmp_path / "clicks.duckdb")  # nobody tells it of patches
    strange = records(900)
    strange["place"] = 20 + strange["place"] % 3
    store.append(Batch(strange, [Agent("", "", "", "")], [""], {}))
    while store.tend():
        pass
    assert store._all("SELECT count(*) FROM patches WHERE patch = 0") == [(2,)]
    plan = held(store, np.concatenate([clicks, strange]), None, hourly(), np.append(BY_PATCH, [0, 1]))
    assert plan is not None
    assert len(plan.mixed) == 2
