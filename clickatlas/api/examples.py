"""Examples of the API's document: made of its schemas and a table of words, so that every route has one that fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clickatlas.api.example_words import BODIES, NULLS, TEXTS, WHOLE, WORDS

Schema = Mapping[str, Any]
Schemas = Mapping[str, Schema]
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,), "object": (dict,),
}  # fmt: skip
MOMENT = "2026-03-01T09:00:00Z"
UNKNOWN = "…"  # of a text that the table has no word for; a test finds it


def with_examples(document: dict[str, Any]) -> None:
    """Give every request's body and every success's an example, but those that are no text: pictures, tiles."""
    schemas: Schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = f"{method.upper()} {path}"
            for media, content in operation.get("requestBody", {}).get("content", {}).items():
                _put(content, f"{name} asks {media}", media, schemas, asked=True)
            for status, response in operation["responses"].items():
                if str(status).startswith("2"):
                    for media, content in response.get("content", {}).items():
                        _put(content, f"{name} {media}", media, schemas, asked=False)


def _put(content: dict[str, Any], name: str, media: str, schemas: Schemas, *, asked: bool) -> None:
    if media == "application/json":
        found = (
            BODIES[name] if name in BODIES else example(content.get("schema", {}), "", schemas, asked=asked)
        )
    elif (found := BODIES.get(name, TEXTS.get(media))) is None:
        return
    content.setdefault("example", found)


def example(schema: Schema, name: str, schemas: Schemas, *, asked: bool) -> Any:
    """A value of `schema` for a property called `name`; what is `asked` has only what is needed or worth showing."""
    if "$ref" in schema:
        kind = str(schema["$ref"]).rpartition("/")[2]
        if kind in WHOLE:
            return WHOLE[kind]
        return example(schemas[kind], name, schemas, asked=asked)
    if schema.get("examples"):
        return schema["examples"][0]
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        null = any(one.get("type") == "null" for one in schema["anyOf"])
        if null and name in NULLS:
            return None
        return example(
            next(one for one in schema["anyOf"] if one.get("type") != "null"), name, schemas, asked=asked
        )
    if "enum" in schema:
        return WORDS[name] if WORDS.get(name) in schema["enum"] else schema["enum"][0]
    kind = schema.get("type", "")
    if kind == "object" or "properties" in schema:
        return _object(schema, name, schemas, asked=asked)
    if kind == "array" and not isinstance(WORDS.get(name), list):
        return _array(schema, name, schemas, asked=asked)
    return _scalar(schema, kind, name)


def _object(schema: Schema, name: str, schemas: Schemas, *, asked: bool) -> Any:
    if "properties" in schema:
        needed = schema.get("required", ())
        return {
            one: example(of, one, schemas, asked=asked)
            for one, of in schema["properties"].items()
            if not asked or one in needed or of.get("examples")
        }
    if isinstance(WORDS.get(name), dict):
        return WORDS[name]
    more = schema.get("additionalProperties")
    return {"name": example(more, f"{name}.*", schemas, asked=asked)} if isinstance(more, dict) else {}


def _array(schema: Schema, name: str, schemas: Schemas, *, asked: bool) -> list[Any]:
    if "prefixItems" in schema:
        return [example(one, name, schemas, asked=asked) for one in schema["prefixItems"]]
    items = schema.get("items")
    return [example(items, name, schemas, asked=asked)] * schema.get("minItems", 1) if items else []


def _scalar(schema: Schema, kind: str, name: str) -> Any:
    if schema.get("format") == "date-time":
        return MOMENT
    if schema.get("format") == "date":
        return MOMENT[:10]
    word = WORDS.get(name)
    fits = isinstance(word, TYPES.get(kind, ())) and (kind == "boolean" or not isinstance(word, bool))
    if fits or (word is not None and not kind):
        return word
    if kind == "boolean":
        return schema.get("default", False)
    if kind in ("integer", "number"):
        return max(schema.get("minimum", 0), 12 if kind == "integer" else 0.25)
    return UNKNOWN
