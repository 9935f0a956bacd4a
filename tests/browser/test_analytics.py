"""The analytics tab: a link's figures beside the map, each a filter of the others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Window, asked, pick
from tests.server.served import Served


@pytest.fixture(scope="module")
def window(chromium: Browser, sampled: Served) -> Iterator[Window]:
    made = Window(chromium, sampled)
    expect.set_options(timeout=30_000)
    yield made
    made.close()


def test_a_link_has_a_page_of_its_own_and_its_panels_filter_each_other(window: Window) -> None:
    page = window.goto("/app?tab=links&days=all")
    code = page.get_by_test_id("link-row").first.get_attribute("data-code")
    assert code
    pick(page, code, "link-analytics")
    expect(page.get_by_test_id("analytics-subject")).to_contain_text("Link")
    total = asked(window.served, "/api/analytics/geo/countries", link=code)["total"]
    expect(page.get_by_test_id("analytics-clicks")).to_have_text(f"{total:,}")
    mobile = asked(window.served, "/api/analytics/geo/countries", link=code, device="mobile")["total"]
    page.locator("[data-testid=panel-device] li[data-value=mobile] button").click()
    expect(page.get_by_test_id("analytics-clicks")).to_have_text(f"{mobile:,}")
    expect(page.get_by_test_id("filter-chip")).to_have_count(2)
    # The panel that was pressed still shows the others.
    expect(page.locator("[data-testid=panel-device] li[data-value=desktop]")).to_be_visible()
    both = asked(
        window.served, "/api/analytics/geo/countries", link=code, device="mobile", area="country:US"
    )["total"]
    page.locator("[data-testid=panel-geography] li[data-value='country:US'] button").click()
    expect(page.get_by_test_id("analytics-clicks")).to_have_text(f"{both:,}")
    row = page.locator("[data-testid=panel-origin] li").first
    found = asked(
        window.served,
        "/api/analytics/breakdown",
        by="origin",
        link=code,
        device="mobile",
        area="country:US",
    )
    sums: dict[str, int] = {}
    for one in found["rows"]:
        group = one["group"] or one["value"]
        sums[group] = sums.get(group, 0) + one["clicks"]
    expect(row).to_have_attribute("data-clicks", str(max(sums.values())))
    window.picture("analytics")
    assert f"link={code}" in page.url
    assert "device=mobile" in page.url
    page.go_back()
    expect(page.get_by_test_id("analytics-clicks")).to_have_text(f"{mobile:,}")


def test_a_note_is_written_shown_and_taken_back(window: Window) -> None:
    page = window.goto("/app?tab=analytics&days=30d")
    page.get_by_test_id("note-add").click()
    page.get_by_test_id("note-text").fill("Newsletter sent")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_test_id("note")).to_contain_text("Newsletter sent")
    expect(page.locator("[data-testid=analytics-chart] .flag-top")).to_have_count(1)
    page.get_by_role("button", name="Delete the note Newsletter sent").click()
    expect(page.get_by_test_id("note")).to_have_count(0)
