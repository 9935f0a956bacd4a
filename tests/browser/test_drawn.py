"""What is drawn on the map besides clicks: chance made faint, how exact a place is, the operator's own streets."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from pathlib import Path

import mapbox_vector_tile
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.atlas_fixtures import built_atlas
from tests.browser.conftest import Window, asked
from tests.browser.test_shortcuts import camera, pixel
from tests.server.served import Served, new_data
from tests.server.test_basemap import pmtiles

pytestmark = pytest.mark.browser
PATIENCE_MS = 90_000  # the first insights of a server take longest
Colour = tuple[int, int, int]
LAND: Colour = (0xF8, 0xF8, 0xF6)
OCEAN: Colour = (0xD6, 0xE0, 0xE8)
RING: Colour = (0x0B, 0x67, 0x67)
# A spot inside each that no other country and few names lie on.
SPOTS = {
    "country:BR": (-53, -9), "country:DE": (10, 51), "country:ZA": (22, -30), "country:ES": (-4, 40),
    "country:KE": (38.3, 0.6), "country:TH": (102, 16), "country:PE": (-75, -9.5), "country:MA": (-5.5, 32),
}  # fmt: skip


def shot(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def commonest(picture: Image.Image, x: float, y: float, half: int) -> Colour:
    """The colour of most pixels around a point: a name or a border does not count."""
    patch = picture.crop((round(x) - half, round(y) - half, round(x) + half + 1, round(y) + half + 1))
    found: Colour = max(patch.getcolors(99_999) or [], key=lambda one: one[0])[1]  # type: ignore[assignment]
    return found


def test_a_difference_within_chance_is_faint(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled, color_scheme="light", reduced_motion="reduce")
    page = window.goto(
        "/app?days=all&mode=areas&level=countries&compare=difference&channel=qr&b.days=all&b.channel=email"
        "&map=1.3/10/-20"
    )
    found = asked(
        sampled, "/api/insights/differences", level="countries", channel="qr", **{"b.channel": "email"}
    )
    facts = {area: (found["differs"][n], found["ratio"][n]) for n, area in enumerate(found["ids"])}
    page.get_by_test_id("compare-distance").wait_for(timeout=PATIENCE_MS)
    expect(page.get_by_test_id("difference-legend")).to_contain_text("Faint: chance alone")
    at = camera(page)
    strength = dict[str, float]()
    for _ in range(60):
        window.ready()
        picture = shot(page)
        strength = {
            area: math.dist(commonest(picture, *pixel(at, *spot), 3), LAND) for area, spot in SPOTS.items()
        }
        if all(strength.values()):
            break
        page.wait_for_timeout(250)
    window.picture("difference-chance")
    # All of these are as far apart as the scale goes, so one colour: only its strength tells them apart.
    assert {facts[area][1] < -3 for area in SPOTS} == {True}
    sure = {area: strength[area] for area in SPOTS if facts[area][0]}
    chance = {area: strength[area] for area in SPOTS if not facts[area][0]}
    assert len(sure) >= 3
    assert len(chance) >= 3
    assert min(sure.values()) > 3 * max(chance.values()), (sure, chance)
    assert min(chance.values()) > 5  # faint, not gone
    window.close()


def on_ring(picture: Image.Image, x: float, y: float, radius: float) -> float:
    """Which part of a circle is drawn in the rings' colour, give or take two pixels."""
    hits = 0
    for step in range(120):
        angle = step / 120 * 2 * math.pi
        hits += any(
            math.dist(
                picture.getpixel((round(x + r * math.cos(angle)), round(y + r * math.sin(angle)))), RING
            )  # type: ignore[arg-type]
            < 90
            for r in (radius - 2, radius - 1, radius, radius + 1, radius + 2)
        )
    return hits / 120


