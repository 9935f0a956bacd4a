"""The clicks that a store was given, and what is true of them: numpy over all of them, against any store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from clickatlas.clicks import buckets
from clickatlas.clicks.filter import Selection
from clickatlas.clicks.periods import DAY_MS, QUARTER_MS
from clickatlas.clicks.store import Batch, ClickStore, Patches, PlaceGroups
from clickatlas.redirect.record import RECORD, Agent

DEVICES = ["mobile", "desktop", "tablet", "other", "desktop", "fridge"]
AGENTS = [Agent(device, f"browser {n}", "", "de") for n, device in enumerate(DEVICES)]
HOSTS = ["", "a.example", "b.example"]
KEYS = np.array([2**64 - 1, 5, 77, 2**63, 9, 1000, 4, 3], np.uint64)
LINKS = 12
START = round(datetime(2023, 11, 20, tzinfo=UTC).timestamp() * 1000)
SPAN = 500 * DAY_MS
ZONES = [
    "UTC",
    "Europe/Berlin",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "America/St_Johns",
    "Pacific/Chatham",
]
PEOPLE, ALL = (0,), tuple(range(6))


S = TypeVar("S", bound=ClickStore)


class Model(Generic[S]):
    """The clicks, and what is true of them; `opened` opens the store, again and again."""

    def __init__(self, opened: Callable[[], S], seed: int) -> None:
        self.opened = opened
        self.chance = np.random.default_rng(seed)
        self.places = np.random.default_rng(seed)
        self.clicks = np.zeros(0, RECORD)
        self.removed: set[int] = set()
        self.store = opened()
        self.now = START
        self.bundles: dict[str, np.ndarray] = {}

    def drawn(self, size: int, begin: int, end: int) -> np.ndarray:
        found = np.zeros(size, RECORD)
        found["time"] = self.chance.integers(begin, end, size)
        # Some at the very edges of quarters and days.
        found["time"][::7] -= found["time"][::7] % QUARTER_MS
        found["time"][::11] += DAY_MS - 1 - found["time"][::11] % DAY_MS
        found["link"] = 1 + (LINKS * self.chance.random(size) ** 2).astype(int)
        found["place"] = KEYS[self.chance.integers(0, len(KEYS), size)]
        found["kind"] = self.chance.choice([0, 0, 0, 1, 5], size)
        found["agent"] = self.chance.integers(0, len(AGENTS), size)
        found["referrer"] = self.chance.integers(0, 3, size)
        found["visitor"] = self.chance.integers(0, 1 << 62, size)
        return found

    def add(self, records: np.ndarray) -> None:
        self.store.append(Batch(records, AGENTS, HOSTS, {}))
        self.clicks = np.concatenate([self.clicks, records[~np.isin(records["link"], list(self.removed))]])

    def street(self) -> None:
        self.add(self.drawn(int(self.chance.integers(1, 50)), self.now, self.now + 3 * DAY_MS))
        self.now += 2 * DAY_MS

    def import_old(self) -> None:
        self.add(self.drawn(int(self.chance.integers(1, 80)), START, START + SPAN))

    def remove(self) -> None:
        links = self.chance.integers(1, LINKS + 1, 1).tolist()
        self.store.remove_links(links, 1)
        self.removed |= set(links)
        self.clicks = self.clicks[~np.isin(self.clicks["link"], links)]

    def bundle(self) -> None:
        """Campaigns and channels come, go and change, links without clicks among them."""
        some = self.chance.choice(["a", "b", "c", "d"], int(self.chance.integers(0, 5)), replace=False)
        chosen = {
            name: self.chance.choice(LINKS + 3, int(self.chance.integers(1, LINKS)), replace=False)
            for name in some.tolist()
        }
        chosen["e"] = np.arange(2, 7)
        self.bundles = {name: np.sort(links).astype(np.int64) for name, links in chosen.items()}
        self.store.bundle(self.bundles)

    def patch(self) -> None:
        """Places are cut into patches, most of which lie within one of the groups asked for; some are not known."""
        number = int(self.places.integers(4, len(KEYS) + 1))
        labels = np.array([10, 20, 30, 10, 20, 40, 30, 50], np.uint64)[:number]
        self.store.patch(
            Patches(KEYS[:number], labels, np.array([4, 2, 1, 4, 2, 4, 1, 4], np.int32)[:number])
        )

    def bundle_a_step(self) -> None:
        self.store.tend()

    def reopen(self) -> None:
        self.store.close()
        self.store = self.opened()

    def tend(self) -> None:
        while self.store.tend():
            pass

    def sweep(self) -> None:
        keep = START + int(self.chance.integers(1, 150)) * DAY_MS - 12345
        while self.store.tend(keep):
            pass

    def wanted(self, selection: Selection, kinds: tuple[int, ...] = ALL, grain: int = 1) -> np.ndarray:
        """The selection's clicks; its ends, where single clicks are no longer kept, at the nearest whole `grain`."""
        since = self.store.kept_since or 0
        start, end = (
            (at + grain // 2) // grain * grain if at is not None and at < since else at
            for at in (selection.start, selection.end)
        )
        keep = np.isin(self.clicks["kind"], kinds)
        if selection.links is not None:
            keep &= np.isin(self.clicks["link"], selection.links)
        if start is not None:
            keep &= self.clicks["time"] >= start
        if end is not None:
            keep &= self.clicks["time"] < end
        if selection.devices:
            keep &= np.isin(np.array(DEVICES)[self.clicks["agent"]], selection.devices)
        return self.clicks[keep]

    def selection(self) -> Selection:
        chance = self.chance
        links = None
        if self.bundles and chance.random() < 0.3:
            links = tuple(next(iter(self.bundles.values())).tolist())
        elif chance.random() < 0.6:
            links = tuple(
                sorted(set(chance.integers(1, LINKS + 2, int(chance.integers(0, LINKS + 3))).tolist()))
            )
        start, end = self.moment(), self.moment()
        if start is not None and end is not None and end <= start:
            start, end = end, start + 1
        devices = tuple(sorted(set(chance.choice(DEVICES[:4], 2).tolist()))) if chance.random() < 0.3 else ()
        return Selection(links, start, end, devices)

    def moment(self) -> int | None:
        way = self.chance.random()
        if way < 0.25:
            return None
        at = int(self.chance.integers(START - 10 * DAY_MS, START + SPAN + 10 * DAY_MS))
        if way < 0.4:
            return at
        zone = ZoneInfo(ZONES[int(self.chance.integers(0, len(ZONES)))])
        local = datetime.fromtimestamp(at / 1000, zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return round(local.timestamp() * 1000)

    def edges(self) -> np.ndarray:
        zone = ZoneInfo(ZONES[int(self.chance.integers(0, len(ZONES)))])
        first = datetime(2023, 11, 1, tzinfo=zone) + timedelta(days=int(self.chance.integers(0, 300)))
        step = int(self.chance.choice([1, 7, 30]))
        return np.array(
            [
                round((first + timedelta(days=step * n)).timestamp() * 1000)
                for n in range(2 + int(self.chance.integers(0, 60)))
            ],
            np.int64,
        )

    def check(self) -> None:
        for _ in range(8):
            selection, kinds = self.selection(), PEOPLE if self.chance.random() < 0.5 else ALL
            self.check_places(selection)
            self.check_links(selection, kinds)
            self.check_span(selection)
            self.check_devices(selection, kinds)
            edges = self.edges()
            self.check_times(selection, kinds, edges)
            self.check_groups(selection, kinds, edges)
            self.check_groups(selection, kinds, np.arange(edges[0], edges[0] + 20 * DAY_MS, 4 * QUARTER_MS))
            self.check_inside(selection, kinds, edges)
            self.check_series(kinds, edges)

    def check_places(self, selection: Selection) -> None:
        found = self.store.place_counts(selection)
        rows = list(zip(found.keys.tolist(), found.kinds.tolist(), strict=True))
        wanted = self.wanted(selection, grain=DAY_MS)
        assert dict(zip(rows, found.clicks.tolist(), strict=True)) == Counter(
            zip(wanted["place"].tolist(), wanted["kind"].tolist(), strict=True)
        ), selection
        assert len(set(rows)) == len(rows)

    def check_links(self, selection: Selection, kinds: tuple[int, ...]) -> None:
        wanted = self.wanted(selection, kinds, grain=DAY_MS)
        assert self.store.link_counts(selection, kinds) == Counter(wanted["link"].tolist()), selection

    def check_span(self, selection: Selection) -> None:
        wanted = self.wanted(selection, grain=QUARTER_MS)["time"]
        found = self.store.span(selection)
        if not len(wanted):
            assert found is None, selection
            return
        assert found is not None
        assert found[2] == len(wanted)
        # Exactly, but where single clicks are gone.
        slack = 2 * DAY_MS if self.store.kept_since else 0
        assert abs(found[0] - wanted.min()) <= slack, selection
        assert abs(found[1] - wanted.max()) <= slack, selection

    def check_times(self, selection: Selection, kinds: tuple[int, ...], edges: np.ndarray) -> None:
        wanted = self.wanted(buckets.cut(selection, edges), kinds, grain=QUARTER_MS)["time"]
        assert (
            self.store.time_counts(selection, edges, kinds).tolist()
            == np.histogram(wanted, edges)[0].tolist()
        )

    def check_groups(self, selection: Selection, kinds: tuple[int, ...], edges: np.ndarray) -> None:
        wanted = self.wanted(buckets.cut(selection, edges), kinds, grain=DAY_MS)
        times = wanted["time"].copy()
        gone = times < (self.store.kept_since or 0)  # of those the day is known
        if np.diff(edges).min() < DAY_MS // 2:  # by the hour nothing can be said of them
            wanted, times = wanted[~gone], times[~gone]
        else:
            times[gone] = times[gone] // DAY_MS * DAY_MS + DAY_MS // 2
        bucket = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(edges) - 2)
        belongs = {int(key): n % 3 for n, key in enumerate(KEYS[:6])}
        groups = PlaceGroups(KEYS[:6], np.arange(6, dtype=np.int32) % 3)
        found = self.store.group_times(selection, edges, kinds, groups)
        rows = list(zip(found.groups.tolist(), found.buckets.tolist(), strict=True))
        assert dict(zip(rows, found.clicks.tolist(), strict=True)) == Counter(
            (belongs[place], at)
            for place, at in zip(wanted["place"].tolist(), bucket.tolist(), strict=True)
            if place in belongs
        ), selection
        assert (np.diff(found.buckets) >= 0).all()

    def check_inside(self, selection: Selection, kinds: tuple[int, ...], edges: np.ndarray) -> None:
        places = self.places.choice(KEYS, int(self.places.integers(1, len(KEYS))), replace=False)
        since = self.store.kept_since or 0
        wanted = self.wanted(buckets.cut(selection, edges), kinds, grain=DAY_MS)
        times = wanted["time"][np.isin(wanted["place"], places)].copy()
        gone = times < since
        times[gone] = times[gone] // DAY_MS * DAY_MS + DAY_MS // 2
        bucket = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(edges) - 2)
        found = self.store.time_counts(selection, edges, kinds, places)
        assert found.tolist() == np.bincount(bucket, minlength=len(edges) - 1).tolist(), selection

    def check_devices(self, selection: Selection, kinds: tuple[int, ...]) -> None:
        if selection.start is not None or selection.end is not None:
            return  # where single clicks are gone, whole quarters
        found = Counter(np.array(DEVICES)[self.wanted(selection, kinds)["agent"]].tolist())
        if self.store.kept_since:
            found[""] += found.pop("fridge", 0)
        assert self.store.word_counts(selection, "device", kinds) == +found, selection

    def check_series(self, kinds: tuple[int, ...], edges: np.ndarray) -> None:
        midnights = edges // DAY_MS * DAY_MS
        links = sorted({1, 2, int(self.chance.integers(1, LINKS + 1))})
        found = self.store.link_series(links, midnights, kinds)
        for link in links:
            wanted = self.wanted(buckets.cut(Selection((link,)), midnights), kinds)["time"]
            expected = np.histogram(wanted[wanted < midnights[-1]], midnights)[0].tolist()
            assert found.get(link, np.zeros(len(midnights) - 1)).tolist() == expected
