"""Campaign parameters of a destination (Urchin's `utm_*`), by which web analytics tell visits apart."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

PARTS = ("source", "medium", "campaign", "term", "content", "id")


def with_utm(url: str, values: Mapping[str, str | None]) -> str:
    """`url` with `utm_source` and so on set to `values` (keys as in `PARTS`); those it had are replaced, others stay.

    An app's address without a host, such as `tel:+15550100`, stays as it is: a query would be part of its number.
    """
    given = {f"utm_{part}": value for part in PARTS if (value := values.get(part))}
    if not given:
        return url
    parts = urlsplit(url)
    if not parts.netloc:
        return url
    kept = [
        piece
        for piece in parts.query.split("&")
        if piece and dict(parse_qsl(piece, keep_blank_values=True)).keys().isdisjoint(given)
    ]
    added = [f"{name}={quote(value, safe='')}" for name, value in given.items()]
    return urlunsplit(parts._replace(query="&".join((*kept, *added))))


def filled(template: Mapping[str, str | None], values: Mapping[str, str | None]) -> dict[str, str]:
    """A template with ``{campaign}``, ``{channel}``, ``{code}`` and ``{title}`` filled in; what is not known is empty."""
    found: dict[str, str] = {}
    for part in PARTS:
        text = template.get(part) or ""
        for name in ("campaign", "channel", "code", "title"):
            text = text.replace(f"{{{name}}}", values.get(name) or "")
        if text.strip():
            found[part] = text.strip()
    return found
