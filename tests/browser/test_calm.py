"""Nothing jumps while the page fills, and nothing spins while the map moves."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.conftest import Window
from tests.server.served import Served

pytestmark = pytest.mark.browser
# Chromium's own measure of what moved without anybody's doing (https://web.dev/articles/cls): 0.1 is called good.
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries())
    if (!entry.hadRecentInput) window.shifts.push([entry.value, entry.sources.map(({ node }) =>
      node && (node.outerHTML || node.textContent).slice(0, 120))]);
}).observe({ type: "layout-shift", buffered: true });
"""
ASKED = re.compile(r"/api/(analytics|links|heat/tilejson)")
WAITING = '[aria-busy="true"], .skeleton, .pending, .waiting, [role="progressbar"]'
WATCH = """(waiting) => {
  window.waits = [];
  const look = () => document.querySelectorAll(waiting).forEach((one) => window.waits.push(one.outerHTML.slice(0, 120)));
  look();
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
}"""


@pytest.mark.parametrize("path", ["/app?days=all", "/app?days=all&tab=analytics", "/app?days=all&tab=links"])
def test_what_is_waited_for_has_its_room(chromium: Browser, sampled: Served, path: str) -> None:
    window = Window(chromium, sampled)
    page = window.page
    page.add_init_script(SHIFTS)
    held: list[Route] = []
    page.route(ASKED, lambda route: held.append(route))
    page.goto(sampled.url + path)
    page.locator(".panel.card").wait_for()
    if path.endswith("all"):
        expect(page.locator(".skeletons .skeleton").first).to_be_visible()
    page.wait_for_timeout(1_000)  # a slow server: everything else is there, and the table is not
    window.picture(f"waiting-{path.rpartition('=')[2]}")
    for route in held:
        route.continue_()
    page.unroute(ASKED)
    window.ready()
    expect(page.locator(".panel.card .skeleton")).to_have_count(0)
    expect(page.locator(".panel.card [aria-busy=true]")).to_have_count(0)
    page.get_by_test_id("time-dock").wait_for()
    page.wait_for_timeout(500)
    shifts: list[Any] = page.evaluate("window.shifts")
    assert sum(value for value, _ in shifts) <= 0.1, shifts
    window.close()


def test_moving_the_map_waits_for_nothing(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all&map=3/40/-95")
    page.get_by_test_id("time-dock").wait_for()
    expect(page.locator(WAITING)).to_have_count(0)
    page.evaluate(WATCH, WAITING)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(sampled.url)))
    for act in ("drag", "wheel", "button"):
        before = page.url
        page.mouse.move(800, 300)
        if act == "drag":
            page.mouse.down()
            page.mouse.move(620, 380, steps=12)
            page.mouse.up()
        elif act == "wheel":
            page.mouse.wheel(0, -400)
        else:
            page.get_by_role("button", name="Zoom out").click()
        page.wait_for_function("before => location.href !== before", arg=before)
        page.wait_for_load_state("networkidle")
        window.ready()
    assert page.evaluate("window.waits") == []
    # Tiles, and no question to any table; whether there are new clicks is asked every few seconds anyhow.
    questions = [path for path in asked if path.startswith("/api/")]
    assert [path for path in questions if not re.match(r"/api/heat/(tiles/|tilejson)", path)] == []
    assert any("/api/heat/tiles/" in path for path in asked)
    window.close()
