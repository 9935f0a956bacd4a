"""Signing in by password as somebody at a browser does, and setting one."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Window
from tests.browser.test_accessible import violations
from tests.server.served import Served

pytestmark = pytest.mark.browser
EMAIL, PASSWORD, NEXT = "ann@example.com", "marble otter staircase", "copper lantern meadow"
PHONE, LAPTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}


def refused(window: Window) -> None:
    """The browser itself notes each 401 and 422; these are meant."""
    window.problems[:] = [said for said in window.problems if not re.search(r"status of (401|422)", said)]


def open_account(page: Page) -> None:
    page.get_by_test_id("account-open").click()
    page.get_by_test_id("account-settings").click()
    page.get_by_test_id("account-new").wait_for()


def sign_in(page: Page, password: str) -> None:
    """By keyboard alone, from the address field on."""
    page.get_by_test_id("sign-in-email").focus()
    page.keyboard.type(EMAIL)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")


def test_a_password_is_set_and_signs_in(chromium: Browser, bare: Served) -> None:
    window = Window(chromium, bare)
    page = window.ready()
    open_account(page)
    page.get_by_test_id("account-email").fill(EMAIL)
    page.get_by_test_id("account-new").fill("password1234")
    page.get_by_test_id("account-save").click()
    expect(page.get_by_test_id("settings").get_by_role("alert")).to_contain_text(
        "first that anybody would try"
    )
    page.get_by_test_id("account-new").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Password set.", exact=False)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("settings")).to_have_count(0)
    expect(page.get_by_test_id("account-open")).to_be_focused()
    page.get_by_test_id("account-open").click()
    page.get_by_role("button", name="Sign out").click()

    email, password = page.get_by_test_id("sign-in-email"), page.get_by_test_id("sign-in-password")
    expect(email).to_have_attribute("autocomplete", "username")
    expect(password).to_have_attribute("autocomplete", "current-password")
    sign_in(page, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("don’t belong together")
    expect(password).to_be_focused()
    expect(password).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Show password").click()
    expect(password).to_have_attribute("type", "text")
    assert violations(page) == []
    page.set_viewport_size({"width": 800, "height": 420})  # nothing is out of reach in a low window
    last = page.get_by_text("clickatlas sign-in")
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()
    page.set_viewport_size({"width": 1280, "height": 800})
    password.fill(PASSWORD)
    page.keyboard.press("Enter")
    window.ready()

    other = chromium.new_context(
        user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    )
    second = other.new_page()
    second.goto(f"{bare.url}/app")
    sign_in(second, PASSWORD)
    second.wait_for_selector("[data-testid=account-open]")
    open_account(page)
    rows = page.get_by_test_id("session-row")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Firefox on Linux")
    assert violations(page) == []
    page.get_by_test_id("sessions-end-others").click()
    expect(rows).to_have_count(1)
    second.reload()
    expect(second.get_by_test_id("sign-in")).to_be_visible()
    other.close()
    page.get_by_test_id("account-current").fill(PASSWORD)
    page.get_by_test_id("account-new").fill(NEXT)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Password set.", exact=False)).to_be_visible()
    refused(window)
    window.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, LAPTOP], ids=["phone", "laptop"])
def test_how_it_looks(chromium: Browser, bare: Served, scheme: str, size: dict[str, int]) -> None:
    kind = f"{scheme}-{'phone' if size is PHONE else 'laptop'}"
    window = Window(chromium, bare, viewport=size, color_scheme=scheme)
    page = window.ready()
    open_account(page)
    window.picture(f"account-{kind}")
    fits(page)
    assert violations(page) == []
    window.context.clear_cookies()
    steps: list[tuple[str, Callable[[], object]]] = [
        ("/app", lambda: None),
        ("/app?signin=expired", lambda: sign_in(page, "wrong")),
    ]
    for number, (path, act) in enumerate(steps):
        page.goto(bare.url + path)
        page.get_by_test_id("sign-in").wait_for()
        act()
        if number:
            expect(page.get_by_role("alert")).to_be_visible()
        window.picture(f"sign-in-{number}-{kind}")
        fits(page)
        assert violations(page) == []
    refused(window)
    window.close()


def fits(page: Page) -> None:
    """Nothing has to be scrolled to sideways."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
