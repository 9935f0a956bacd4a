"""The list of links: pages, search, clicks and sparklines."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.server.making import make, word
from tests.server.problems import is_problem
from tests.server.served import Served, until
from tests.server.visitors import BOT, DEVICES


def test_list_is_newest_first_and_pages_to_the_end(api: httpx.Client) -> None:
    campaign = word()
    codes = [make(api, campaign=campaign)["code"] for _ in range(7)]
    seen, cursor, pages = [], None, 0
    while True:
        query = {"campaign": campaign, "limit": 3} | ({"cursor": cursor} if cursor else {})
        page = api.get("/api/links", params=query).json()
        assert page["total"] == 7
        seen += [row["code"] for row in page["rows"]]
        cursor, pages = page["next_cursor"], pages + 1
        if cursor is None:
            break
    assert seen == codes[::-1]
    assert pages == 3


@pytest.mark.parametrize(
    "query",
    [{"limit": 0}, {"limit": 501}, {"limit": "x"}, {"cursor": "-1"}, {"cursor": "٣"}, {"cursor": "9" * 30}],
)
def test_list_refuses_what_it_can_not_read(api: httpx.Client, query: dict[str, Any]) -> None:
    is_problem(api.get("/api/links", params=query), 422)


def test_list_is_searched_and_filtered(api: httpx.Client) -> None:
    one, mark = word(), word()
    made = make(api, title=f"100% {one}_x", tags=[mark], channel="email", url=f"https://example.com/{mark}")
    for query in (
        {"search": one.upper()},
        {"search": f"% {one}"},
        {"tag": mark},
        {"search": mark, "channel": "email"},
    ):
        assert [row["code"] for row in api.get("/api/links", params=query).json()["rows"]] == [
            made["code"]
        ], query
    for query in (
        {"search": f"%{one}"},
        {"tag": mark, "channel": "qr"},
        {"campaign": mark},
        {"search": f"{one}%x"},
    ):
        assert api.get("/api/links", params=query).json()["rows"] == [], query


def test_list_rows_carry_clicks_and_a_sparkline(api: httpx.Client, server: Served) -> None:
    made = make(api)
    person = {"user-agent": DEVICES["desktop"]}
    for _ in range(3):
        httpx.get(made["short_url"], headers=person | {"x-forwarded-for": "18.9.22.69"})
    httpx.get(made["short_url"], headers=person | {"x-forwarded-for": "52.95.110.1"})
    httpx.get(made["short_url"], headers={"user-agent": BOT, "x-forwarded-for": "18.9.22.69"})
    server.settled(api, 5)
    row = api.get("/api/links", params={"search": made["code"]}).json()["rows"][0]
    assert row["clicks"] == 3
    assert len(row["sparkline"]) == 30
    assert sum(row["sparkline"]) == 3
    assert row["sparkline"][-1] + row["sparkline"][-2] == 3


def test_links_in_other_orders(api: httpx.Client, server: Served) -> None:
    campaign = word()
    made = [make(api, campaign=campaign, code=f"{letter}{word()}", title=title)["code"]
            for letter, title in (("b", "Zebra"), ("A", ""), ("c", "apple"), ("D", "Mango"))]  # fmt: skip
    for code, times in zip(made, (1, 3, 0, 2), strict=True):
        for _ in range(times):
            httpx.get(
                f"{server.url}/{code}",
                headers={"x-forwarded-for": "18.9.22.69", "user-agent": DEVICES["desktop"]},
            )

    def listed(order: str) -> list[str]:
        found: list[str] = []
        cursor: str | None = None
        while True:  # a page of two at a time: none twice, none left out
            query = {"campaign": campaign, "sort": order, "limit": 2} | ({"cursor": cursor} if cursor else {})
            page = api.get("/api/links", params=query).raise_for_status().json()
            found += [row["code"] for row in page["rows"]]
            cursor = page["next_cursor"]
            assert page["total"] == 4
            if cursor is None:
                return found

    b, a, c, d = made
    assert listed("newest") == [d, c, a, b]
    assert listed("oldest") == [b, a, c, d]
    assert listed("code") == [a, b, c, d]
    assert listed("title") == [c, d, b, a]  # without a title: last
    until(lambda: listed("clicks") == [a, d, b, c], "in order of clicks")
    is_problem(api.get("/api/links", params={"sort": "luck"}), 422)
