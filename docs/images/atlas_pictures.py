"""Draws the pictures of docs/atlas.md from the real atlas: `PYTHONPATH=. .venv/bin/python docs/images/atlas_pictures.py`.

Needs a Chromium to turn SVG into PNG: its path in CHROMIUM, as for the browser tests.
"""

import os
from html import escape
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from bench.sample import atlas
from clickatlas.atlas.files import load

HERE = Path(__file__).parent
INK, PALE, BLUE, RED = "#1d2733", "#c3ccd6", "#2f6fde", "#d64545"
LARGEST = 60.0  # pixels: radius of the place that most addresses lead to


def kansas() -> tuple[str, int, int]:
    """The United States by how many IPv4 addresses lead to each answer: what is drawn, and what never is."""
    places, width, height = atlas().places, 900, 500
    starts, number = (np.asarray(load(atlas().folder, f"v4_{name}")) for name in ("start", "value"))
    addresses = np.bincount(number, np.diff(starts.astype(np.float64), append=2.0**32), minlength=len(places))
    lat, lon = np.asarray(places.lat), np.asarray(places.lon)
    x = (lon + 125.5) / 59.5 * width
    y = (50.2 - lat) / 26.2 * height
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
    return "".join(dots), width, height


def boston() -> tuple[str, int, int]:
    """Clusters of three zooms around Boston, each panel 290 pixels of the map."""
    parts, size = [], 290
    people = np.asarray(atlas().places.population)
    for panel, zoom in enumerate((4, 8, 11)):
        nodes = atlas().clusters.nodes(zoom)
        total = atlas().clusters.counts(zoom, people)
        middle = np.array([(180 - 71.1) / 360, 0.36983])  # of the world, mercator: Cambridge
        pixels = (np.c_[nodes.x, nodes.y] - middle) * 512 * 2**zoom + size / 2
        left = panel * (size + 15)
        parts.append(f'<svg x="{left}" y="0" width="{size}" height="{size}">')
        parts.append(f'<rect width="{size}" height="{size}" rx="6" fill="#eef2f6"/>')
        here = ((pixels > 8) & (pixels < size - 8)).all(axis=1)
        for at in np.flatnonzero(here).tolist():
            (px, py), radius = pixels[at], 4 + 2.2 * max(float(np.log10(total[at] + 1)) - 2, 0)
            name = escape(nodes.name(at))
            parts.append(
                f'<circle cx="{px:.0f}" cy="{py:.0f}" r="{radius:.1f}" fill="{BLUE}" opacity=".75"/>'
            )
            parts.append(f'<text x="{px:.0f}" y="{py + radius + 10:.0f}" text-anchor="middle">{name}</text>')
        parts.append(f'<text x="10" y="20" font-weight="bold" font-size="13">zoom {zoom}</text></svg>')
    return "".join(parts), 3 * size + 30, size


def main() -> None:
    """Write the pictures beside this file."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox"]
        )
        for name, draw in (("places", kansas), ("clusters", boston)):
            body, width, height = draw()
            page = browser.new_page(viewport={"width": width, "height": height})
            style = f"<style>body{{margin:0}}text{{font:10px sans-serif;fill:{INK}}}</style>"
            page.set_content(
                f'{style}<svg width="{width}" height="{height}" style="background:#fff">{body}</svg>'
            )
            page.screenshot(path=HERE / f"atlas-{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
