"""With `min_cell`, the page says how many clicks are not shown, and why."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.atlas_fixtures import built_atlas
from tests.browser.conftest import ARTEFACTS, asked, sign_in_link
from tests.server.served import Served, command, new_data


def test_withheld_clicks_are_a_chip_and_in_the_last_row(chromium: Browser, tmp_path: Path) -> None:
    data = new_data(tmp_path / "data", built_atlas())
    command("demo", "--clicks", "6000", data=data)
    served = Served(data, "--min-cell", "20").start()
    try:
        said = asked(served, "/api/analytics/geo/regions")
        assert said["withheld"] > 0
        assert said["unlisted"] > 0
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.goto(sign_in_link(served))
        page.goto(f"{served.url}/app?days=all&level=regions")
        chip = page.get_by_test_id("chip-withheld")
        expect(chip).to_contain_text(f"{said['withheld']:,}", timeout=60_000)
        chip.click()
        expect(page.get_by_text("fewer than 20 clicks")).to_be_visible()
        ARTEFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTEFACTS / "few-clicks.png")
        page.keyboard.press("Escape")
        expect(page.locator("tfoot")).to_contain_text("or too few")
        expect(page.locator("tfoot")).to_contain_text(f"{said['unlisted']:,}")
        page.locator("tfoot").scroll_into_view_if_needed()
        page.screenshot(path=ARTEFACTS / "few-clicks-end.png")
    finally:
        served.stop()
