"""The API's document (OpenAPI): what FastAPI makes of the routes, and what all of them have in common."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

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
        "field": {"type": "string", "description": "The parameter at fault."},
        "retry_after": {"type": "integer", "description": "Seconds to wait, with status 429."},
    },
}
SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "Made by 'clickatlas token create'."},
    "session": {"type": "apiKey", "in": "cookie", "name": "clickatlas_session", "description": "The page's own."},
}  # fmt: skip
OPEN = ("/health",)


def tile_of(media_type: str) -> dict[int | str, dict[str, Any]]:
    """What a route of tiles answers with, for its `responses`."""
    return {
        200: {"content": {media_type: {"schema": {"type": "string", "format": "binary"}}}},
        204: {"description": "Nothing is there"},
        304: {"description": "As it was, by its ETag"},
    }


def document(app: FastAPI, routes: list[BaseRoute]) -> dict[str, Any]:
    """The document of `app`: every refusal is a Problem, and all but `OPEN` paths need a key."""
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
            "content": {"application/problem+json": {"schema": problem}},
        }
    }
    made["security"] = [{name: []} for name in SCHEMES]
    for path, methods in made["paths"].items():
        for operation in methods.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = {"$ref": "#/components/responses/Problem"}
            if path in OPEN:
                operation["security"] = []
    return made
