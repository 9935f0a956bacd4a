"""What examples of the API's document say: values by the property's name, and whole bodies where these tell more."""

from __future__ import annotations

from typing import Any

_EARTH = [-71.19, 42.23, -70.92, 42.45]
_TILE = "https://go.example.com/api/heat/tiles/{z}/{x}/{y}.mvt?v=1"
_SQUARE = [[[-71.2, 42.2], [-70.9, 42.2], [-70.9, 42.5], [-71.2, 42.2]]]
_SHARE = {"campaign": ["Spring"], "days": 90, "tz": "Europe/Berlin"}

WORDS: dict[str, Any] = {
    "action": "link.change", "address": "campaign=Spring", "against": "the nation", "answer": "OK", "area": "country:US",
    "app_schemes": "myapp", "areas": "region:US-MA", "attribution": "© OpenStreetMap contributors", "baseline": "population", "bbox": _EARTH,
    "bounds": _EARTH, "browser": "Safari", "campaign": "Spring", "campaigns": "Spring",
    "caveats": "The accuracy radius of half of these clicks is above 20 km.", "channel": "email", "channels": "email",
    "channels.*": [0.5, 0.4, 0.6], "city": "Cambridge", "code": "spring", "column": "clicked_at", "columns": "clicked_at",
    "confirm": "Lighthouse", "content": "header", "coordinates": _SQUARE, "countries": "DE", "country": "US",
    "country_name": "United States", "county": "Middlesex County", "county_code": "25017", "created_by": "Ann",
    "current": "the old pass phrase", "dark": "#ffd166", "detail": "url: https://example.com/ → https://example.com/spring",
    "devices": "mobile", "email": "ann@example.com", "error": "The disk is full.", "event": "click", "events": "click",
    "field": "url", "fields.*": "Number", "figure": "median_age", "figures": "population", "filter": _SHARE,
    "filter.*": "country:US", "first_day": "2026-03-01", "flag": "🇺🇸", "group": "social", "host": "example.com",
    "heat_max": {"4": 812}, "html": '<iframe src="https://go.example.com/app/shared/…"></iframe>', "id": "region:US-MA",
    "ids": "region:US-MA", "iframe": '<iframe src="https://go.example.com/app/shared/…"></iframe>', "interval": [0.9, 1.4],
    "invited_by": "Ann", "key": "the key of your account there", "kind": "csv", "language": "de", "language_name": "German",
    "languages": "de", "last_day": "2026-03-31", "lat": 42.37, "left_out": {"hosting": 40, "bot": 12}, "licence": "CC BY 4.0",
    "light": "#8d0801", "link": "spring", "links": "spring", "lon": -71.11, "lorenz": [[0.0, 0.0], [0.2, 0.7], [1.0, 1.0]],
    "margins": {"median_age": 0.4}, "may": "read", "medians": {"age": 30.2}, "medium": "email",
    "mend": "Run 'clickatlas atlas update'.", "message": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
    "method": "Benjamini-Hochberg, empirical Bayes", "metro": "Boston-Cambridge-Newton, MA-NH", "metro_code": "14460",
    "mode": "heat", "name": "Massachusetts", "names": "Massachusetts", "network": "residential", "new": "a long pass phrase",
    "next_cursor": "1200", "notes": "For the March letter.", "numbers": {"areas": 12, "share": 0.4}, "of": "share",
    "offer": "email", "origin": "social", "origins": "https://www.example.com", "own": "en", "part": 0.5,
    "password": "a long pass phrase", "placed": {"address": 950, "city": 40}, "plan": "pro", "postal_code": "02139",
    "provider_name": "clickatlas", "provider_url": "https://go.example.com", "public_url": "https://go.example.com",
    "reason": "No time can be read.", "referrer": "news.example", "region": "Massachusetts", "region_code": "US-MA",
    "regions": "US-MA", "remedy": "Write it with http:// or https://.", "role": "editor", "rows.*": "2026-03-01T09:00:00Z",
    "scope": "links:write", "scopes": "read", "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    "sentence": "40 % of your clicks come from 12 of 51 regions.", "service": "shlink", "shares": {"renters": 0.62},
    "short_url": "https://go.example.com/spring", "sides": "Spring", "silent": {"region:US-NH": 21000.0},
    "snapshot": "1f3a9c", "source": "American Community Survey", "subject": "spring",
    "surface": "https://go.example.com/api/heat/surface/{z}/{x}/{y}.png", "system": "iOS", "tag": "sale", "tags": "sale",
    "tells": "links and every visit", "term": "shoes", "text": "Newsletter sent", "ticket": "69a8f0c0-5d41402abc4b2a76",
    "tiles": _TILE, "time": "2026-03-01", "title": "Spring in Europe", "to": "2026-03-31", "from": "2026-03-01",
    "token": "ca_6f1c0b", "type": "rich", "tz": "Europe/Berlin", "url": "https://example.com/spring",
    "urbanicity": {"urban": 1.0}, "used_on": "2026-03-01", "value": "mobile", "version": "0.1.0", "vintage": "2024",
    "what": "The atlas is 400 days old.", "who": "Ann", "within": "-71.2,42.2,-70.9,42.5", "workspace": "Lighthouse",
    "a": 610, "active": True, "alpha": 0.05, "b": 594, "distance": 0.18, "embed": True, "expected": 1104.6,
    "extra": 99.4, "gini": 0.41, "hhi": 0.036, "high": 1.21, "index": 109.0, "lag_clicks": 0, "lag_seconds": 0.0, "lost": 0,
    "low": 0.98, "p": 0.08, "phi": 1.7, "private": 0, "q": 0.2, "rate": 1.69, "ratio": 1.09, "ready": True, "residents": True,
    "sample": 5210, "total_a": 2608, "total_b": 2602, "uneven": 0.02, "unknown": 28, "unlisted": 0, "unplaced": 310,
    "withheld": 0, "status": 302, "clicks": 1204, "total": 5210, "share": 0.23, "population": 7136171, "min_cell": 0, "zone": 1,
}  # fmt: skip
# Properties that are null more often than not.
NULLS = {
    "archived_at", "spent_at", "starts_at", "expires_at", "old_secret_until", "due_at", "since", "kept_since", "error", "problem",
    "imported_before", "reason", "older", "next_cursor", "max_clicks", "target", "sample", "domain", "links_per_month", "history_days",
}  # fmt: skip
# Schemas whose properties together make more sense than one by one.
_DOMAIN: dict[str, Any] = {
    "id": 3, "name": "go.example.com", "shown": "go.example.com", "verified_at": "2026-03-01T09:00:00Z",
    "checked_at": "2026-03-01T09:00:00Z", "problem": "", "points_here": True, "lost_at": None, "primary": True, "links": 12,
    "records": [
        {"kind": "TXT", "name": "_clickatlas.go.example.com", "value": "clickatlas=5f0c3fd2a91e4be7b8a6c1d09e7f2a34",
         "why": "Shows that the domain is yours."},
        {"kind": "CNAME", "name": "go.example.com", "value": "links.example.org", "why": "Leads its visitors here."},
    ],
}  # fmt: skip
WHOLE: dict[str, Any] = {
    "DomainOut": _DOMAIN,
    "DomainList": {"rows": [_DOMAIN], "default": "links.example.org"},
    "HeldDomain": {"domain": "go.example.com"},
    "InsightCard": {
        "kind": "gap",
        "sentence": "Ohio has a third of the clicks that its residents would give.",
        "numbers": {"clicks": 40, "expected": 118.2},
        "of": "ratio",
        "interval": [0.22, 0.49],
        "p": 0.0001,
        "q": 0.004,
        "areas": [
            {
                "id": "region:US-OH",
                "name": "Ohio",
                "lat": 40.3,
                "lon": -82.8,
                "bbox": [-84.8, 38.4, -80.5, 42.0],
            }
        ],
        "areas_total": 1,
        "filter": {"area": ["region:US-OH"]},
        "method": "Negative binomial, Benjamini-Hochberg, empirical Bayes",
        "sample": 5210,
        "caveats": ["The City database itself is uneven."],
    },
    "DeliveryOut": {
        "id": 7,
        "message": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
        "event": "click",
        "created_at": "2026-03-01T09:00:00Z",
        "state": "delivered",
        "tries": 1,
        "due_at": None,
        "status": 200,
        "answer": "OK",
    },
    "TargetDocument": {"areas": ["region:US-MA"], "circles": [{"lat": 52.52, "lon": 13.4, "km": 50}]},
    "TargetDocument-Input": {"areas": ["region:US-MA"], "circles": [{"lat": 52.52, "lon": 13.4, "km": 50}]},
    "TargetDocument-Output": {"areas": ["region:US-MA"], "circles": [{"lat": 52.52, "lon": 13.4, "km": 50}]},
}
_CSV = "url,code,channel,tags\nhttps://example.com/a,summer-a,email,sale; summer\n"
_EVENT = (
    'event: clicks\ndata: {"count":1,"clicks":[{"time":1772355600000,"age_ms":640,"code":"spring","channel":"email",'
    '"place":null,"device":"mobile","browser":"Safari","system":"iOS","language":"en-US","referrer":null,'
    '"network":"residential"}]}\n\n'
)
BODIES: dict[str, Any] = {
    "POST /api/links asks application/json": {
        "url": "https://example.com/spring", "code": "spring", "title": "Spring", "campaign": "Spring", "channel": "email",
        "tags": ["sale"],
    },
    "PATCH /api/links/{code} asks application/json": {"url": "https://example.com/summer", "tags": ["sale", "summer"]},
    "POST /api/links/bulk.csv asks text/csv": _CSV,
    "PATCH /api/campaigns/{name} asks application/json": {"target": WHOLE["TargetDocument"]},
    "POST /api/utm-templates asks application/json": {
        "name": "Letters", "utm": {"source": "newsletter", "medium": "{channel}", "campaign": "{campaign}"},
    },
    "POST /api/annotations asks application/json": {
        "at": "2026-11-03T08:00:00Z", "text": "Newsletter sent", "campaign": "Spring",
    },
    "PATCH /api/annotations/{annotation_id} asks application/json": {"text": "Second newsletter sent"},
    "PATCH /api/views/{view_id} asks application/json": {"name": "Spring in Asia"},
    "POST /api/shares asks application/json": {
        "title": "Where our readers are", "filter": _SHARE, "min_cell": 10, "origins": ["https://www.example.com"],
    },
    "PATCH /api/shares/{share_id} asks application/json": {"title": "Where our readers are today", "min_cell": 20},
    "PATCH /api/webhooks/{webhook_id} asks application/json": {"active": False},
    "POST /api/plan/webhook asks application/json": {
        "id": "evt_1", "type": "checkout.session.completed", "created": 1772355600,
        "data": {"object": {"client_reference_id": "1", "customer": "cus_1", "payment_status": "paid"}},
    },
    "POST /api/tokens asks application/json": {"name": "newsletter script", "scopes": ["links:write"], "expires_days": 90},
    "POST /api/imports/preview asks application/octet-stream": "time,code,ip\n2026-03-01T09:00:00Z,spring,18.9.22.69\n",
    "POST /api/imports asks application/octet-stream": "time,code,ip\n2026-03-01T09:00:00Z,spring,18.9.22.69\n",
    "GET /api/analytics/live text/event-stream": _EVENT,
    "GET /api/analytics/live/{code} text/event-stream": _EVENT,
    "GET /api/imports/{import}/refused.csv text/csv": "row,reason,time,code\n3,No time can be read.,yesterday,spring\n",
}  # fmt: skip
# Of tables as files, whichever they are.
TEXTS: dict[str, str] = {
    "text/csv": "id,name,clicks\nregion:US-MA,Massachusetts,1204\n",
    "application/x-ndjson": '{"id":"region:US-MA","name":"Massachusetts","clicks":1204}\n',
    "application/geo+json": '{"type":"FeatureCollection","features":[]}',
    "text/plain": 'clickatlas_clicks_total{kind="residential"} 5210\n',
}
