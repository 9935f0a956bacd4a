"""Time under the map: brush, film and the week's hours, against what the API says."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Window, asked
from tests.server.served import Served

pytestmark = pytest.mark.browser
PATIENCE_MS = 60_000  # the first insights of a server take longest
ZONE = "Europe/Berlin"


def number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def query(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def drag(page: Page, start: float, end: float) -> None:
    """Drag over the histogram; positions are shares of its width."""
    box = page.get_by_test_id("time-brush").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + (start + end) / 2 * box["width"], y)
    page.mouse.move(box["x"] + end * box["width"], y)
    page.mouse.up()


def test_a_brushed_range_filters_everything_and_can_be_taken_back(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.ready()
    expect(page.get_by_test_id("time-dock")).to_be_visible()
    whole = number(page.get_by_test_id("total").inner_text())
    page.wait_for_selector("[data-testid=time-brush] path.bars")
    drag(page, 0.305, 0.495)
    page.wait_for_url(re.compile(r"from=.*to="))
    dates = query(page)
    part = asked(
        sampled, "/api/analytics/geo/countries", tz=ZONE, **{"from": dates["from"], "to": dates["to"]}
    )["total"]
    expect(page.get_by_test_id("total")).to_contain_text(f"{part:,}")
    assert 0 < part < whole
    expect(page.get_by_test_id("time-summary")).to_contain_text(f"{part:,}")
    window.picture("time-brush")

    page.get_by_test_id("time-handle-end").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: f"to={dates['to']}" not in url)
    assert query(page)["from"] == dates["from"]

    page.get_by_test_id("time-clear").click()
    expect(page.get_by_test_id("total")).to_contain_text(f"{whole:,}")
    assert "from" not in query(page)
    page.go_back()
    assert query(page)["from"] == dates["from"]
    window.close()


def test_hours_are_brushed_as_hours(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=7d")
    page.wait_for_selector("[data-testid=time-brush] path.bars")
    drag(page, 0.4, 0.45)
    page.wait_for_url(re.compile(r"from=\d{4}-\d\d-\d\dT\d\d:00"))
    dates = query(page)
    part = asked(
        sampled, "/api/analytics/geo/countries", tz=ZONE, **{"from": dates["from"], "to": dates["to"]}
    )["total"]
    expect(page.get_by_test_id("total")).to_have_text(re.compile(rf"^{part:,}\b"))
    window.close()


def test_the_film_is_one_request_and_moves(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.ready()
    fetched: list[str] = []
    page.on(
        "request", lambda request: fetched.append(request.url) if "/api/heat/frames" in request.url else None
    )
    page.get_by_test_id("time-play").click()
    counted = page.get_by_test_id("time-count")
    expect(counted).to_be_visible(timeout=20_000)
    page.get_by_test_id("time-pause").click()
    canvas = page.locator("[data-testid=map] canvas")
    pictures = set()
    counts = []
    for _ in range(3):
        page.get_by_test_id("time-forth").click()
        page.wait_for_timeout(1500)
        counts.append(number(counted.inner_text()))
        pictures.add(canvas.screenshot())
    assert len(pictures) == 3
    assert counts == sorted(set(counts))
    page.get_by_test_id("time-playhead").press("End")
    totals = asked(sampled, "/api/heat/tilejson", **_ninety_days(page))
    expect(counted).to_contain_text(f"{totals['total'] - totals['unplaced'] - totals['unknown']:,}")
    window.picture("time-film")

    # The layer is still drawn after the map's style has changed under it.
    shown = canvas.screenshot()
    page.get_by_test_id("mode-clusters").click()
    page.wait_for_timeout(1500)
    page.get_by_test_id("time-playhead").press("Home")
    page.wait_for_timeout(1500)
    assert canvas.screenshot() != shown
    page.get_by_test_id("time-stop").click()
    expect(page.get_by_test_id("time-play")).to_be_visible()
    assert len(fetched) == 1
    window.close()


def _ninety_days(page: Page) -> dict[str, str]:
    today = page.evaluate("new Intl.DateTimeFormat('sv-SE').format(Date.now() - 89 * 864e5)")
    return {"from": today, "tz": ZONE}


def test_reduced_motion_steps_and_never_plays(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled, reduced_motion="reduce")
    page = window.ready()
    page.get_by_test_id("time-play").click()
    label = page.get_by_test_id("time-label")
    expect(label).to_be_visible(timeout=20_000)
    first = label.inner_text()
    page.wait_for_timeout(1500)
    assert label.inner_text() == first
    expect(page.get_by_test_id("time-pause")).to_have_count(0)
    page.get_by_test_id("time-forth").click()
    expect(label).not_to_have_text(first)
    window.close()


@pytest.mark.parametrize("clock", ["place", "reader"])
def test_the_weeks_hours_are_those_of_the_api(chromium: Browser, sampled: Served, clock: str) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all")
    page.get_by_test_id("time-tab-hours").click()
    page.get_by_test_id(f"hours-clock-{clock}").click()
    page.wait_for_selector(f"[data-testid=hours-grid][data-clock={clock}]")
    table = asked(sampled, "/api/analytics/hours", clock=clock, tz=ZONE)
    cells = page.locator("[data-testid=hours-grid] [role=gridcell]")
    shown = [number(text) for text in cells.all_text_contents()]
    assert shown == [clicks for row in table["rows"] for clicks in row]
    cells.nth(24 + 20).hover()
    expect(page.get_by_test_id("time-dock")).to_contain_text(f"{table['rows'][1][20]:,} clicks")
    cells.nth(9).focus()
    page.keyboard.press("ArrowDown")
    expect(cells.nth(24 + 9)).to_be_focused()
    window.picture(f"time-hours-{clock}")
    window.close()


def test_peaks_are_ringed_where_the_insights_find_them(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all")
    page.get_by_test_id("time-tab-hours").click()
    peaks = asked(sampled, "/api/insights/rhythm", clock="place", tz=ZONE)["peaks"]
    named = [peaks["week"]] if peaks["week"] else [peaks["hour"], peaks["weekday"]]
    named = [peak for peak in named if peak]
    assert named, "the demo's evenings"
    ringed = {
        (day, hour)
        for day in range(7)
        for hour in range(24)
        for peak in named
        if peak["weekday"] in (None, day) and peak["hour"] in (None, hour)
    }
    cells = page.locator("[data-testid=hours-grid] [role=gridcell].peak")
    expect(cells).to_have_count(len(ringed), timeout=PATIENCE_MS)
    assert set(cells.evaluate_all("all => all.map(one => one.dataset.cell)")) == {
        f"{day}-{hour}" for day, hour in ringed
    }
    dock = page.get_by_test_id("time-dock")
    expect(dock).to_contain_text(f"{named[0]['ratio']:.1f}× (")
    cells.first.hover()
    expect(dock).to_contain_text("the average hour")
    window.close()


def test_odd_days_are_marked_and_lead_to_the_insights(chromium: Browser, sampled: Served) -> None:
    tables = [asked(sampled, "/api/insights/oddities", level=level) for level in ("countries", "regions")]
    odd = [
        name for table in tables for name, found in zip(table["names"], table["found"], strict=True) if found
    ]
    assert odd, "the demo's newest campaign"
    window = Window(chromium, sampled)
    page = window.goto("/app?days=90d")  # by the day, whatever others brought in
    chip = page.get_by_test_id("time-odd")
    expect(chip).to_contain_text(odd[0], timeout=PATIENCE_MS)
    band = page.get_by_test_id("time-odd-band").bounding_box()
    plot = page.get_by_test_id("time-brush").bounding_box()
    assert band is not None
    assert plot is not None
    days = len(page.locator(".timeline tbody tr").all())
    assert band["width"] == pytest.approx(7 * plot["width"] / days, rel=0.1)
    window.picture("time-odd")
    chip.click()
    assert query(page)["tab"] == "insights"
    page.goto(f"{sampled.url}/app?days=7d")
    window.ready()
    expect(page.get_by_test_id("time-odd")).to_have_count(0)
    window.close()
