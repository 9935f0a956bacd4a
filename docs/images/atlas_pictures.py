"""Draws the pictures of docs/atlas.md from the real atlas: `PYTHONPATH=. .venv/bin/python docs/images/atlas_pictures.py`.

Needs a Chromium to turn SVG into PNG: its path in CHROMIUM, as for the browser tests.
"""

import os
from html import escape
from pathlib import Path

import numpy as np
import numpy.typing as npt
from playwright.sync_api import sync_playwright

from bench.sample import atlas
from clickatlas.atlas.files import load
from clickatlas.atlas.mercator import mercator

HERE = Path(__file__).parent
INK, PALE, BLUE, RED = "#1d2733", "#c3ccd6", "#2f6fde", "#d64545"
F64 = npt.NDArray[np.float64]
# Position, name, and by how many pixels it stands aside.
NAMED = (
    ((37.751, -97.822), "no spot at all: “somewhere in the US”", 0, 78),
    ((39.04, -77.49), "Ashburn", -34, 4),
    ((45.84, -119.7), "Boardman", 0, 24),
    ((41.26, -95.86), "Council Bluffs", 0, -10),
)
BOSTON = ("02110", "02116", "02124")  # ZIP codes of very different size
LARGEST = 60.0  # pixels: radius of the place that most addresses lead to


def kansas() -> tuple[str, int, int]:
    """The United States by how many IPv4 addresses lead to each answer: what is drawn, and what never is."""
    places, width, height = atlas().places, 900, 500
    starts, number = (np.asarray(load(atlas().folder, f"v4_{name}")) for name in ("start", "value"))
    addresses = np.bincount(number, np.diff(starts.astype(np.float64), append=2.0**32), minlength=len(places))
    lat, lon = np.asarray(places.lat), np.asarray(places.lon)

    def on_page(lat: F64, lon: F64) -> tuple[F64, F64]:
        return (lon + 125.5) / 59.5 * width, (50.2 - lat) / 26.2 * height

    x, y = on_page(lat, lon)
    inside = (lon > -125.5) & (lon < -66) & (lat > 24) & (lat < 50.2)
    country = atlas().areas.number("country:US")
    inside &= np.asarray(places.area["country"]) == country  # type: ignore[index]
    spots, which = np.unique(np.round(np.c_[x, y][inside], 1), axis=0, return_inverse=True)
    unplaced = np.bincount(which.ravel(), (addresses * places.unplaced)[inside], minlength=len(spots))
    placed = np.bincount(
        which.ravel(), (addresses * ~np.asarray(places.unplaced))[inside], minlength=len(spots)
    )
    scale = LARGEST / np.sqrt(max(unplaced.max(), placed.max()))
    dots = []
    for total, colour, opacity in ((placed, BLUE, 0.55), (unplaced, RED, 0.6)):
        for at in np.argsort(-total)[: int((total > 0).sum())].tolist():
            radius = max(scale * float(np.sqrt(total[at])), 0.5)
            left, top = spots[at]
            fill = colour if radius > 0.8 else PALE
            dots.append(
                f'<circle cx="{left}" cy="{top}" r="{radius:.1f}" fill="{fill}" opacity="{opacity}"/>'
            )
    for spot, name, dx, dy in NAMED:
        left, top = on_page(*np.array(spot))
        dots.append(f'<text x="{left + dx:.0f}" y="{top + dy:.0f}" text-anchor="middle">{name}</text>')
    return "".join(dots), width, height


