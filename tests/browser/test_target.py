"""A target: put together by search, circle, drawing and paste, kept, seen on the map when its card is shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Window, asked, pick
from tests.server.served import Served

pytestmark = pytest.mark.browser
PATIENCE_MS = 60_000
TRIANGLE = '{"type": "Polygon", "coordinates": [[[-100, 30], [-93, 30], [-95, 36], [-100, 30]]]}'


@pytest.fixture
def link(sampled: Served) -> Iterator[dict[str, Any]]:
    """The link with the most clicks, which has no target before and after."""
    rows = asked(sampled, "/api/links", limit="100")["rows"]
    row = max((row for row in rows if row["campaign"]), key=lambda row: int(row["clicks"]))
    yield row
    with sampled.client() as client:
        client.patch(f"/api/links/{row['code']}", json={"target": None}).raise_for_status()
        client.patch(f"/api/campaigns/{row['campaign']}", json={"target": None}).raise_for_status()


def search(page: Page, text: str) -> None:
    page.get_by_test_id("target-search").fill(text)
    page.get_by_test_id("target-found").first.wait_for()
    page.get_by_test_id("target-search").press("Enter")


def test_a_link_s_target_is_put_together_kept_and_shown(
    chromium: Browser, sampled: Served, link: dict[str, Any]
) -> None:
    code = link["code"]
    window = Window(chromium, sampled, viewport={"width": 1280, "height": 900})
    page = window.goto(f"/app?days=all&tab=links&area=region:US-NY&link={code}")
    pick(page, code, "link-target")
    editor = page.get_by_test_id("target-editor")
    expect(editor.get_by_role("heading", name="Target", exact=True)).to_be_focused()
    expect(page.get_by_test_id("target-save")).to_be_disabled()
    search(page, "massachusetts")
    search(page, "02139")
    page.get_by_test_id("target-around").click()
    page.get_by_test_id("target-km").fill("150")
    page.get_by_test_id("target-search").fill("41.88, -87.63")
    page.get_by_test_id("target-search").press("Enter")
    page.get_by_test_id("target-filter").click()  # New York, by the filter
    page.get_by_text("Paste GeoJSON").click()
    page.get_by_test_id("target-geojson").fill('{"type": "Point", "coordinates": [0, 0]}')
    page.get_by_test_id("target-geojson-take").click()
    expect(editor.get_by_role("alert")).to_contain_text("no Polygon")
    page.get_by_test_id("target-geojson").fill(TRIANGLE)
    page.get_by_test_id("target-geojson-take").click()
    page.get_by_test_id("target-draw").click()
    box = page.get_by_test_id("draw").bounding_box()
    assert box is not None
    before = page.url
    page.mouse.move(500, 300)
    page.mouse.down()
    for x, y in ((600, 300), (600, 420), (520, 420)):
        page.mouse.move(x, y, steps=4)
    page.mouse.up()
    expect(page.get_by_test_id("target-part")).to_have_count(6)
    assert "within=" not in page.url, before  # the drawing went to the target, not to the filter
    page.get_by_role("button", name="Take 02139 out").click()
    window.picture("target-editor")
    page.get_by_test_id("target-save").click()
    expect(editor).to_have_count(0)

    kept = asked(sampled, f"/api/links/{code}")["target"]
    assert sorted(kept["areas"]) == ["region:US-MA", "region:US-NY"]
    assert kept["circles"] == [{"lat": 41.88, "lon": -87.63, "km": 150}]
    assert len(kept["shape"]["coordinates"]) == 2
    assert kept["shape"]["coordinates"][0] == [[[-100, 30], [-93, 30], [-95, 36], [-100, 30]]]

    page = window.goto(f"/app?days=all&tab=insights&link={code}")
    card = page.locator("[data-testid=insight-card][data-kind=target]").first
    card.wait_for(timeout=PATIENCE_MS)
    share = asked(sampled, "/api/insights/target", link=code)["share"]
    expect(card).to_contain_text(f"{share * 100:.0f}")
    camera = page.url
    with page.expect_response(lambda answer: "/api/insights/target" in answer.url):
        card.get_by_test_id("insight-show").click()
    expect(page).not_to_have_url(camera, timeout=PATIENCE_MS)  # it flew to the target
    window.picture("target-card")
    window.close()


def test_a_campaign_s_target_by_keyboard_on_a_phone(
    chromium: Browser, sampled: Served, link: dict[str, Any]
) -> None:
    window = Window(
        chromium, sampled, viewport={"width": 390, "height": 844}, device_scale_factor=2, has_touch=True
    )
    page = window.goto(f"/app?days=all&tab=insights&link={link['code']}")
    button = page.get_by_test_id("insights-target")
    button.focus()
    page.keyboard.press("Enter")
    page.get_by_test_id("target-editor").wait_for()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("target-editor")).to_have_count(0)
    expect(button).to_be_focused()

    page = window.goto(f"/app?days=all&tab=insights&campaign={link['campaign']}")
    page.get_by_test_id("insights-target").click()
    search(page, "germany")
    expect(page.get_by_test_id("target-part")).to_have_text("Germany")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    window.picture("phone-target")
    page.get_by_test_id("target-save").click()
    expect(page.get_by_test_id("target-editor")).to_have_count(0)
    kept = asked(sampled, f"/api/campaigns/{link['campaign']}")["target"]
    assert kept["areas"] == ["country:DE"]
    card = page.locator("[data-testid=insight-card][data-kind=target]").first
    expect(card).to_be_visible(timeout=PATIENCE_MS)  # without a new click, and without a reload

    session = asked(sampled, "/api/session") | {"role": "viewer"}
    page.route("**/api/session", lambda route: route.fulfill(json=session))
    page = window.goto(f"/app?days=all&tab=insights&campaign={link['campaign']}")
    page.get_by_test_id("insights-target").click()
    expect(page.get_by_test_id("target-part")).to_have_text("Germany")  # seen, and left as it is
    for way in ("target-save", "target-search", "target-none"):
        expect(page.get_by_test_id(way)).to_have_count(0)
    window.picture("phone-target-viewer")
    window.close()
