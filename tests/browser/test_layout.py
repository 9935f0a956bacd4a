"""What floats over the map at the sizes people have: nothing lies on anything else."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Window
from tests.server.served import Served

pytestmark = pytest.mark.browser
CARDS = {
    "top bar": "header.card",
    "sample banner": ".sample.card",
    "panel": ".panel.card",
    "switches": ".switches",
    "controls": "[aria-label='Map controls'] > .card",
    "legend": "figure.legend",
    "dock": "[data-testid=time-dock], [data-testid=time-unfold]",
    "sources": "footer:has(#sources)",
    "drawer": "[data-testid=drawer]",
}


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def on(self, other: Box) -> bool:
        """Whether the two share more than a hair."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return wide > 1 and high > 1


def boxes(page: Page) -> dict[str, Box]:
    found = {}
    for name, selector in CARDS.items():
        for at, place in enumerate(page.locator(selector).all()):
            if place.is_visible() and (box := place.bounding_box()):
                found[f"{name} {at}"] = Box(
                    box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]
                )
    return found


@pytest.mark.parametrize("size", [(1280, 800), (1440, 900), (1920, 1080), (1280, 720), (390, 844)], ids=str)
def test_nothing_lies_on_anything_else(chromium: Browser, sampled: Served, size: tuple[int, int]) -> None:
    width, height = size
    phone = width < 720
    window = Window(
        chromium,
        sampled,
        viewport={"width": width, "height": height},
        has_touch=phone,
        reduced_motion="reduce",
    )
    views = ["/app?days=all", "/app?days=all&mode=clusters&measure=index"]
    if not phone:  # there a drawer is a sheet over the others
        views.append("/app?days=all&open=zip:02139&map=9/42.36/-71.1")
    for view in views:
        page = window.goto(view)
        expect(page.locator("figure.legend")).to_be_visible()
        if "open=" in view:
            page.get_by_test_id("drawer-rank").wait_for()
        page.wait_for_timeout(600)
        there = boxes(page)
        assert {"top bar 0", "sample banner 0", "panel 0", "legend 0", "dock 0"} <= set(there)
        lying = [(a, b) for (a, one), (b, other) in combinations(there.items(), 2) if one.on(other)]
        assert lying == [], view
        for name, box in there.items():
            assert box.left >= -1, name
            assert box.right <= width + 1, name
    window.close()


def test_side_by_side_fits_a_phone(chromium: Browser, sampled: Served) -> None:
    window = Window(
        chromium, sampled, viewport={"width": 390, "height": 844}, device_scale_factor=2, has_touch=True
    )
    page = window.goto("/app?days=all&channel=email&compare=split&b.days=all&b.channel=social&mode=clusters")
    page.wait_for_selector('[data-testid=map-b][data-ready="true"]', timeout=60_000)
    page.wait_for_timeout(600)
    half, other = page.get_by_test_id("half-A").bounding_box(), page.get_by_test_id("half-B").bounding_box()
    switches, panel = page.locator(".switches").bounding_box(), page.locator(".panel").bounding_box()
    assert half
    assert other
    assert switches
    assert panel
    assert half["y"] >= switches["y"] + switches["height"]
    assert half["y"] + half["height"] < 422 <= other["y"]
    assert other["y"] + other["height"] < panel["y"] - 100  # some of the lower map is in sight
    window.picture("phone-compare")
    window.close()
