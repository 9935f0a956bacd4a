"""A map is shared: made on the explorer, opened by somebody without an account, on a phone, in a frame; and ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ARTEFACTS, Window
from tests.server.served import Served


def drawn(page: Page) -> Page:
    page.wait_for_selector('[data-testid=map][data-ready="true"]', timeout=60_000)
    return page


def kept(page: Page, name: str) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{name}.png")


def test_a_map_is_shared(chromium: Browser, sampled: Served) -> None:
    maker = Window(chromium, sampled)
    page = maker.ready()
    page.get_by_test_id("map-more").click()
    page.get_by_test_id("map-share").click()
    page.get_by_test_id("share-title").fill("Where our readers are")
    page.get_by_test_id("share-least").fill("5")
    page.get_by_test_id("share-make").click()
    url = page.get_by_test_id("share-url").input_value()
    frame = page.get_by_test_id("share-iframe").input_value()
    expect(page.get_by_test_id("share-row").first).to_contain_text("areas from 5 clicks")
    maker.picture("share-dialog")

    visitors = chromium.new_context(viewport={"width": 1280, "height": 800})
    anybody = visitors.new_page()
    problems: list[str] = []
    anybody.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    anybody.on("pageerror", lambda error: problems.append(str(error)))
    anybody.goto(url)
    drawn(anybody)
    expect(anybody).to_have_title("Where our readers are")
    expect(anybody.get_by_test_id("shared-title")).to_have_text("Where our readers are")
    expect(anybody.get_by_test_id("shared-hidden")).to_contain_text("under 5 clicks")
    expect(anybody.get_by_test_id("shared-places").locator("li").first).to_contain_text("United States")
    kept(anybody, "shared")
    anybody.get_by_test_id("shared-clusters").click()
    anybody.get_by_test_id("shared-cities").click()
    expect(anybody.get_by_test_id("shared-places").locator("li").nth(20)).to_be_attached()
    anybody.emulate_media(color_scheme="dark")
    kept(anybody, "shared-dark")
    assert visitors.cookies() == []
    assert problems == []

    phone = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    ).new_page()
    phone.goto(url)
    drawn(phone)
    kept(phone, "shared-phone")
    phone.get_by_role("button", name="Places").click()
    kept(phone, "shared-phone-places")

    host = visitors.new_page()
    with elsewhere(f"<h1>Our blog</h1>{frame}<p>And so on.") as address:
        host.goto(address)
        look_inside(host)

    page.get_by_test_id("share-change").first.click()
    expect(page.get_by_role("heading", name="Change “Where our readers are”")).to_be_focused()
    expect(page.get_by_test_id("share-least")).to_have_value("5")
    maker.picture("share-change")
    page.get_by_test_id("share-title").fill("Our readers, near and far")
    page.get_by_test_id("share-make").click()
    expect(page.get_by_test_id("share-row").first).to_contain_text("near and far")
    anybody.reload()
    expect(anybody.get_by_test_id("shared-title")).to_have_text("Our readers, near and far")

    page.get_by_test_id("share-end").first.click()
    expect(page.get_by_test_id("share-row")).to_have_count(0)
    anybody.reload()
    expect(anybody.get_by_role("alert")).to_contain_text("No map here")
    visitors.close()
    maker.close()


def look_inside(host: Page) -> None:
    inside = host.frame_locator("iframe")
    inside.locator('[data-testid=map][data-ready="true"]').wait_for(timeout=60_000)
    expect(inside.get_by_test_id("shared-title")).to_have_text("Where our readers are")
    kept(host, "shared-frame")


@contextmanager
def elsewhere(body: str) -> Iterator[str]:
    """A page of somebody else: another origin, which a frame must not need anything of."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            page = f"<link rel=icon href=data:,><body style='font:16px Georgia;max-width:700px;margin:40px auto'>{body}"
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
