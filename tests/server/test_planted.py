"""Insights over HTTP on planted clicks: what was planted is told, in every question that it answers, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.planting import Planted, make_links, plant
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
LINKS = [*OFFERS, *SAME]


@pytest.fixture(scope="module")
def planted(data_folder: Callable[[str], Path]) -> Iterator[httpx.Client]:
    data = data_folder("planted")
    plant(data, LINKS)
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
