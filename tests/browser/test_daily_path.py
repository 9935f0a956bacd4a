"""A team's first day, as one walk: sign up, invite, shorten a table of links, print a QR code, share the map.

Nobody here calls the API to make anything: what is made is made on the page, and what is read is read by somebody
else (a scanner, a phone that follows what it scanned, a stranger without an account).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ARTEFACTS, Window, pick
from tests.browser.test_accessible import violations
from tests.browser.test_people import ANN, BEN, PASSWORD, box, posted, settings, stranger
from tests.browser.test_sign_in import refused
from tests.mail import Mailbox
from tests.server.served import Served, until

__all__ = ["box", "posted"]  # fixtures
pytestmark = pytest.mark.browser
TABLE = """url,code,title,campaign,channel
https://example.com/spring,spring,Spring letter,Spring,email
https://example.com/poster,poster,Poster,Spring,print
javascript:alert(1),evil,Never,Spring,email
https://example.com/again,spring,Taken,Spring,email
https://example.com/shop?a=1&b=2,shop,"Shop, the",,
"""
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.1 Mobile/15E148 Safari/604.1"
)
VISITORS = {"18.9.22.69": 7, "130.225.0.1": 4}  # in Massachusetts, and in Denmark


def joined(window: Window, link: str, name: str, workspace: str = "") -> Page:
    """By the letter's link into the explorer."""
    page = window.page
    page.goto(link)
    page.get_by_test_id("join-name").fill(name)
    if workspace:
        page.get_by_test_id("join-workspace").fill(workspace)
    page.get_by_test_id("join-password").fill(PASSWORD)
    page.keyboard.press("Enter")
    return window.ready()


def scanned(picture: bytes) -> str:
    """What a scanner reads."""
    found = zxingcpp.read_barcode(Image.open(io.BytesIO(picture)).convert("RGB"))
    assert found is not None
    return str(found.text)


@pytest.fixture
def paper(chromium: Browser) -> Iterator[Page]:
    """Something that draws an SVG as a printer would: a page that is none of ours."""
    context = chromium.new_context(viewport={"width": 1000, "height": 1000})
    yield context.new_page()
    context.close()


def clicked(address: str, url: str) -> str:
    """A phone somewhere follows a short link; where it leads."""
    headers = {"x-forwarded-for": address, "user-agent": PHONE}
    answer = httpx.get(url, headers=headers, timeout=30)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def counted(page: Page, served: Served) -> int:
    """The clicks that somebody's own session is told of."""
    answer = page.request.get(f"{served.url}/api/analytics/geo/countries")
    assert answer.ok
    return int(answer.json()["total"])


