"""Takes the pictures of docs/explorer.md, docs/insights.md and the README from a running `make demo`.

    CHROMIUM=$(sh tests/browser/chromium.sh) .venv/bin/python docs/images/explorer_pictures.py SIGN_IN_LINK [NAME…]

The link is what `.venv/bin/clickatlas sign-in` prints; with names only those pictures are taken.
"""

import io
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
FLAGS = (
    "--no-sandbox --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --use-angle=swiftshader --enable-unsafe-swiftshader"
)
COAST = "days=all&campaign=Coast+to+coast"
CHANNELS = "days=all&channel=email&b.days=all&b.channel=social"
STEP = 5  # of 255: finer differences of a channel nobody sees, and they are a third of the bytes


class Picture(NamedTuple):
    """What the page shows, and what is done on it before the picture is taken."""

    view: str
    act: Callable[[Page], None] = lambda _: None
    scheme: str = "light"
    size: tuple[int, int] = (1280, 800)


def film(page: Page) -> None:
    """Play, and stop on the way."""
    page.get_by_test_id("time-play").click()
    page.get_by_test_id("time-count").wait_for()
    pause = page.get_by_test_id("time-pause")
    if pause.count():
        pause.click()
    head = page.get_by_test_id("time-playhead")
    head.press("Home")
    for _ in range(52):
        head.press("ArrowRight")


def lasso(page: Page) -> None:
    """Around the Great Lakes, by hand."""
    page.get_by_test_id("draw-lasso").click()
    page.get_by_test_id("draw").wait_for()
    for step in range(41):
        angle = step / 40 * 2 * math.pi
        x, y = 780 + 150 * math.cos(angle), 320 + (85 + 12 * math.sin(3 * angle)) * math.sin(angle)
        page.mouse.move(x, y)
        if step == 0:
            page.mouse.down()
    page.mouse.up()
    page.get_by_test_id("filter-chip").wait_for()


def views(page: Page) -> None:
    """A view with a name."""
    page.get_by_test_id("views-open").click()
    page.get_by_test_id("view-name").fill("Coast to coast, by county")


def insights(page: Page) -> None:
    """The first card on the map, and how the second one is known."""
    page.get_by_test_id("insight-show").first.click()
    page.get_by_test_id("insight-how").nth(1).locator("summary").click()


PICTURES = {
    "map": Picture("/app", size=(1440, 900)),
    "explorer-first": Picture("/app?days=all", scheme="dark"),
    "explorer-clusters": Picture(f"/app?{COAST}&mode=clusters&level=metros&map=3.6/38.6/-93"),
    "explorer-zip": Picture(
        "/app?days=all&mode=clusters&level=postal-codes&area=metro:14460&open=zip:02139&map=9.2/42.32/-71.14"
    ),
    "explorer-index": Picture(f"/app?{COAST}&mode=areas&level=counties&measure=index&map=3.5/36.5/-95"),
    "explorer-film": Picture("/app?days=all&map=3.1/36/-92", film, "dark"),
    "explorer-difference": Picture(
        f"/app?{CHANNELS}&compare=difference&level=metros&mode=clusters&map=1.6/32/-35"
    ),
    "explorer-drawn": Picture("/app?days=all&map=4/42/-87&level=cities", lasso),
    "insights": Picture("/app?days=all&tab=insights", insights),
    "explorer-views": Picture(
        f"/app?{COAST}&mode=areas&level=counties&measure=index&map=3.5/36.5/-95", views
    ),
}


def take(browser: Browser, link: str, name: str, picture: Picture, state: object) -> None:
    """Open it as a newcomer would, and keep it."""
    width, height = picture.size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=picture.scheme,  # type: ignore[arg-type]
        storage_state=state,  # type: ignore[arg-type]
        timezone_id="America/New_York",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto("/".join(link.split("/")[:3]) + picture.view)
    idle = '[data-testid=map][data-ready="true"]'
    page.wait_for_selector(idle, timeout=120_000)
    page.wait_for_timeout(4_000)
    picture.act(page)
    page.wait_for_timeout(4_000)
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shot.point(lambda value: round(value / STEP) * STEP).save(HERE / f"{name}.png", optimize=True)
    context.close()


def main() -> None:
    """All pictures, or the named ones."""
    link, *names = sys.argv[1:]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=FLAGS.split())
        context = browser.new_context()
        context.new_page().goto(link)
        state = context.storage_state()
        context.close()
        for name in names or PICTURES:
            take(browser, link, name, PICTURES[name], state)
            print(f"{name}.png: {(HERE / f'{name}.png').stat().st_size / 1000:.0f} kB")
        browser.close()


if __name__ == "__main__":
    main()
