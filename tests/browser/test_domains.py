"""A domain of one's own, from its records to a link on it, as an owner goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.atlas_fixtures import built_atlas
from tests.browser.conftest import Window
from tests.browser.test_people import look, settings
from tests.name_server import NameServer, name_server
from tests.server.served import Served, new_data

pytestmark = pytest.mark.browser
NAME = "go.example.com"


@pytest.fixture
def names() -> Iterator[NameServer]:
    with name_server() as found:
        yield found


@pytest.fixture
def served(tmp_path: Path, names: NameServer) -> Iterator[Served]:
    made = Served(new_data(tmp_path / "data", built_atlas()), "--dns-servers", f"127.0.0.1:{names.port}")
    yield made.start()
    made.stop()


def test_from_a_dns_record_to_a_link(chromium: Browser, served: Served, names: NameServer) -> None:
    window = Window(chromium, served)
    page = window.ready()
    settings(page, "domains")
    page.get_by_test_id("domain-name").fill("https://go.example.com/")
    page.get_by_test_id("domain-add").click()
    expect(page.get_by_role("alert")).to_contain_text("can't be a domain of links")
    page.get_by_test_id("domain-name").fill(NAME)
    page.keyboard.press("Enter")
    row = page.get_by_test_id("domain-row")
    expect(row).to_contain_text("Not verified yet")
    value = page.get_by_test_id("domain-dns").get_by_text("clickatlas=").inner_text()
    page.get_by_test_id("domain-check").click()
    expect(page.get_by_test_id("domain-problem")).to_contain_text("There is no TXT record")
    look(window, "domains-waiting")
    names.says(f"_clickatlas.{NAME}", "TXT", f'"{value}"')
    names.says(NAME, "A", "127.0.0.1")
    page.get_by_test_id("domain-check").click()
    expect(row).to_contain_text("Verified")
    page.get_by_test_id("domain-primary").click()
    expect(row).to_contain_text("new links are here")
    look(window, "domains-verified")
    page.keyboard.press("Escape")

    page.get_by_test_id("shorten-url").fill("https://example.com/spring")
    page.keyboard.press("Enter")
    made = page.get_by_test_id("short-url")
    expect(made).to_contain_text(f"http://{NAME}/")
    path = made.inner_text().strip().removeprefix(f"http://{NAME}")
    answer = httpx.get(f"{served.url}{path}", headers={"host": NAME})
    assert answer.headers["location"] == "https://example.com/spring"

    # Another one on the installation's own host, though the domain is where new links are; then it moves.
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Options for the short link").click()
    choice = page.get_by_test_id("domain-choice")
    expect(choice).to_have_value(NAME)
    look(window, "domain-of-a-link")
    choice.select_option("127.0.0.1")
    page.get_by_label("Code", exact=True).fill("autumn")
    page.get_by_test_id("shorten-url").fill("https://example.com/autumn")
    page.keyboard.press("Enter")
    expect(made).to_have_text(f"{served.url}/autumn")
    window.goto("/app?days=all&tab=links")
    page.locator("[data-code=autumn]").get_by_test_id("link-edit").click()
    page.get_by_test_id("edit-domain").select_option(NAME)
    expect(page.get_by_test_id("link-editor")).to_contain_text(f"{served.url}/autumn will lead nowhere")
    look(window, "domain-moves")
    page.get_by_test_id("edit-save").click()
    expect(page.get_by_test_id("link-editor")).to_be_hidden()
    answer = httpx.get(f"{served.url}/autumn", headers={"host": NAME})
    assert answer.headers["location"] == "https://example.com/autumn"

    page.get_by_test_id("bulk-open").click()
    expect(page.get_by_test_id("bulk").get_by_test_id("domain-choice")).to_have_value(NAME)
    page.get_by_test_id("domain-choice").select_option("127.0.0.1")
    page.get_by_test_id("bulk-text").fill(
        f"url,code,domain\nhttps://example.com/1,one,\nhttps://example.com/2,two,{NAME}"
    )
    page.get_by_test_id("bulk-check").click()
    expect(page.get_by_test_id("bulk")).to_contain_text(f"{NAME}/two")
    expect(page.get_by_test_id("bulk")).to_contain_text("127.0.0.1:")
    look(window, "domain-of-many")
    page.keyboard.press("Escape")
    window.problems[:] = [said for said in window.problems if "status of 422" not in said]
    window.close()
