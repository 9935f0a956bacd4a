"""A link with a password, as somebody with a browser meets it: the form, and through it to another site."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, expect

from tests.server.making import make
from tests.server.served import Served

pytestmark = pytest.mark.browser


class There(BaseHTTPRequestHandler):
    """A destination, whose only page tells what it was asked for."""

    def do_GET(self) -> None:
        text = f"<title>there</title>{self.path} from {self.headers.get('referer')}".encode()
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def there() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), There) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://localhost:{listening.server_port}"
        listening.shutdown()


def test_the_password_opens_the_way_to_another_site(chromium: Browser, bare: Served, there: str) -> None:
    with bare.client() as client:
        made = make(client, url=f"{there}/door", password="open sesame", pass_query=True)
    context = chromium.new_context(color_scheme="dark", viewport={"width": 390, "height": 700})
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
    page.goto(made["short_url"] + "?q&a=1")
    field = page.get_by_label("Password")
    expect(field).to_be_focused()
    field.fill("open says me")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not the password")
    page.get_by_label("Password").fill("open sesame")
    page.get_by_role("button", name="Open").click()
    expect(page).to_have_title("there")
    expect(page.locator("body")).to_contain_text("/door?a=1 from ")
    assert (
        "open" not in page.inner_text("body").partition(" from ")[2].partition("?")[2]
    )  # the ticket stays here
    assert problems == []
    context.close()
