"""A newcomer's first minutes, as they see them."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Window, asked, sign_in_link
from tests.server.served import Served, command

pytestmark = pytest.mark.browser
CAMBRIDGE = "18.9.22.69"


def number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def test_sign_in_shorten_click_and_see_it_on_the_map(chromium: Browser, bare: Served) -> None:
    window = Window(chromium, bare)
    page = window.ready()
    assert page.url.startswith(f"{bare.url}/app")
    window.picture("empty")
    page.get_by_test_id("shorten-url").fill("https://example.com/spring")
    page.get_by_test_id("shorten-submit").click()
    short = page.get_by_test_id("short-url").inner_text().strip()
    code = short.rsplit("/", 1)[1]
    page.get_by_test_id("copy").first.click()

    before = page.get_by_test_id("map").get_attribute("data-snapshot")
    for _ in range(3):
        answer = httpx.get(
            f"{bare.url}/{code}",
            headers={
                "x-forwarded-for": CAMBRIDGE,
                "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
            },
        )
        assert answer.headers["location"] == "https://example.com/spring"

    expect(page.get_by_test_id("total")).to_have_text(re.compile("^3\\b"), timeout=8000)
    page.wait_for_function(
        "before => document.querySelector('[data-testid=map]').dataset.snapshot !== before", arg=before
    )
    row = page.get_by_test_id("places-row")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("United States")
    page.get_by_test_id("level-city").click()
    expect(page.get_by_test_id("places-row")).to_contain_text("Cambridge")
    page.get_by_test_id("level-zip").click()
    expect(page.get_by_test_id("places-row")).to_contain_text("02139")
    window.ready()
    window.picture("first-click")
    page.get_by_test_id("tab-links").click()
    expect(page.get_by_test_id("link-row")).to_contain_text("3")
    window.picture("links")
    window.close()


def test_the_sample_map_in_light_and_dark(chromium: Browser, sampled: Served) -> None:
    for scheme in ("light", "dark"):
        window = Window(chromium, sampled, color_scheme=scheme)
        page = window.ready()
        assert number(page.get_by_test_id("total").inner_text()) > 50_000
        window.picture(f"heat-{scheme}")
        page.get_by_test_id("mode-clusters").click()
        page.wait_for_timeout(1500)
        window.ready()
        window.picture(f"clusters-{scheme}")
        window.close()


def test_the_numbers_on_the_page_are_those_of_the_api(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all")
    table = asked(sampled, "/api/analytics/geo/countries")
    assert number(page.get_by_test_id("total").inner_text()) == table["total"]
    assert number(page.get_by_test_id("chip-left-out").inner_text()) == sum(table["left_out"].values())
    assert number(page.get_by_test_id("chip-unplaced").inner_text()) == table["unplaced"]
    for index, row in enumerate(table["rows"][:5]):
        shown = page.get_by_test_id("places-row").nth(index)
        assert shown.get_attribute("data-area") == row["id"]
        expect(shown).to_contain_text(row["name"])
        expect(shown).to_contain_text(f"{row['clicks']:,}")
    window.close()


def test_a_country_is_flown_to_and_shows_its_cities(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all")
    page.locator('[data-area="country:DE"]').click()
    expect(page.get_by_test_id("filter-chip")).to_contain_text("Germany")
    page.wait_for_timeout(2500)
    window.ready()
    table = asked(sampled, "/api/analytics/geo/cities", area="country:DE")
    expect(page.get_by_test_id("places-row").first).to_contain_text(table["rows"][0]["name"])
    assert number(page.get_by_test_id("total").inner_text()) == table["total"]
    window.picture("germany")
    there = page.url

    page.go_back()
    expect(page.get_by_test_id("filter-chip")).to_have_count(0)
    page.goto(there)
    window.ready()
    expect(page.get_by_test_id("filter-chip")).to_contain_text("Germany")
    assert number(page.get_by_test_id("total").inner_text()) == table["total"]
    window.close()


def test_left_out_clicks_are_let_in_by_one_click(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all")
    page.get_by_test_id("chip-left-out").click()
    page.get_by_test_id("include-left-out").click()
    everything = asked(sampled, "/api/analytics/geo/countries", network="all")["total"]
    expect(page.get_by_test_id("total")).to_contain_text(f"{everything:,}")
    window.close()


def test_a_date_range_narrows_everything(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all")
    before = number(page.get_by_test_id("total").inner_text())
    page.get_by_test_id("date-preset-7d").click()
    expect(page.get_by_test_id("total")).not_to_contain_text(f"{before:,}")
    assert 0 < number(page.get_by_test_id("total").inner_text()) < before
    window.close()


def test_a_phone_gets_a_sheet(chromium: Browser, sampled: Served) -> None:
    window = Window(
        chromium, sampled, viewport={"width": 390, "height": 844}, device_scale_factor=2, has_touch=True
    )
    page = window.ready()
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    window.picture("phone")
    window.close()


def test_the_keyboard_reaches_everything(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.ready()
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement?.dataset?.testid ?? document.activeElement?.tagName")
        )
    assert {"shorten-url", "shorten-submit", "tab-places", "level-city", "theme-toggle"} <= reached
    window.close()


def test_a_stranger_is_told_how_to_sign_in(chromium: Browser, sampled: Served) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{sampled.url}/app")
    expect(page.get_by_text("sign-in link", exact=False).first).to_be_visible()
    link = sign_in_link(sampled)
    page.goto(link)
    page.wait_for_selector("[data-testid=total]")
    other = chromium.new_context()
    again = other.new_page()
    again.goto(link)  # works once
    expect(again.get_by_text("expired", exact=False).first).to_be_visible()
    other.close()
    context.close()


def test_sample_data_goes_with_one_click(chromium: Browser, bare: Served) -> None:
    command("demo", "--clicks", "5000", data=bare.data)
    window = Window(chromium, bare)
    page = window.goto("/app?days=all")
    page.get_by_test_id("sample-remove").click()
    page.get_by_test_id("sample-remove-confirm").click()
    expect(page.get_by_test_id("total")).to_have_text(re.compile("^0\\b"), timeout=10_000)
    assert asked(bare, "/api/links")["total"] == 0
    window.close()
