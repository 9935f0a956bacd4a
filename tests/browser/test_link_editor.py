"""A link is edited from its row, archived and found again; its QR code is looked at, coloured and downloaded."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Window, asked, pick
from tests.browser.test_accessible import violations
from tests.server.served import Served

pytestmark = pytest.mark.browser
URL = "https://example.com/edited"


@pytest.fixture
def code(sampled: Served) -> Iterator[str]:
    """A link that nobody else's test knows."""
    with sampled.client() as client:
        client.post("/api/links", json={"url": URL, "code": "edited", "title": "Edited"}).raise_for_status()
        yield "edited"
        for name in ("edited", "edited-2"):
            client.delete(f"/api/links/{name}")


def edited(window: Window, code: str) -> Page:
    """The page with the link's editor open."""
    page = window.goto("/app?days=all&tab=links")
    page.locator(f"[data-code={code}]").get_by_test_id("link-edit").click()
    return page


def link(served: Served, code: str) -> dict[str, Any]:
    found: dict[str, Any] = asked(served, f"/api/links/{code}")
    return found


def test_a_link_gets_a_rule_and_a_password(chromium: Browser, sampled: Served, code: str) -> None:
    window = Window(chromium, sampled)
    page = edited(window, code)
    editor = page.get_by_test_id("link-editor")
    expect(page.get_by_test_id("edit-save")).to_be_disabled()
    expect(page.get_by_test_id("edit-url")).to_have_value(URL)
    assert violations(page) == []
    page.get_by_test_id("edit-tags").fill("sale, spring")
    page.get_by_test_id("edit-when").click()
    page.get_by_test_id("edit-expires").fill("2031-07-01T12:00")
    page.get_by_test_id("edit-secret").click()
    page.get_by_test_id("edit-password").fill("open sesame")
    page.get_by_test_id("edit-rules").click()
    page.get_by_test_id("edit-rule-add").click()
    expect(page.get_by_test_id("rule-name")).to_be_focused()
    page.get_by_test_id("rule-name").fill("German")
    page.get_by_test_id("rule-url").fill("example.com/de")
    page.get_by_test_id("rule-countries").fill("Germany, at, Atlantis")
    page.get_by_role("checkbox", name="Mobile").check()
    for _ in range(2):
        page.keyboard.press("Escape")  # what was typed is not thrown away by a key
    expect(editor.get_by_role("alert")).to_contain_text("Not saved yet")
    page.get_by_test_id("edit-save").click()
    countries = page.get_by_test_id("rule-countries")
    expect(countries).to_be_focused()
    assert "Atlantis" in described(page, "rule-countries")
    assert violations(page) == []
    countries.fill("Germany, at")
    expect(editor.get_by_text("is no country")).to_have_count(0)
    window.picture("link-editor")
    page.get_by_test_id("edit-save").click()
    expect(editor).to_have_count(0)
    kept = link(sampled, code)
    assert kept["rules"] == [
        {
            "name": "German",
            "url": "https://example.com/de",
            "countries": ["DE", "AT"],
            "regions": [],
            "devices": ["mobile"],
            "languages": [],
        }
    ]
    assert kept["has_password"]
    assert kept["tags"] == ["sale", "spring"]
    assert kept["expires_at"] == "2031-07-01T10:00:00Z"  # noon in Berlin

    page = edited(window, code)
    page.get_by_test_id("edit-secret").click()
    page.get_by_test_id("edit-unlock").check()
    page.get_by_test_id("edit-code").fill("edited-2")
    page.get_by_test_id("edit-save").click()
    expect(page.locator("[data-code=edited-2]")).to_be_visible()
    assert not link(sampled, "edited-2")["has_password"]
    page.locator("[data-code=edited-2]").get_by_test_id("link-edit").click()
    page.get_by_test_id("edit-history").click()
    expect(page.get_by_test_id("history-row").first).to_contain_text("the password")
    expect(page.get_by_test_id("history-row")).to_have_count(3)
    window.close()


def described(page: Page, testid: str) -> str:
    """The words that a screen reader says of a field besides its name."""
    text: str = page.get_by_test_id(testid).evaluate(
        "field => field.getAttribute('aria-describedby').split(' ')"
        ".map(id => document.getElementById(id).textContent).join(' ')"
    )
    return text


def test_what_the_api_refuses_is_said_at_the_field(chromium: Browser, sampled: Served, code: str) -> None:
    window = Window(chromium, sampled)
    page = edited(window, code)
    taken = asked(sampled, "/api/links", limit="100")["rows"][-1]["code"]
    page.get_by_test_id("edit-code").fill(taken)
    page.get_by_test_id("edit-save").click()
    expect(page.get_by_test_id("edit-code")).to_be_focused()
    assert "is taken" in described(page, "edit-code")
    page.get_by_test_id("edit-code").fill(code)
    page.get_by_test_id("edit-split").click()
    page.get_by_test_id("edit-side-add").click()
    page.get_by_test_id("side-url").last.fill(f"{sampled.url}/x")
    page.get_by_test_id("edit-split").click()  # closed, and opened again by what is wrong in it
    page.get_by_test_id("edit-save").click()
    expect(page.get_by_test_id("side-url").last).to_be_focused()
    expect(page.get_by_test_id("edit-side").last).to_contain_text("on clickatlas itself")
    assert violations(page) == []
    assert len(window.problems) == 2  # the browser notes each refusal
    window.problems.clear()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_test_id("link-editor")).to_have_count(0)
    assert link(sampled, code)["split"] == []
    window.close()


