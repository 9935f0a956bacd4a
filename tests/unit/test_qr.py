"""QR codes, read by another's reader (ZXing)."""

from __future__ import annotations

import base64
import io
import re
import zlib
from functools import cache
from xml.etree import ElementTree

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


def painted(svg: bytes, scale: int = 8) -> Image.Image:
    """An SVG of rectangles and horizontal strokes, painted by its own geometry: what it has beside these fails."""
    tree = ElementTree.fromstring(svg)
    name = "{http://www.w3.org/2000/svg}"
    _, _, wide, high = map(float, tree.attrib["viewBox"].split())
    paper = Image.new("RGB", (int(wide) * scale, int(high) * scale), "white")
    draw = ImageDraw.Draw(paper)
    for part in tree.iter():
        if part.tag == f"{name}rect":
            x, y, w, h = (float(part.attrib[side]) * scale for side in ("x", "y", "width", "height"))
            draw.rectangle((x, y, x + w - 1, y + h - 1), fill=part.attrib["fill"])
        elif part.tag == f"{name}path":
            at = [0.0, 0.0]
            assert not part.attrib.get("transform")
            steps = re.findall(r"([A-Za-z])([-0-9. ]*)", part.attrib["d"])
            for step, told in steps:
                numbers = [float(number) for number in re.findall(r"-?[0-9.]+", told)]
                if step in "Mm":
                    at = [a + n for a, n in zip(at if step == "m" else (0, 0), numbers, strict=True)]
                elif step in "Hh":
                    end = numbers[0] + (at[0] if step == "h" else 0)
                    if "stroke" in part.attrib:  # of width 1, its middle on the line
                        box = (
                            at[0] * scale,
                            (at[1] - 0.5) * scale,
                            end * scale - 1,
                            (at[1] + 0.5) * scale - 1,
                        )
                        draw.rectangle(box, fill=part.attrib["stroke"])
                    at[0] = end
                elif step in "Vv":
                    at[1] = numbers[0] + (at[1] if step == "v" else 0)
                else:
                    assert step in "Zz", step
            if "fill" in part.attrib:  # what is behind all
                assert part.attrib["d"].count("h") == 2
                draw.rectangle((0, 0, *paper.size), fill=part.attrib["fill"])
        elif part.tag == f"{name}image":
            x, y, w, _ = (float(part.attrib[side]) * scale for side in ("x", "y", "width", "height"))
            with Image.open(io.BytesIO(base64.b64decode(part.attrib["href"].partition(",")[2]))) as opened:
                inside = opened.convert("RGBA")
            inside.thumbnail((int(w), int(w)))
            paper.paste(inside, (int(x), int(y)), inside)
        else:
            assert part.tag == f"{name}svg", part.tag
    return paper


@pytest.mark.parametrize("with_logo", [False, True])
@pytest.mark.parametrize(
    ("dark", "light"), [("#000000", "#ffffff"), ("#1d3557", "#f1faee"), ("#7b2d26", None)]
)
def test_an_svg_is_read(dark: str, light: str | None, with_logo: bool) -> None:
    look = Look(size=300, dark=dark, light=light, logo=checked_logo(logo()) if with_logo else None)
    assert read(painted(qr_code(TEXT, Kind.SVG, look))) == [TEXT]


def paged(pdf: bytes, scale: int = 2) -> Image.Image:
    """A PDF of one page: its picture, or its strokes and rectangles painted; an operator beyond these fails."""
    if b"/DCTDecode" in pdf:
        return Image.open(io.BytesIO(pdf[pdf.index(b"\xff\xd8") : pdf.rindex(b"endstream")])).convert("RGB")
    box = re.search(rb"/MediaBox\s*\[\s*0 0 ([0-9.]+) ([0-9.]+)", pdf)
    assert box
    wide, high = (round(float(side) * scale) for side in box.groups())
    paper = Image.new("RGB", (wide, high), "white")
    draw = ImageDraw.Draw(paper)
    stream = re.search(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.S)
    assert stream
    content = zlib.decompress(stream[1]) if b"/FlateDecode" in pdf else stream[1]
    told: list[float] = []
    pen = fill = (0, 0, 0)
    grow, width, shift = 1.0, 1.0, (0.0, 0.0)
    at, boxes, rules = (0.0, 0.0), list[tuple[float, ...]](), list[tuple[float, ...]]()
    for word in content.split():
        if re.fullmatch(rb"-?[0-9.]+", word):
            told.append(float(word))
            continue
        match word:
            case b"cm":
                grow, shift = grow * told[0], (shift[0] + told[4] * grow, shift[1] + told[5] * grow)
            case b"w":
                width = told[0]
            case b"rg" | b"RG":
                colour = (round(told[0] * 255), round(told[1] * 255), round(told[2] * 255))
                fill, pen = (colour, pen) if word == b"rg" else (fill, colour)
            case b"re":
                boxes.append((told[0], told[1], told[0] + told[2], told[1] + told[3]))
            case b"m":
                at = (told[0], told[1])
            case b"l":
                assert told[1] == at[1]
                rules.append((at[0], at[1] - width / 2, told[0], at[1] + width / 2))
                at = (told[0], told[1])
            case b"f" | b"S" | b"B" | b"f*":
                for some, colour in ((boxes, fill), (rules, pen)):
                    for x0, y0, x1, y1 in some:
                        xs = sorted((x * grow + shift[0]) * scale for x in (x0, x1))
                        ys = sorted(high - (y * grow + shift[1]) * scale for y in (y0, y1))
                        draw.rectangle((xs[0], ys[0], xs[1] - 1, ys[1] - 1), fill=colour)
                boxes, rules = [], []
            case b"q" | b"Q":
                pass
            case _:
                raise AssertionError(word)
        told = []
    return paper


@pytest.mark.parametrize("with_logo", [False, True])
@pytest.mark.parametrize(
    ("dark", "light"), [("#000000", "#ffffff"), ("#1d3557", "#f1faee"), ("#7b2d26", None)]
)
def test_a_pdf_is_read(dark: str, light: str | None, with_logo: bool) -> None:
    look = Look(size=300, dark=dark, light=light, logo=checked_logo(logo()) if with_logo else None)
    assert read(paged(qr_code(TEXT, Kind.PDF, look))) == [TEXT]


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
