"""The web page, its files, the interactive API docs, and the small files that browsers ask for."""

from __future__ import annotations

import re
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from clickatlas.api import embeds
from clickatlas.api.basemap import origin
from clickatlas.api.house import house
from clickatlas.errors import Problem
from clickatlas.links import shares
from clickatlas.links.models import Share
from clickatlas.settings import Settings

CSP = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; "
    "worker-src 'self' blob:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'"
)
PAGE_HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-cache",
}
DOCS = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>clickatlas API</title>
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/static/docs/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="/static/docs/swagger-ui-bundle.js"></script><script src="/static/docs/init.js"></script>
</body></html>
"""
# Shared maps say themselves whether they may be listed; who may not read them can't know.
ROBOTS = f"User-agent: *\nAllow: {embeds.PATH}\nDisallow: /\n"


def page_headers(settings: Settings) -> dict[str, str]:
    """The page's headers: its policy names the host of the operator's own basemap, and no other."""
    if not (host := origin(settings)):
        return PAGE_HEADERS
    policy = CSP.replace("img-src 'self'", f"connect-src 'self' {host}; img-src 'self' {host}")
    return PAGE_HEADERS | {"content-security-policy": policy}


def shared(share: Share | None, secret: str, settings: Settings, static: Path) -> Response:
    """A shared map's page: the same files as the explorer's, under a policy that lets some pages embed it."""
    index = static / "index.html"
    if not index.is_file():
        raise Problem(
            503, "The page is not built", "The web page's files are missing.", remedy="Run 'make run'."
        )
    headers = page_headers(settings)
    policy = headers["content-security-policy"].replace(
        "frame-ancestors 'none'", f"frame-ancestors {embeds.ancestors(share)}"
    )
    headers = headers | {
        "content-security-policy": policy,
        "cache-control": "private, no-cache",
        # Its address is its key: no page that it leads to is told it.
        "referrer-policy": "no-referrer",
    }
    if share is None or not share.listed:
        headers["x-robots-tag"] = "noindex"
    if share is not None and share.embed:
        headers["cross-origin-resource-policy"] = "cross-origin"
    head = embeds.head(share, embeds.address(settings, secret), settings)
    page = re.sub("<title>.*?</title>", lambda _: head, index.read_text("utf-8"), count=1, flags=re.DOTALL)
    return HTMLResponse(page, 404 if share is None else 200, headers)


class PageFiles(StaticFiles):
    """The built page's files: hashed ones are kept for ever, an empty basemap tile is 204."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one file."""
        path = self.get_path(scope)
        if path.endswith(".pbf") and not (Path(str(self.directory)) / path).is_file():
            await Response(status_code=204, headers={"cache-control": "max-age=86400"})(scope, receive, send)
            return
        # Sent as bytes, not as a path for the server to send: so the compression in front sees them.
        await super().__call__({**scope, "extensions": {}}, receive, send)

    def file_response(self, full_path, stat_result, scope, status_code=200):  # type: ignore[no-untyped-def]
        """Add how long the file may be kept."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        hashed = "/assets/" in scope["path"]
        response.headers["cache-control"] = (
            "public, max-age=31536000, immutable" if hashed else "public, max-age=3600"
        )
        response.headers["x-content-type-options"] = "nosniff"
        return response


def add_pages(app: FastAPI, static: Path) -> None:
    """Mount the page on `app`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def root() -> Response:
        return RedirectResponse("/app", 302)

    @router.get(f"{embeds.PATH}{{secret}}")
    def shared_page(secret: str, request: Request) -> Response:
        opened = house(request)
        with opened.links.reading() as session:
            share = shares.opened_by(session, secret)
        return shared(share, secret, opened.settings, static)

    @router.get("/app")
    @router.get("/app/{path:path}")
    def page(request: Request) -> Response:
        index = static / "index.html"
        if not index.is_file():
            raise Problem(
                503, "The page is not built", "The web page's files are missing.", remedy="Run 'make run'."
            )
        # Also while nothing can be asked: the page says why.
        return FileResponse(index, headers=page_headers(request.app.state.settings))

    @router.get("/docs")
    def docs() -> Response:
        return HTMLResponse(DOCS, headers=PAGE_HEADERS)

    @router.get("/robots.txt")
    def robots() -> Response:
        return PlainTextResponse(ROBOTS)

    @router.get("/favicon.ico")
    def favicon() -> Response:
        icon = static / "favicon.svg"
        return FileResponse(icon, media_type="image/svg+xml") if icon.is_file() else Response(status_code=204)

    app.include_router(router)
    if static.is_dir():
        app.mount("/static", PageFiles(directory=static))
