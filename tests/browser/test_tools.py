"""Finding, filtering, drawing, keeping: what a daily user does beside looking."""

from __future__ import annotations

import math
import re
import struct
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Window, asked
from tests.browser.test_first_look import number
from tests.server.served import Served

pytestmark = pytest.mark.browser


def total(page: Page) -> int:
    return number(page.get_by_test_id("total").inner_text())


def settled(window: Window) -> None:
    """The map idle after a flight or another filter."""
    window.page.wait_for_timeout(1800)
    window.ready()


def test_slash_finds_a_place_and_flies_there(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all")
    page.wait_for_selector("[data-testid=draw-lasso]")
    page.keyboard.press("/")
    page.get_by_test_id("search-text").fill("02139")
    expect(page.get_by_test_id("search-row").first).to_contain_text("Massachusetts")
    window.picture("search")
    page.keyboard.press("Enter")
    settled(window)
    assert "open=zip:02139" in page.url
    zoom, lat, lng = (float(part) for part in parse_qs(urlsplit(page.url).query)["map"][0].split("/"))
    assert zoom > 8
    assert (lat, lng) == (pytest.approx(42.36, abs=0.3), pytest.approx(-71.1, abs=0.5))
    window.close()


def test_a_campaign_is_found_and_becomes_the_filter(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all")
    campaign = asked(sampled, "/api/filters")["campaigns"][0]
    page.get_by_test_id("search-open").click()
    page.get_by_test_id("search-text").fill(campaign[:5])
    page.get_by_test_id("search-row").filter(has_text="Campaign").first.click()
    expect(page.get_by_test_id("filter-chip")).to_contain_text(campaign)
    wanted = asked(sampled, "/api/analytics/geo/countries", campaign=campaign)["total"]
    expect(page.get_by_test_id("total")).to_have_text(f"{wanted:,}")
    window.close()


def test_nothing_found_says_what_to_type(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.ready()
    page.get_by_test_id("search-open").click()
    page.get_by_test_id("search-text").fill("zzzzqqq")
    expect(page.get_by_test_id("search")).to_contain_text("Codes work too")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("search")).to_have_count(0)
    window.close()


def test_question_mark_lists_the_shortcuts_and_they_work(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.ready()
    page.wait_for_selector("[data-testid=draw-lasso]")
    page.keyboard.press("?")
    expect(page.get_by_test_id("shortcuts")).to_contain_text("Find a place")
    window.picture("shortcuts")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("shortcuts")).to_have_count(0)
    page.keyboard.press("2")
    expect(page.get_by_test_id("map")).to_have_attribute("data-mode", "clusters")
    page.get_by_test_id("shorten-url").focus()
    page.keyboard.type("1/?")
    expect(page.get_by_test_id("map")).to_have_attribute("data-mode", "clusters")
    expect(page.get_by_test_id("shortcuts")).to_have_count(0)
    window.close()


def test_filters_are_chosen_from_a_menu_with_their_clicks(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all")
    parts = asked(sampled, "/api/analytics/breakdown", by="channel")["rows"]
    page.get_by_test_id("filter-add").click()
    page.get_by_test_id("filter-kind-channel").click()
    for part in parts[:2]:
        choice = page.locator("label", has=page.get_by_test_id("filter-choice"), has_text=part["value"])
        expect(choice).to_contain_text(f"{part['clicks']:,}")
    window.picture("filter-menu")
    page.locator("label", has_text=parts[0]["value"]).get_by_test_id("filter-choice").check()
    expect(page.get_by_test_id("total")).to_have_text(f"{parts[0]['clicks']:,}")
    page.locator("label", has_text=parts[1]["value"]).get_by_test_id("filter-choice").check()
    both = parts[0]["clicks"] + parts[1]["clicks"]
    expect(page.get_by_test_id("total")).to_have_text(f"{both:,}")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("filter-chip")).to_have_count(2)
    page.go_back()
    expect(page.get_by_test_id("total")).to_have_text(f"{parts[0]['clicks']:,}")
    page.get_by_test_id("filter-chip").click()
    expect(page.get_by_test_id("filter-chip")).to_have_count(0)
    window.close()


def test_a_lasso_filters_everything(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all&map=3/50/8")
    page.get_by_test_id("draw-lasso").click()
    page.mouse.move(860, 400)
    page.mouse.down()
    for step in range(1, 41):
        angle = step / 40 * 2 * math.pi
        page.mouse.move(800 + 60 * math.cos(angle), 400 + 60 * math.sin(angle))
    page.mouse.up()
    expect(page.get_by_test_id("filter-chip")).to_contain_text("Drawn on the map")
    settled(window)
    within = parse_qs(urlsplit(page.url).query)["within"][0]
    wanted = asked(sampled, "/api/analytics/geo/countries", within=within)["total"]
    everything = asked(sampled, "/api/analytics/geo/countries")["total"]
    assert 0 < wanted < everything
    expect(page.get_by_test_id("total")).to_have_text(f"{wanted:,}")
    window.picture("lasso")
    page.get_by_test_id("filter-chip").click()
    expect(page.get_by_test_id("total")).to_have_text(f"{everything:,}")
    window.close()


def test_a_box_and_what_is_in_sight_filter_too(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all&map=4/39/-95")
    page.get_by_test_id("draw-box").click()
    page.mouse.move(600, 300)
    page.mouse.down()
    page.mouse.move(900, 500, steps=5)
    page.mouse.up()
    expect(page.get_by_test_id("filter-chip")).to_contain_text("Drawn on the map")
    boxed = parse_qs(urlsplit(page.url).query)["within"][0]
    assert len(boxed.split(",")) == 4
    wanted = asked(sampled, "/api/analytics/geo/countries", within=boxed)["total"]
    expect(page.get_by_test_id("total")).to_have_text(f"{wanted:,}")
    page.keyboard.press("b")
    page.get_by_test_id("draw-view").click()  # the keyboard's way
    expect(page.get_by_test_id("total")).not_to_have_text(f"{wanted:,}")
    assert total(page) > wanted
    window.close()


def test_a_view_is_saved_under_a_name_and_comes_back(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all&level=cities&mode=clusters&area=country:DE&map=5/51/10")
    page.get_by_test_id("views-open").click()
    page.get_by_test_id("view-name").fill("Germany by city")
    page.get_by_test_id("view-save").click()
    expect(page.get_by_test_id("view-row")).to_contain_text("Germany by city")
    window.picture("views")
    page.get_by_test_id("view-name").fill("Germany by city")
    page.get_by_test_id("view-save").click()
    expect(page.get_by_test_id("views").get_by_role("alert")).to_be_visible()  # the name is taken
    wanted = asked(sampled, "/api/analytics/geo/countries", area="country:DE")["total"]

    window.goto("/app")
    page.get_by_test_id("views-open").click()
    page.get_by_test_id("view-row").get_by_text("Germany by city").click()
    expect(page.get_by_test_id("total")).to_have_text(f"{wanted:,}")
    expect(page.get_by_test_id("map")).to_have_attribute("data-mode", "clusters")
    expect(page.get_by_test_id("filter-chip")).to_contain_text("Germany")
    page.get_by_test_id("views-open").click()
    page.get_by_role("button", name="Delete Germany by city").click()
    expect(page.get_by_test_id("view-row")).to_have_count(0)
    window.problems = [text for text in window.problems if "409" not in text]  # the browser's own line
    window.close()


def test_the_map_is_saved_as_a_picture(chromium: Browser, sampled: Served, tmp_path: Path) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all")
    page.get_by_test_id("map-more").click()
    with page.expect_download() as download:
        page.get_by_test_id("map-picture").click()
    assert re.fullmatch(r"clickatlas-\d{4}-\d\d-\d\d\.png", download.value.suggested_filename)
    download.value.save_as(tmp_path / "map.png")
    data = (tmp_path / "map.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    assert (width, height > 800) == (1280, True)
    # A blank map would be some 20 kB.
    assert len(data) > 100_000
    window.close()


def test_printing_gives_title_map_and_table(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all")
    page.wait_for_selector("[data-testid=draw-lasso]")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    printed = page.get_by_test_id("printout")
    expect(printed).to_contain_text(f"{total_of(sampled):,} clicks")
    expect(printed.locator("img")).to_be_visible()
    expect(printed).to_contain_text("United States")
    expect(page.get_by_test_id("shorten-url")).to_be_hidden()
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(printed).to_have_count(0)
    window.close()


def total_of(served: Served) -> int:
    table = asked(served, "/api/analytics/geo/countries")
    return int(table["total"])
