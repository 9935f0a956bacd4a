"""What is on the pages of a PDF that Chromium printed: its words and its pictures. Not a reader of other PDFs.

Skia writes every object in the open, a page's words as glyph numbers, and beside each font the table from those to
Unicode (ISO 32000-1, 9.10.3).
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from PIL import Image

OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)\nendobj", re.S)
SHOWN = re.compile(rb"/(F\d+) [\d.]+ Tf|<([0-9A-Fa-f]+)> ?Tj|\[((?:[^\]])*)\] ?TJ")


@dataclass(frozen=True)
class Printed:
    """One page."""

    text: str  # without any white space: a line's end and a gap between two words look the same in the file
    pictures: list[Image.Image]

    def says(self, words: str) -> bool:
        return squeezed(words) in self.text


def squeezed(words: str) -> str:
    return re.sub(r"\s+", "", words)


def pages(data: bytes) -> list[Printed]:
    """The pages in their order."""
    objects = {int(found[1]): found[2] for found in OBJECT.finditer(data)}
    tree = next(
        head for head in objects.values() if head.startswith(b"<</Type /Pages") and b"/Parent" not in head
    )
    return [_page(objects, number) for number in _leaves(objects, tree)]


def _leaves(objects: dict[int, bytes], node: bytes) -> list[int]:
    kids = re.search(rb"/Kids \[(.*?)\]", node, re.S)
    assert kids
    found = list[int]()
    for kid in map(int, re.findall(rb"(\d+) 0 R", kids[1])):
        found += _leaves(objects, objects[kid]) if b"/Type /Pages" in objects[kid] else [kid]
    return found


def _stream(body: bytes) -> tuple[bytes, bytes]:
    head, _, rest = body.partition(b"stream\n")
    return head, zlib.decompressobj().decompress(rest) if b"/FlateDecode" in head else rest


def _page(objects: dict[int, bytes], number: int) -> Printed:
    page = objects[number]
    contents = re.search(rb"/Contents (\d+) 0 R", page)
    assert contents
    fonts = {
        name.decode(): _letters(objects, objects[int(at)])
        for name, at in re.findall(rb"/(F\d+) (\d+) 0 R", page)
    }
    words, letters = list[str](), dict[str, str]()
    for font, one, many in SHOWN.findall(_stream(objects[int(contents[1])])[1]):
        if font:
            letters = fonts[font.decode()]
        for code in [one] if one else re.findall(rb"<([0-9A-Fa-f]+)>", many):
            wide = len(next(iter(letters), "0000"))
            text = code.decode().upper()
            words += [letters.get(text[at : at + wide], "\ufffd") for at in range(0, len(text), wide)]
    pictures = [_picture(objects[int(at)]) for at in re.findall(rb"/X\d+ (\d+) 0 R", page)]
    return Printed(squeezed("".join(words)), [picture for picture in pictures if picture])


def _letters(objects: dict[int, bytes], font: bytes) -> dict[str, str]:
    """A font's glyph numbers, in hexadecimal as they are written, to what they mean."""
    at = re.search(rb"/ToUnicode (\d+) 0 R", font)
    assert at
    table = _stream(objects[int(at[1])])[1].decode("latin-1")
    found = dict[str, str]()
    for block in re.findall(r"beginbfchar(.*?)endbfchar", table, re.S):
        for code, meant in re.findall(r"<(\w+)> <(\w+)>", block):
            found[code.upper()] = bytes.fromhex(meant).decode("utf-16-be")
    for block in re.findall(r"beginbfrange(.*?)endbfrange", table, re.S):
        for first, last, meant in re.findall(r"<(\w+)> <(\w+)> <(\w+)>", block):
            for more in range(int(last, 16) - int(first, 16) + 1):
                found[f"{int(first, 16) + more:0{len(first)}X}"] = chr(int(meant, 16) + more)
    return found


def _picture(body: bytes) -> Image.Image | None:
    """An image in colour; None for what is only a form or a mask."""
    head, data = _stream(body)
    if b"/Subtype /Image" not in head or b"/DeviceGray" in head:
        return None
    sides = [re.search(rb"/%s (\d+)" % side, head) for side in (b"Width", b"Height")]
    width, height = (int(side[1]) for side in sides if side)
    return Image.frombytes("RGB", (width, height), data)
