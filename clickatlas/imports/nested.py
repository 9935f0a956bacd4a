"""JSON as services nest it, made flat: `{"link": {"key": "a"}}` is a column `link.key`."""

from __future__ import annotations

from typing import Any

DEEPEST = 6


def flat(record: dict[str, Any], before: str = "", depth: int = 0) -> dict[str, Any]:
    """One level of names, dotted. Lists stay lists, but for a list of one text (`{"Referer": ["x"]}`), which is it."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict) and value and depth < DEEPEST and name not in ("countries",):
            found.update(flat(value, f"{before}{name}.", depth + 1))
        elif name == "tags" and isinstance(value, list):  # texts, or objects with a name as Dub has them
            tags = [tag.get("name") if isinstance(tag, dict) else tag for tag in value]
            found[f"{before}{name}"] = ",".join(str(tag) for tag in tags if tag)
        elif isinstance(value, list) and len(value) == 1 and isinstance(value[0], str) and before:
            found[f"{before}{name}"] = value[0]
        else:
            found[f"{before}{name}"] = value
    return found


def with_others(record: dict[str, Any]) -> list[dict[str, Any]]:
    """A link, and the same once more for each other code it has: Bitly keeps those that people chose in `custom_bitlinks`."""
    others = record.get("custom_bitlinks")
    if "long_url" not in record or not isinstance(others, list):
        return [record]
    return [
        record,
        *(record | {"id": o, "link": o} for o in others if isinstance(o, str) and o != record.get("link")),
    ]


def records_in(document: Any, depth: int = 0) -> list[dict[str, Any]] | None:
    """The list of objects in an answer such as `{"visits": {"data": [{...}]}}`; None where there is none."""
    if isinstance(document, list):
        return (
            [one for one in document if isinstance(one, dict)]
            if any(isinstance(o, dict) for o in document)
            else None
        )
    if isinstance(document, dict) and depth < 3:
        for name in ("data", "links", "clicks", "visits", "shortUrls", "events"):
            if (
                isinstance(document.get(name), (list, dict))
                and (found := records_in(document[name], depth + 1)) is not None
            ):
                return found
    return None
