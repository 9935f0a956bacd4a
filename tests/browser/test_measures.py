"""Areas and measures on the map, and the table: what is shown is what the API says."""

from __future__ import annotations

import csv
import io
import json
import re
from math import log
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Window, asked
from tests.server.served import Served

pytestmark = pytest.mark.browser
GERMANY = "4.5/51/10"


def number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def mixed(scale: dict[str, Any], theme: str, value: float) -> tuple[float, ...]:
    """The scale's colour at a value, by the rule that the API states."""
    stops, colours = scale["stops"], scale[theme]
    channels = [tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5)) for colour in colours]
    if value <= stops[0] or value >= stops[-1]:
        return channels[0] if value <= stops[0] else channels[-1]
    at = next(i for i, stop in enumerate(stops) if stop >= value)
    part = log(value / stops[at - 1]) / log(stops[at] / stops[at - 1])
    return tuple(a + (b - a) * part for a, b in zip(channels[at - 1], channels[at], strict=True))


def point_at(page: Page, x: float, y: float) -> None:
    page.mouse.move(x - 3, y)
    page.mouse.move(x, y)


@pytest.mark.parametrize("measure", ["rate", "index"])
def test_a_country_is_shaded_as_its_value_says(chromium: Browser, sampled: Served, measure: str) -> None:
    window = Window(chromium, sampled, color_scheme="light")
    page = window.goto(f"/app?days=all&mode=areas&measure={measure}&map={GERMANY}")
    columns = asked(sampled, "/api/heat/areas", level="countries")
    at = columns["ids"].index("country:DE")
    value = columns[measure][at]
    expect(page.get_by_test_id("legend")).to_have_attribute("data-measure", measure)
    page.wait_for_timeout(1500)
    box = page.get_by_test_id("map").bounding_box()
    assert box
    # The same in the tip under the pointer.
    point_at(page, box["x"] + box["width"] / 2 + 30, box["y"] + box["height"] / 2)
    tip = page.locator(".tip")
    expect(tip).to_contain_text(f"{columns['clicks'][at]:,}")
    expect(tip).to_contain_text("Germany")
    said = tip.inner_text()
    shown = float(re.search(r"([\d.,]+) per 10,000|Index ([\d.,]+)", said).group(0 + 1 if measure == "rate" else 2).replace(",", ""))  # type: ignore[union-attr]  # fmt: skip
    assert shown == pytest.approx(value, rel=0.006)
    row = page.locator('[data-area="country:DE"]').first
    expect(row).to_have_class(re.compile("lit"))
    window.picture(f"areas-{measure}")
    window.close()


def test_the_colour_on_the_map_is_the_scale_s(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled, color_scheme="light")
    page = window.goto(f"/app?days=all&mode=areas&measure=index&map={GERMANY}")
    page.wait_for_timeout(2000)
    columns = asked(sampled, "/api/heat/areas", level="countries")
    scales = asked(sampled, "/api/heat/tilejson")["scales"]
    value = columns["index"][columns["ids"].index("country:DE")]
    wanted = mixed(scales["index"], "light", value)
    land = (0xF8, 0xF8, 0xF6)
    over = tuple(0.88 * c + 0.12 * ground for c, ground in zip(wanted, land, strict=True))
    box = page.get_by_test_id("map").bounding_box()
    assert box
    # A patch of 40 x 40 px in Germany: its commonest colour, so that a name or a border does not count.
    clip = {"x": box["x"] + box["width"] / 2 + 10, "y": box["y"] + box["height"] / 2 - 20, "width": 40, "height": 40}  # fmt: skip
    picture = Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")  # type: ignore[arg-type]
    commonest: Any = max(picture.getcolors(1600) or [], key=lambda counted: counted[0])[1]
    assert max(abs(a - b) for a, b in zip(commonest, over, strict=True)) < 6, (commonest, over)
    window.close()