def test_archived_links_are_put_away_and_found_again(chromium: Browser, sampled: Served, code: str) -> None:
    window = Window(
        chromium, sampled, viewport={"width": 390, "height": 844}, has_touch=True, color_scheme="dark"
    )
    page = edited(window, code)
    page.get_by_test_id("edit-archive").click()
    row = page.locator(f"[data-code={code}]")
    expect(row).to_have_count(0)
    page.get_by_test_id("links-archived").click()
    expect(row).to_contain_text("archived")
    row.get_by_test_id("link-edit").click()
    page.get_by_test_id("edit-url").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []
    window.picture("phone-link-editor")
    page.get_by_test_id("edit-archive").click()
    expect(row).to_have_count(0)
    page.get_by_test_id("links-archived").click()
    expect(row).to_be_visible()
    window.close()


def read(picture: bytes) -> str:
    """What a scanner reads."""
    found = zxingcpp.read_barcode(Image.open(io.BytesIO(picture)).convert("RGB"))
    assert found is not None
    return str(found.text)


def test_a_qr_code_is_coloured_and_taken_along(
    chromium: Browser, sampled: Served, code: str, tmp_path: Path
) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all&tab=links")
    pick(page, code, "link-qr")
    picture = page.get_by_test_id("qr-image")
    said = f"{link(sampled, code)['short_url']}?q"
    page.wait_for_function("() => document.querySelector('[data-testid=qr-image]')?.naturalWidth > 0")
    assert read(picture.screenshot()) == said
    assert violations(page) == []
    page.get_by_test_id("qr-dark").fill("#cccccc")
    expect(page.get_by_test_id("qr-wrong")).to_contain_text("too alike")
    expect(page.get_by_test_id("qr-png")).to_have_count(0)  # what nobody can scan is not given out
    assert violations(page) == []
    page.get_by_test_id("qr-dark").fill("#1d3557")
    page.get_by_test_id("qr-light").fill("#f1faee")
    logo = tmp_path / "logo.png"
    Image.effect_noise((1500, 1000), 40).save(logo)  # larger than the API takes: the page makes it smaller
    assert logo.stat().st_size > 1_000_000
    with page.expect_response(lambda answer: "logo=true" in answer.url) as answered:
        page.get_by_test_id("qr-logo-file").set_input_files(logo)
    assert answered.value.ok
    expect(page.get_by_test_id("qr-logo")).to_be_checked()
    page.wait_for_timeout(300)
    assert read(picture.screenshot()) == said
    window.picture("qr-code")
    for kind in ("png", "svg", "pdf"):
        with page.expect_download() as download:
            page.get_by_test_id(f"qr-{kind}").click()
        assert download.value.suggested_filename == f"{code}.{kind}"
        if kind == "png":
            taken = Path(download.value.path()).read_bytes()
            assert read(taken) == said
            assert Image.open(io.BytesIO(taken)).convert("RGB").getpixel((2, 2)) == (0xF1, 0xFA, 0xEE)
    with sampled.client() as client:
        client.delete("/api/workspace/logo").raise_for_status()
    window.close()


def test_campaign_parameters_by_a_template_while_making_and_editing(
    chromium: Browser, sampled: Served, code: str
) -> None:
    window = Window(chromium, sampled, color_scheme="dark", viewport={"width": 390, "height": 844})
    page = window.goto("/app?days=all&tab=links")
    page.get_by_test_id("shorten-url").fill("example.com/utm?x=1&utm_source=old")
    page.get_by_role("button", name="Options for the short link").click()
    page.get_by_label("Code").fill("edited-2")
    page.get_by_label("Channel", exact=True).fill("email")
    page.get_by_test_id("shorten-utm").click()
    page.get_by_test_id("utm-source").fill("spring sale")
    page.get_by_test_id("utm-medium").fill("{channel}")
    preview = page.get_by_test_id("utm-preview")
    expect(preview).to_have_text("https://example.com/utm?x=1&utm_source=spring%20sale&utm_medium=email")
    page.get_by_test_id("utm-name").fill("Sale")
    page.get_by_test_id("utm-keep").click()
    expect(page.get_by_test_id("utm-template").locator("option:checked")).to_have_text("Sale")
    window.picture("utm-making")
    page.get_by_test_id("shorten-submit").click()
    expect(page.get_by_test_id("short-url")).to_contain_text("edited-2")
    made = "https://example.com/utm?x=1&utm_source=spring%20sale&utm_medium=email"
    assert link(sampled, "edited-2")["url"] == made

    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 800})
    page = edited(window, code)
    page.get_by_test_id("edit-utm").click()
    page.get_by_test_id("utm-template").select_option("Sale")
    expect(page.get_by_test_id("edit-url")).to_have_value(f"{URL}?utm_source=spring%20sale")
    page.get_by_test_id("edit-channel").fill("qr")
    expect(page.get_by_test_id("edit-url")).to_have_value(f"{URL}?utm_source=spring%20sale&utm_medium=qr")
    page.get_by_test_id("utm-term").scroll_into_view_if_needed()
    assert violations(page) == []
    window.picture("utm-editing")
    page.get_by_test_id("utm-forget").click()
    expect(page.get_by_test_id("utm-template")).to_have_count(0)
    page.get_by_test_id("edit-url").fill(f"{URL}?utm_campaign=typed")
    expect(page.get_by_test_id("utm-campaign")).to_have_value("typed")
    expect(page.get_by_test_id("utm-source")).to_have_value("")
    page.get_by_test_id("edit-save").click()
    expect(page.get_by_test_id("link-editor")).to_have_count(0)
    assert link(sampled, code)["url"] == f"{URL}?utm_campaign=typed"
    window.close()
