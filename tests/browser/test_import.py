"""An export of another shortener is brought in by the page: looked at, mended, tried, imported, and its refused rows fetched."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Window, asked
from tests.browser.test_accessible import violations
from tests.server.served import Served

pytestmark = pytest.mark.browser
ROWS = [
    "Visited,Short URL,Goes to,Visitor city,Country",
    *(f"2026-05-{1 + n % 28:02d}T10:00:{n % 60:02d}Z,https://old.example/moved,https://example.com/moved,Boston,US" for n in range(300)),
    "tomorrow,https://old.example/moved,https://example.com/moved,Boston,US",
]  # fmt: skip


def test_an_export_is_brought_in(chromium: Browser, sampled: Served, tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_text("\n".join(ROWS) + "\n")
    expect.set_options(timeout=30_000)  # each step is a reading of the file
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all&tab=links")
    page.get_by_test_id("links-import").click()
    dialog = page.get_by_test_id("import")
    page.get_by_test_id("import-pick").set_input_files(file)
    expect(page.get_by_test_id("import-preview")).to_contain_text("Boston")
    # What was not guessed is said: the time.
    expect(page.get_by_test_id("import-dry")).to_be_disabled()
    dialog.get_by_label("time: when the click was").select_option("Visited")
    dialog.get_by_label("url: where the link leads").select_option("Goes to")
    dialog.get_by_label("city: city").select_option("Visitor city")
    expect(dialog).to_contain_text("rows are clicks")
    assert violations(page) == []
    window.picture("import-preview")
    page.get_by_test_id("import-dry").click()
    report = page.get_by_test_id("import-report")
    expect(report).to_contain_text("300 clicks would come in")
    expect(report).to_contain_text("1 row of 301 would be refused")
    window.picture("import-report")
    assert violations(page) == []
    assert asked(sampled, "/api/links", search="moved")["total"] == 0
    page.get_by_test_id("import-run").click()
    expect(report).to_contain_text("300 clicks came in")
    with page.expect_download() as got:
        page.get_by_test_id("import-refused").click()
    text = Path(got.value.path()).read_text()
    assert text.splitlines()[0] == "row,reason"
    assert text.splitlines()[1].startswith("302,")
    page.get_by_test_id("import-close").click()
    expect(page.locator("[data-code=moved]")).to_be_visible()
    page.get_by_test_id("links-import").click()
    page.get_by_test_id("import-service").click()
    expect(page.get_by_test_id("import-services")).to_contain_text("Rebrandly")
    assert violations(page) == []
    window.picture("import-service")
    window.close()
