"""Accessibility as a machine can check it: axe-core's WCAG 2.2 AA rules on every state of the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Window
from tests.server.served import Served

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> list[str]:
    """What axe finds, a line each."""
    page.evaluate(AXE.read_text("utf-8"))
    said = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", RULES)
    assert len(said["passes"]) > 10  # it did look
    found = said["violations"]
    return [
        f"{one['id']}: {one['help']} ({node['target']}: {node['failureSummary']})"
        for one in found
        for node in one["nodes"]
    ]


def open_search(page: Page) -> None:
    page.get_by_test_id("search-open").click()
    page.get_by_test_id("search-text").fill("cambridge")
    page.get_by_test_id("search-row").first.wait_for()


def open_filters(page: Page) -> None:
    page.get_by_test_id("filter-add").click()
    page.get_by_test_id("filter-kind-channel").click()
    page.get_by_test_id("filter-choice").first.wait_for()


def open_views(page: Page) -> None:
    page.get_by_test_id("views-open").click()
    page.get_by_test_id("view-name").wait_for()


def open_shortcuts(page: Page) -> None:
    page.get_by_test_id("map-more").click()
    page.get_by_test_id("shortcuts-open").click()
    page.get_by_test_id("shortcuts").wait_for()


def nothing(_page: Page) -> None:
    pass


def open_hours(page: Page) -> None:
    page.get_by_test_id("time-dock").get_by_role("button", name="Hours").click()
    page.get_by_test_id("hours-grid").wait_for()


def open_insight(page: Page) -> None:
    page.get_by_test_id("insight-card").first.wait_for(timeout=90_000)
    page.get_by_test_id("insight-show").first.click()
    page.get_by_test_id("insight-how").first.locator("summary").click()


def open_target(page: Page) -> None:
    page.get_by_test_id("link-more").first.click()
    page.get_by_test_id("link-target").click()
    page.get_by_test_id("target-around").click()
    page.get_by_test_id("target-search").fill("cambridge")
    page.get_by_test_id("target-found").first.wait_for()


def open_difference(page: Page) -> None:
    page.get_by_test_id("compare-distance").wait_for(timeout=90_000)
    page.get_by_test_id("compare-distance").locator("summary").click()


def open_deviation(page: Page) -> None:
    page.get_by_test_id("drawer-deviation").wait_for(timeout=90_000)
    page.get_by_test_id("drawer-audience").wait_for(timeout=90_000)


def open_analytics(page: Page) -> None:
    for panel in ("device", "geography"):
        page.locator(f"[data-testid=panel-{panel}] li").first.wait_for(timeout=90_000)


def open_live(page: Page) -> None:
    page.get_by_test_id("live-open").click()
    page.locator("[data-testid=live][data-state=on]").wait_for()


STATES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "heat": ("/app?days=all", nothing),
    "clusters": ("/app?days=all&mode=clusters&level=cities", nothing),
    "areas": ("/app?days=all&mode=areas&level=regions&measure=index", nothing),
    "links": ("/app?days=all&tab=links", nothing),
    "insights": ("/app?days=all&tab=insights&channel=email", open_insight),
    "analytics": ("/app?days=all&tab=analytics", open_analytics),
    "live": ("/app?days=all", open_live),
    "drawer": ("/app?days=all&open=zip:02139&level=postal-codes", nothing),
    "drawer-deviation": ("/app?days=all&open=region:US-CA&level=regions", open_deviation),
    "target": ("/app?days=all&tab=links", open_target),
    "difference": (
        "/app?days=all&compare=difference&channel=email&b.days=all&b.channel=social",
        open_difference,
    ),
    "search": ("/app?days=all", open_search),
    "filters": ("/app?days=all", open_filters),
    "views": ("/app?days=all", open_views),
    "shortcuts": ("/app?days=all", open_shortcuts),
    "hours": ("/app?days=all", open_hours),
    "side by side": ("/app?days=all&compare=split&b.days=all&b.channel=email", nothing),
    "comparison": ("/app?days=all&compare=difference&b.days=all&b.channel=email", nothing),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_violation_in_any_state(chromium: Browser, sampled: Served, scheme: str) -> None:
    window = Window(chromium, sampled, color_scheme=scheme, reduced_motion="reduce")
    found: dict[str, list[str]] = {}
    for name, (path, act) in STATES.items():
        page = window.goto(path)
        page.wait_for_timeout(700)  # what is fetched after the first look
        act(page)
        if said := violations(page):
            found[name] = said
    assert found == {}
    window.close()


def test_a_phone_has_none_either(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled, viewport={"width": 390, "height": 844}, has_touch=True)
    for path in ("/app?days=all", "/app?days=all&open=zip:02139"):
        page = window.goto(path)
        page.wait_for_timeout(700)
        assert violations(page) == []
    window.close()


def test_a_stranger_can_read_the_way_in(chromium: Browser, sampled: Served) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{sampled.url}/app")
    page.get_by_text("sign-in link", exact=False).first.wait_for()
    assert violations(page) == []
    context.close()
