"""Refusals, as RFC 9457 wants them."""

from __future__ import annotations

from typing import Any

import httpx


def is_problem(answer: httpx.Response, *statuses: int) -> dict[str, Any]:
    """The problem document of a refusal with one of `statuses`."""
    assert answer.status_code in statuses, f"{answer.status_code}: {answer.text[:500]}"
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == answer.status_code
    assert document["title"]
    assert document["detail"]
    assert document["type"]
    return document
