"""Every endpoint of the API, once: how it is asked, and what it shows of whom.

A new endpoint needs a row here: `test_access.py` compares this table with the API's document.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import Any, NamedTuple

Body = dict[str, Any]


class Shows(Enum):
    """Whose something is."""

    NOBODYS = "the same for everybody, signed in or not"
    INSTALLATION = "the same for everybody who is signed in"
    WORKSPACE = "what belongs to the asker's workspace"
    NAMED = "one thing of a workspace, named by {code} or {view}: another's is not there (404)"


class Endpoint(NamedTuple):
    """One row. `{code}` and `{view}` in the path, query and body are a link and a view of some workspace."""

    method: str
    template: str  # as the API's document has it
    shows: Shows
    path: str  # as a caller asks
    body: Body | None = None
    ok: int = 200  # what one who may gets

    @property
    def changes(self) -> bool:
        return self.method not in ("GET", "HEAD")

    def asked(self, code: str, view: int) -> tuple[str, Body | None]:
        """Path and body with a workspace's names in them."""
        path = self.path.replace("{code}", code).replace("{view}", str(view))
        return path, json.loads(json.dumps(self.body).replace("{code}", code)) if self.body else None


_N, _I, _W, _O = Shows.NOBODYS, Shows.INSTALLATION, Shows.WORKSPACE, Shows.NAMED
_GEO, _TILE = "/api/analytics/geo", "{z}/{x}/{y}"

ENDPOINTS = [
    Endpoint("GET", "/health", _N, "/health"),
    Endpoint("POST", "/api/links", _W, "/api/links", {"url": "https://example.com/{code}"}, 201),
    Endpoint("GET", "/api/links", _W, "/api/links"),
    Endpoint("GET", "/api/links/{code}", _O, "/api/links/{code}"),
    Endpoint("PATCH", "/api/links/{code}", _O, "/api/links/{code}", {"title": "changed {code}"}),
    Endpoint("DELETE", "/api/links/{code}", _O, "/api/links/{code}", ok=204),
    Endpoint("GET", f"{_GEO}/{{table}}", _W, f"{_GEO}/countries"),
    Endpoint("GET", f"{_GEO}/{{code}}/{{table}}", _O, f"{_GEO}/{{code}}/countries"),
    Endpoint("GET", "/api/analytics/clicks", _W, "/api/analytics/clicks"),
    Endpoint("GET", "/api/analytics/breakdown", _W, "/api/analytics/breakdown?by=link"),
    Endpoint("GET", "/api/analytics/hours", _W, "/api/analytics/hours"),
    Endpoint("GET", "/api/heat/tilejson", _W, "/api/heat/tilejson"),
    Endpoint("GET", f"/api/heat/tiles/{_TILE}.mvt", _W, "/api/heat/tiles/0/0/0.mvt"),
    Endpoint("GET", "/api/heat/areas", _W, "/api/heat/areas"),
    Endpoint("GET", f"/api/heat/surface/{_TILE}.png", _W, "/api/heat/surface/0/0/0.png"),
    Endpoint("GET", "/api/heat/frames", _W, "/api/heat/frames"),
    Endpoint("GET", "/api/compare/areas", _W, "/api/compare/areas"),
    Endpoint("GET", "/api/compare/tilejson", _W, "/api/compare/tilejson"),
    Endpoint("GET", f"/api/compare/tiles/{_TILE}.mvt", _W, "/api/compare/tiles/0/0/0.mvt"),
    Endpoint("GET", "/api/areas", _I, "/api/areas?search=boston"),
    Endpoint("GET", "/api/areas/{area_id}", _W, "/api/areas/country:US"),
    Endpoint("GET", "/api/atlas", _I, "/api/atlas"),
    Endpoint("GET", "/api/basemap", _I, "/api/basemap"),
    Endpoint("GET", "/api/basemap/tiles.pmtiles", _I, "/api/basemap/tiles.pmtiles", ok=404),
    Endpoint("GET", "/api/filters", _W, "/api/filters"),
    Endpoint("GET", "/api/views", _W, "/api/views"),
    Endpoint("POST", "/api/views", _W, "/api/views", {"name": "new {code}", "address": "link={code}"}, 201),
    Endpoint("PATCH", "/api/views/{view_id}", _O, "/api/views/{view}", {"name": "changed {code}"}),
    Endpoint("DELETE", "/api/views/{view_id}", _O, "/api/views/{view}", ok=204),
    Endpoint("GET", "/api/export/clicks.{kind}", _W, "/api/export/clicks.csv?network=all"),
    Endpoint("GET", "/api/session", _W, "/api/session"),
    Endpoint("DELETE", "/api/session", _W, "/api/session", ok=204),
    Endpoint("GET", "/api/audit", _W, "/api/audit"),
    Endpoint("DELETE", "/api/sample", _W, "/api/sample"),
    Endpoint("GET", "/api/status", _W, "/api/status"),
]
PRIVATE = [endpoint for endpoint in ENDPOINTS if endpoint.shows is not Shows.NOBODYS]
FILTERED = ("/api/analytics/", "/api/heat/", "/api/compare/", "/api/export/")  # they take `link`
