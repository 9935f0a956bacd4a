"""QR codes by the API, read by ZXing, and their scans counted."""

from __future__ import annotations

import io
from typing import Any

import httpx
import zxingcpp
from PIL import Image

from tests.server.making import make
from tests.server.problems import is_problem
from tests.server.served import Served
from tests.unit.test_qr import flat, logo


def read(content: bytes) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(flat(content))]


def test_a_printed_code_leads_to_its_link_and_is_counted_as_a_scan(api: httpx.Client) -> None:
    made = make(api)
    answer = api.get(f"/api/links/{made['code']}/qr", params={"size": 500}).raise_for_status()
    assert answer.headers["content-type"] == "image/png"
    assert "sandbox" in answer.headers["content-security-policy"]
    [text] = read(answer.content)
    assert text == made["short_url"] + "?q"
    assert httpx.get(text).headers["location"] == made["url"]
    unmarked = api.get(f"/api/links/{made['code']}/qr", params={"marked": False})
    assert read(unmarked.content) == [made["short_url"]]


def test_formats_and_what_is_refused(api: httpx.Client) -> None:
    path = f"/api/links/{make(api)['code']}/qr"
    assert b"<svg" in api.get(path, params={"format": "svg"}).content
    assert api.get(path, params={"format": "pdf"}).content.startswith(b"%PDF")
    bad: list[dict[str, Any]] = [
        {"dark": "ffffff"}, {"dark": "red"}, {"light": "000"}, {"size": 5000}, {"size": 70}, {"margin": -1},
        {"format": "gif"}, {"error": "X"}, {"dark": "#12345"},
    ]  # fmt: skip
    for query in bad:
        is_problem(api.get(path, params=query), 422)
    is_problem(api.get("/api/links/nosuch/qr"), 404)


def test_the_logo_of_a_workspace(api: httpx.Client, server: Served) -> None:
    path = f"/api/links/{make(api)['code']}/qr"
    is_problem(api.get(path, params={"logo": True}), 404)
    for content in (b"", b"no picture", logo()[:90], b"x" * 110_000):
        is_problem(api.put("/api/workspace/logo", content=content), 422)
    assert api.put("/api/workspace/logo", content=logo()).status_code == 204
    kept = Image.open(io.BytesIO(api.get("/api/workspace/logo").raise_for_status().content))
    assert kept.size == (300, 200)
    for kind in ("png", "svg", "pdf"):
        assert api.get(path, params={"logo": True, "format": kind}).status_code == 200
    drawn = api.get(path, params={"logo": True, "size": 600}).content
    assert len(read(drawn)) == 1
    assert flat(drawn).getpixel((300 + 20, 300)) != flat(api.get(path, params={"size": 600}).content).getpixel((320, 300))  # fmt: skip
    assert api.delete("/api/workspace/logo").status_code == 204
    is_problem(api.get("/api/workspace/logo"), 404)
