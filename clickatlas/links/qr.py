"""QR codes of short links: as PNG, SVG or PDF, with colours that scanners can tell apart and a logo in the middle.

The symbol is segno's (ISO/IEC 18004). A logo hides modules, which the highest error correction (H, up to 30 % of the
codewords) makes up for: it covers no more than `LOGO_SHARE` of the width, its edge included.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from enum import StrEnum

import segno
from PIL import Image, ImageColor, UnidentifiedImageError
from PIL.Image import DecompressionBombError, Resampling

from clickatlas.errors import invalid

LOGO_SHARE = 0.24  # of the symbol's width, without its margin: 6 % of its area
LEAST_CONTRAST = 4.0  # ratio of luminances (WCAG 2.2); 3 is where phones begin to miss codes in poor light
LARGEST_LOGO = 2048  # pixels, each way
KEPT_LOGO = 512
MAX_LOGO_BYTES = 100_000
LOGO_FORMATS = ("PNG", "JPEG", "WEBP")


class Kind(StrEnum):
    """A file format."""

    PNG = "png"
    SVG = "svg"
    PDF = "pdf"

    @property
    def media_type(self) -> str:
        """As HTTP names it."""
        return {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}[self.value]


@dataclass(frozen=True)
class Look:
    """How a code looks. `size` is its width with its margin: pixels of a PNG, points (1/72 inch) of SVG and PDF."""

    size: int = 1024
    margin: int = 4  # modules; the standard asks for 4
    dark: str = "#000000"
    light: str | None = "#ffffff"  # None: transparent
    error: str = "M"
    logo: bytes | None = None


def qr_code(text: str, kind: Kind, look: Look) -> bytes:
    """The file of a code that says `text`. Raises `Problem` (422) for colours or a size that no scanner would read."""
    check_contrast(look.dark, look.light)
    symbol = segno.make_qr(text, error="H" if look.logo else look.error, boost_error=True)
    modules = int(symbol.symbol_size(border=look.margin)[0])
    if kind is Kind.PNG and look.size < 2 * modules:
        raise invalid(
            f"At {look.size} pixels a module would be smaller than 2 pixels.",
            remedy=f"Ask for {2 * modules} or more, or for SVG.",
            field="size",
        )
    if kind is Kind.SVG:
        return _svg(symbol, modules, look)
    if kind is Kind.PDF and look.logo is None:
        out = io.BytesIO()
        symbol.save(
            out, kind="pdf", border=look.margin, dark=look.dark, light=look.light, scale=look.size / modules
        )
        return out.getvalue()
    if kind is Kind.PDF:  # a picture, fine enough for a poster
        drawn = _drawn(symbol, modules, look, max(look.size * 300 // 72, 8 * modules))
        plain = Image.new("RGB", drawn.size, "white")
        plain.paste(drawn, mask=drawn.getchannel("A"))
        return _saved(plain, "PDF", resolution=72 * drawn.width / look.size)
    return _saved(_drawn(symbol, modules, look, look.size), "PNG", optimize=True)


def _drawn(symbol: segno.QRCode, modules: int, look: Look, width: int) -> Image.Image:
    """As pixels, exactly `width` of them: modules are whole pixels, what is left over is margin."""
    scale = width // modules
    out = io.BytesIO()
    symbol.save(out, kind="png", border=look.margin, dark=look.dark, light=look.light, scale=scale)
    drawn = Image.open(out).convert("RGBA")
    canvas = Image.new("RGBA", (width, width), look.light or (0, 0, 0, 0))
    canvas.paste(drawn, ((width - drawn.width) // 2,) * 2)
    if look.logo:
        inner = scale * (modules - 2 * look.margin)
        patch = int(inner * LOGO_SHARE)
        plate = Image.new("RGBA", (patch, patch), look.light or "#ffffff")
        logo = _opened(look.logo)
        logo.thumbnail((patch * 86 // 100,) * 2, Resampling.LANCZOS)
        plate.alpha_composite(logo, ((patch - logo.width) // 2, (patch - logo.height) // 2))
        canvas.paste(plate, ((width - patch) // 2,) * 2)
    return canvas


def _svg(symbol: segno.QRCode, modules: int, look: Look) -> bytes:
    out = io.BytesIO()
    symbol.save(
        out, kind="svg", border=look.margin, dark=look.dark, light=look.light, scale=1, omitsize=True,
        svgclass=None, lineclass=None,
    )  # fmt: skip
    text = out.getvalue().decode()
    size = f'<svg width="{look.size}" height="{look.size}"'
    text = text.replace("<svg", size, 1)
    if look.logo:
        patch = (modules - 2 * look.margin) * LOGO_SHARE
        at, inset = (modules - patch) / 2, (modules - patch * 0.86) / 2
        encoded = base64.b64encode(look.logo).decode()
        plate = f'<rect x="{at:.3f}" y="{at:.3f}" width="{patch:.3f}" height="{patch:.3f}" fill="{look.light or "#ffffff"}"/>'
        picture = (
            f'<image x="{inset:.3f}" y="{inset:.3f}" width="{patch * 0.86:.3f}" height="{patch * 0.86:.3f}"'
            f' href="data:image/png;base64,{encoded}"/>'
        )
        text = text.replace("</svg>", f"{plate}{picture}</svg>")
    return text.encode()


def checked_logo(content: bytes) -> bytes:
    """An uploaded picture as a PNG of 512 pixels at most, stripped of all else it said. Raises `Problem` (422)."""
    if len(content) > MAX_LOGO_BYTES:
        raise _bad_logo(f"is larger than {MAX_LOGO_BYTES // 1000} kB")
    try:
        with Image.open(io.BytesIO(content), formats=LOGO_FORMATS) as opened:
            if max(opened.size) > LARGEST_LOGO:  # before a pixel of it is decoded
                raise _bad_logo(f"is larger than {LARGEST_LOGO} pixels")
            logo = opened.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, DecompressionBombError):
        raise _bad_logo("can't be read") from None
    logo.thumbnail((KEPT_LOGO, KEPT_LOGO), Resampling.LANCZOS)
    return _saved(logo, "PNG", optimize=True)


def check_contrast(dark: str, light: str | None) -> None:
    """Raise `Problem` (422) where scanners could not tell `dark` from `light`; None is taken to lie on white."""
    below, above = _luminance(dark), _luminance(light or "#ffffff")
    ratio = (above + 0.05) / (below + 0.05)
    if ratio < LEAST_CONTRAST:
        why = "The modules are lighter than what is behind them" if ratio < 1 else "The colours are too alike"
        raise invalid(
            f"{why}: their contrast is {max(ratio, 1 / ratio):.1f}.",
            remedy=f"Take a dark colour on a light one, with a contrast of {LEAST_CONTRAST:g} or more.",
            field="dark",
        )


def _luminance(colour: str) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2, after IEC 61966-2-1)."""
    shares = (value / 255 for value in ImageColor.getrgb(colour)[:3])
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _opened(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content), formats=("PNG",)) as opened:
        return opened.convert("RGBA")


def _saved(image: Image.Image, kind: str, **options: float | bool) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _bad_logo(why: str) -> Exception:
    return invalid(
        f"The logo {why}.",
        remedy=f"Send a PNG, JPEG or WebP of up to {MAX_LOGO_BYTES // 1000} kB and {LARGEST_LOGO} pixels.",
        field="logo",
    )
