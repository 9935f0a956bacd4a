"""The printable report, as the PDF that the browser makes of it: read back, page by page."""

from __future__ import annotations

import re

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ARTEFACTS, Window, asked
from tests.browser.printed import Printed, pages
from tests.server.served import Served

pytestmark = pytest.mark.browser
PATIENCE_MS = 90_000  # the first insights of a server take longest
# A headless browser has no printer: it is noted that the page asked for one, and when.
NO_PRINTER = (
    "window.printed = 0; window.print = () => { window.printed += 1; window.called = document.title; };"
)


def report_of(page: Page, name: str) -> list[Printed]:
    """What is printed once the page itself has called for the printer; then the report is closed."""
    page.wait_for_function("() => window.printed === 1", timeout=PATIENCE_MS)
    expect(page.get_by_test_id("report")).to_have_count(1)
    ARTEFACTS.mkdir(exist_ok=True)
    page.emulate_media(media="print")
    page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True)
    page.emulate_media(media="null")  # as the printer itself wants it
    data = page.pdf()
    (ARTEFACTS / f"{name}.pdf").write_bytes(data)
    expect(page.get_by_test_id("report")).to_have_count(0)  # the browser says when it has printed
    return pages(data)


def has_clicks_on_it(cover: Image.Image) -> bool:
    """Whether a map of the heat is in the picture: many colours, and warm ones where clicks are, not everywhere."""
    small = cover.convert("RGB").resize((320, 200))
    counted: list[tuple[int, tuple[int, ...]]] = small.getcolors(320 * 200) or []  # type: ignore[assignment]
    warm = sum(times for times, (r, _g, b) in counted if r - b > 60)
    return len(counted) > 200 and 200 < warm < 320 * 200 / 2


def test_a_report_of_the_map_is_on_paper(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled, color_scheme="light")
    window.page.add_init_script(NO_PRINTER)
    page = window.goto("/app?days=all&channel=email")
    page.get_by_test_id("map-more").click()
    page.get_by_test_id("map-report").click()
    cover, *others = report_of(page, "report-map")
    table = asked(sampled, "/api/analytics/geo/countries", channel="email")
    insights = asked(sampled, "/api/insights", channel="email")
    assert re.match(r"Where the clicks come from, \d{4}-\d\d-\d\d$", page.evaluate("window.called"))
    assert page.title() != page.evaluate("window.called")

    assert cover.says("Where the clicks come from")
    assert cover.says("channel email")
    assert cover.says(f"{table['total']:,} clicks")
    assert cover.says(f"{table['unplaced']:,} clicks known only to a country or region")
    assert cover.says("GeoLite2")
    [drawn] = cover.pictures
    assert min(drawn.size) > 600
    assert has_clicks_on_it(drawn)

    assert others
    rest = Printed("".join(page.text for page in others), [])
    assert rest.says("What stands out")
    assert insights["cards"]
    for card in insights["cards"]:
        assert rest.says(card["sentence"]), card["sentence"]
        assert rest.says(card["method"]), card["method"]
    for row in table["rows"][:12]:
        assert rest.says(f"{row['name']}{row['clicks']:,}"), row
    city = asked(sampled, "/api/analytics/geo/cities", channel="email", limit="1")["rows"][0]
    assert rest.says(f"{city['name']},{city['country_name']}{city['clicks']:,}")
    for title in ("Countries", "Cities", "Where they came from", "Devices", "Browsers", "Languages", "Links"):
        assert rest.says(title)
    # Nothing of the explorer itself is on paper.
    assert not any(one.says("Shorten") or one.says("Data sources") for one in (cover, rest))
    window.close()


def test_a_link_s_report_is_about_the_link(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled, color_scheme="dark")
    window.page.add_init_script(NO_PRINTER)
    link = asked(sampled, "/api/links", limit="1")["rows"][0]
    page = window.goto(f"/app?tab=analytics&days=30d&link={link['code']}")
    page.get_by_test_id("analytics-report").click()
    cover, *others = report_of(page, "report-analytics")
    assert cover.says(link["title"] or f"/{link['code']}")
    assert cover.says(f"link {link['code']}")
    shown = page.get_by_test_id("analytics-clicks").inner_text()
    assert int(re.sub(r"\D", "", shown)) > 0
    assert cover.says(f"{shown} clicks")
    assert cover.says("Against the period before")
    assert len(cover.pictures) == 1
    assert others
    window.close()
