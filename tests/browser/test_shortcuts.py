"""The keys under "?" and the buttons of the map: each does what the list says of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Window, asked
from tests.server.served import Served

pytestmark = pytest.mark.browser
GERMANY = (
    "/app?days=all&area=country:DE&open=country:DE&map=2.5/-20/130"  # clicks of Germany, seen from Australia
)
WORLD = (-168.0, -52.0, 188.0, 74.0)


class Camera(NamedTuple):
    zoom: float
    lat: float
    lng: float


def camera(page: Page) -> Camera:
    """Where the map looks, as the address says."""
    zoom, lat, lng = parse_qs(urlsplit(page.url).query)["map"][0].split("/")
    return Camera(float(zoom), float(lat), float(lng))


def pixel(at: Camera, lng: float, lat: float, size: tuple[int, int] = (1280, 800)) -> tuple[float, float]:
    """Where a place is in the window: Web Mercator with tiles of 512 px."""

    def north(degrees: float) -> float:
        return 0.5 - math.log(math.tan(math.pi / 4 + math.radians(degrees) / 2)) / (2 * math.pi)

    world = 512 * 2**at.zoom
    return (
        size[0] / 2 + (lng - at.lng) / 360 * world,
        size[1] / 2 + (north(lat) - north(at.lat)) * world,
    )


def moved(page: Page, act: Callable[[], object]) -> Camera:
    """The camera after `act`, which must move it."""
    before = parse_qs(urlsplit(page.url).query)["map"]
    act()
    page.wait_for_function(
        "before => new URLSearchParams(location.search).get('map') !== before", arg=before[0]
    )
    return camera(page)


def shows(page: Page, at: Camera, west: float, south: float, east: float, north: float) -> None:
    """The box is in sight, beside the panel, and fills what room there is."""
    panel = page.locator(".panel.card").bounding_box()
    assert panel
    left, top = pixel(at, west, north)
    right, bottom = pixel(at, east, south)
    edge = panel["x"] + panel["width"]
    assert left >= edge - 1
    assert right <= 1281
    assert top >= 0
    assert bottom <= 801
    assert (right - left) / (1280 - edge) > 0.5 or (bottom - top) / 800 > 0.5


def fitted(page: Page, served: Served, act: Callable[[], object]) -> None:
    bounds = asked(served, "/api/heat/tilejson", area="country:DE")["bounds"]
    shows(page, moved(page, act), *bounds)


def whole(page: Page, act: Callable[[], object]) -> None:
    shows(page, moved(page, act), *WORLD)


def opens(page: Page, key: str, testid: str) -> None:
    page.keyboard.press(key)
    expect(page.get_by_test_id(testid)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id(testid)).to_have_count(0)


def draws(page: Page, key: str, kind: str) -> None:
    page.keyboard.press(key)
    tool = page.get_by_test_id(f"draw-{kind}")
    expect(tool).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(tool).to_have_attribute("aria-pressed", "false")


def mode(page: Page, key: str, name: str) -> None:
    page.keyboard.press(key)
    expect(page.get_by_test_id("map")).to_have_attribute("data-mode", name)


def clears(page: Page) -> None:
    expect(page.get_by_test_id("filter-chip")).to_have_count(1)
    total = page.get_by_test_id("total").inner_text()
    page.keyboard.press("x")
    expect(page.get_by_test_id("filter-chip")).to_have_count(0)
    expect(page.get_by_test_id("total")).not_to_have_text(total)
    page.go_back()
    expect(page.get_by_test_id("filter-chip")).to_have_count(1)
    expect(page.get_by_test_id("total")).to_have_text(total)


def closes(page: Page) -> None:
    expect(page.get_by_test_id("drawer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("drawer")).to_have_count(0)
    assert "open=" not in page.url


def arrows(page: Page) -> None:
    canvas = page.locator("[data-testid=map] canvas")
    canvas.focus()
    for key, axis, sign in (("Right", "lng", 1), ("Left", "lng", -1), ("Up", "lat", 1), ("Down", "lat", -1)):
        before = camera(page)
        after = moved(page, lambda key=key: page.keyboard.press(f"Arrow{key}"))  # type: ignore[misc]
        assert sign * (getattr(after, axis) - getattr(before, axis)) > 0.5, key


def plus_and_minus(page: Page) -> None:
    page.locator("[data-testid=map] canvas").focus()
    for key, sign in (("+", 1), ("-", -1)):
        before = camera(page).zoom
        after = moved(page, lambda key=key: page.keyboard.press(key)).zoom  # type: ignore[misc]
        assert sign * (after - before) > 0.5, key


# What the list says → whether it is so. A line that is not here fails: a new key needs a test.
LIST: dict[tuple[str, str], Callable[[Page, Served], None]] = {
    ("Close what is open", "Esc"): lambda page, _: closes(page),
    ("Find a place, link or campaign", "/"): lambda page, _: opens(page, "/", "search"),
    ("Show these shortcuts", "?"): lambda page, _: opens(page, "?", "shortcuts"),
    ("Saved views", "v"): lambda page, _: opens(page, "v", "views"),
    ("Clusters", "2"): lambda page, _: mode(page, "2", "clusters"),
    ("Areas", "3"): lambda page, _: mode(page, "3", "areas"),
    ("Heat", "1"): lambda page, _: mode(page, "1", "heat"),
    ("Draw an area with the pointer", "l"): lambda page, _: draws(page, "l", "lasso"),
    ("Draw a box", "b"): lambda page, _: draws(page, "b", "box"),
    ("Show the whole world", "0"): lambda page, _: whole(page, lambda: page.keyboard.press("0")),
    ("Fit the map to the clicks", "f"): lambda page, served: fitted(
        page, served, lambda: page.keyboard.press("f")
    ),
    ("Zoom, while the map has the focus", "+ −"): lambda page, _: plus_and_minus(page),
    ("Move the map, while it has the focus", "← → ↑ ↓"): lambda page, _: arrows(page),
    ("Clear all filters", "x"): lambda page, _: clears(page),
}


def test_every_key_in_the_list_does_what_it_says(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled, reduced_motion="reduce")
    page = window.goto(GERMANY)
    page.get_by_test_id("drawer-rank").wait_for()
    page.keyboard.press("?")
    dialog = page.get_by_test_id("shortcuts")
    dialog.wait_for()
    listed = {
        (row.locator("dt").inner_text(), " ".join(row.locator("kbd").all_inner_texts()))
        for row in dialog.locator("dl > div").all()
    }
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert listed == set(LIST)
    for is_so in LIST.values():
        is_so(page, sampled)
    window.close()


def test_the_buttons_fit_reset_and_fill_the_screen(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled, reduced_motion="reduce")
    page = window.goto("/app?days=all&area=country:DE&map=2.5/-20/130")
    fitted(page, sampled, page.get_by_test_id("map-fit").click)
    whole(page, page.get_by_test_id("map-reset").click)
    for full in (True, False):
        page.get_by_test_id("map-more").click()
        entry = page.get_by_test_id("map-fullscreen")
        expect(entry).to_have_text("Full screen" if full else "Leave full screen")
        entry.click()
        page.wait_for_function("full => (document.fullscreenElement !== null) === full", arg=full)
    window.close()
