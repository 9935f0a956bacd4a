"""How a shared map stands in other pages: its address, the frame's HTML, the page's head, oEmbed."""

from __future__ import annotations

from html import escape
from urllib.parse import quote, urlsplit

from clickatlas.links.models import Share
from clickatlas.settings import Settings

PATH = "/app/shared/"
WIDTH, HEIGHT = 800, 500  # of a frame that nobody says more of, in px
LEAST = 200


def address(settings: Settings, secret: str) -> str:
    """Where a shared map is."""
    return f"{settings.base_url}{PATH}{secret}"


def secret_in(url: str, settings: Settings) -> str | None:
    """The secret in the address of a shared map of ours; None where it is none."""
    try:
        parts, own = urlsplit(url), urlsplit(settings.base_url)
    except ValueError:
        return None
    if (parts.scheme, parts.netloc.lower()) != (own.scheme, own.netloc.lower()):
        return None
    return parts.path.removeprefix(PATH).rstrip("/") if parts.path.startswith(PATH) else None


def iframe(url: str, title: str, width: int | str = "100%", height: int = HEIGHT) -> str:
    """The frame's HTML. It asks for no more than the map needs: scripts, its own origin, links that open beside it."""
    return (
        f'<iframe src="{escape(url)}" title="{escape(title)}" width="{width}" height="{height}" loading="lazy" '
        'style="border:0;border-radius:12px" referrerpolicy="no-referrer" '
        'sandbox="allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox"></iframe>'
    )


def head(share: Share | None, url: str, settings: Settings) -> str:
    """What a shared map's page says of itself to those who don't run it. A map with a password keeps its title."""
    if share is None:
        return '<title>No such map · clickatlas</title><meta name="robots" content="noindex">'
    title = "A map with a password" if share.password else share.title
    lines = [
        f"<title>{escape(title)}</title>",
        f'<meta property="og:title" content="{escape(title)}">',
        '<meta property="og:type" content="website">',
    ]
    if not share.listed:
        lines.append('<meta name="robots" content="noindex">')
    if share.embed:
        discovery = f"{settings.base_url}/api/oembed?url={quote(url, safe='')}"
        lines.append(
            f'<link rel="alternate" type="application/json+oembed" href="{escape(discovery)}" title="{escape(title)}">'
        )
    return "\n    ".join(lines)


def ancestors(share: Share | None) -> str:
    """The `frame-ancestors` of a shared map's policy: who may embed it."""
    if share is None or not share.embed:
        return "'none'"
    return share.origins or "*"
