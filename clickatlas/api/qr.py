"""QR codes of links, and the workspace's logo in them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Response

from clickatlas.api.caller import CallerDep, EditorDep, HouseDep
from clickatlas.errors import invalid, not_found
from clickatlas.links import audit, domains, links
from clickatlas.links.models import Logo, now
from clickatlas.links.qr import Kind, Look, checked_logo, qr_code
from clickatlas.links.ways import MARK

router = APIRouter(tags=["links"])
FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The code.",
        "content": {kind.media_type: {"schema": {"type": "string", "format": "binary"}} for kind in Kind},
    }
}
PICTURE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
        "description": "A PNG.",
    }
}
# A picture is shown by itself, and may contain nothing that acts.
ALONE = {
    "content-security-policy": "default-src 'none'; img-src data:; sandbox",
    "cache-control": "private, no-cache",
}
COLOUR = re.compile("#?([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")


@router.get("/api/links/{code}/qr", responses=FILES, response_class=Response)
def code(
    code: str,
    opened: HouseDep,
    who: CallerDep,
    kind: Annotated[Kind, Query(alias="format")] = Kind.PNG,
    size: Annotated[
        int,
        Query(ge=64, le=4096, description="Width with its margin: pixels of a PNG, points of SVG and PDF."),
    ] = 1024,
    margin: Annotated[int, Query(ge=0, le=20, description="Modules; the standard asks for 4.")] = 4,
    dark: Annotated[str, Query(max_length=7, description="Colour of the modules, as 1d3557.")] = "000000",
    light: Annotated[
        str, Query(max_length=11, description="Colour behind them, or `transparent`.")
    ] = "ffffff",
    error: Annotated[
        Literal["L", "M", "Q", "H"], Query(description="Error correction, at least; H with a logo.")
    ] = "M",
    logo: Annotated[bool, Query(description="With the workspace's logo in the middle.")] = False,
    marked: Annotated[bool, Query(description="Whether scans are counted apart, as channel `qr`.")] = True,
) -> Response:
    """A link's QR code.

    Colours that scanners can't tell apart are refused. The code says the short link with `?q` behind it, by which a
    scan is told from a click.
    """
    with opened.links.reading() as session:
        link = links.find(session, who.workspace, code)
        kept = session.get(Logo, who.workspace) if logo else None
    if logo and kept is None:
        raise not_found("This workspace has no logo.", remedy="Send one with PUT /api/workspace/logo.")
    text = domains.short_url(opened.settings.base_url, link.code) + (f"?{MARK.decode()}" if marked else "")
    look = Look(
        size=size,
        margin=margin,
        dark=_colour(dark, "dark"),
        light=None if light == "transparent" else _colour(light, "light"),
        error=error,
        logo=kept.content if kept else None,
    )
    name = {"content-disposition": f'inline; filename="{link.code.replace("@", "-")}.{kind}"'}
    return Response(qr_code(text, kind, look), headers=ALONE | name, media_type=kind.media_type)


@router.get("/api/workspace/logo", responses=PICTURE, response_class=Response)
def logo(opened: HouseDep, who: CallerDep) -> Response:
    """The workspace's logo."""
    with opened.links.reading() as session:
        kept = session.get(Logo, who.workspace)
    if kept is None:
        raise not_found("This workspace has no logo.", remedy="Send one with PUT /api/workspace/logo.")
    return Response(kept.content, headers=ALONE, media_type="image/png")


@router.put("/api/workspace/logo", status_code=204)
def set_logo(
    content: Annotated[bytes, Body(media_type="application/octet-stream", description="PNG, JPEG or WebP.")],
    opened: HouseDep,
    who: EditorDep,
) -> Response:
    """Set the workspace's logo: up to 100 kB and 2048 pixels each way; kept as a PNG of 512."""
    picture = checked_logo(content)
    with opened.links.writing() as session:
        session.merge(Logo(workspace_id=who.workspace, content=picture, changed_at=now()))
        audit.by(session, who, "logo.change", f"{len(picture)} bytes")
    return Response(status_code=204)


@router.delete("/api/workspace/logo", status_code=204)
def remove_logo(opened: HouseDep, who: EditorDep) -> Response:
    """Remove the workspace's logo."""
    with opened.links.writing() as session:
        kept = session.get(Logo, who.workspace)
        if kept is None:
            raise not_found("This workspace has no logo.", remedy="There is nothing to remove.")
        session.delete(kept)
        audit.by(session, who, "logo.delete", "")
    return Response(status_code=204)


def _colour(text: str, field: str) -> str:
    found = COLOUR.fullmatch(text)
    if found is None:
        raise invalid(f"'{field}' is no colour: {text!r}.", remedy="Give it as 1d3557.", field=field)
    return f"#{found[1]}"
