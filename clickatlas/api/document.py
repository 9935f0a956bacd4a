"""The API's document (OpenAPI): what FastAPI makes of the routes, and what all of them have in common."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from clickatlas.api.examples import with_examples
from clickatlas.errors import PROBLEM

PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "A refusal, as RFC 9457 has it: what happened, and what to do about it.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "The kind of problem in a few words."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "This occurrence."},
        "remedy": {"type": "string", "description": "What to do about it."},
        "scope": {"type": "string", "description": "What one would have to be allowed, with status 403."},
        "field": {"type": "string", "description": "The parameter at fault."},
        "retry_after": {"type": "integer", "description": "Seconds to wait, with status 429."},
    },
}
SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "Made by 'clickatlas token create'."},
    "operator": {"type": "http", "scheme": "bearer", "description": "The installation's own: metrics_token."},
    "session": {"type": "apiKey", "in": "cookie", "name": "clickatlas_session",
                "description": "The page's own; over TLS its name starts with __Host-."},
}  # fmt: skip
OPEN = (("get", "/health"), ("get", "/health/live"), ("get", "/health/ready"), ("post", "/api/session"),
        ("post", "/api/session/link"), ("post", "/api/session/redeem"), ("get", "/api/sign-in"), ("post", "/api/sign-up"),
        ("post", "/api/letters/read"), ("post", "/api/letters/accept"),
        ("post", "/api/plan/webhook"), ("get", "/api/domains/ask"))  # fmt: skip
OPERATORS = ("/metrics",)
PUBLIC = ("/api/shared/", "/api/oembed")  # whoever has a shared map's address


def tile_of(media_type: str) -> dict[int | str, dict[str, Any]]:
    """What a route of tiles answers with, for its `responses`."""
    return {
        200: {"content": {media_type: {"schema": {"type": "string", "format": "binary"}}}},
        204: {"description": "Nothing is there"},
        304: {"description": "As it was, by its ETag"},
    }


def document(app: FastAPI, routes: list[BaseRoute]) -> dict[str, Any]:
    """The document of `app`: every refusal is a Problem, and all but `OPEN` ones need a key."""
    made = get_openapi(title=app.title, version=app.version, description=app.description, routes=routes)
    components = made.setdefault("components", {})
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own shape, which nobody gets to see
        components.get("schemas", {}).pop(name, None)
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    components["securitySchemes"] = SCHEMES
    problem = {"$ref": "#/components/schemas/Problem"}
    components["responses"] = {
        "Problem": {
            "description": "Refused, and why",
            "content": {PROBLEM: {"schema": problem}},
        }
    }
    made["security"] = [{name: []} for name in SCHEMES if name != "operator"]
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = {"$ref": "#/components/responses/Problem"}
            if (method, path) in OPEN or path.startswith(PUBLIC):
                operation["security"] = []
            if path in OPERATORS:
                operation["security"] = [{"operator": []}]
    with_examples(made)
    return made
