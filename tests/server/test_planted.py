"""Insights over HTTP on planted clicks: what was planted is told, in every question that it answers, and nothing else."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import numpy.typing as npt
import pytest

from clickatlas.api.geo import LEVELS, Table
from clickatlas.atlas import files
from clickatlas.atlas.atlas import Atlas
from tests.server.planting import Planted, inside, make_links, plant
from tests.server.served import Served

TEXAS, OHIO = "region:US-TX", "region:US-OH"
# Two channels and two tags that cross: what is planted in one says nothing of the other.
OFFERS = [
    Planted(
        f"{channel}-{tag}",
        12_000,
        {"campaign": "offers", "channel": channel, "tags": [tag, "all"]},
        more=({TEXAS: 2.5} if channel == "email" else {}) | ({OHIO: 3.0} if tag == "video" else {}),
    )
    for channel in ("email", "social")
    for tag in ("video", "text")
]
# Tags that are the channels by another name.
SAME = [
    Planted(f"same-{channel}", 12_000, {"campaign": "same", "channel": channel, "tags": [f"t-{channel}"]},
            more={TEXAS: 2.5} if channel == "email" else {})
    for channel in ("email", "social")
]  # fmt: skip
LATE = Planted("late", 30_000, {"campaign": "late"}, later={TEXAS: 3})
COUNTY, ZIP = "county:53033", "zip:60629"  # not in that county
HOT = Planted("hot", 40_000, {"campaign": "hot"}, more={COUNTY: 6, ZIP: 12})
LINKS = [*OFFERS, *SAME, LATE, HOT]
HOUR, WEEK = 3_600_000, 7 * 86_400_000
Clicks = npt.NDArray[np.void]


@pytest.fixture(scope="module")
def data(data_folder: Callable[[str], Path]) -> Path:
    return data_folder("planted")


@pytest.fixture(scope="module")
def clicks(data: Path) -> Clicks:
    """What was planted."""
    return plant(data, LINKS)


@pytest.fixture(scope="module")
def planted(data: Path, clicks: Clicks) -> Iterator[httpx.Client]:
    served = Served(data).start()
    with served.client() as client:
        make_links(client, LINKS)
        yield client
    served.kill()


def ask(client: httpx.Client, question: str = "", **query: Any) -> dict[str, Any]:
    answer = client.get(f"/api/insights{question}", params=query, timeout=120)
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def offers(client: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    return [card for card in ask(client, **query)["cards"] if "by" in card["numbers"]]


def test_channels_and_tags_each_say_where_they_resonate(planted: httpx.Client) -> None:
    cards = offers(planted, campaign="offers")
    told = {(card["numbers"]["by"], card["numbers"]["a"]): card for card in cards}
    assert set(told) == {("channel", "email"), ("tag", "video")}, (
        "social and text have less of theirs, not more"
    )
    for (by, name), area in {("channel", "email"): TEXAS, ("tag", "video"): OHIO}.items():
        card = told[by, name]
        assert [one["id"] for one in card["areas"]] == [area]
        assert card["kind"] == "difference"
        assert card["sentence"].startswith("The tag “video”" if by == "tag" else "“email”")
        assert card["q"] <= 0.01 / 2, "the two sorts share what chance may do"
        table = ask(planted, "/offers", campaign="offers", by=by)
        row = next(
            at for at, of in enumerate(zip(table["offer"], table["ids"], strict=True)) if of == (name, area)
        )
        assert (card["numbers"]["clicks_a"], card["numbers"]["clicks_b"]) == (
            table["a"][row],
            table["b"][row],
        )
        clicks = planted.get("/api/analytics/geo/regions", params={"campaign": "offers", by: name}).json()[
            "rows"
        ]
        assert {one["id"]: one["clicks"] for one in clicks}[area] == table["a"][row]
        assert card["q"] == pytest.approx(table["q"][row], rel=1e-4)


def test_tags_that_are_channels_by_another_name_say_nothing_twice(planted: httpx.Client) -> None:
    assert {(card["numbers"]["by"], card["numbers"]["a"]) for card in offers(planted, campaign="same")} == {
        ("channel", "email")
    }


def test_by_the_readers_clock_and_for_all_networks_the_answers_are_the_same(planted: httpx.Client) -> None:
    """These are not read in the one pass."""
    once = offers(planted, campaign="offers")
    assert offers(planted, campaign="offers", clock="reader") == once
    others = offers(planted, campaign="offers", network="all")
    assert [card["areas"] for card in others] == [card["areas"] for card in once]


def test_where_there_are_neither_channels_nor_tags_cards_are_made_of_all_else(planted: httpx.Client) -> None:
    cards = ask(planted, campaign="late")["cards"]
    assert "rhythm" in {card["kind"] for card in cards}
    assert not [card for card in cards if "by" in card["numbers"]]


def of_link(clicks: Clicks, link: Planted) -> Clicks:
    """People's clicks of a link."""
    return clicks[(clicks["link"] == 1 + LINKS.index(link)) & (clicks["kind"] == 0)]


