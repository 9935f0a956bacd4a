"""Told of what happens: a webhook from its making to its end, by a program that really listens, and digests by mail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.atlas_fixtures import built_atlas
from tests.browser.conftest import Window, asked
from tests.browser.test_accessible import violations
from tests.browser.test_sign_in import LAPTOP, PHONE, fits
from tests.mail import Mailbox, mail_server
from tests.server.served import Served, command, new_data
from tests.unit.test_webhooks import Receiver

pytestmark = pytest.mark.browser
ANN = "ann@example.com"


class Told(NamedTuple):
    served: Served
    receiver: Receiver
    port: int
    box: Mailbox


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    """A server with some clicks, a program on this machine that it may tell, and a mail server."""
    receiver = Receiver()
    with receiver.listening() as port, mail_server() as box:
        flags = ("--fetch-networks", "127.0.0.1/32", "--fetch-ports", f"80,{port}", "--smtp-host", "127.0.0.1",
                 "--smtp-port", str(box.port), "--smtp-security", "none")  # fmt: skip
        data = new_data(tmp_path / "data", built_atlas())
        command("demo", "--clicks", "3000", data=data)
        served = Served(data, *flags).start()
        yield Told(served, receiver, port, box)
        served.stop()


def room(page: Page, name: str) -> None:
    page.get_by_test_id("account-open").click()
    page.get_by_test_id("account-settings").click()
    page.get_by_test_id(f"settings-{name}").click()


def look(window: Window, name: str) -> None:
    """Wide and light, and dark on a phone: kept as a picture, and readable by everybody."""
    page = window.page
    for scheme, size in (("dark", PHONE), ("light", LAPTOP)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size(size)  # type: ignore[arg-type]
        window.picture(f"told-{name}-{scheme}")
        fits(page)
        assert violations(page) == []


def test_a_webhook_is_made_tried_mended_and_ended_and_a_digest_comes(chromium: Browser, told: Told) -> None:
    served, receiver, port, box = told
    window = Window(chromium, served, color_scheme="light")
    page = window.ready()
    room(page, "webhooks")
    page.get_by_test_id("hook-url").fill(f"http://127.0.0.1:{port}/hooks")
    page.get_by_test_id("hook-event-click").check()
    page.get_by_test_id("hook-event-digest").check()
    page.get_by_test_id("digest-day").select_option("4")
    page.get_by_test_id("digest-hour").select_option("17")
    expect(page.get_by_test_id("hook-zone")).to_have_value("Europe/Berlin")
    page.get_by_test_id("hook-zone").scroll_into_view_if_needed()
    look(window, "hook-digest")
    page.get_by_test_id("hook-save").click()
    secret = page.get_by_test_id("hook-secret")
    expect(secret).to_contain_text("whsec_")
    row = page.get_by_test_id("hook-row")
    expect(row).to_contain_text("New links, Clicks, Digest")

    row.get_by_test_id("hook-test").click()
    delivery = row.get_by_test_id("delivery-row")
    expect(delivery).to_contain_text("answered 200", timeout=30_000)
    expect(delivery).to_contain_text("thank you")
    receiver.status = 500
    delivery.get_by_test_id("delivery-again").click()
    expect(delivery).to_contain_text("answered 500, tried once, again", timeout=30_000)
    row.get_by_test_id("deliveries-failed").check()
    expect(delivery).to_have_count(1)
    look(window, "webhooks-log")
    assert [json.loads(body)["type"] for _, body in receiver.came[:2]] == ["webhook.test"] * 2

    first = secret.inner_text()
    row.get_by_test_id("hook-rotate").click()
    row.get_by_test_id("hook-rotate").click()
    expect(row.get_by_test_id("hook-secret")).to_contain_text("whsec_")
    expect(row).to_contain_text("The one before signs, too")
    assert row.get_by_test_id("hook-secret").inner_text() != first
    row.get_by_test_id("hook-change").click()
    row.get_by_test_id("hook-event-click").uncheck()
    row.get_by_test_id("hook-save").click()
    expect(row.get_by_test_id("hook-form")).to_have_count(0)
    expect(row).not_to_contain_text("New links, Clicks")
    row.get_by_test_id("hook-pause").click()
    expect(row.get_by_test_id("hook-paused")).to_be_visible()
    expect(row.get_by_test_id("hook-test")).to_be_disabled()
    row.get_by_test_id("hook-delete").click()
    row.get_by_test_id("hook-delete").click()
    expect(row).to_have_count(0)

    page.get_by_test_id("settings-profile").click()
    page.get_by_test_id("account-email").fill(ANN)
    page.get_by_test_id("account-new").fill("marble otter staircase")
    page.get_by_test_id("account-save").click()
    expect(page.get_by_text("Password set.")).to_be_visible()
    page.get_by_test_id("settings-digest").click()
    page.get_by_test_id("digest-every").select_option("week")
    page.get_by_test_id("digest-day").select_option("4")
    page.get_by_test_id("digest-save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_test_id("digest-send").click()
    expect(page.get_by_text(f"One is on its way to {ANN}.")).to_be_visible(timeout=60_000)
    look(window, "digest")
    assert asked(served, "/api/session")["user"]["email"] == ANN
    came = box.letter(ANN)
    text = came.get_body(("plain",))
    assert text is not None
    assert "every Friday at 8:00 (Europe/Berlin)" in text.get_content()
    picture = next(part for part in came.walk() if part.get_content_type() == "image/png")
    assert picture.get_content().startswith(b"\x89PNG")

    leave = came["list-unsubscribe"].strip("<>")
    assert httpx.post(f"{leave}0").status_code == 404
    stranger = chromium.new_page()
    stranger.goto(leave)
    stranger.screenshot(path="artefacts/told-leave.png")
    stranger.get_by_role("button", name="No more of these").click()
    expect(stranger.get_by_role("heading", name="No more of these")).to_be_visible()
    stranger.close()
    again = httpx.post(leave, data={"List-Unsubscribe": "One-Click"})  # as mail programs do it (RFC 8058)
    assert again.status_code == 200
    page.get_by_test_id("settings-people").click()
    page.get_by_test_id("settings-digest").click()
    expect(page.get_by_test_id("digest-every")).to_have_value("off")
    window.close()
