"""The drawer of an area: its numbers are the API's, and a cluster's are the sum of what it breaks into."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Window, asked
from tests.server.served import Served

pytestmark = pytest.mark.browser
PATIENCE_MS = 60_000  # the first insights of a server take longest


def number(text: str) -> float:
    return float(re.sub(r"[^\d.]", "", text))


def fullest_zip(served: Served) -> str:
    """A US ZIP with residents and clicks."""
    rows = asked(served, "/api/analytics/geo/postal-codes", limit="400")["rows"]
    return str(next(row["id"] for row in rows if row["id"].startswith("zip:") and row["population"]))


def test_a_zip_s_drawer_tells_the_zip_s_figures(chromium: Browser, sampled: Served) -> None:
    area_id = fullest_zip(sampled)
    area = asked(sampled, f"/api/areas/{area_id}")
    standing, people = area["standing"], area["people"]
    window = Window(chromium, sampled)
    page = window.goto(f"/app?days=all&open={area_id}&map=9/{area['lat']}/{area['lon']}")
    title = page.get_by_test_id("drawer-title")
    expect(title).to_contain_text(area["name"])
    clicks = standing["clicks"]
    expect(title).to_contain_text(f"{clicks:,} click{'' if clicks == 1 else 's'}")
    rank = page.get_by_test_id("drawer-rank")
    expect(rank).to_contain_text(
        re.compile(f"^{standing['rank']:,}(st|nd|rd|th) of {standing['of']:,} postal")
    )
    assert number(page.get_by_test_id("drawer-rate").inner_text()) == pytest.approx(
        standing["rate"], rel=0.006
    )
    assert number(page.get_by_test_id("drawer-index").inner_text()) == round(standing["index"])

    expect(page.get_by_test_id("drawer-population")).to_have_text(f"{people['population']:,}")
    income = people["medians"]["median_household_income"]
    figure = page.get_by_test_id("figure-median_household_income")
    expect(figure).to_contain_text(f"${income:,.0f}")
    expect(figure).to_contain_text(f"${area['against']['figures']['median_household_income']['p50']:,.0f}")
    education = page.get_by_test_id("figure-bachelors_or_higher").locator("b").inner_text()
    assert number(education) == pytest.approx(100 * people["shares"]["bachelors_or_higher"], abs=0.06)
    for name in ("owner_occupied", "median_age", "below_poverty"):
        expect(page.get_by_test_id(f"figure-{name}")).to_be_visible()
    expect(page.get_by_test_id("figure-urbanicity")).to_be_visible()
    expect(page.get_by_test_id("drawer-people")).to_contain_text(people["vintage"])
    expect(page.get_by_test_id("drawer-people")).to_contain_text("not who clicked")

    radius = page.get_by_test_id("drawer-radius")
    expect(radius).to_contain_text(f"{standing['radius']['median']:.0f} km")
    shown = page.get_by_test_id("drawer-coarser")
    expect(shown).to_have_count(len(standing["coarser"]))
    for parent in standing["coarser"]:
        words = shown.filter(has_text=parent["name"]).inner_text()
        assert number(words.split(" more ")[0]) == parent["clicks"]

    expect(page.get_by_test_id("drawer-trend")).to_have_attribute("data-total", str(clicks))
    expect(page.get_by_test_id("drawer-hours")).to_have_attribute("data-total", str(clicks))
    for by in ("link", "channel", "device"):
        rows = asked(sampled, "/api/analytics/breakdown", by=by, limit="4", area=area_id)["rows"]
        entries = page.get_by_test_id(f"drawer-top-{by}").locator("li")
        expect(entries).to_have_count(len(rows))
        expect(entries.first).to_contain_text(f"{rows[0]['clicks']:,}")
    window.ready()
    window.picture("drawer-zip")
    window.close()


def test_the_drawer_tells_around_which_hour_and_what_recurs(chromium: Browser, sampled: Served) -> None:
    """Not the busiest hour of 168, which there always is."""
    table = asked(sampled, "/api/insights/peaks", level="regions", days="all")
    area_id, peak = table["ids"][0], table["peak"][0]
    named = asked(sampled, "/api/insights/rhythm", clock="place", area=area_id)["peaks"]
    area = asked(sampled, f"/api/areas/{area_id}")
    window = Window(chromium, sampled)
    page = window.goto(f"/app?days=all&open={area_id}&map=5/{area['lat']}/{area['lon']}")
    told = page.get_by_test_id("drawer-peak")
    minutes = round(peak * 6) * 10 % 1440
    hour = f"{minutes // 60 % 12 or 12}:{minutes % 60:02}"
    expect(told).to_contain_text(
        re.compile(rf"On average at {hour}\s{'AM' if minutes < 720 else 'PM'} \("), timeout=PATIENCE_MS
    )
    if table["found"][0]:
        expect(told).to_contain_text(
            re.compile(rf"hours? {'later' if table['shift'][0] > 0 else 'earlier'} than elsewhere \(")
        )
    else:
        expect(told).not_to_contain_text("elsewhere")
    peaks = [named["week"]] if named["week"] else [one for one in (named["hour"], named["weekday"]) if one]
    expect(told).to_contain_text(f"{peaks[0]['ratio']:.1f}× (" if peaks else "No hour stands out")
    page.get_by_test_id("drawer-hours").scroll_into_view_if_needed()
    window.picture("drawer-hours")
    window.close()


def test_a_zip_without_residents_says_so(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all&open=zip:02238&map=9/42.36/-71.1")  # PO boxes in Cambridge
    expect(page.get_by_test_id("drawer-people")).to_contain_text("No residents")
    expect(page.get_by_test_id("drawer-title")).to_contain_text("02238")
    window.close()


def test_what_does_not_exist_is_said_in_the_api_s_words(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all&open=zip:99999x&map=3/40/-100")
    expect(page.get_by_test_id("drawer").get_by_role("alert")).to_contain_text("no area")
    window.problems = [text for text in window.problems if "404" not in text]
    window.close()


def test_the_drawer_opens_from_a_row_and_leads_up_and_in(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all&level=metros")
    row = page.get_by_test_id("places-row").first
    area_id = row.get_attribute("data-area")
    row.locator("button").focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_test_id("drawer")
    expect(drawer).to_have_attribute("data-area", area_id or "")
    expect(page.get_by_test_id("drawer-title")).to_be_focused()
    expect(page.get_by_test_id("drawer-title")).to_contain_text(re.compile("click"))
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(row.locator("button")).to_be_focused()

    page.keyboard.press("Enter")
    page.get_by_test_id("drawer-parent").first.click()
    expect(drawer).to_have_attribute("data-area", re.compile("^country:"))
    page.go_back()
    expect(drawer).to_have_attribute("data-area", area_id or "")
    page.get_by_test_id("drawer-postal-codes").click()
    expect(page.get_by_test_id("filter-chip")).to_have_count(1)
    expect(page.get_by_test_id("places-table")).to_have_attribute("data-level", "postal-codes")
    total = asked(sampled, "/api/analytics/geo/postal-codes", area=area_id or "")["total"]
    expect(page.get_by_test_id("total")).to_have_attribute("data-value", str(total))
    page.get_by_test_id("drawer-only").click()  # everywhere again
    expect(page.get_by_test_id("filter-chip")).to_have_count(0)
    page.get_by_test_id("drawer-close").click()
    expect(drawer).to_have_count(0)
    window.close()


def test_a_cluster_counts_what_it_breaks_into_and_the_last_opens_its_place(
    chromium: Browser, sampled: Served
) -> None:
    window = Window(chromium, sampled)
    denver = "metro:19740"
    page = window.goto(f"/app?days=all&mode=clusters&area={denver}&map=2/39.74/-104.99")
    # The canvas's bubbles, as its twin for the keyboard lists them.
    listed = page.get_by_label("Clusters on the map").locator("button")
    listed.first.wait_for(state="attached")

    def counts() -> list[int]:
        return [int(number(text)) for text in listed.locator("b").all_text_contents()]

    total = asked(sampled, "/api/heat/tilejson", area=denver)
    assert counts() == [total["total"] - total["unplaced"]]
    listed.first.focus()
    page.keyboard.press("Enter")
    expect(listed).not_to_have_count(1)
    page.wait_for_timeout(1500)
    window.ready()
    assert len(counts()) > 1
    assert sum(counts()) == total["total"] - total["unplaced"]

    # Down to a place that breaks apart no more.
    drawer = page.get_by_test_id("drawer")
    for _ in range(14):
        listed.first.focus()
        page.keyboard.press("Enter")
        page.wait_for_timeout(1200)
        if drawer.count():
            break
    expect(drawer).to_have_attribute("data-area", re.compile("^(zip|city|postal):"))
    standing = asked(sampled, f"/api/areas/{drawer.get_attribute('data-area')}", area=denver)["standing"]
    expect(page.get_by_test_id("drawer-title")).to_contain_text(f"{standing['clicks']:,} click")
    window.close()


def test_a_phone_gets_the_drawer_as_a_sheet(chromium: Browser, sampled: Served) -> None:
    window = Window(
        chromium, sampled, viewport={"width": 390, "height": 844}, device_scale_factor=2, has_touch=True
    )
    page = window.goto(f"/app?days=all&open={fullest_zip(sampled)}&map=9/42.36/-71.1")
    page.get_by_test_id("drawer-rank").wait_for()
    drawer = page.get_by_test_id("drawer")
    drawer.evaluate("sheet => Promise.all(sheet.getAnimations().map(way => way.finished))")
    box = drawer.bounding_box()
    assert box
    assert (box["x"], box["width"], box["y"] + box["height"]) == (0, 390, 844)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    window.picture("phone-drawer")
    page.get_by_test_id("drawer-close").click()
    expect(page.get_by_test_id("drawer")).to_have_count(0)
    window.close()


def test_the_drawer_says_whether_it_is_beyond_chance_and_who_lives_there(
    chromium: Browser, sampled: Served
) -> None:
    area = asked(sampled, "/api/analytics/geo/regions")["rows"][0]["id"]
    told = asked(sampled, f"/api/insights/areas/{area}")
    window = Window(chromium, sampled, viewport={"width": 1280, "height": 1000})
    page = window.goto(f"/app?days=all&level=regions&open={area}")
    verdict = page.get_by_test_id("drawer-deviation")
    expect(verdict).to_have_attribute("data-said", told["said"], timeout=PATIENCE_MS)
    expect(verdict).to_contain_text(f"{told['clicks']:,} where its residents would give")
    verdict.locator("summary").click()
    expect(verdict).to_contain_text(f"Rests on {told['sample']:,} clicks")

    found = asked(sampled, "/api/insights/audience", area=area)
    figures = dict(zip(found["figure"], zip(found["index"], found["low"], strict=True), strict=True))
    shown = page.get_by_test_id("audience-median_household_income")
    expect(shown).to_be_visible(timeout=PATIENCE_MS)
    assert number(shown.get_attribute("data-index") or "") == figures["median_household_income"][0]
    expect(page.get_by_test_id("drawer-audience")).to_contain_text("not the people who clicked")
    with page.expect_download() as loading:
        page.get_by_test_id("audience-csv").click()
    assert loading.value.suggested_filename == "audience.csv"
    window.close()


def test_of_a_place_with_few_clicks_nothing_is_claimed(chromium: Browser, sampled: Served) -> None:
    area = asked(sampled, "/api/analytics/geo/postal-codes")["rows"][-1]["id"]
    assert asked(sampled, f"/api/insights/areas/{area}")["said"] == "unknown"
    window = Window(chromium, sampled)
    page = window.goto(f"/app?days=all&level=postal-codes&open={area}")
    expect(page.get_by_test_id("drawer-deviation")).to_contain_text(
        "Too few clicks to say", timeout=PATIENCE_MS
    )
    window.close()
