"""Links for tests to click on."""

from __future__ import annotations

import secrets
from typing import Any

import httpx


def word() -> str:
    return f"w{secrets.token_hex(5)}"


def make(api: httpx.Client, **fields: Any) -> dict[str, Any]:
    body = {"url": "https://example.com/"} | fields
    answer = api.post("/api/links", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made
