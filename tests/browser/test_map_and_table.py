"""Map and table as one: a row lights its place, a bubble its row; what stands in a row, in the corner, in the picture."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Window, asked
from tests.browser.test_shortcuts import camera, pixel
from tests.server.served import Served

pytestmark = pytest.mark.browser
BOSTON = "map=9/42.36/-71.1"
HEAD = 76  # px above the map in a saved picture: its title


def seen(page: Page, x: float, y: float, half: int) -> Image.Image:
    """What is within `half` px of a point of the window."""
    clip = {"x": x - half, "y": y - half, "width": 2 * half, "height": 2 * half}
    return Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")  # type: ignore[arg-type]


def differing(one: Image.Image, other: Image.Image) -> int:
    """Pixels that are clearly of another colour."""
    change = ImageChops.difference(one, other).convert("L")
    return sum(change.histogram()[24:])


def comes_to(page: Page, x: float, y: float, half: int, before: Image.Image, least: int) -> int:
    """Pixels changed around a point, as soon as there are `least`: the map is drawn a frame later."""
    changed = 0
    for _ in range(100):
        changed = differing(before, seen(page, x, y, half))
        if changed >= least:
            break
        page.wait_for_timeout(100)
    return changed


def row_of(page: Page, area: str) -> int:
    rows = page.get_by_test_id("places-row")
    rows.first.wait_for()
    ids = [row.get_attribute("data-area") for row in rows.all()]
    return ids.index(area)


def test_a_row_lights_its_place_and_a_bubble_its_row(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled, color_scheme="light", reduced_motion="reduce")
    page = window.goto(f"/app?days=all&mode=clusters&level=cities&area=region:US-MA&{BOSTON}")
    table = asked(sampled, "/api/analytics/geo/cities", area="region:US-MA")["rows"]
    city = table[0]
    assert city["name"] == "Boston"
    at = camera(page)
    x, y = pixel(at, city["lon"], city["lat"])
    far_x, far_y = pixel(at, city["lon"] + 0.45, city["lat"])  # the sea
    page.mouse.move(700, 5)
    before, sea = seen(page, x, y, 24), seen(page, far_x, far_y, 24)
    row = page.locator(f'[data-testid=places-row][data-area="{city["id"]}"]')
    row.hover()
    expect(row).to_have_class(re.compile("lit"))
    assert comes_to(page, x, y, 24, before, 150) >= 150  # a ring of 15 px
    assert differing(sea, seen(page, far_x, far_y, 24)) == 0
    window.picture("row-lights-map")
    page.mouse.move(700, 5)
    for _ in range(100):
        if differing(before, seen(page, x, y, 24)) == 0:
            break
        page.wait_for_timeout(100)
    assert differing(before, seen(page, x, y, 24)) == 0  # and goes out

    # The other way: the bubble lights that row, and no other.
    expect(row).not_to_have_class(re.compile("lit"))
    page.mouse.move(x - 3, y)
    page.mouse.move(x, y)
    expect(row).to_have_class(re.compile("lit"))
    expect(page.locator("tr.lit")).to_have_count(1)
    expect(page.locator(".tip")).to_contain_text("Boston")
    page.mouse.move(far_x, far_y)
    expect(page.locator("tr.lit")).to_have_count(0)
    window.close()


def test_a_country_s_row_draws_its_outline(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled, color_scheme="light", reduced_motion="reduce")
    page = window.goto("/app?days=all&map=4.5/51/10")
    at = camera(page)
    border = pixel(at, 14.6, 51.5)  # with Poland
    abroad = pixel(at, 23.5, 53)
    page.mouse.move(700, 5)
    before, there = seen(page, *border, 40), seen(page, *abroad, 40)
    page.locator('[data-testid=places-row][data-area="country:DE"]').hover()
    assert comes_to(page, *border, 40, before, 60) >= 60
    assert differing(there, seen(page, *abroad, 40)) == 0
    window.picture("row-lights-country")
    window.close()


def percent(text: str) -> float:
    return float(re.sub(r"[^\d.]", "", text))


def test_a_row_has_its_flag_and_its_part_of_all(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all")
    table = asked(sampled, "/api/analytics/geo/countries")
    expect(page.get_by_test_id("places-table").locator("thead th").last).to_have_text("% of all")
    for at, said in enumerate(table["rows"][:8]):
        row = page.get_by_test_id("places-row").nth(at)
        flag = row.locator("img")
        expect(flag).to_have_attribute("src", re.compile(rf"/flags/{said['country'].lower()}\.svg$"))
        page.wait_for_function("image => image.naturalWidth > 0", arg=flag.element_handle())
        cells = row.locator("td")
        expect(cells.first).to_have_text(f"{said['clicks']:,}")
        shown = percent(cells.last.inner_text())
        assert shown == pytest.approx(100 * said["clicks"] / table["total"], abs=0.051)
    window.close()


def test_the_corner_says_whom_to_thank(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all")
    line = page.locator("footer:has(#sources)")
    expect(line).to_be_visible()
    box = line.bounding_box()
    assert box
    assert box["x"] + box["width"] > 1250
    assert box["y"] + box["height"] > 780
    page.get_by_role("button", name="Data sources").click()
    for thanked in ("GeoLite2 data created by MaxMind", "Census Bureau", "GeoNames", "Natural Earth"):
        expect(page.locator("#sources")).to_contain_text(thanked)
    link = page.locator("#sources a").first
    expect(link).to_have_attribute("href", "https://www.maxmind.com")
    expect(link).to_be_in_viewport(ratio=1)  # all of it can be read now
    sources = page.locator("#sources")
    assert sources.evaluate("line => line.scrollWidth <= line.clientWidth")
    window.picture("attribution")
    window.close()


def test_forward_brings_back_what_back_took(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled, reduced_motion="reduce")
    page = window.goto("/app?days=all&map=2/30/10")
    page.get_by_test_id("mode-clusters").click()
    page.locator('[data-testid=places-row][data-area="country:DE"] button').click()
    expect(page.get_by_test_id("filter-chip")).to_contain_text("Germany")
    page.wait_for_function("() => !location.search.includes('map=2/30')")
    page.wait_for_timeout(300)
    level = page.get_by_test_id("places-table").get_attribute("data-level") or ""
    assert level != "countries"
    total = page.get_by_test_id("total").inner_text()
    steps = [page.url]
    for _ in range(6):
        page.go_back()
        page.wait_for_function("before => location.href !== before", arg=steps[-1])
        steps.append(page.url)
        if "mode=clusters" not in page.url:
            break
    expect(page.get_by_test_id("map")).to_have_attribute("data-mode", "heat")
    expect(page.get_by_test_id("places-table")).to_have_attribute("data-level", "countries")
    expect(page.get_by_test_id("filter-chip")).to_have_count(0)
    for url in reversed(steps[:-1]):
        page.go_forward()
        page.wait_for_url(url)
    expect(page.get_by_test_id("map")).to_have_attribute("data-mode", "clusters")
    expect(page.get_by_test_id("filter-chip")).to_contain_text("Germany")
    expect(page.get_by_test_id("total")).to_have_text(total)
    expect(page.get_by_test_id("places-table")).to_have_attribute("data-level", level)
    assert camera(page).zoom > 3
    window.close()


def saved(page: Page, folder: Path, name: str) -> Image.Image:
    page.get_by_test_id("map-more").click()
    with page.expect_download() as coming:
        page.get_by_test_id("map-picture").click()
    coming.value.save_as(folder / f"{name}.png")
    return Image.open(folder / f"{name}.png").convert("RGB")


def ink(part: Image.Image) -> int:
    """Pixels that are not of the commonest colour."""
    ground = max(part.getcolors(part.width * part.height) or [], key=lambda found: found[0])[1]
    return differing(part, Image.new("RGB", part.size, ground))  # type: ignore[arg-type]


def test_the_picture_has_its_title_and_its_legend(chromium: Browser, sampled: Served, tmp_path: Path) -> None:
    window = Window(chromium, sampled, color_scheme="light", reduced_motion="reduce")
    window.page.add_init_script(
        "window.written = []; const fill = CanvasRenderingContext2D.prototype.fillText;"
        "CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {"
        " window.written.push(text); return fill.call(this, text, ...rest); };"
    )
    page = window.goto("/app?days=all&mode=areas&measure=index&map=3/39/-97")
    total = asked(sampled, "/api/analytics/geo/countries")["total"]
    legend = page.get_by_test_id("legend")
    expect(legend).to_have_attribute("data-measure", "index")
    expect(page.get_by_test_id("total")).to_have_text(f"{total:,}")
    on_page = Image.open(io.BytesIO(legend.screenshot())).convert("RGB")
    picture = saved(page, tmp_path, "all")
    written = " ".join(page.evaluate("window.written"))
    for words in (
        f"{total:,} clicks",
        "index against the world’s average",
        "clickatlas",
        "GeoLite2",
        "not drawn",
    ):
        assert words in written
    title = picture.crop((0, 0, 900, HEAD))
    assert ink(title) > 1_000
    foot = picture.crop((0, HEAD + 800, 1280, picture.height))
    assert ink(foot) > 1_000

    # The legend as the page has it, in the corner of the map: its bar of colours, at the same place in its card.
    wide, high = on_page.size
    left, top = 1280 - wide - 20, HEAD + 800 - high - 20
    box, card = legend.locator(".bar").bounding_box(), legend.bounding_box()
    assert box
    assert card
    x, y = round(box["x"] - card["x"]), round(box["y"] - card["y"])
    bar = (x + 3, y + 2, x + round(box["width"]) - 3, y + 6)
    in_picture = picture.crop((left, top, left + wide, top + high))
    assert len(on_page.crop(bar).getcolors() or range(257)) > 50
    apart = ImageStat.Stat(ImageChops.difference(on_page.crop(bar), in_picture.crop(bar)))
    assert max(apart.mean) < 6
    # All of the card: in another font than the page's it would be 15 apart.
    inner = (6, 6, wide - 6, high - 6)
    whole = ImageStat.Stat(ImageChops.difference(on_page.crop(inner), in_picture.crop(inner)).convert("L"))
    assert whole.mean[0] < 8
    assert ink(in_picture.crop((8, 8, wide - 8, y - 2))) > 100  # and its words
    assert ink(in_picture.crop((8, y + 10, wide - 8, high - 8))) > 300

    # Another filter, another title; the map beside it is as wide and as high.
    page = window.goto("/app?days=all&mode=areas&measure=index&map=3/39/-97&channel=email")
    email = asked(sampled, "/api/analytics/geo/countries", channel="email")["total"]
    expect(page.get_by_test_id("total")).to_have_text(f"{email:,}")
    second = saved(page, tmp_path, "email")
    assert f"{email:,} clicks" in " ".join(page.evaluate("window.written"))
    assert second.size == picture.size
    assert differing(title, second.crop((0, 0, 900, HEAD))) > 100
    window.close()
