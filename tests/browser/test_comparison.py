"""Two filters beside each other: halves under one camera, the difference, and the same numbers as the API's."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Window, asked
from tests.browser.test_first_look import number
from tests.server.served import Served

pytestmark = pytest.mark.browser
PATIENCE_MS = 60_000  # the first answer of a server takes longest
SIDES = "days=all&channel=email&b.days=all&b.channel=social"


def both_ready(page: Page) -> None:
    page.wait_for_selector('[data-testid=map-b][data-ready="true"]', timeout=60_000)


def camera(page: Page) -> tuple[float, ...]:
    return tuple(float(part) for part in parse_qs(urlsplit(page.url).query)["map"][0].split("/"))


def test_a_comparison_begins_with_the_time_before(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=30d")
    page.get_by_test_id("compare-open").click()
    both_ready(page)
    assert "compare=split" in page.url
    assert "b.from=" in page.url
    expect(page.get_by_test_id("side-B")).to_contain_text("clicks")
    page.get_by_test_id("compare-end").click()
    expect(page.get_by_test_id("map-b")).to_have_count(0)
    assert "b." not in page.url
    window.close()


def test_both_halves_have_one_camera_and_their_own_filter(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled, viewport={"width": 1440, "height": 900})
    page = window.goto(f"/app?{SIDES}&compare=split&mode=clusters&map=3/39/-97")
    both_ready(page)
    for letter, channel in (("A", "email"), ("B", "social")):
        wanted = asked(sampled, "/api/analytics/geo/countries", channel=channel)["total"]
        shown = page.get_by_test_id(f"side-{letter}").locator("strong")
        expect(shown).to_have_text(f"{wanted:,}")
        assert number(page.get_by_test_id(f"half-{letter}").locator("strong").inner_text()) == wanted
    window.picture("compare-split")
    right = page.get_by_test_id("map-b").bounding_box()
    assert right is not None
    page.mouse.move(right["x"] + 200, 500)
    page.mouse.wheel(0, -600)
    page.wait_for_timeout(2500)
    assert camera(page)[0] > 3.2  # the right half moved the left one, and with it the address
    page.get_by_test_id("compare-swap").click()
    wanted = asked(sampled, "/api/analytics/geo/countries", channel="social")["total"]
    expect(page.get_by_test_id("side-A").locator("strong")).to_have_text(f"{wanted:,}")
    window.close()


def test_the_difference_is_the_apis_and_chance_is_named(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled, viewport={"width": 1440, "height": 900})
    page = window.goto(f"/app?{SIDES}&compare=difference&level=countries&map=3/39/-97")
    found = asked(
        sampled, "/api/insights/differences", level="countries", channel="email", **{"b.channel": "social"}
    )
    shown = page.get_by_test_id("compare-row")
    expect(shown.first).to_have_attribute("data-area", found["ids"][0], timeout=PATIENCE_MS)
    for at in range(5):
        row = shown.nth(at)
        assert row.get_attribute("data-area") == found["ids"][at]
        words = row.locator("td").last.inner_text()
        assert (words == "chance") == (not found["differs"][at])
    apart = page.get_by_test_id("compare-distance")
    assert float(apart.get_attribute("data-value") or "nan") == found["distance"]
    expect(apart).to_contain_text("beyond chance" if found["distance_p"] <= 0.05 else "no more than chance")
    apart.locator("summary").click()
    expect(apart).to_contain_text("permutation test")
    with page.expect_download() as loading:
        page.get_by_test_id("compare-csv").click()
    assert loading.value.suggested_filename == "differences.csv"
    page.wait_for_timeout(2500)
    window.ready()
    window.picture("compare-difference")
    # The same filter on both sides differs nowhere.
    page = window.goto("/app?days=all&channel=email&compare=difference&b.days=all&b.channel=email")
    expect(page.get_by_test_id("compare-table")).to_contain_text("No difference")
    window.close()
