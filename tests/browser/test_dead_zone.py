"""A dead zone on the map: its card, once pressed, shades and outlines the states that it names, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.atlas_fixtures import built_atlas
from tests.browser.conftest import Window, asked
from tests.browser.test_drawn import LAND, Colour, commonest, shot
from tests.browser.test_shortcuts import Camera, camera, pixel
from tests.server.planting import Planted, make_links, plant
from tests.server.served import Served, new_data

pytestmark = pytest.mark.browser
PATIENCE_MS = 90_000  # the first insights of a server take longest
ZONE = ("region:US-WA", "region:US-OR", "region:US-ID")
QUIET = [Planted("quiet", 60_000, {}, more=dict.fromkeys(ZONE, 0.1))]
FEWER: Colour = (0x2A, 0x63, 0xA6)
SHADED: Colour = tuple(round(0.34 * c + 0.66 * land) for c, land in zip(FEWER, LAND, strict=True))  # type: ignore[assignment]
# Spots with few names and little relief: inside each state of the zone, and beside it.
INSIDE = {"US-WA": (-119.2, 47.2), "US-OR": (-119.6, 43.6), "US-ID": (-115.6, 43.2)}
OUTSIDE = {"US-MT": (-113.2, 47.4), "US-WY": (-110.5, 43.4)}
# Straight borders of the zone with states outside it: both ends, degrees.
BORDERS = {
    "Oregon with Nevada": ((-119.6, 42.0), (-117.4, 42.0)),
    "Washington with Canada": ((-121.6, 49.0), (-118.6, 49.0)),
}


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Served]:
    """A server with clicks everywhere, of which three neighbouring states have a tenth of what they would have."""
    data = new_data(tmp_path / "data", built_atlas())
    plant(data, QUIET)
    served = Served(data).start()
    try:
        with served.client() as client:
            make_links(client, QUIET)
        yield served
    finally:
        served.stop()


def off(picture: Image.Image, at: Camera, spot: tuple[float, float], colour: Colour) -> float:
    """How far the colour of most pixels around a place is from another."""
    return math.dist(commonest(picture, *pixel(at, *spot), 5), colour)


def outlined(
    picture: Image.Image, at: Camera, ends: tuple[tuple[float, float], tuple[float, float]]
) -> float:
    """Which part of a border is drawn in the zone's colour, give or take three pixels."""
    (west, south), (east, north) = ends
    hits = 0
    for step in range(61):
        part = step / 60
        x, y = pixel(at, west + part * (east - west), south + part * (north - south))
        near = (picture.getpixel((round(x), round(y) + by)) for by in range(-3, 4))
        hits += min(math.dist(one, FEWER) for one in near) < 60  # type: ignore[arg-type]
    return hits / 61


def settled(page: Page, window: Window) -> Camera:
    """Where the map looks once it no longer moves."""
    before = camera(page)
    for _ in range(60):
        page.wait_for_timeout(500)
        window.ready()
        if (now := camera(page)) == before:
            break
        before = now
    return before


def test_a_dead_zone_is_drawn_and_flown_to_when_its_card_is_pressed(chromium: Browser, quiet: Served) -> None:
    card = next(card for card in asked(quiet, "/api/insights")["cards"] if len(card["areas"]) == len(ZONE))
    assert card["kind"] == "gap"
    assert {area["id"] for area in card["areas"]} == set(ZONE)

    window = Window(chromium, quiet, color_scheme="light", reduced_motion="reduce")
    page = window.goto("/app?days=all&tab=insights&map=2/20/10")
    shown = page.locator("[data-testid=insight-card][data-kind=gap]", has_text="Dead zone of 3 states")
    shown.wait_for(timeout=PATIENCE_MS)
    before = page.url
    button = shown.get_by_test_id("insight-show")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page).not_to_have_url(before, timeout=PATIENCE_MS)
    at = settled(page, window)
    assert at.zoom > 4
    for area in card["areas"]:
        west, south, east, north = area["bbox"]
        for corner in ((west, south), (east, north)):
            x, y = pixel(at, *corner)
            assert 0 < x < 1280, area
            assert 0 < y < 800, area
    for spot in (*INSIDE.values(), *OUTSIDE.values()):
        on = page.evaluate("([x, y]) => document.elementFromPoint(x, y)?.tagName", pixel(at, *spot))
        assert on == "CANVAS", "nothing lies over the map there"
    for _ in range(60):
        picture = shot(page)
        if all(off(picture, at, spot, SHADED) < 30 for spot in INSIDE.values()):
            break
        page.wait_for_timeout(250)
    window.picture("dead-zone")
    assert {name: off(picture, at, spot, SHADED) < 30 for name, spot in INSIDE.items()} == dict.fromkeys(
        INSIDE, True
    )
    assert {name: off(picture, at, spot, SHADED) > 60 for name, spot in OUTSIDE.items()} == dict.fromkeys(
        OUTSIDE, True
    )
    drawn = {name: outlined(picture, at, ends) for name, ends in BORDERS.items()}
    assert min(drawn.values()) > 0.7, drawn

    button.click()  # once more, and it is gone
    expect(button).to_have_attribute("aria-pressed", "false")
    for _ in range(60):
        picture = shot(page)
        if all(off(picture, at, spot, SHADED) > 60 for spot in INSIDE.values()):
            break
        page.wait_for_timeout(250)
    assert all(off(picture, at, spot, SHADED) > 60 for spot in INSIDE.values())
    assert max(outlined(picture, at, ends) for ends in BORDERS.values()) < 0.3
    window.close()
