"""Sign up, invite, come by the letter, and see what one's role may: as people do it, over a real mail server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.atlas_fixtures import built_atlas
from tests.browser.conftest import Window
from tests.browser.test_accessible import violations
from tests.browser.test_sign_in import LAPTOP, PHONE, fits, refused
from tests.mail import Mailbox, mail_server
from tests.server.served import Served, command, new_data

ANN, BEN = "ann@example.com", "ben@example.com"
PASSWORD = "marble otter staircase"


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as found:
        yield found


@pytest.fixture
def posted(tmp_path: Path, box: Mailbox) -> Iterator[Served]:
    """A server that anybody may sign up to."""
    flags = (
        "--sign-up",
        "open",
        "--smtp-host",
        "127.0.0.1",
        "--smtp-port",
        str(box.port),
        "--smtp-security",
        "none",
    )
    served = Served(new_data(tmp_path / "data", built_atlas()), *flags).start()
    yield served
    served.stop()


def settings(page: Page, room: str) -> None:
    page.get_by_test_id("account-open").click()
    page.get_by_test_id("account-settings").click()
    page.get_by_test_id(f"settings-{room}").click()


def look(window: Window, name: str) -> None:
    """Each card and room, wide and light, and dark on a phone: kept as a picture, and readable by everybody."""
    page = window.page
    for scheme, size in (("dark", PHONE), ("light", LAPTOP)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size(size)  # type: ignore[arg-type]
        window.picture(f"people-{name}-{scheme}")
        fits(page)
        assert violations(page) == []


def stranger(chromium: Browser, served: Served) -> Window:
    window = Window(chromium, served, color_scheme="light")
    window.context.clear_cookies()
    return window


def test_from_sign_up_to_what_a_viewer_may(chromium: Browser, posted: Served, box: Mailbox) -> None:
    window = stranger(chromium, posted)
    page = window.page
    page.goto(f"{posted.url}/app")
    page.get_by_test_id("to-sign-up").click()
    page.get_by_test_id("sign-up-email").fill(ANN)
    look(window, "sign-up")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    page.goto(box.link(ANN))
    page.get_by_test_id("join-name").fill("Ann")
    page.get_by_test_id("join-workspace").fill("Lighthouse")
    page.get_by_test_id("join-password").fill("password1234")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("first that anybody would try")
    look(window, "account")
    page.get_by_test_id("join-password").fill(PASSWORD)
    page.keyboard.press("Enter")
    window.ready()

    settings(page, "people")
    page.get_by_test_id("invite-email").fill(BEN)
    page.get_by_test_id("invite-role").select_option("viewer")
    page.get_by_test_id("invite").click()
    made = page.get_by_test_id("invitation-made")
    expect(made).to_contain_text(f"A letter went to {BEN}")
    expect(page.get_by_test_id("invitation-row")).to_contain_text(BEN)
    link = box.link(BEN)
    shown = page.get_by_test_id("invitation-link").inner_text()
    assert shown.startswith(f"{posted.url}/app/join#")
    assert shown != link, "who copies it proves no address; the letter's does"
    look(window, "people")
    page.get_by_test_id("settings-tokens").click()
    page.get_by_test_id("token-name").fill("newsletter")
    page.get_by_test_id("token-make").click()
    expect(page.get_by_test_id("token-secret")).to_contain_text("cat_")
    expect(page.get_by_test_id("token-row")).to_contain_text("read, links:write")
    look(window, "tokens")
    page.get_by_role("button", name="End: newsletter").click()
    page.get_by_role("button", name="Really end?: newsletter").click()
    expect(page.get_by_test_id("token-row")).to_have_count(0)
    command("workspace", "plan", "Lighthouse", "free", data=posted.data)
    for room in ("profile", "workspace"):
        page.get_by_test_id(f"settings-{room}").click()
        expect(page.locator(f"[data-room={room}] h3").first).to_be_visible()
        look(window, room)

    guest = stranger(chromium, posted)
    theirs = guest.page
    theirs.goto(link)
    expect(theirs.get_by_role("heading", name="Join Lighthouse")).to_be_visible()
    expect(theirs.get_by_text("Ann invites ben@example.com")).to_be_visible()
    look(guest, "invited")
    theirs.get_by_test_id("join-name").fill("Ben")
    theirs.get_by_test_id("join-password").fill(PASSWORD)
    theirs.get_by_test_id("join").click()
    guest.ready()
    expect(theirs.get_by_test_id("looking")).to_contain_text("Lighthouse")
    expect(theirs.get_by_test_id("shorten-url")).to_have_count(0)
    settings(theirs, "people")
    expect(theirs.get_by_test_id("person-row")).to_have_count(2)
    expect(theirs.get_by_test_id("invite-email")).to_have_count(0)
    expect(theirs.get_by_text(ANN)).to_have_count(0)
    theirs.get_by_test_id("settings-workspace").click()
    expect(theirs.get_by_test_id("workspace-row")).to_contain_text("Lighthouse")
    expect(theirs.get_by_test_id("workspace-name")).to_have_count(0)
    theirs.keyboard.press("Escape")
    theirs.get_by_test_id("account-open").click()
    theirs.get_by_role("button", name="Sign out").click()

    theirs.get_by_test_id("by-link").click()
    theirs.get_by_test_id("link-email").fill(BEN)
    theirs.get_by_test_id("link-send").click()
    expect(theirs.get_by_role("status")).to_contain_text("on its way")
    look(guest, "link-sent")
    theirs.goto(box.link(BEN))
    expect(theirs.get_by_test_id("enter")).to_be_visible()
    look(guest, "enter")
    theirs.get_by_test_id("enter").click()
    guest.ready()
    for one in (window, guest):
        refused(one)
        one.close()