def test_a_press_on_an_area_opens_it(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all&mode=areas&level=counties&map=6/42.2/-72")
    page.wait_for_timeout(1500)
    box = page.get_by_test_id("map").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2 + 40, box["y"] + box["height"] / 2 - 40
    point_at(page, x, y)
    tip = page.locator(".tip")
    expect(tip).to_contain_text("County")
    said = tip.inner_text()
    page.mouse.click(x, y)
    drawer = page.get_by_test_id("drawer")
    expect(page.get_by_test_id("drawer-title")).to_contain_text(said.split(" · ")[1].splitlines()[0])
    area = drawer.get_attribute("data-area")
    assert area
    assert area.startswith("county:")
    columns = asked(sampled, "/api/heat/areas", level="counties")
    assert drawer.get_attribute("data-clicks") == str(columns["clicks"][columns["ids"].index(area)])
    window.picture("county")
    window.close()


def test_measures_in_the_third_column_and_on_every_map(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all")
    table = asked(sampled, "/api/analytics/geo/countries")
    page.get_by_test_id("measure-index").click()
    for index, row in enumerate(table["rows"][:5]):
        cell = page.get_by_test_id("places-row").nth(index).locator("td").last
        expect(cell).to_have_text(f"{round(row['index']):,}")
    page.get_by_test_id("measure-rate").click()
    for index, row in enumerate(table["rows"][:5]):
        cell = page.get_by_test_id("places-row").nth(index).locator("td").last
        assert float(cell.inner_text().replace(",", "")) == pytest.approx(row["rate"], rel=0.006)
    assert "measure=rate" in page.url
    expect(page.get_by_test_id("legend")).to_contain_text("per 10,000")
    window.ready()
    window.picture("heat-rate")
    page.get_by_test_id("mode-clusters").click()
    page.wait_for_timeout(1500)
    window.picture("clusters-rate")
    page.get_by_test_id("measure-clicks").click()
    expect(page.get_by_test_id("legend")).to_contain_text("Clicks in a cluster")
    window.close()


def test_sorting_and_searching_know_the_rows_that_are_not_loaded(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all&level=cities")
    rows = asked(sampled, "/api/analytics/geo/cities")["rows"]
    assert len(rows) > 500
    page.get_by_test_id("sort-name").click()
    first = asked(sampled, "/api/analytics/geo/cities", sort="name", limit="1")["rows"][0]
    expect(page.get_by_test_id("places-row").first).to_have_attribute("data-area", first["id"])
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("City")
    page.get_by_test_id("sort-clicks").click()
    page.get_by_test_id("sort-clicks").click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Clicks")
    expect(page.get_by_test_id("places-row").first).to_have_attribute("data-clicks", str(rows[-1]["clicks"]))
    page.get_by_test_id("sort-clicks").click()

    rare = rows[-1]["name"]
    page.get_by_test_id("table-search").fill(rare)
    found = asked(sampled, "/api/analytics/geo/cities", search=rare)["rows"]
    expect(page.get_by_test_id("places-row")).to_have_count(len(found))
    expect(page.get_by_test_id("places-row").first).to_contain_text(found[0]["name"])
    page.get_by_test_id("table-search").fill("no such place")
    expect(page.get_by_test_id("places-table")).to_contain_text("No name here holds")
    window.close()


def test_the_table_goes_with_all_its_rows(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled, permissions=["clipboard-read", "clipboard-write"])
    page = window.goto("/app?days=all&level=counties")
    page.get_by_test_id("level-county").wait_for()
    rows = asked(sampled, "/api/analytics/geo/counties")["rows"]
    page.get_by_test_id("table-download").click()
    with page.expect_download() as coming:
        page.get_by_test_id("export-start").click()
    expect(page.get_by_test_id("export")).to_have_count(0)
    text = coming.value.path().read_text("utf-8-sig")
    read = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [(row["id"], int(row["clicks"])) for row in read] == [(row["id"], row["clicks"]) for row in rows]
    page.get_by_test_id("table-copy").click()
    expect(page.get_by_text(f"{len(rows):,} rows copied.")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()").split("\n")
    assert [line.split("\t")[0] for line in copied[1:]] == [row["id"] for row in rows]
    window.close()


def test_every_click_goes_as_any_format(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all&network=all")
    total = asked(sampled, "/api/analytics/geo/countries", network="all")["total"]
    page.get_by_test_id("table-download").click()
    page.get_by_test_id("export-clicks").click()
    page.get_by_test_id("export-geojson").click()
    with page.expect_download() as coming:
        page.get_by_test_id("export-start").click()
        page.get_by_test_id("export-progress").wait_for()
    expect(page.get_by_text(f"{total:,} rows exported.")).to_be_visible()
    assert coming.value.suggested_filename == "clicks.geojson"
    assert len(json.loads(coming.value.path().read_bytes())["features"]) == total
    window.close()


def test_unplaced_clicks_are_listed(chromium: Browser, sampled: Served) -> None:
    window = Window(chromium, sampled)
    page = window.goto("/app?days=all")
    page.get_by_test_id("chip-unplaced").click()
    listed = asked(sampled, "/api/analytics/geo/countries", unplaced="true")
    entries = page.get_by_test_id("unplaced-list").locator("button")
    expect(entries).to_have_count(len(listed["rows"]))
    shown = [number(entry) for entry in entries.locator("b").all_inner_texts()]
    assert sum(shown) + listed["unlisted"] == number(page.get_by_test_id("chip-unplaced").inner_text())
    window.close()
