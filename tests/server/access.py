"""Every endpoint of the API, once: how it is asked, what it shows of whom, and what one needs for it.

A new endpoint needs a row here: `test_access.py` compares this table with the API's document.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

Body = dict[str, Any]


class Shows(Enum):
    """Whose something is."""

    NOBODYS = "the same for everybody, signed in or not"
    INSTALLATION = "the same for everybody who is signed in"
    WORKSPACE = "what belongs to the asker's workspace"
    NAMED = "one thing of a workspace, named by {code}, {campaign}, {view}, {share}, {webhook}, {domain}, {import}, {member} or {token}: another's is not there (404)"
    PERSON = "what belongs to the asker alone, not to their workspace"


class Needs(Enum):
    """What one needs to be let in; else 403."""

    NOTHING = "no key"
    READ = "the scope read: any role"
    WRITE = "the scope links:write: editor or owner"
    ADMIN = "the scope admin: owner"
    KEYHOLDER = "a session of any role, or a token with the scope admin"
    SESSION = "a session of any role; no token will do"
    OWNER = "a session of an owner; no token will do"


class Endpoint(NamedTuple):
    """One row. Names in braces in path, query and body stand for a link, a view, … of some workspace."""

    method: str
    template: str  # as the API's document has it
    shows: Shows
    path: str  # as a caller asks
    body: Body | None = None
    ok: int = 200  # what one who may gets
    needs: Needs = Needs.READ

    @property
    def changes(self) -> bool:
        return self.method not in ("GET", "HEAD")

    def asked(self, names: Mapping[str, str]) -> tuple[str, Body | None]:
        """Path and body with a workspace's names in them."""
        path, body = self.path, json.dumps(self.body)
        for name, value in names.items():
            path, body = path.replace(f"{{{name}}}", value), body.replace(f"{{{name}}}", value)
        return path, json.loads(body)


_N, _I, _W, _O, _P = Shows.NOBODYS, Shows.INSTALLATION, Shows.WORKSPACE, Shows.NAMED, Shows.PERSON
_WRITE, _ADMIN, _KEYS, _SESSION = Needs.WRITE, Needs.ADMIN, Needs.KEYHOLDER, Needs.SESSION
_GEO, _TILE, _MAP = "/api/analytics/geo", "{z}/{x}/{y}", "/api/shared/{secret}"
_HOOKS = "/api/webhooks"