def test_where_they_click_three_hours_later_is_found_and_nowhere_else(
    planted: httpx.Client, clicks: Clicks, data: Path
) -> None:
    found = ask(planted, "/peaks", campaign="late")
    rows = {area: row for row, area in enumerate(found["ids"])}
    assert [area for area, differs in zip(found["ids"], found["found"], strict=True) if differs] == [TEXAS]
    # Told again from single clicks, with Python's clocks; how sure, by leaving a week out each time.
    folder = files.current(data / "atlas")
    assert folder is not None
    atlas = Atlas.open(folder)
    mine = of_link(clicks, LATE)
    order = np.argsort(np.asarray(atlas.places.key))
    place = order[np.searchsorted(np.asarray(atlas.places.key)[order], mine["place"])]
    texas = inside(atlas, TEXAS)[place]
    usa = inside(atlas, "country:US")[place]
    begin = int(clicks["time"][clicks["link"] == 1 + LINKS.index(LATE)].min()) // HOUR * HOUR
    turn = np.zeros(len(mine), np.complex128)
    for zone in set(np.asarray(atlas.places.zone)[place[texas]].tolist()):
        here = np.flatnonzero(texas & (np.asarray(atlas.places.zone)[place] == zone))
        clock = ZoneInfo(atlas.places.zones[zone])
        for at in here.tolist():
            # Counted by the hour, each click lies in the middle of one.
            then = datetime.fromtimestamp(int(mine["time"][at]) // HOUR * 3600 + 1800, clock)
            turn[at] = np.exp(2j * np.pi * (then.hour + then.minute / 60) / 24)
    row, week = rows[TEXAS], (mine["time"].astype(np.int64) - begin) // WEEK
    told = [hours(turn[texas & (week != out)].sum()) for out in (*np.unique(week).tolist(), -1)]
    assert found["clicks"][row] == int(texas.sum())
    assert found["peak"][row] == pytest.approx(told[-1], abs=1e-4)
    weeks = len(told) - 1
    error = np.sqrt((weeks - 1) / weeks * np.square(np.array(told[:-1]) - told[-1]).sum())
    half = (found["peak_high"][row] - found["peak_low"][row]) / 2
    # No narrower than the weeks themselves have it, to what linearising costs; 2.16 to 2.2: t of 12 or 13 weeks further.
    assert 0.9 < half / (2.18 * error) < 2.5
    assert found["low"][row] < 3 < found["high"][row]
    assert usa.sum() > texas.sum()
    rows_ = list(csv.DictReader(io.StringIO(planted.get(
        "/api/insights/peaks", params={"campaign": "late", "format": "csv"}
    ).text)))  # fmt: skip
    assert [one["id"] for one in rows_] == found["ids"]
    assert float(rows_[0]["q"]) == found["q"][0]
    held = ask(planted, "/peaks", campaign="late", min_cell=5)
    assert held["ids"] == [], "times are blurred then"
    assert held["min_cell"] == 5


def hours(turn: complex) -> float:
    return float(np.angle(turn) % (2 * np.pi)) * 12 / np.pi


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "Pacific/Chatham"])
def test_the_rhythm_by_the_readers_clock_is_that_of_a_calendar(
    planted: httpx.Client, clicks: Clicks, zone: str
) -> None:
    found = ask(planted, "/rhythm", campaign="late", clock="reader", tz=zone)
    clock, mine = ZoneInfo(zone), of_link(clicks, LATE)
    every = clicks["time"][clicks["link"] == 1 + LINKS.index(LATE)].astype(np.int64)
    first, last = (
        datetime.fromtimestamp(int(at) / 1000, UTC).replace(tzinfo=None) for at in (every.min(), every.max())
    )
    slack, grid, weeks = timedelta(hours=14), Counter[tuple[int, int]](), set()
    for time in (mine["time"].astype(np.int64) // 900_000 * 900).tolist():
        then = datetime.fromtimestamp(time, clock).replace(tzinfo=None)
        monday = datetime.combine(then.date() - timedelta(days=then.weekday()), datetime.min.time())
        # A week that begins before the first click, or ends after the last, by more than clocks differ, is cut.
        if monday >= first - slack and monday + timedelta(days=7) <= last + slack:
            grid[then.weekday(), then.hour] += 1
            weeks.add(monday)
    assert found["clock"] == "reader"
    assert found["weeks"] == len(weeks)
    cells = zip(found["weekday"], found["hour"], found["clicks"], strict=True)
    assert {(day, hour): number for day, hour, number in cells if number} == dict(grid)


@pytest.mark.parametrize(("level", "area"), [("counties", COUNTY), ("postal-codes", ZIP)])
def test_hot_spots_of_counties_and_postal_codes(
    planted: httpx.Client, data: Path, clicks: Clicks, level: str, area: str
) -> None:
    table = ask(planted, "/hotspots", level=level, campaign="hot")
    atlas = _atlas(data)
    mine = clicks[(clicks["link"] == LINKS.index(HOT) + 1) & (clicks["kind"] == 0)]
    place = np.argsort(np.asarray(atlas.places.key))
    place = place[np.searchsorted(np.asarray(atlas.places.key), mine["place"], sorter=place)]
    column = np.asarray(atlas.places.area[LEVELS[Table(level)]])[place]
    counted = Counter(atlas.areas.id(number) for number in column[column >= 0].tolist())
    assert {id_: n for id_, n in zip(table["ids"], table["clicks"], strict=True) if n} == {
        id_: counted[id_] for id_ in table["ids"] if counted[id_]
    }
    row = table["ids"].index(area)
    assert table["found"][row]
    assert table["low"][row] > 1
    # Postal codes of the county, too.
    told = [id_ for id_, found in zip(table["ids"], table["found"], strict=True) if found]
    others = [id_ for id_ in told if id_ != area and not id_.startswith("zip:98")]
    assert len(others) <= 2, others


def _atlas(data: Path) -> Atlas:
    folder = files.current(data / "atlas")
    assert folder is not None
    return Atlas.open(folder)