def test_how_exact_a_place_is_is_a_circle_of_that_size(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled, color_scheme="light", reduced_motion="reduce")
    row = asked(sampled, "/api/analytics/geo/postal-codes", search="02139")["rows"][0]
    page = window.goto(f"/app?days=all&open=zip:02139&map=9/{row['lat']}/{row['lon'] - 0.05}")
    radius = page.get_by_test_id("drawer-radius")
    radius.wait_for(timeout=PATIENCE_MS)
    at = camera(page)
    x, y = pixel(at, row["lon"], row["lat"])
    km = float(radius.get_attribute("data-median") or "nan")
    per_km = 512 * 2**at.zoom / (40_075.017 * math.cos(math.radians(row["lat"])))
    px = max(0.5, km) * per_km
    assert 12 < px < 300
    for _ in range(60):
        picture = shot(page)
        if on_ring(picture, x, y, px) > 0.7:
            break
        page.wait_for_timeout(250)
    window.picture("radius")
    assert on_ring(picture, x, y, px) > 0.7
    assert on_ring(picture, x, y, 0.7 * px) < 0.3
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("drawer")).to_have_count(0)
    for _ in range(60):
        picture = shot(page)
        if on_ring(picture, x, y, px) < 0.3:
            break
        page.wait_for_timeout(250)
    assert on_ring(picture, x, y, px) < 0.3  # it goes with the drawer
    window.close()


WEST, SOUTH, EAST, NORTH = 9.0, 50.0, 12.0, 52.0


def lake() -> bytes:
    """A tile of the whole world in Protomaps' layers, with a square lake where Germany is."""

    def at(lng: float, lat: float) -> str:
        north = math.log(math.tan(math.pi / 4 + math.radians(lat) / 2)) / math.pi
        return f"{(lng + 180) / 360 * 4096:.0f} {(north + 1) / 2 * 4096:.0f}"

    corners = [at(WEST, SOUTH), at(EAST, SOUTH), at(EAST, NORTH), at(WEST, NORTH), at(WEST, SOUTH)]
    feature = {"geometry": f"POLYGON(({', '.join(corners)}))", "properties": {"kind": "lake"}}
    return bytes(mapbox_vector_tile.encode([{"name": "water", "features": [feature]}]))


@pytest.fixture
def mapped(tmp_path: Path) -> Iterator[Served]:
    """A server whose operator has a map of their own, in a file."""
    file = tmp_path / "streets.pmtiles"
    file.write_bytes(pmtiles(lake()))
    flags = ("--basemap", str(file), "--basemap-attribution", "© The town's surveyors")
    served = Served(new_data(tmp_path / "data", built_atlas()), *flags).start()
    yield served
    served.stop()


def lies(page: Page, lng: float, lat: float, colour: Colour) -> Colour:
    """The colour at a place, once it is `colour` or has had time enough to be."""
    found = colour
    for _ in range(100):
        found = commonest(shot(page), *pixel(camera(page), lng, lat), 6)
        if math.dist(found, colour) < 6:
            break
        page.wait_for_timeout(200)
    return found


def test_the_operator_s_own_map_is_drawn(chromium: Browser, mapped: Served) -> None:
    window = Window(chromium, mapped, color_scheme="light", reduced_motion="reduce")
    page = window.goto("/app?days=all&map=7/51.6/9.5")
    assert math.dist(lies(page, 10.6, 51.3, OCEAN), OCEAN) < 6  # the lake
    assert math.dist(lies(page, 10.6, 52.4, LAND), LAND) < 6  # north of it the page's own land
    expect(page.locator("#sources")).to_contain_text("© The town's surveyors")
    window.picture("operator-map")

    # Out of range of any street the page's own map is what is seen, and the lake is not.
    page = window.goto("/app?days=all&map=5/51.6/9.5")
    assert math.dist(lies(page, 10.6, 51.3, LAND), LAND) < 6

    # What can't be read is said, and the page's own map stays.
    page.route(
        "**/api/basemap/tiles.pmtiles", lambda route: route.fulfill(status=200, body="<h1>no map</h1>" * 99)
    )
    page.goto(f"{mapped.url}/app?days=all&map=7/51.6/9.5")
    expect(page.get_by_text("so the built-in map is shown", exact=False)).to_be_visible()
    window.ready()
    assert math.dist(lies(page, 10.6, 51.3, LAND), LAND) < 6
    window.close()