ENDPOINTS = [
    Endpoint("GET", "/api/imports/services", _I, "/api/imports/services"),
    Endpoint(
        "POST",
        "/api/imports/preview",
        _I,
        "/api/imports/preview",
        {"code": "a", "url": "https://a.example"},
        needs=_WRITE,
    ),
    Endpoint(
        "POST",
        "/api/imports",
        _W,
        "/api/imports?name={code}",
        {"code": "{code}", "url": "https://a.example"},
        202,
        _WRITE,
    ),
    Endpoint(
        "POST",
        "/api/imports/services/{service}",
        _W,
        "/api/imports/services/rebrandly",
        {"key": "{code}", "address": "http://127.0.0.1"},
        202,
        _WRITE,
    ),
    Endpoint("GET", "/api/imports", _W, "/api/imports"),
    Endpoint("GET", "/api/imports/{import}", _O, "/api/imports/{import}"),
    Endpoint("GET", "/api/imports/{import}/refused.csv", _O, "/api/imports/{import}/refused.csv"),
    Endpoint("DELETE", "/api/imports/{import}", _O, "/api/imports/{import}", ok=204, needs=_WRITE),
    Endpoint("GET", "/health", _N, "/health", needs=Needs.NOTHING),
    Endpoint("GET", "/health/live", _N, "/health/live", needs=Needs.NOTHING),
    Endpoint("GET", "/health/ready", _N, "/health/ready", needs=Needs.NOTHING),
    # No workspace's key opens it: see test_metrics.py.
    Endpoint("GET", "/metrics", _I, "/metrics", ok=401, needs=Needs.NOTHING),
    Endpoint("POST", "/api/links", _W, "/api/links", {"url": "https://example.com/{code}"}, 201, _WRITE),
    Endpoint("GET", "/api/links", _W, "/api/links"),
    Endpoint("GET", "/api/links/{code}", _O, "/api/links/{code}"),
    Endpoint(
        "PATCH", "/api/links/{code}", _O, "/api/links/{code}", {"title": "changed {code}"}, needs=_WRITE
    ),
    Endpoint("DELETE", "/api/links/{code}", _O, "/api/links/{code}", ok=204, needs=_WRITE),
    Endpoint(
        "POST",
        "/api/links/bulk",
        _W,
        "/api/links/bulk",
        {"links": [{"url": "https://a.example/{code}"}]},
        needs=_WRITE,
    ),
    # JSON is no CSV: `test_bulk.py` has files that are taken.
    Endpoint("POST", "/api/links/bulk.csv", _W, "/api/links/bulk.csv", {"url": "{code}"}, 422, _WRITE),
    Endpoint("GET", "/api/links/{code}/history", _O, "/api/links/{code}/history"),
    Endpoint("GET", "/api/domains", _W, "/api/domains"),
    # A word alone is no domain: `test_domains.py` has some.
    Endpoint("POST", "/api/domains", _W, "/api/domains", {"name": "{code}"}, 422, _ADMIN),
    Endpoint(
        "GET", "/api/domains/ask", _N, "/api/domains/ask?domain=none.example", ok=404, needs=Needs.NOTHING
    ),
    Endpoint("POST", "/api/domains/{domain_id}/check", _O, "/api/domains/{domain}/check", needs=_ADMIN),
    Endpoint(
        "PATCH", "/api/domains/{domain_id}", _O, "/api/domains/{domain}", {"primary": False}, needs=_ADMIN
    ),
    Endpoint("DELETE", "/api/domains/{domain_id}", _O, "/api/domains/{domain}", ok=204, needs=_ADMIN),
    Endpoint("GET", "/api/utm-templates", _W, "/api/utm-templates"),
    Endpoint(
        "POST",
        "/api/utm-templates",
        _W,
        "/api/utm-templates",
        {"name": "new {code}", "utm": {"source": "{code}"}},
        201,
        _WRITE,
    ),
    Endpoint(
        "DELETE",
        "/api/utm-templates/{template_id}",
        _O,
        "/api/utm-templates/{template}",
        ok=204,
        needs=_WRITE,
    ),
    Endpoint("GET", "/api/links/{code}/qr", _O, "/api/links/{code}/qr"),
    # No picture: `test_qr.py` has those that are taken.
    Endpoint("PUT", "/api/workspace/logo", _W, "/api/workspace/logo", {"code": "{code}"}, 422, _WRITE),
    Endpoint("GET", "/api/workspace/logo", _W, "/api/workspace/logo", ok=404),
    Endpoint("DELETE", "/api/workspace/logo", _W, "/api/workspace/logo", ok=404, needs=_WRITE),
    Endpoint("GET", "/api/campaigns", _W, "/api/campaigns"),
    Endpoint("GET", "/api/campaigns/{name}", _O, "/api/campaigns/{campaign}"),
    Endpoint(
        "PATCH",
        "/api/campaigns/{name}",
        _O,
        "/api/campaigns/{campaign}",
        {"target": {"areas": ["country:US"]}},
        needs=_WRITE,
    ),
    Endpoint("GET", f"{_GEO}/{{table}}", _W, f"{_GEO}/countries"),
    Endpoint("GET", f"{_GEO}/{{code}}/{{table}}", _O, f"{_GEO}/{{code}}/countries"),
    Endpoint("GET", "/api/analytics/clicks", _W, "/api/analytics/clicks"),
    Endpoint("GET", "/api/analytics/breakdown", _W, "/api/analytics/breakdown?by=link"),
    Endpoint("GET", "/api/analytics/live", _W, "/api/analytics/live?seconds=0"),
    Endpoint("GET", "/api/analytics/live/{code}", _O, "/api/analytics/live/{code}?seconds=0"),
    Endpoint("GET", "/api/analytics/hours", _W, "/api/analytics/hours"),
    Endpoint("GET", "/api/heat/tilejson", _W, "/api/heat/tilejson"),
    Endpoint("GET", f"/api/heat/tiles/{_TILE}.mvt", _W, "/api/heat/tiles/0/0/0.mvt"),
    Endpoint("GET", "/api/heat/areas", _W, "/api/heat/areas"),
    Endpoint("GET", f"/api/heat/surface/{_TILE}.png", _W, "/api/heat/surface/0/0/0.png"),
    Endpoint("GET", "/api/heat/frames", _W, "/api/heat/frames"),
    Endpoint("GET", "/api/compare/areas", _W, "/api/compare/areas"),
    Endpoint("GET", "/api/compare/tilejson", _W, "/api/compare/tilejson"),
    Endpoint("GET", f"/api/compare/tiles/{_TILE}.mvt", _W, "/api/compare/tiles/0/0/0.mvt"),
    Endpoint("GET", "/api/insights", _W, "/api/insights"),
    Endpoint("GET", "/api/insights/gaps", _W, "/api/insights/gaps?level=countries"),
    Endpoint("GET", "/api/insights/hotspots", _W, "/api/insights/hotspots?level=countries"),
    Endpoint("GET", "/api/insights/audience", _W, "/api/insights/audience"),
    Endpoint("GET", "/api/insights/concentration", _W, "/api/insights/concentration?level=countries"),
    Endpoint("GET", "/api/insights/differences", _W, "/api/insights/differences?b.network=all"),
    Endpoint("GET", "/api/insights/offers", _W, "/api/insights/offers?by=tag&level=countries"),
    Endpoint("GET", "/api/insights/rhythm", _W, "/api/insights/rhythm"),
    Endpoint("GET", "/api/insights/weekends", _W, "/api/insights/weekends"),
    Endpoint("GET", "/api/insights/coasts", _W, "/api/insights/coasts"),
    Endpoint("GET", "/api/insights/peaks", _W, "/api/insights/peaks"),
    # Only links that all have a target have markets: asked of one that has.
    Endpoint("GET", "/api/insights/markets", _O, "/api/insights/markets?link={code}"),
    Endpoint("GET", "/api/insights/target", _W, "/api/insights/target"),
    Endpoint("GET", "/api/insights/oddities", _W, "/api/insights/oddities"),
    Endpoint("GET", "/api/insights/languages", _W, "/api/insights/languages"),
    Endpoint("GET", "/api/insights/areas/{area_id}", _W, "/api/insights/areas/country:US"),
    Endpoint("GET", "/api/areas", _I, "/api/areas?search=boston"),
    Endpoint("GET", "/api/areas/{area_id}", _W, "/api/areas/country:US"),
    Endpoint("GET", "/api/atlas", _I, "/api/atlas"),
    Endpoint("GET", "/api/basemap", _I, "/api/basemap"),
    Endpoint("GET", "/api/basemap/tiles.pmtiles", _I, "/api/basemap/tiles.pmtiles", ok=404),
    Endpoint("GET", "/api/filters", _W, "/api/filters"),
    Endpoint("GET", "/api/analytics/visitors", _W, "/api/analytics/visitors?network=all"),
    Endpoint("GET", "/api/analytics/change", _W, "/api/analytics/change?network=all&from=2026-01-01"),
    Endpoint("GET", "/api/annotations", _W, "/api/annotations"),
    Endpoint(
        "POST",
        "/api/annotations",
        _O,
        "/api/annotations",
        {"at": "2026-11-03T08:00:00Z", "text": "sent {code}", "link": "{code}"},
        201,
        _WRITE,
    ),
    Endpoint(
        "PATCH",
        "/api/annotations/{annotation_id}",
        _O,
        "/api/annotations/{annotation}",
        {"text": "changed {code}"},
        needs=_WRITE,
    ),
    Endpoint(
        "DELETE",
        "/api/annotations/{annotation_id}",
        _O,
        "/api/annotations/{annotation}",
        ok=204,
        needs=_WRITE,
    ),
    Endpoint("GET", "/api/views", _W, "/api/views"),
    Endpoint(
        "POST", "/api/views", _W, "/api/views", {"name": "new {code}", "address": "link={code}"}, 201, _WRITE
    ),
    Endpoint(
        "PATCH", "/api/views/{view_id}", _O, "/api/views/{view}", {"name": "changed {code}"}, needs=_WRITE
    ),
    Endpoint("DELETE", "/api/views/{view_id}", _O, "/api/views/{view}", ok=204, needs=_WRITE),
    Endpoint("GET", "/api/shares", _W, "/api/shares"),
    Endpoint(
        "POST",
        "/api/shares",
        _W,
        "/api/shares",
        {"title": "new {code}", "filter": {"link": ["{code}"]}},
        201,
        _WRITE,
    ),
    Endpoint("POST", "/api/shares/{share_id}/renew", _O, "/api/shares/{share}/renew", needs=_WRITE),
    Endpoint(
        "PATCH", "/api/shares/{share_id}", _O, "/api/shares/{share}", {"title": "changed"}, needs=_WRITE
    ),
    Endpoint("DELETE", "/api/shares/{share_id}", _O, "/api/shares/{share}", ok=204, needs=_WRITE),
    # Whoever has a map's address, and nobody by a key: `test_shares.py` has addresses of maps.
    Endpoint("GET", _MAP, _N, "/api/shared/none", ok=404, needs=Needs.NOTHING),
    Endpoint(
        "GET", f"{_MAP}/tiles/{_TILE}.mvt", _N, "/api/shared/none/tiles/0/0/0.mvt", None, 404, Needs.NOTHING
    ),
    Endpoint(
        "GET", f"{_MAP}/places/{{table}}", _N, "/api/shared/none/places/cities", None, 404, Needs.NOTHING
    ),
    Endpoint(
        "POST", f"{_MAP}/password", _N, "/api/shared/none/password", {"password": "x"}, 404, Needs.NOTHING
    ),
    Endpoint("GET", "/api/oembed", _N, "/api/oembed?url=none", ok=404, needs=Needs.NOTHING),
    Endpoint("GET", _HOOKS, _W, _HOOKS, needs=_ADMIN),
    # Not made: it would be told of what the other rows make. `test_webhooks.py` has one that is.
    Endpoint("POST", _HOOKS, _W, _HOOKS, {"url": "{code}", "events": ["click"]}, 422, _ADMIN),
    Endpoint(
        "PATCH", f"{_HOOKS}/{{webhook_id}}", _O, f"{_HOOKS}/{{webhook}}", {"active": False}, needs=_ADMIN
    ),
    Endpoint("DELETE", f"{_HOOKS}/{{webhook_id}}", _O, f"{_HOOKS}/{{webhook}}", ok=204, needs=_ADMIN),
    Endpoint("POST", f"{_HOOKS}/{{webhook_id}}/secret", _O, f"{_HOOKS}/{{webhook}}/secret", needs=_ADMIN),
    Endpoint("POST", f"{_HOOKS}/{{webhook_id}}/test", _O, f"{_HOOKS}/{{webhook}}/test", None, 202, _ADMIN),
    Endpoint(
        "GET", f"{_HOOKS}/{{webhook_id}}/deliveries", _O, f"{_HOOKS}/{{webhook}}/deliveries", needs=_ADMIN
    ),
    Endpoint(
        "POST",
        f"{_HOOKS}/{{webhook_id}}/deliveries/{{delivery_id}}/replay",
        _O,
        f"{_HOOKS}/{{webhook}}/deliveries/{{delivery}}/replay",
        None,
        202,
        _ADMIN,
    ),
    Endpoint("GET", "/api/digest", _P, "/api/digest", needs=_SESSION),
    Endpoint("PUT", "/api/digest", _P, "/api/digest", {"every": "week"}, needs=_SESSION),
    # No mail server here: the browser's test_told.py has one that goes out.
    Endpoint("POST", "/api/digest/send", _P, "/api/digest/send", {"every": "week"}, 409, _SESSION),
    Endpoint("GET", "/api/export/clicks.{kind}", _W, "/api/export/clicks.csv?network=all"),
    Endpoint("GET", "/api/export/{table}.{kind}", _W, "/api/export/countries.ndjson"),
    Endpoint("GET", "/api/session", _W, "/api/session"),
    # Not with that word: `test_workspace_delete.py` has those that go.
    Endpoint("DELETE", "/api/workspace", _W, "/api/workspace", {"confirm": "{code}"}, 422, _ADMIN),
    # Nobody's password is right: what it tells is told to everybody. `test_passwords.py` has those who sign in.
    Endpoint(
        "POST",
        "/api/session",
        _N,
        "/api/session",
        {"email": "{code}@example.com", "password": "x"},
        401,
        Needs.NOTHING,
    ),
    Endpoint("DELETE", "/api/session", _P, "/api/session", ok=204, needs=_SESSION),
    Endpoint("PUT", "/api/session/password", _P, "/api/session/password", {"new": "short"}, 422, _SESSION),
    Endpoint("GET", "/api/sessions", _P, "/api/sessions", needs=_SESSION),
    Endpoint("DELETE", "/api/sessions", _P, "/api/sessions", needs=_SESSION),
    Endpoint("DELETE", "/api/sessions/{session_id}", _O, "/api/sessions/{session}", ok=204, needs=_SESSION),
    Endpoint("GET", "/api/tokens", _W, "/api/tokens", needs=_KEYS),
    Endpoint(
        "POST",
        "/api/tokens",
        _W,
        "/api/tokens",
        {"name": "{code}", "scopes": ["read"], "expires_days": 1},
        201,
        _KEYS,
    ),
    Endpoint("DELETE", "/api/tokens/{token_id}", _O, "/api/tokens/{token}", ok=204, needs=_KEYS),
    Endpoint("GET", "/api/people", _W, "/api/people"),
    Endpoint(
        "PATCH", "/api/people/{person_id}", _O, "/api/people/{member}", {"role": "viewer"}, needs=_ADMIN
    ),
    Endpoint("DELETE", "/api/people/{person_id}", _O, "/api/people/{member}", ok=204, needs=_ADMIN),
    Endpoint("GET", "/api/invitations", _W, "/api/invitations", needs=_ADMIN),
    Endpoint("POST", "/api/invitations", _W, "/api/invitations", {"email": "{code}@a.example"}, 201, _ADMIN),
    Endpoint(
        "DELETE",
        "/api/invitations/{invitation_id}",
        _O,
        "/api/invitations/{invitation}",
        ok=204,
        needs=_ADMIN,
    ),
    # No mail server and no sign-up here, and no such letter: `test_people.py` has those who come in.
    Endpoint("GET", "/api/sign-in", _N, "/api/sign-in", needs=Needs.NOTHING),
    Endpoint(
        "POST", "/api/session/link", _N, "/api/session/link", {"email": "x@a.example"}, 409, Needs.NOTHING
    ),
    Endpoint("POST", "/api/session/redeem", _N, "/api/session/redeem", {"token": "x"}, 401, Needs.NOTHING),
    Endpoint("POST", "/api/sign-up", _N, "/api/sign-up", {"email": "x@a.example"}, 403, Needs.NOTHING),
    Endpoint("POST", "/api/letters/read", _N, "/api/letters/read", {"token": "x"}, 404, Needs.NOTHING),
    Endpoint("POST", "/api/letters/accept", _N, "/api/letters/accept", {"token": "x"}, 404, Needs.NOTHING),
    Endpoint("PATCH", "/api/profile", _P, "/api/profile", {"name": "renamed {code}"}, 204, _SESSION),
    Endpoint("POST", "/api/profile/email", _P, "/api/profile/email", {"email": "{code}"}, 422, _SESSION),
    Endpoint("DELETE", "/api/profile", _P, "/api/profile", {"confirm": "{code}"}, 422, _SESSION),
    Endpoint("GET", "/api/profile/identities", _P, "/api/profile/identities", needs=_SESSION),
    # None of them has one: `test_oidc.py` has who does.
    Endpoint(
        "DELETE",
        "/api/profile/identities/{identity}",
        _P,
        "/api/profile/identities/0",
        ok=404,
        needs=_SESSION,
    ),
    Endpoint("GET", "/api/workspaces", _P, "/api/workspaces", needs=_SESSION),
    Endpoint("POST", "/api/workspaces", _P, "/api/workspaces", {"name": "{code}"}, 201, Needs.OWNER),
    Endpoint(
        "PUT", "/api/session/workspace", _O, "/api/session/workspace", {"id": "{workspace}"}, 204, _SESSION
    ),
    # Not with that word, as above.
    Endpoint(
        "POST",
        "/api/workspaces/{workspace_id}/leave",
        _O,
        "/api/workspaces/{workspace}/leave",
        {"confirm": "{code}"},
        422,
        _SESSION,
    ),
    # No payment service here: `test_plans.py` has the events that are taken.
    Endpoint("POST", "/api/plan/webhook", _N, "/api/plan/webhook", {"id": "x"}, 409, Needs.NOTHING),
    Endpoint("GET", "/api/plan", _W, "/api/plan"),
    Endpoint("PATCH", "/api/workspace", _W, "/api/workspace", {"name": "renamed {code}"}, 204, _ADMIN),
    Endpoint("GET", "/api/audit", _W, "/api/audit", needs=_ADMIN),
    Endpoint("DELETE", "/api/sample", _W, "/api/sample", needs=_ADMIN),
    Endpoint("GET", "/api/status", _W, "/api/status"),
]
PRIVATE = [endpoint for endpoint in ENDPOINTS if endpoint.shows is not Shows.NOBODYS]
FILTERED = (
    "/api/analytics/",
    "/api/heat/",
    "/api/compare/",
    "/api/insights",
    "/api/export/",
)  # they take `link`
