"""The map under the clicks that an operator may choose instead of the page's own: streets from PMTiles or a style."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.errors import Problem
from clickatlas.settings import Settings

router = APIRouter(tags=["maps"])

TILES = "/api/basemap/tiles.pmtiles"
OPENSTREETMAP = '<a href="https://www.openstreetmap.org/copyright">© OpenStreetMap</a>'
KEPT = {"cache-control": "private, max-age=3600"}


class Basemap(BaseModel):
    """What is drawn under the clicks."""

    kind: Annotated[
        Literal["offline", "pmtiles", "style"],
        Field(
            description="offline: the page's own map. pmtiles: vector tiles in Protomaps' layers, or pictures, "
            "read by HTTP Range. style: a MapLibre style document."
        ),
    ]
    url: Annotated[str | None, Field(description="Where the PMTiles file or the style is.")] = None
    attribution: Annotated[
        str, Field(description="HTML for the map's corner; empty: the source says it.")
    ] = ""
    problem: Annotated[str | None, Field(description="Why the chosen basemap can't be used, if so.")] = None


@router.get("/api/basemap", summary="Which map is drawn under the clicks")
def basemap(opened: HouseDep, _who: CallerDep) -> Basemap:
    """The operator's choice (setting `basemap`). A file that is gone makes it `offline`, with the problem."""
    settings = opened.settings
    if not settings.basemap:
        return Basemap(kind="offline")
    if file := local_file(settings):
        if not file.is_file():
            return Basemap(kind="offline", problem=f"The basemap's file {file.name} is not there.")
        return Basemap(kind="pmtiles", url=TILES, attribution=settings.basemap_attribution or OPENSTREETMAP)
    if urlsplit(settings.basemap).path.endswith(".pmtiles"):
        attribution = settings.basemap_attribution or OPENSTREETMAP
        return Basemap(kind="pmtiles", url=settings.basemap, attribution=attribution)
    return Basemap(kind="style", url=settings.basemap, attribution=settings.basemap_attribution)


@router.get(
    TILES,
    summary="The operator's own tiles",
    response_class=FileResponse,
    responses={206: {"description": "The bytes asked for by Range."}, 404: {"description": "No such file."}},
)
def tiles(opened: HouseDep, _who: CallerDep) -> FileResponse:
    """The local PMTiles file, for readers that ask for byte ranges; 404 where none is configured."""
    file = local_file(opened.settings)
    if file is None or not file.is_file():
        raise Problem(
            404,
            "No basemap file",
            "No local basemap is configured, or its file is not there.",
            remedy="Set 'basemap' to the path of a .pmtiles file.",
        )
    return FileResponse(file, media_type="application/vnd.pmtiles", headers=KEPT)


def local_file(settings: Settings) -> Path | None:
    """The configured PMTiles file, or None where the basemap is a URL or the page's own."""
    chosen = settings.basemap
    return Path(chosen).expanduser() if chosen and "://" not in chosen else None


def origin(settings: Settings) -> str | None:
    """The one other origin that a page may ask, such as `https://tiles.example.com`; None: no other."""
    if "://" not in settings.basemap:
        return None
    scheme, host, *_ = urlsplit(settings.basemap)
    return f"{scheme}://{host}"