def boston() -> tuple[str, int, int]:
    """Clusters of three zooms around Boston, each panel 290 pixels of the map."""
    parts, size = [], 290
    places = atlas().places
    people, mine = np.asarray(places.population), atlas().locator.place_of("18.9.22.69")
    x, y = mercator(np.asarray(places.lat)[~places.unplaced], np.asarray(places.lon)[~places.unplaced])
    for panel, (zoom, what) in enumerate(((4, "metros"), (8, "towns"), (11, "ZIP codes"))):
        nodes, total = atlas().clusters.nodes(zoom), atlas().clusters.counts(zoom, people)
        own = int(atlas().clusters.node_of(zoom)[mine])

        def on_page(x: F64, y: F64, zoom: int = zoom) -> F64:
            middle = np.array([(180 - 71.1) / 360, 0.36983])  # of the world, mercator: Cambridge
            return (np.c_[x, y] - middle) * 512 * 2**zoom + size / 2

        left = panel * (size + 15)
        parts.append(f'<svg x="{left}" y="0" width="{size}" height="{size}">')
        parts.append(f'<rect width="{size}" height="{size}" rx="6" fill="#eef2f6"/>')
        spots = np.unique(np.round(on_page(x, y)), axis=0)
        for px, py in spots[((spots > 2) & (spots < size - 2)).all(axis=1)].tolist():
            parts.append(f'<circle cx="{px:.0f}" cy="{py:.0f}" r=".8" fill="{PALE}"/>')
        pixels = on_page(nodes.x, nodes.y)
        edge = np.array([[3.2 * len(nodes.name(n)), 25] for n in range(len(nodes))])  # no name is cut off
        shown = ((pixels > edge) & (pixels < size - edge)).all(axis=1) & (pixels[:, 1] > 40)
        for at in np.flatnonzero(shown).tolist():
            (px, py), radius = pixels[at], 4 + 2.2 * max(float(np.log10(total[at] + 1)) - 2, 0)
            fill, weight = (RED, "bold") if at == own else (BLUE, "normal")
            parts.append(
                f'<circle cx="{px:.0f}" cy="{py:.0f}" r="{radius:.1f}" fill="{fill}" opacity=".8"/>'
                f'<text x="{px:.0f}" y="{py + radius + 11:.0f}" text-anchor="middle" font-weight="{weight}" font-size="10">'
                f"{escape(nodes.name(at))}</text>"
            )
        parts.append(f'<text x="10" y="18"><tspan font-weight="bold">zoom {zoom}</tspan> {what}</text>')
        parts.append(
            f'<path d="M{size - 75} 20v-5h60v5" fill="none" stroke="{INK}"/>'
            f'<text x="{size - 45}" y="12" text-anchor="middle">60 px</text></svg>'
        )
    return "".join(parts), 3 * size + 30, size


def degrees() -> tuple[str, int, int]:
    """A share over several ZIP codes: they as bars, as wide as their adults, as high as their share."""
    width, height, low, full = 900, 225, 180, 185.0
    people = atlas().people
    counted = [people.figures(f"zip:{code}") for code in BOSTON]
    bars = []
    for code, said in zip(BOSTON, counted, strict=True):
        assert said
        young = said["shares"]["under_18"] + said["shares"]["age_18_to_24"]
        bars.append((said["shares"]["bachelors_or_higher"], said["population"] * (1 - young), code))
    bars.sort(reverse=True)
    adults = sum(bar[1] for bar in bars)
    mean = sum(share * base for share, base, _ in bars) / adults
    plain = sum(share for share, _, _ in bars) / len(bars)
    parts, left, wide = [], 10.0, width - 240.0
    for share, base, code in bars:
        across, up = base / adults * wide, share * full
        parts.append(
            f'<rect x="{left:.1f}" y="{low - up:.1f}" width="{across - 1.5:.1f}" height="{up:.1f}" fill="{BLUE}" '
            f'opacity=".6"/><text x="{left + across / 2:.0f}" y="{low - up - 4:.0f}" text-anchor="middle">{share:.0%}</text>'
            f'<text x="{left + across / 2:.0f}" y="{low + 13}" text-anchor="middle">{code}</text>'
        )
        left += across
    for value, colour, dash, words, dy in (
        (mean, RED, "", f"{mean:.1%} of all their adults: right", 4),
        (plain, INK, "4 4", f"{plain:.1%}: the mean of the three shares: wrong", 4),
    ):
        top = low - value * full
        parts.append(
            f'<path d="M10 {top:.1f}H{left:.0f}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-dasharray="{dash}"/>'
            f'<text x="{left + 6:.0f}" y="{top + dy:.0f}" fill="{colour}">{words}</text>'
        )
    parts.append(
        f'<text x="10" y="{low + 32}">width: adults of 25 and older; height: share with a degree</text>'
    )
    return "".join(parts), width, height


def main() -> None:
    """Write the pictures beside this file."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox"]
        )
        for name, draw in (("places", kansas), ("clusters", boston), ("shares", degrees)):
            body, width, height = draw()
            page = browser.new_page(viewport={"width": width, "height": height})
            style = f"<style>body{{margin:0}}svg{{font-family:sans-serif;font-size:11px}}text:not([fill]){{fill:{INK}}}</style>"
            page.set_content(
                f'{style}<svg width="{width}" height="{height}" style="background:#fff">{body}</svg>'
            )
            page.screenshot(path=HERE / f"atlas-{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
