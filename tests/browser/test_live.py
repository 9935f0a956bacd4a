"""Clicks as they come: dots on the map and a feed, and a flood that stalls nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Window
from tests.server.served import Served
from tests.server.visitors import DEVICES

# In place of the browser's own: ten clicks a second, and a thousand once `flooded`, told as the server would: twice a second, fifty singly.
FLOOD = """
window.EventSource = class extends EventTarget {
  static CLOSED = 2;
  readyState = 1;
  constructor() {
    super();
    setTimeout(() => this.onopen?.(), 50);
    this.beat = setInterval(() => {
      const clicks = Array.from({ length: window.flooded ? 50 : 5 }, (_, at) => ({
        time: Date.now(), age_ms: 0, code: "flood", channel: "email", device: "mobile", browser: "Safari",
        system: "iOS", language: "en-US", referrer: null, network: "residential",
        origin: { group: "social", name: "Instagram" },
        place: { name: "Place " + at, country: "US", region: "US-MA", postal_code: null, radius: 20,
                 lat: Math.random() * 120 - 60, lon: Math.random() * 360 - 180 },
      }));
      const data = JSON.stringify({ count: window.flooded ? 500 : 5, clicks });
      this.dispatchEvent(new MessageEvent("clicks", { data }));
    }, 500);
  }
  close() { clearInterval(this.beat); }
};
"""
MANY = re.compile(r"^[1-4]\d\d$")


@pytest.fixture(scope="module")
def window(chromium: Browser, sampled: Served) -> Iterator[Window]:
    made = Window(chromium, sampled)
    expect.set_options(timeout=30_000)
    yield made
    made.close()


def test_a_click_comes_up_in_the_feed_and_on_the_map(window: Window) -> None:
    page = window.goto("/app")
    with window.served.client() as client:
        link = {"url": "https://example.com/", "code": "live-now", "channel": "poster"}
        client.post("/api/links", json=link).raise_for_status()
    page.get_by_test_id("live-open").click()
    live = page.get_by_test_id("live")
    expect(live).to_have_attribute("data-state", "on")
    headers = {
        "x-forwarded-for": "18.9.22.69",
        "user-agent": DEVICES["mobile"],
        "referer": "https://l.instagram.com/",
    }
    httpx.get(f"{window.served.url}/live-now", headers=headers)
    row = page.locator("[data-testid=live-feed] li[data-code=live-now]").first
    expect(row).to_contain_text("Cambridge")
    expect(row).to_contain_text("mobile · Instagram · poster · /live-now")
    expect(page.get_by_test_id("live-status")).to_contain_text("1 click since you look")
    page.get_by_test_id("live-pause").click()
    httpx.get(f"{window.served.url}/live-now", headers=headers)
    expect(page.get_by_test_id("live-status")).to_have_text("Paused, 1 click since")
    expect(row).to_be_visible()
    page.get_by_test_id("live-close").click()
    expect(page.get_by_test_id("live-dots")).to_have_count(0)


def busy(page: Page, seconds: float) -> float:
    """The part of a processor that the page's own thread takes: its time there, which other work of the machine is not in."""
    told = page.context.new_cdp_session(page)
    told.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = told.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))

    before, began = spent(), time.monotonic()
    page.wait_for_timeout(seconds * 1000)
    part = (spent() - before) / (time.monotonic() - began)
    told.detach()
    return part


def test_a_thousand_clicks_a_second_stall_nothing(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    window.context.add_init_script(FLOOD)
    page = window.goto("/app?map=1.5/20/0")
    page.get_by_test_id("live-open").click()
    expect(page.locator("[data-testid=live-feed] li")).to_have_count(12)
    few = busy(page, 4)
    page.evaluate("window.flooded = true")
    expect(page.get_by_test_id("live-status")).to_contain_text("a second, some of them here")
    expect(page.get_by_test_id("live-dots")).to_have_attribute("data-dots", MANY)
    flooded = busy(page, 4)
    print(f"of a processor: few clicks {few:.2f}, a flood {flooded:.2f}")
    window.picture("live-flood")
    assert 100 < int(page.get_by_test_id("live-dots").get_attribute("data-dots") or 0) <= 400
    # What is said aloud is one sentence a quarter of a minute.
    assert len(page.get_by_test_id("live-said").inner_text()) < 120
    assert few > 0
    assert flooded < 0.5, "the page answers whoever uses it"
    page.get_by_test_id("live-pause").click()
    expect(page.get_by_test_id("live-dots")).to_have_attribute("data-dots", "0")
    window.close()


def test_a_lost_connection_is_said_and_made_again(window: Window) -> None:
    page = window.goto("/app")
    page.route("**/api/analytics/live*", lambda route: route.abort())
    page.get_by_test_id("live-open").click()
    expect(page.get_by_test_id("live-status")).to_have_text("Not connected. Trying again…")
    page.unroute("**/api/analytics/live*")
    expect(page.get_by_test_id("live")).to_have_attribute("data-state", "on")
    window.problems.clear()  # the browser says that a request failed: that was the test's doing
