"""The map's vector tiles."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response

from clickatlas.api.caller import CallerDep, HouseDep
from clickatlas.api.filters import FilterDep
from clickatlas.errors import not_found
from clickatlas.insight.heat import MAX_ZOOM

router = APIRouter(prefix="/api/heat", tags=["map"])
MVT = "application/vnd.mapbox-vector-tile"


@router.get("/tilejson")
def tilejson(request: Request, wanted: FilterDep, opened: HouseDep, who: CallerDep) -> dict[str, Any]:
    """TileJSON 3.0 of the filter's tiles, with totals, the clicks' bounds and each zoom's fullest cell."""
    snapshot = opened.questions.snapshot(who.workspace, wanted)
    counts, heat = snapshot.counts, snapshot.heat
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "v"]
    query = urlencode([*kept, ("v", snapshot.token)])
    host = opened.settings.public_url or f"{request.url.scheme}://{request.url.netloc}"
    return {
        "tilejson": "3.0.0",
        "tiles": [f"{host}/api/heat/tiles/{{z}}/{{x}}/{{y}}.mvt?{query}"],
        "vector_layers": [
            {"id": "heat", "fields": {"clicks": "Clicks in a cell of 1/256 tile"}},
            {
                "id": "clusters",
                "fields": {
                    "clicks": "Clicks", "name": "What it is", "kind": "Its level",
                    "id": "The same under every filter",
                    "expansion_zoom": "The zoom at which it breaks apart; 15: never",
                },
            },
        ],
        "minzoom": 0,
        "maxzoom": MAX_ZOOM,
        "bounds": list(heat.bounds or (-180, -85, 180, 85)),
        "attribution": ", ".join(source.attribution for source in opened.atlas.sources),
        "snapshot": snapshot.token,
        "total": counts.total,
        "unplaced": counts.unplaced,
        "unknown": counts.unknown,
        "left_out": counts.left_out,
        "heat_max": {str(zoom): clicks for zoom, clicks in enumerate(heat.largest_cell)},
    }  # fmt: skip


@router.get("/tiles/{z}/{x}/{y}.mvt", response_class=Response)
def tile(
    request: Request,
    z: Annotated[int, Path(ge=0, le=MAX_ZOOM)],
    x: Annotated[int, Path(ge=0)],
    y: Annotated[int, Path(ge=0)],
    wanted: FilterDep,
    opened: HouseDep,
    who: CallerDep,
    v: Annotated[str | None, Query(description="A snapshot's token, from the TileJSON.")] = None,
) -> Response:
    """One Mapbox Vector Tile (2.1) with the layers `heat` and `clusters`; 204 where there is nothing."""
    if x >= 1 << z or y >= 1 << z:
        raise not_found(
            f"Zoom {z} has no tile {x}/{y}.", remedy=f"Use 0 to {(1 << z) - 1} for each at this zoom."
        )
    snapshot = opened.questions.snapshot(who.workspace, wanted, v)
    headers = {
        "etag": f'"{snapshot.token}"',
        "cache-control": "private, no-cache",
        "vary": "cookie, authorization",
    }
    if _matches(request.headers.get("if-none-match", ""), headers["etag"]):
        return Response(status_code=304, headers=headers)
    data = snapshot.heat.tile(z, x, y)
    return Response(data, 200 if data else 204, headers, media_type=MVT if data else None)


def _matches(header: str, etag: str) -> bool:
    return any(tag.strip().removeprefix("W/") in (etag, "*") for tag in header.split(","))