def test_from_sign_up_to_a_stranger_who_sees_the_map(
    chromium: Browser, posted: Served, box: Mailbox, paper: Page, tmp_path: Path
) -> None:
    # Ann signs up, and invites Ben.
    ann = stranger(chromium, posted)
    hers = ann.page
    hers.goto(f"{posted.url}/app")
    hers.get_by_test_id("to-sign-up").click()
    hers.get_by_test_id("sign-up-email").fill(ANN)
    hers.keyboard.press("Enter")
    expect(hers.get_by_role("heading", name="Look into your mail")).to_be_visible()
    joined(ann, box.link(ANN), "Ann", "Lighthouse")
    settings(hers, "people")
    hers.get_by_test_id("invite-email").fill(BEN)
    hers.get_by_test_id("invite-role").select_option("editor")
    hers.get_by_test_id("invite").click()
    expect(hers.get_by_test_id("invitation-row")).to_contain_text(BEN)

    # Ben comes by the letter, and shortens a table.
    ben = stranger(chromium, posted)
    page = joined(ben, box.link(BEN), "Ben")
    settings(page, "people")
    expect(page.get_by_test_id("person-row")).to_have_count(2)
    page.keyboard.press("Escape")
    page.goto(f"{posted.url}/app?days=all&tab=links")
    page.get_by_test_id("bulk-open").click()
    bulk = page.get_by_test_id("bulk")
    expect(page.get_by_test_id("bulk-check")).to_be_disabled()
    file = tmp_path / "links.csv"
    file.write_text(TABLE, "utf-8-sig")  # as spreadsheets write it
    page.get_by_test_id("bulk-file").set_input_files(file)
    page.get_by_test_id("bulk-check").click()
    outcome = page.get_by_test_id("bulk-outcome")
    expect(outcome).to_contain_text("3 links can be made, 2 rows refused.")
    expect(outcome).to_contain_text("Nothing is made yet.")
    report = bulk.locator("li")
    expect(report).to_have_count(5)
    expect(report.nth(0)).to_contain_text("Row 3, url")
    expect(report.nth(1)).to_contain_text("Row 4: The code 'spring' is taken.")
    expect(report.nth(2)).to_contain_text("/spring → example.com/spring")
    assert violations(page) == []
    ben.picture("daily-bulk")
    assert httpx.get(f"{posted.url}/spring").status_code == 404
    page.get_by_test_id("bulk-make").click()
    expect(outcome).to_contain_text("3 links made, 2 rows refused.")
    expect(report.nth(0)).to_contain_text("Row 3, url")
    assert violations(page) == []
    page.get_by_role("button", name="Done").click()
    expect(bulk).to_have_count(0)
    rows = page.get_by_test_id("link-row")
    expect(rows).to_have_count(3)
    expect(page.locator("[data-code=shop]")).to_contain_text("Shop, the")
    # The same table once more makes nothing twice.
    page.get_by_test_id("bulk-open").click()
    page.get_by_test_id("bulk-text").fill(TABLE)
    page.get_by_test_id("bulk-check").click()
    expect(outcome).to_contain_text("0 links can be made, 5 rows refused.")
    expect(page.get_by_test_id("bulk-make")).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(bulk).to_have_count(0)
    expect(rows).to_have_count(3)

    # The poster's QR code, on the screen and as both files, is scanned and followed.
    pick(page, "poster", "link-qr")
    image = page.get_by_test_id("qr-image")
    page.wait_for_function("() => document.querySelector('[data-testid=qr-image]')?.naturalWidth > 0")
    url = scanned(image.screenshot())
    ben.picture("daily-qr")
    assert url.startswith(f"{posted.url}/poster")
    with page.expect_download() as coming:
        page.get_by_test_id("qr-png").click()
    assert scanned(Path(coming.value.path()).read_bytes()) == url
    with page.expect_download() as coming:
        page.get_by_test_id("qr-svg").click()
    paper.set_content(Path(coming.value.path()).read_text("utf-8"))
    assert scanned(paper.locator("svg").screenshot()) == url
    page.keyboard.press("Escape")
    for address, times in VISITORS.items():
        for _ in range(times):
            assert clicked(address, url) == "https://example.com/poster"
    assert clicked("18.9.22.69", f"{posted.url}/shop") == "https://example.com/shop?a=1&b=2"
    total = sum(VISITORS.values()) + 1
    until(lambda: counted(page, posted) == total, f"{total} clicks counted")

    # Ann sees them, and shares the map; a scan is told from a click.
    hers.goto(f"{posted.url}/app?days=all")
    ann.ready()
    expect(hers.get_by_test_id("total")).to_have_text(str(total))
    expect(hers.locator('[data-area="country:US"]').first).to_have_attribute("data-clicks", "8")
    expect(hers.locator('[data-area="country:DK"]').first).to_have_attribute("data-clicks", "4")
    answer = hers.request.get(f"{posted.url}/api/analytics/breakdown?by=channel").json()
    assert {row["value"]: row["clicks"] for row in answer["rows"]}["qr"] == sum(VISITORS.values())
    hers.get_by_test_id("map-more").click()
    hers.get_by_test_id("map-share").click()
    hers.get_by_test_id("share-title").fill("Our first readers")
    hers.get_by_test_id("share-least").fill("2")
    hers.get_by_test_id("share-today").check()  # all of them are today's
    assert violations(hers) == []
    hers.get_by_test_id("share-make").click()
    shared = hers.get_by_test_id("share-url").input_value()
    assert violations(hers) == []
    ann.picture("daily-share")

    anybody = chromium.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light")
    other = anybody.new_page()
    problems: list[str] = []
    other.on("pageerror", lambda error: problems.append(str(error)))
    other.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    other.goto(shared)
    other.wait_for_selector('[data-testid=map][data-ready="true"]', timeout=60_000)
    expect(other.get_by_test_id("shared-title")).to_have_text("Our first readers")
    expect(other.get_by_test_id("shared-total")).to_have_text(str(total))
    places = other.get_by_test_id("shared-places").locator("li")
    expect(places).to_have_count(2)
    expect(places.nth(0)).to_contain_text("United States")
    expect(places.nth(0)).to_contain_text("8")
    expect(places.nth(1)).to_contain_text("Denmark")
    expect(places.nth(1)).to_contain_text("4")
    assert violations(other) == []
    ARTEFACTS.mkdir(exist_ok=True)
    other.screenshot(path=ARTEFACTS / "daily-shared.png")
    assert anybody.cookies() == []
    assert other.request.get(f"{posted.url}/api/links").status == 401  # and nothing else is open to them
    assert problems == []
    anybody.close()
    for one in (ann, ben):
        refused(one)
        one.close()
