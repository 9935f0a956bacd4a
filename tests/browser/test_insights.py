"""The Insights tab: cards as the API has them, lit on the map, applied as a filter, by pointer and by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Window, asked
from tests.server.served import Served

pytestmark = pytest.mark.browser
PATIENCE_MS = 90_000  # the first insights of a server make its neighbours and surroundings


def cards(page: Page) -> None:
    page.get_by_test_id("insight-card").first.wait_for(timeout=PATIENCE_MS)


def test_a_card_lights_up_on_the_map_and_becomes_the_filter(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all&tab=insights")
    cards(page)
    found = asked(sampled, "/api/insights")["cards"]
    shown = page.get_by_test_id("insight-card")
    expect(shown).to_have_count(len(found))
    kinds = [shown.nth(at).get_attribute("data-kind") for at in range(len(found))]
    assert kinds == [card["kind"] for card in found]

    at = next(n for n, card in enumerate(found) if card["areas"] and card["filter"])
    card = shown.nth(at)
    before = page.url
    button = card.get_by_test_id("insight-show")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page).not_to_have_url(before)  # the camera flew
    how = card.get_by_test_id("insight-how")
    how.locator("summary").click()
    expect(how).to_contain_text(re.compile(r"Rests on [\d,.]+ clicks?"))
    window.ready()
    window.picture("insights")

    card.get_by_test_id("insight-apply").click()
    for name, values in found[at]["filter"].items():
        for value in values:
            assert f"{name}={value}" in page.url
    page.go_back()
    cards(page)
    window.close()


def test_a_table_is_a_file(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all&tab=insights")
    cards(page)
    page.get_by_test_id("insight-how").first.locator("summary").click()
    with page.expect_download(timeout=PATIENCE_MS) as loading:
        page.get_by_test_id("insight-csv").first.click()
    assert loading.value.suggested_filename.endswith(".csv")
    window.close()


def test_too_few_clicks_are_said_to_be_too_few(chromium: Browser, bare: Served) -> None:
    window = Window(chromium, bare)
    page = window.goto("/app?days=all&tab=insights")
    expect(page.get_by_test_id("insights-empty")).to_contain_text("0 of 200 needed", timeout=PATIENCE_MS)
    window.close()


def test_a_phone_shows_them_on_its_sheet(chromium: Browser, sampled: Served) -> None:
    window = Window(
        chromium, sampled, viewport={"width": 390, "height": 844}, device_scale_factor=2, has_touch=True
    )
    page = window.goto("/app?days=all&tab=insights")
    cards(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    window.picture("phone-insights")
    window.close()


def test_what_they_are_held_against_is_in_the_address(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all&tab=insights&channel=email&baseline=others")
    cards(page)
    expect(page.get_by_test_id("insight-others")).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("insight-residents").click()
    expect(page).to_have_url(re.compile("baseline=population"))
    page.go_back()
    expect(page).to_have_url(re.compile("baseline=others"))
    expect(page.get_by_test_id("insight-others")).to_have_attribute("aria-pressed", "true")
    window.close()
