"""QR codes, read by another's reader (ZXing)."""

from __future__ import annotations

import io
import re
from functools import cache

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from clickatlas.errors import Problem
from clickatlas.links.qr import KEPT_LOGO, Kind, Look, check_contrast, checked_logo, qr_code

TEXT = "https://go.example.com/spring-sale_2026?q"


@cache
def logo(width: int = 300, height: int = 200, form: str = "PNG") -> bytes:
    picture = Image.new("RGB", (width, height), "#e63946")
    ImageDraw.Draw(picture).ellipse((5, 5, min(width, height), min(width, height)), fill="yellow")
    out = io.BytesIO()
    picture.save(out, form)
    return out.getvalue()


def flat(content: bytes, behind: str = "white") -> Image.Image:
    """As it looks on `behind`."""
    drawn = Image.open(io.BytesIO(content)).convert("RGBA")
    paper = Image.new("RGBA", drawn.size, behind)
    paper.alpha_composite(drawn)
    return paper.convert("RGB")


def read(picture: Image.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(picture)]


@pytest.mark.parametrize("with_logo", [False, True])
@pytest.mark.parametrize(
    ("dark", "light"), [("#000000", "#ffffff"), ("#1d3557", "#f1faee"), ("#7b2d26", None)]
)
@pytest.mark.parametrize("size", [220, 1024, 2000])
def test_a_png_is_read_and_as_large_as_asked(
    size: int, dark: str, light: str | None, with_logo: bool
) -> None:
    look = Look(size=size, dark=dark, light=light, logo=checked_logo(logo()) if with_logo else None)
    drawn = flat(qr_code(TEXT, Kind.PNG, look))
    assert drawn.size == (size, size)
    assert read(drawn) == [TEXT]
    assert read(drawn.filter(ImageFilter.GaussianBlur(size / 400)).rotate(7, fillcolor="white")) == [TEXT]


@given(st.text("abcXYZ019-_~.", min_size=1, max_size=64), st.integers(0, 6), st.sampled_from("LMQH"))
@settings(max_examples=25, deadline=None)
def test_any_code_is_read_back(code: str, margin: int, error: str) -> None:
    text = f"https://go.example.com/{code}?q"
    drawn = flat(qr_code(text, Kind.PNG, Look(size=400, margin=margin, error=error)))
    paper = Image.new("RGB", (500, 500), "white")  # a code without a margin needs white around it
    paper.paste(drawn, (50, 50))
    assert read(paper) == [text]


def test_svg_and_pdf_say_how_large_they_are() -> None:
    for kept in (None, checked_logo(logo())):
        look = Look(size=300, logo=kept)
        svg = qr_code(TEXT, Kind.SVG, look).decode()
        assert 'width="300" height="300"' in svg
        assert "<script" not in svg
        assert svg.count("<image") == (kept is not None)
        box = re.search(rb"/MediaBox\s*\[\s*0 0 ([0-9.]+) ([0-9.]+)", qr_code(TEXT, Kind.PDF, look))
        assert box
        assert [float(box[1]), float(box[2])] == pytest.approx([300, 300], abs=0.5)


@pytest.mark.parametrize(
    ("dark", "light", "said"),
    [("#ffffff", "#000000", "lighter"), ("#777777", "#ffffff", None), ("#888888", "#ffffff", "alike"),
     ("#ffff00", None, "alike"), ("#f00", "#fff", "alike" ), ("#00f", "#fff", None)],
)  # fmt: skip
def test_colours_that_scanners_cannot_tell_apart_are_refused(
    dark: str, light: str | None, said: str | None
) -> None:
    if said is None:
        check_contrast(dark, light)
        return
    with pytest.raises(Problem, match=said):
        qr_code(TEXT, Kind.SVG, Look(dark=dark, light=light))


def test_too_small_to_scan_is_refused() -> None:
    with pytest.raises(Problem, match="2 pixels"):
        qr_code(TEXT, Kind.PNG, Look(size=64))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_logo_is_kept_small_and_says_nothing_else(form: str) -> None:
    kept = Image.open(io.BytesIO(checked_logo(logo(1600, 800, form))))
    assert (kept.format, kept.size, kept.info) == ("PNG", (KEPT_LOGO, KEPT_LOGO // 2), {})


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", b"<svg/>", logo()[:60], b"\x89PNG\r\n\x1a\n" + bytes(50), b"x" * 100_001, logo(4000, 40, "PNG")],
)  # fmt: skip
def test_what_is_no_logo_is_refused(content: bytes) -> None:
    with pytest.raises(Problem, match="logo"):
        checked_logo(content)


def test_a_picture_that_would_fill_the_memory_is_refused_unread() -> None:
    out = io.BytesIO()
    Image.fromarray(np.zeros((6000, 6000), np.uint8)).save(out, "PNG", optimize=True)
    assert len(out.getvalue()) < 100_000
    with pytest.raises(Problem, match="2048 pixels"):
        checked_logo(out.getvalue())
